"""Pooling: the maximum or the mean of each window, and where its gradient goes.

With ``ceil_mode`` a last window may hang over the edge, as long as it starts inside the picture or
its left padding (PyTorch's rule). Padding never wins a maximum; whether it counts in a mean is the
caller's choice (`count_include_pad`), the overhang of ``ceil_mode`` never does.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from convtool.errors import ShapeError
from convtool.nn._types import Array, Pair


def pooled_size(size: int, kernel: int, stride: int, padding: int, ceil_mode: bool) -> int:
    """Return the number of windows along one axis.

    Examples
    --------
    >>> pooled_size(7, 2, 2, 0, False), pooled_size(7, 2, 2, 0, True)
    (3, 4)
    """
    room = size + 2 * padding - kernel
    if room < 0:
        raise ShapeError(
            f"a pooling window of {kernel} is larger than the input of {size}"
            f" (+{2 * padding} padding): use a smaller window or fewer pooling layers"
        )
    if not ceil_mode:
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= size + padding else count


def _frame(
    x: Array, kernel: Pair, stride: Pair, padding: Pair, ceil_mode: bool, fill: float
) -> tuple[Array, Pair]:
    """Pad so that every window is whole; return the padded array and the number of windows."""
    counts = [
        pooled_size(n, k, s, p, ceil_mode)
        for n, k, s, p in zip(x.shape[2:], kernel, stride, padding, strict=True)
    ]
    after = [
        max((c - 1) * s + k - n - p, 0)
        for c, n, k, s, p in zip(counts, x.shape[2:], kernel, stride, padding, strict=True)
    ]
    widths = ((0, 0), (0, 0), (padding[0], after[0]), (padding[1], after[1]))
    return np.pad(x, widths, constant_values=fill), (counts[0], counts[1])


def _windows(padded: Array, kernel: Pair, stride: Pair, counts: Pair) -> Array:
    """Return ``(N, C, OH, OW, KH * KW)``."""
    view = sliding_window_view(padded, kernel, axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
    view = view[:, :, : counts[0], : counts[1]]
    return view.reshape(*view.shape[:4], kernel[0] * kernel[1])


def _tap(k: int, kernel: Pair, stride: Pair, counts: Pair) -> tuple[slice, slice]:
    """Return the padded pixels that tap number `k` of each window meets."""
    row, column = divmod(k, kernel[1])
    return (
        slice(row, row + counts[0] * stride[0], stride[0]),
        slice(column, column + counts[1] * stride[1], stride[1]),
    )


def _inside(dx: Array, size: Pair, padding: Pair) -> Array:
    return dx[:, :, padding[0] : padding[0] + size[0], padding[1] : padding[1] + size[1]]


def max_pool(
    x: Array, kernel: Pair, stride: Pair, padding: Pair, ceil_mode: bool
) -> tuple[Array, Array]:
    """Return the maximum of each window, and the number of the tap that held it first.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)

    Returns
    -------
    y, winner : ndarray, shape (N, C, OH, OW)
        `winner` counts taps row by row; among equals it is the first.
    """
    padded, counts = _frame(x, kernel, stride, padding, ceil_mode, -np.inf)
    windows = _windows(padded, kernel, stride, counts)
    winner = windows.argmax(axis=-1)
    return np.take_along_axis(windows, winner[..., None], axis=-1)[..., 0], winner


def max_pool_backward(
    dy: Array, winner: Array, size: Pair, kernel: Pair, stride: Pair, padding: Pair
) -> Array:
    """Send each window's gradient to the one pixel that was its first maximum."""
    counts = (dy.shape[2], dy.shape[3])
    shape = [
        max(n + 2 * p, (c - 1) * s + k)
        for n, p, c, s, k in zip(size, padding, counts, stride, kernel, strict=True)
    ]
    dx = np.zeros((*dy.shape[:2], *shape), dy.dtype)
    for k in range(kernel[0] * kernel[1]):
        rows, columns = _tap(k, kernel, stride, counts)
        dx[:, :, rows, columns] += np.where(winner == k, dy, 0)
    return _inside(dx, size, padding)


def window_counts(
    size: Pair, kernel: Pair, stride: Pair, padding: Pair, ceil_mode: bool, include_pad: bool
) -> Array:
    """Return, for each window, the number of pixels that its mean is taken over."""
    ones = np.ones((1, 1, *size))
    if include_pad:
        ones = np.pad(
            ones, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2), constant_values=1
        )
        inner = [
            pooled_size(n, k, s, p, ceil_mode)
            for n, k, s, p in zip(size, kernel, stride, padding, strict=True)
        ]
        after = [
            max((c - 1) * s + k - n, 0)
            for c, s, k, n in zip(inner, stride, kernel, ones.shape[2:], strict=True)
        ]
        padded = np.pad(ones, ((0, 0), (0, 0), (0, after[0]), (0, after[1])))
        counts = (inner[0], inner[1])
    else:
        padded, counts = _frame(ones, kernel, stride, padding, ceil_mode, 0.0)
    result: Array = _windows(padded, kernel, stride, counts).sum(axis=-1)[0, 0]
    return result


def avg_pool(
    x: Array, kernel: Pair, stride: Pair, padding: Pair, ceil_mode: bool, include_pad: bool
) -> Array:
    """Return the mean of each window, shape (N, C, OH, OW)."""
    padded, counts = _frame(x, kernel, stride, padding, ceil_mode, 0.0)
    sums = _windows(padded, kernel, stride, counts).sum(axis=-1)
    size = (x.shape[2], x.shape[3])
    divisor = window_counts(size, kernel, stride, padding, ceil_mode, include_pad)
    result: Array = sums / divisor.astype(x.dtype)
    return result


def avg_pool_backward(
    dy: Array,
    size: Pair,
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    ceil_mode: bool,
    include_pad: bool,
) -> Array:
    """Share each window's gradient equally among the pixels that its mean was taken over."""
    counts = (dy.shape[2], dy.shape[3])
    divisor = window_counts(size, kernel, stride, padding, ceil_mode, include_pad)
    share = dy / divisor.astype(dy.dtype)
    shape = [
        max(n + 2 * p, (c - 1) * s + k)
        for n, p, c, s, k in zip(size, padding, counts, stride, kernel, strict=True)
    ]
    dx = np.zeros((*dy.shape[:2], *shape), dy.dtype)
    for k in range(kernel[0] * kernel[1]):
        rows, columns = _tap(k, kernel, stride, counts)
        dx[:, :, rows, columns] += share
    return _inside(dx, size, padding)
