"""Multiplication of polynomials as the convolution of their coefficients."""

from collections.abc import Sequence

from convtool.explain.walk import Walk, walk
from convtool.report.units import number_text

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def product_walk(first: Sequence[float], second: Sequence[float]) -> Walk:
    """Return the product of two polynomials as a convolution, step by step.

    Parameters
    ----------
    first, second : sequence of float
        Coefficients, the constant first. Coefficients in descending order give the product in
        descending order.

    Returns
    -------
    Walk
        A convolution of mode ``full``, whose output is the product's coefficients.

    Examples
    --------
    >>> product_walk([1, 2, 3], [4, 5]).output.tolist()
    [[4.0, 13.0, 22.0, 15.0]]
    """
    return walk([list(first)], [list(second)], mode="full", border="constant")


def polynomial_text(coefficients: Sequence[float]) -> str:
    """Format a polynomial, the constant first.

    Examples
    --------
    >>> polynomial_text([4, 0, -1, 15])
    '4 − x² + 15x³'
    """
    text = ""
    for power, value in enumerate(coefficients):
        if value == 0:
            continue
        x = "" if power == 0 else "x" if power == 1 else f"x{str(power).translate(_RAISED)}"
        size = "" if x and abs(value) == 1 else number_text(abs(value))
        if text:
            text += " − " if value < 0 else " + "
        elif value < 0:
            text = "−"
        text += size + x
    return text or "0"
