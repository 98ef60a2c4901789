"""The text of ``convtool explain``: inputs, windows, sums, outputs."""

from collections.abc import Sequence

import numpy as np

from convtool.cli._explain_blocks import (
    SHOWN_STEPS,
    SMALL,
    beside,
    grid,
    product_lines,
    sum_text,
)
from convtool.cli._explain_following import following_lines
from convtool.cli._explain_matrix import matrix_lines
from convtool.explain import Layer
from convtool.explain.polynomial import polynomial_text
from convtool.explain.walk import Walk
from convtool.report.units import number_text

_DRAWINGS = {
    "reflect": "dcba|abcd|dcba",
    "mirror": "dcb|abcd|cba",
    "nearest": "aaa|abcd|ddd",
    "wrap": "bcd|abcd|abc",
}


def lines(one: Layer, other: Layer, places: Sequence[tuple[int, int]]) -> list[str]:
    """Format a layer, beside the same with kernels flipped the other way.

    Parameters
    ----------
    one, other : Layer
        Convolution and correlation, or vice versa.
    places : sequence of (int, int)
        The output pixels to show; all if empty.
    """
    whole = is_whole(one)
    first = one.first
    told = [heading(one), "", *input_lines(one)]
    if whole and first.padded.shape != first.image.shape:
        for title, walk in _padded(one):
            told += [*_padded_lines(walk, title), ""]
    told += [*_size_lines(first), ""]
    for place in places or _first(first, SHOWN_STEPS):
        told += _step_lines(one, place)
        told += [_other_line(one, other, place), ""] if places else [""]
    total = first.shape[0] * first.shape[1]
    if not places and total > SHOWN_STEPS:
        told += [
            f"… and {total - SHOWN_STEPS:,} more steps; --at ROW,COLUMN shows any of them",
            "",
        ]
    if whole and not places:
        told += [*_both_lines(one, other), ""]
        if one.is_single:
            told += [*matrix_lines(first), ""]
        told += following_lines(one)
    return told if told[-1] else told[:-1]


def polynomial_lines(one: Walk) -> list[str]:
    """Format the product of two polynomials."""
    first, second, product = (
        polynomial_text(row.tolist()) for row in (one.image[0], one.kernel[0], one.output[0])
    )
    return [
        f"({first}) · ({second})",
        f"  = {product}",
        "Each coefficient is a sum of products whose powers add up to its own: a convolution.",
        "",
    ]


def is_whole(one: Layer) -> bool:
    """Return whether a layer's image is small enough to show as numbers."""
    height, width = one.first.image.shape
    return bool(max(height, width) <= SMALL)


def heading(one: Layer) -> str:
    """Format the heading of an explanation."""
    first = one.first
    what = "convolution" if first.flipped else "correlation"
    size, kernels = (f"{w}×{h}" for h, w in (first.image.shape, first.kernel.shape))
    if one.is_volume:
        size = f"{len(one.walks)} channels of {size}"
    elif not one.is_single:
        kernels = f"{len(one.walks)} kernels of {kernels}, then their {one.combination}"
    stride = first.layout.rows.stride, first.layout.columns.stride
    steps = "" if stride == (1, 1) else ", stride {},{}".format(*stride)
    bias = f", bias {number_text(one.bias)}" if one.bias else ""
    sizes = f"{size} with {kernels} (width × height)"
    return f"{what} of {sizes}, border {first.border}{steps}{bias}"


def input_lines(one: Layer) -> list[str]:
    """Format images and kernels side by side, unless they are too large."""
    told: list[str] = []
    image = [("image", grid(one.first.image))] if is_whole(one) else []
    if one.combination is not None and image:
        told += [*beside(image), ""]
    for name, walk in zip(one.names, one.walks, strict=True):
        found = [("image", grid(walk.image))] if image and one.combination is None else []
        if max(walk.kernel.shape) <= SMALL:
            found.append(("kernel", grid(walk.kernel)))
            if walk.flipped:
                found.append(("flipped, as it is applied", grid(walk.laid)))
        if not one.is_single:
            found = [(f"{name}: {title}", block) for title, block in found[:1]] + found[1:]
        told += [*beside(found), ""] if found else []
    return told


def _padded(one: Layer) -> list[tuple[str, Walk]]:
    """Return the padded images and their titles."""
    if not one.is_volume:
        return [("padded image", one.first)]
    return [
        (f"{name}: padded image", walk) for name, walk in zip(one.names, one.walks, strict=True)
    ]


