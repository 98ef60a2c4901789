"""Blocks of numbers for the text of ``convtool explain``."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from convtool.explain.walk import Step, Walk
from convtool.report.matrix import table
from convtool.report.units import number_text

SMALL = 16
"""The longest side of a picture that is shown completely."""

SHOWN_STEPS = 16
"""The largest number of windows shown."""

Block = tuple[str, list[str]]
"""A title and its lines."""


def grid(values: NDArray[np.float64]) -> list[str]:
    """Format a matrix as aligned lines."""
    return table([[number_text(v) for v in row] for row in values.tolist()], right=True)


def beside(blocks: Sequence[Block]) -> list[str]:
    """Format titled blocks of lines side by side."""
    high = max(len(block) for _, block in blocks)
    columns = [[title, *block] + [""] * (high - len(block)) for title, block in blocks]
    widths = [max(map(len, column)) for column in columns]
    return [
        "    ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in zip(*columns, strict=True)
    ]


def sum_text(values: Sequence[float]) -> str:
    """Format numbers as a sum."""
    first, *rest = values
    added = [f"{'−' if v < 0 else '+'} {number_text(abs(v))}" for v in rest]
    return " ".join([number_text(first), *added])


def product_lines(one: Walk, step: Step) -> list[str]:
    """Format a window times its weights, and the sum."""
    high, wide = one.kernel.shape
    if max(high, wide) > SMALL:
        return [f"  the sum of {high * wide:,} products, too many to show: {number_text(step.sum)}"]
    told = []
    blocks = [grid(step.window), grid(one.laid), grid(step.products)]
    middle = (high - 1) // 2
    widths = [max(map(len, block)) for block in blocks]
    for i in range(high):
        signs = ("×", "=") if i == middle else (" ", " ")
        window, kernel, products = (b[i].rjust(w) for b, w in zip(blocks, widths, strict=True))
        told.append(f"  {window}  {signs[0]}  {kernel}  {signs[1]}  {products}".rstrip())
    return [*told, f"  {sum_text(step.products.ravel().tolist())} = {number_text(step.sum)}"]
