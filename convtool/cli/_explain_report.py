"""The words and the JSON of ``convtool explain``."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from convtool.explain.polynomial import polynomial_text
from convtool.explain.walk import Step, Walk
from convtool.report.matrix import table
from convtool.report.units import number_text

SCHEMA = "convtool.explain/1"
SMALL = 16
"""The longest side of a picture that is shown whole."""

_SHOWN_STEPS = 16
_MOST_STEPS = 1024
_DRAWINGS = {
    "reflect": "dcba|abcd|dcba",
    "mirror": "dcb|abcd|cba",
    "nearest": "aaa|abcd|ddd",
    "wrap": "bcd|abcd|abc",
}


def lines(one: Walk, other: Walk, places: Sequence[tuple[int, int]]) -> list[str]:
    """Return a walk, beside the same with the kernel laid the other way, as lines.

    Parameters
    ----------
    one, other : Walk
        Convolution and correlation, or the other way round.
    places : sequence of (int, int)
        The pixels of the output to show; all where there are none.
    """
    whole = max(one.image.shape) <= SMALL
    told = [_heading(one), ""]
    inputs = _inputs(one)
    told += [*_beside(inputs), ""] if inputs else []
    if whole and one.padded.shape != one.image.shape:
        told += [*_padded_lines(one), ""]
    told += [*_size_lines(one), ""]
    for step in _chosen(one, places):
        told += [*_step_lines(one, step)]
        told += [_other_line(one, other, step), ""] if places else [""]
    total = one.shape[0] * one.shape[1]
    if not places and total > _SHOWN_STEPS:
        told += [
            f"… and {total - _SHOWN_STEPS:,} more steps; --at ROW,COLUMN shows any of them",
            "",
        ]
    if whole and not places:
        told += [*_both_lines(one, other), "", *_matrix_lines(one)]
    return told if told[-1] else told[:-1]


def polynomial_lines(one: Walk) -> list[str]:
    """Return what the product of two polynomials is."""
    first, second, product = (
        polynomial_text(row.tolist()) for row in (one.image[0], one.kernel[0], one.output[0])
    )
    return [
        f"({first}) · ({second})",
        f"  = {product}",
        "Each coefficient is a sum of products whose powers add up to its own: a convolution.",
        "",
    ]


def report(one: Walk, other: Walk, places: Sequence[tuple[int, int]]) -> dict[str, object]:
    """Return a walk for JSON."""
    rows, columns = one.formulas
    whole = max(one.image.shape) <= SMALL
    matrix = one.matrix.toarray().tolist() if whole else None
    steps = [one.step(*place) for place in places] if places else list(_first(one, _MOST_STEPS))
    convolution, correlation = (one, other) if one.flipped else (other, one)
    return {
        "schema": SCHEMA,
        "operation": "convolution" if one.flipped else "correlation",
        "image": one.image.tolist() if whole else None,
        "shape": list(one.image.shape),
        "kernel": one.kernel.tolist(),
        "laid": one.laid.tolist(),
        "border": one.border,
        "cval": one.cval,
        "stride": [rows.stride, columns.stride],
        "added": {"rows": list(one.added[0]), "columns": list(one.added[1])},
        "padded": one.padded.tolist() if whole else None,
        "size": {"rows": rows.result, "columns": columns.result},
        "formula": {"rows": rows.text, "columns": columns.text},
        "steps": [
            {
                "row": step.row,
                "column": step.column,
                "window": step.window.tolist(),
                "products": step.products.tolist(),
                "sum": step.sum,
            }
            for step in steps
        ],
        "output": one.output.tolist() if whole else None,
        "convolution": convolution.output.tolist() if whole else None,
        "correlation": correlation.output.tolist() if whole else None,
        "matrix": matrix,
    }


def _heading(one: Walk) -> str:
    what = "convolution" if one.flipped else "correlation"
    size, taps = ("{}×{}".format(*shape) for shape in (one.image.shape, one.kernel.shape))
    stride = one.layout.rows.stride, one.layout.columns.stride
    steps = "" if stride == (1, 1) else ", stride {},{}".format(*stride)
    return f"{what} of {size} with {taps}, border {one.border}{steps}"


def _inputs(one: Walk) -> list[tuple[str, list[str]]]:
    """Return image and kernel, as far as there is room for them."""
    found = [("image", _grid(one.image))] if max(one.image.shape) <= SMALL else []
    if max(one.kernel.shape) > SMALL:
        return found
    found.append(("kernel", _grid(one.kernel)))
    if one.flipped:
        found.append(("turned by half, as it is laid on", _grid(one.laid)))
    return found


def _grid(values: NDArray[np.float64]) -> list[str]:
    return table([[number_text(v) for v in row] for row in values.tolist()], right=True)


def _beside(blocks: Sequence[tuple[str, list[str]]]) -> list[str]:
    """Return titled blocks of lines side by side."""
    high = max(len(block) for _, block in blocks)
    columns = [[title, *block] + [""] * (high - len(block)) for title, block in blocks]
    widths = [max(map(len, column)) for column in columns]
    return [
        "    ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in zip(*columns, strict=True)
    ]


def _padded_lines(one: Walk) -> list[str]:
    (above, below), (left, right) = one.added
    value = f"the value {number_text(one.cval)}"
    filled = _DRAWINGS.get(one.border, value)
    texts = [[number_text(v) for v in row] for row in one.padded.tolist()]
    width = max(len(cell) for row in texts for cell in row)
    told = [f"padded image: {above} above, {below} below, {left} left, {right} right ({filled})"]
    rule = ["─" * width for _ in texts[0]]
    high = len(texts) - below
    for number, row in enumerate(texts):
        if number in {above, high} and 0 < number < len(texts):
            told.append("  " + _barred(rule, left, right, "─", "┼", "─"))
        told.append("  " + _barred([c.rjust(width) for c in row], left, right, " ", "│", "  "))
    return told


def _barred(cells: Sequence[str], left: int, right: int, edge: str, bar: str, gap: str) -> str:
    """Return cells in a line, with a bar between border and image."""
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


def _first(one: Walk, count: int) -> list[Step]:
    return [step for step, _ in zip(one.steps(), range(count), strict=False)]


def _chosen(one: Walk, places: Sequence[tuple[int, int]]) -> list[Step]:
    return [one.step(*place) for place in places] if places else _first(one, _SHOWN_STEPS)


def _step_lines(one: Walk, step: Step) -> list[str]:
    rows, columns = one.shape
    number = step.row * columns + step.column + 1
    (above, _), (left, _) = one.added
    high, wide = one.kernel.shape
    top, start = step.top - above, step.left - left
    told = [
        f"step {number} of {rows * columns}: output row {step.row}, column {step.column}; window "
        f"rows {number_text(top)} to {number_text(top + high - 1)}, "
        f"columns {number_text(start)} to {number_text(start + wide - 1)} of the image"
    ]
    if max(high, wide) > SMALL:
        return [
            *told,
            f"  the sum of {high * wide:,} products, too many to show: {number_text(step.sum)}",
        ]
    blocks = [_grid(step.window), _grid(one.laid), _grid(step.products)]
    middle = (high - 1) // 2
    widths = [max(map(len, block)) for block in blocks]
    for i in range(high):
        signs = ("×", "=") if i == middle else (" ", " ")
        window, kernel, products = (b[i].rjust(w) for b, w in zip(blocks, widths, strict=True))
        told.append(f"  {window}  {signs[0]}  {kernel}  {signs[1]}  {products}".rstrip())
    return [*told, f"  {_sum_text(step.products.ravel().tolist())} = {number_text(step.sum)}"]


def _other_line(one: Walk, other: Walk, step: Step) -> str:
    """Return what the same pixel is with the kernel laid the other way."""
    name = "correlation (kernel not turned)" if one.flipped else "convolution (kernel turned)"
    return f"  {name}: {number_text(other.step(step.row, step.column).sum)}"


def _sum_text(values: Sequence[float]) -> str:
    first, *rest = values
    added = [f"{'−' if v < 0 else '+'} {number_text(abs(v))}" for v in rest]
    return " ".join([number_text(first), *added])


def _both_lines(one: Walk, other: Walk) -> list[str]:
    names = ["convolution", "correlation (kernel not turned)"]
    ordered = (one, other) if one.flipped else (other, one)
    told = _beside([(name, _grid(w.output)) for name, w in zip(names, ordered, strict=True)])
    if one.shape == other.shape and np.allclose(one.output, other.output):
        told.append("They agree: a half turn leaves the kernel as it is, or the picture hides it.")
    return told


def _toeplitz_text(one: Walk) -> str:
    """Return whether the matrix is a Toeplitz matrix, and what keeps it from being one."""
    rows, columns = one.layout.rows, one.layout.columns
    folds = one.border != "constant" and any(sum(side) for side in one.added)
    why = [
        name
        for name, is_so in (("border", folds), ("stride", rows.stride * columns.stride > 1))
        if is_so
    ]
    single = rows.size == rows.taps == 1
    what = "a Toeplitz matrix: along each diagonal" + ("" if single else " of each block")
    verb = f"would be, but for the {' and the '.join(why)}," if why else "is"
    return f"T {verb} {what} stands one weight"


def _matrix_lines(one: Walk) -> list[str]:
    matrix = one.matrix
    rows, columns = matrix.shape
    constant = one.constant.ravel()
    extra = " + what the border adds" if constant.any() else ""
    told = [
        f"as a matrix times a vector: output = T · image{extra}, T is {rows}×{columns}, row by row",
        f"  {_toeplitz_text(one)}",
    ]
    if max(rows, columns) > SMALL:
        kept = matrix.nnz / (rows * columns)
        return [*told, f"  {matrix.nnz:,} of its {rows * columns:,} entries are not 0 ({kept:.1%})"]
    cells = [[number_text(v) if v else "·" for v in row] for row in matrix.toarray().tolist()]
    image, output = one.image.ravel().tolist(), one.output.ravel().tolist()
    vector = [number_text(v) for v in image] + [""] * (rows - columns)
    answer = [number_text(v) for v in output] + [""] * (columns - rows)
    cells += [[""] * columns for _ in range(columns - rows)]
    grid = table(cells, right=True)
    width = max(map(len, grid))
    middle = (rows - 1) // 2
    wide = max(map(len, vector))
    add = [number_text(v) for v in constant.tolist()] + [""] * (columns - rows)
    for i, line in enumerate(grid):
        plus = (
            f"  {'+' if i == middle else ' '}  {add[i].rjust(max(map(len, add)))}" if extra else ""
        )
        signs = ("·", "=") if i == middle else (" ", " ")
        told.append(
            f"  {line.ljust(width)}  {signs[0]}  {vector[i].rjust(wide)}{plus}  {signs[1]}  "
            f"{answer[i].rjust(max(map(len, answer)))}".rstrip()
        )
    return told
