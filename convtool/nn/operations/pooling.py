"""Max and average pooling, forward and backward.

With ``ceil_mode`` a last window may extend beyond the edge, as long as it starts inside the picture
or its leading padding (PyTorch's rule). Padding never is the maximum. The mean includes padding if
the caller says so (`count_include_pad`), but never the overhang of ``ceil_mode``.
"""

from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from convtool.errors import ShapeError
from convtool.nn._types import Array, Pair, Sides
from convtool.nn.operations.geometry import extent
from convtool.records import Record


def pooled_size(size: int, window: int, stride: int, before: int, after: int, ceil: bool) -> int:
    """Return the number of windows along one axis.

    Parameters
    ----------
    size : int
        The input's size.
    window : int
        The window's size, dilation included.
    stride : int
    before, after : int
        Padding.
    ceil : bool
        Whether a last window may extend beyond the edge; if so, even an input smaller than the
        window has one.

    Raises
    ------
    ShapeError
        If no window fits.

    Examples
    --------
    >>> pooled_size(7, 2, 2, 0, 0, False), pooled_size(7, 2, 2, 0, 0, True)
    (3, 4)
    >>> pooled_size(1, 2, 2, 0, 0, True)
    1
    """
    room = size + before + after - window
    count = (-(-room // stride) if ceil else room // stride) + 1
    if ceil and (count - 1) * stride >= size + before:
        count -= 1
    if count < 1:
        raise ShapeError(
            f"a pooling window of {window} is larger than the input of {size}"
            f" (+{before + after} padding): use a smaller window or fewer pooling layers"
        )
    return count


class Windows(Record):
    """The window geometry of a pooling layer for pictures of one size."""

    size: Pair
    """Height and width of a picture."""
    kernel: Pair
    stride: Pair
    dilation: Pair
    padding: Sides
    """(top, left, bottom, right)."""
    ceil_mode: bool

    @cached_property
    def counts(self) -> Pair:
        """The number of windows, down and across.

        Raises
        ------
        ShapeError
            If there is no window, or one would contain no pixel.
        """
        found = []
        covered = extent(self.kernel, self.dilation)
        for axis in (0, 1):
            n, s, d = self.size[axis], self.stride[axis], self.dilation[axis]
            before, after = self.padding[axis], self.padding[axis + 2]
            count = pooled_size(n, covered[axis], s, before, after, self.ceil_mode)
            starts = np.arange(count) * s - before
            skipped = np.maximum(-(starts // d), 0)  # up to the first place inside or beyond
            if not ((skipped < self.kernel[axis]) & (starts + skipped * d < n)).all():
                raise ShapeError(
                    f"a pooling window of {self.kernel[axis]}, dilation {d}, would hold nothing but"
                    f" padding on an input of {n}: pad less, or use a smaller dilation"
                )
            found.append(count)
        return found[0], found[1]

    @cached_property
    def framed(self) -> Pair:
        """Height and width of a picture padded so that every window is whole."""
        covered, counts = extent(self.kernel, self.dilation), self.counts
        sizes = [
            max(n + a + b, (c - 1) * s + k)
            for n, a, b, c, s, k in zip(
                self.size,
                self.padding[:2],
                self.padding[2:],
                counts,
                self.stride,
                covered,
                strict=True,
            )
        ]
        return sizes[0], sizes[1]

    def frame(self, x: Array, fill: float) -> Array:
        """Return pictures padded so that every window is whole."""
        height, width = self.framed
        top, left = self.padding[:2]
        below, right = height - top - x.shape[2], width - left - x.shape[3]
        return np.pad(x, ((0, 0), (0, 0), (top, below), (left, right)), constant_values=fill)

    def view(self, framed: Array) -> Array:
        """Return ``(N, C, OH, OW, KH * KW)``."""
        (sy, sx), (dy, dx), (oh, ow) = self.stride, self.dilation, self.counts
        view = sliding_window_view(framed, extent(self.kernel, self.dilation), axis=(2, 3))
        view = view[:, :, ::sy, ::sx, ::dy, ::dx][:, :, :oh, :ow]
        return view.reshape(*view.shape[:4], self.kernel[0] * self.kernel[1])

    def tap(self, number: int) -> tuple[slice, slice]:
        """Return the slices of the padded picture for one position in all windows."""
        row, column = divmod(number, self.kernel[1])
        row, column = row * self.dilation[0], column * self.dilation[1]
        counts = self.counts
        return (
            slice(row, row + counts[0] * self.stride[0], self.stride[0]),
            slice(column, column + counts[1] * self.stride[1], self.stride[1]),
        )

    def inside(self, framed: Array) -> Array:
        """Remove the padding."""
        (top, left), (height, width) = self.padding[:2], self.size
        return framed[:, :, top : top + height, left : left + width]

    def members(self, include_pad: bool) -> Array:
        """Return the number of pixels in each window's mean."""
        ones = np.ones((1, 1, *self.size))
        if include_pad:
            top, left, bottom, right = self.padding
            ones = np.pad(ones, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=1)
            height, width = self.framed
            beyond = (height - ones.shape[2], width - ones.shape[3])
            framed = np.pad(ones, ((0, 0), (0, 0), (0, beyond[0]), (0, beyond[1])))
        else:
            framed = self.frame(ones, 0.0)
        result: Array = self.view(framed).sum(axis=-1)[0, 0]
        return result


def max_pool(x: Array, windows: Windows) -> tuple[Array, Array]:
    """Return the maximum of each window, and its first position in the window.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    windows : Windows

    Returns
    -------
    y, winner : ndarray, shape (N, C, OH, OW)
        `winner` is the row-major index of the first maximum in its window.
    """
    view = windows.view(windows.frame(x, -np.inf))
    winner = view.argmax(axis=-1)
    return np.take_along_axis(view, winner[..., None], axis=-1)[..., 0], winner


def max_pool_backward(dy: Array, winner: Array, windows: Windows) -> Array:
    """Send each window's gradient to the position of its first maximum."""
    dx = np.zeros((*dy.shape[:2], *windows.framed), dy.dtype)
    for number in range(windows.kernel[0] * windows.kernel[1]):
        rows, columns = windows.tap(number)
        dx[:, :, rows, columns] += np.where(winner == number, dy, 0)
    return windows.inside(dx)


def avg_pool(x: Array, windows: Windows, include_pad: bool) -> Array:
    """Return the mean of each window, shape (N, C, OH, OW)."""
    sums = windows.view(windows.frame(x, 0.0)).sum(axis=-1)
    result: Array = sums / windows.members(include_pad).astype(x.dtype)
    return result


def avg_pool_backward(dy: Array, windows: Windows, include_pad: bool) -> Array:
    """Distribute each window's gradient equally over the pixels of its mean."""
    share = dy / windows.members(include_pad).astype(dy.dtype)
    dx = np.zeros((*dy.shape[:2], *windows.framed), dy.dtype)
    for number in range(windows.kernel[0] * windows.kernel[1]):
        rows, columns = windows.tap(number)
        dx[:, :, rows, columns] += share
    return windows.inside(dx)
