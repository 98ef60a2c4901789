"""A convolution as a matrix times a vector, as text."""

from convtool.explain.walk import Walk
from convtool.report.matrix import table
from convtool.report.units import number_text

_SMALL = 16
"""The longest side of a matrix that is shown completely."""


def matrix_lines(one: Walk) -> list[str]:
    """Format the matrix of a convolution, its Toeplitz property, and its product."""
    matrix = one.matrix
    rows, columns = matrix.shape
    constant = one.constant.ravel()
    extra = " + the border's contribution" if constant.any() else ""
    told = [
        f"as a matrix times a vector: output = T · image{extra}, T is {rows}×{columns}, row by row",
        f"  {_toeplitz_text(one)}",
    ]
    if max(rows, columns) > _SMALL:
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


def _toeplitz_text(one: Walk) -> str:
    """Say whether the matrix is a Toeplitz matrix, or why not."""
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