def _padded_lines(one: Walk, title: str) -> list[str]:
    (above, below), (left, right) = one.added
    value = f"the value {number_text(one.cval)}"
    filled = _DRAWINGS.get(one.border, value)
    texts = [[number_text(v) for v in row] for row in one.padded.tolist()]
    width = max(len(cell) for row in texts for cell in row)
    told = [f"{title}: {above} above, {below} below, {left} left, {right} right ({filled})"]
    rule = ["─" * width for _ in texts[0]]
    high = len(texts) - below
    for number, row in enumerate(texts):
        if number in {above, high} and 0 < number < len(texts):
            told.append("  " + _barred(rule, left, right, "─", "┼", "─"))
        told.append("  " + _barred([c.rjust(width) for c in row], left, right, " ", "│", "  "))
    return told


def _barred(cells: Sequence[str], left: int, right: int, edge: str, bar: str, gap: str) -> str:
    """Join cells to a line, with a bar between border and image."""
    gap = gap if len(gap) == 2 else gap * 2
    stop = len(cells) - right
    parts = [gap.join(part) for part in (cells[:left], cells[left:stop], cells[stop:]) if part]
    return f"{edge}{bar}{edge}".join(parts)


def _size_lines(one: Walk) -> list[str]:
    rows, columns = one.formulas
    told = ["output size: floor((H + 2P − K) / S) + 1"]
    if one.image.shape[0] > 1 or one.kernel.shape[0] > 1:
        told.append(f"  rows     {rows.text}")
    return [*told, f"  columns  {columns.text}"]


def _first(one: Walk, count: int) -> list[tuple[int, int]]:
    rows, columns = one.shape
    return [divmod(i, columns) for i in range(min(count, rows * columns))]


def _step_lines(one: Layer, place: tuple[int, int]) -> list[str]:
    first = one.first
    rows, columns = first.shape
    step = first.step(*place)
    number = step.row * columns + step.column + 1
    (above, _), (left, _) = first.added
    high, wide = first.kernel.shape
    top, start = step.top - above, step.left - left
    told = [
        f"step {number} of {rows * columns}: output row {step.row}, column {step.column}; window "
        f"rows {number_text(top)} to {number_text(top + high - 1)}, "
        f"columns {number_text(start)} to {number_text(start + wide - 1)} of the image"
    ]
    steps = [walk.step(*place) for walk in one.walks]
    for name, walk, step in zip(one.names, one.walks, steps, strict=True):
        told += [] if one.is_single else [f"  {name}"]
        told += product_lines(walk, step)
    return told + _total_lines(one, [step.sum for step in steps])


def _total_lines(one: Layer, sums: Sequence[float]) -> list[str]:
    """Format the bias, activation and output of one step."""
    value = float(one.combined([np.array(total) for total in sums]))
    told = []
    texts = [number_text(v) for v in sums]
    if one.combination == "magnitude":
        squares = " + ".join(f"({text})²" if text[0] == "−" else f"{text}²" for text in texts)
        told.append(f"  magnitude: √({squares}) = {number_text(value)}")
    elif one.combination is not None:
        told.append(f"  {one.combination} of {', '.join(texts)} = {number_text(value)}")
    elif one.bias or not one.is_single:
        bias = f" {'−' if one.bias < 0 else '+'} bias {number_text(abs(one.bias))}"
        told.append(f"  {sum_text(sums)}{bias if one.bias else ''} = {number_text(value)}")
    if one.activation:
        after = float(one.activation(np.array(value)))
        told.append(f"  {one.activation.name}({number_text(value)}) = {number_text(after)}")
    return told


def _other_line(one: Layer, other: Layer, place: tuple[int, int]) -> str:
    """Format the same pixel with the kernel flipped the other way."""
    turned = one.first.flipped
    name = "correlation (kernel not flipped)" if turned else "convolution (kernel flipped)"
    sums = [np.array(walk.step(*place).sum) for walk in other.walks]
    return f"  {name}: {number_text(float(other.combined(sums)))}"


def _both_lines(one: Layer, other: Layer) -> list[str]:
    names = ["convolution", "correlation (kernel not flipped)"]
    ordered = (one, other) if one.first.flipped else (other, one)
    told = beside([(name, grid(w.output)) for name, w in zip(names, ordered, strict=True)])
    if one.bias:
        told = [f"with the bias {number_text(one.bias)}:", *told]
    if one.first.shape == other.first.shape and np.allclose(one.output, other.output):
        told.append("They agree: the kernel is symmetric, or the picture hides the difference.")
    return told
