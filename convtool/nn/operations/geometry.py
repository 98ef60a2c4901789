"""Sizes: what number or pair was meant, how much to pad, how large the output is."""

from typing import Literal

from convtool.errors import OptionError, ShapeError
from convtool.nn._types import Pair, Sides

Size = int | tuple[int, int]
Padding = int | Literal["same"] | tuple[int, int] | tuple[int, int, int, int]


def pair(value: Size, name: str, least: int = 1) -> Pair:
    """Return a number or pair as ``(vertical, horizontal)``.

    Raises
    ------
    OptionError
        If it is neither, or smaller than `least`.

    Examples
    --------
    >>> pair(3, "kernel_size"), pair((1, 5), "kernel_size")
    ((3, 3), (1, 5))
    """
    values = (value, value) if isinstance(value, int) else tuple(value)
    if len(values) != 2 or any(not isinstance(v, int) or v < least for v in values):
        raise OptionError(f"{name} {value!r}: one or two whole numbers of at least {least}")
    return values[0], values[1]


def output_size(size: int, kernel: int, stride: int, before: int, after: int) -> int:
    """Return ``floor((H + padding - K) / S) + 1``.

    Raises
    ------
    ShapeError
        If the kernel is larger than what it should slide over.

    Examples
    --------
    >>> output_size(28, 5, 1, 0, 0), output_size(28, 3, 2, 1, 1)
    (24, 14)
    """
    room = size + before + after - kernel
    if room < 0:
        raise ShapeError(
            f"a window of {kernel} is larger than the input of {size} (+{before + after} padding):"
            " pad more, or use a smaller kernel"
        )
    return room // stride + 1


def sides(padding: Padding, size: Pair, extent: Pair, stride: Pair) -> Sides:
    """Return the padding as ``(top, left, bottom, right)``.

    Parameters
    ----------
    padding : int, "same", (py, px) or (top, left, bottom, right)
        With "same" the output has ``ceil(H / S)`` rows; an odd row of padding goes below, an odd
        column to the right (as in ONNX's SAME_UPPER, TensorFlow and PyTorch).
    size, extent, stride : (int, int)
        Height and width of the input, of the (dilated) kernel, and the steps.

    Examples
    --------
    >>> sides("same", (8, 8), (3, 4), (1, 1))
    (1, 1, 1, 2)
    """
    if padding == "same":
        total = [
            max((-(-n // s) - 1) * s + k - n, 0)
            for n, k, s in zip(size, extent, stride, strict=True)
        ]
        top, left = total[0] // 2, total[1] // 2
        return top, left, total[0] - top, total[1] - left
    if isinstance(padding, tuple) and len(padding) == 4:
        if min(padding) < 0:
            raise OptionError(f"padding {padding!r}: no side can be negative")
        return padding
    if isinstance(padding, str) or (isinstance(padding, tuple) and len(padding) != 2):
        raise OptionError(f'padding {padding!r}: a number, "same", (py, px) or four sides')
    py, px = pair(padding, "padding", 0)
    return py, px, py, px
