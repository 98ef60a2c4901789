"""Arguments for sizes and padding, and output sizes."""

from numbers import Integral
from typing import Literal

from convtool.errors import OptionError, ShapeError
from convtool.nn._types import Pair, Sides
from convtool.nn.arguments import short

Size = int | tuple[int, int]
Padding = int | Literal["same"] | tuple[int, int] | tuple[int, int, int, int]


MOST_WINDOW = 2**16
"""The largest size, stride, dilation or padding of a window."""


def pair(value: Size, name: str, least: int = 1) -> Pair:
    """Validate a number or pair and return it as ``(vertical, horizontal)``.

    Raises
    ------
    OptionError
        If it is neither, smaller than `least`, or larger than `MOST_WINDOW`.

    Examples
    --------
    >>> pair(3, "kernel_size"), pair((1, 5), "kernel_size")
    ((3, 3), (1, 5))
    """
    values = _wholes(value, least)
    if values is None or len(values) > 2:
        raise OptionError(
            f"{name} {short(value)}: one or two whole numbers from {least} to {MOST_WINDOW}"
        )
    return values[0], values[-1]


def _wholes(value: object, least: int) -> tuple[int, ...] | None:
    """Return an integer or a sequence of integers as a tuple; None if it is invalid."""
    row = (value,) if isinstance(value, Integral) else value
    if not isinstance(row, tuple | list) or not row:
        return None
    if any(
        not isinstance(v, Integral) or isinstance(v, bool) or not least <= int(v) <= MOST_WINDOW
        for v in row
    ):
        return None
    return tuple(int(v) for v in row)


def padding_of(value: Padding, name: str = "padding") -> Padding:
    """Validate a layer's padding and return it with Python integers.

    Raises
    ------
    OptionError
        If it is not of type `Padding`, negative, or larger than `MOST_WINDOW`.

    Examples
    --------
    >>> padding_of("same"), padding_of((0, 1, 2, 3))
    ('same', (0, 1, 2, 3))
    """
    if isinstance(value, str) and value == "same":
        return "same"
    values = _wholes(value, 0)
    if values is None or len(values) not in (1, 2, 4):
        raise OptionError(
            f'{name} {short(value)}: a number, "same", (py, px) or (top, left, bottom, right),'
            f" from 0 to {MOST_WINDOW}"
        )
    if len(values) == 4:
        return values[0], values[1], values[2], values[3]
    return values[0] if isinstance(value, Integral) else (values[0], values[-1])


def extent(kernel: Pair, dilation: Pair) -> Pair:
    """Return height and width of a dilated kernel.

    Examples
    --------
    >>> extent((3, 2), (2, 4))
    (5, 5)
    """
    return (kernel[0] - 1) * dilation[0] + 1, (kernel[1] - 1) * dilation[1] + 1


def output_size(size: int, kernel: int, stride: int, before: int, after: int) -> int:
    """Return ``floor((H + padding - K) / S) + 1``.

    Raises
    ------
    ShapeError
        If the kernel is larger than the padded input.

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
        With "same" the output has ``ceil(H / S)`` rows; if the padding is uneven, the larger side
        is below and to the right (as in ONNX's SAME_UPPER, TensorFlow and PyTorch).
    size, extent, stride : (int, int)
        Height and width of the input and of the (dilated) kernel, and the strides.

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
        return padding
    py, px = pair(padding, "padding", 0)
    return py, px, py, px
