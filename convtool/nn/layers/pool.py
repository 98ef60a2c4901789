"""Pooling layers."""

from math import prod
from typing import Any

import numpy as np

from convtool.errors import OptionError
from convtool.nn._types import Array, Pair, Shape
from convtool.nn.layers.base import Layer, picture
from convtool.nn.operations.geometry import Size, pair
from convtool.nn.operations.pooling import (
    avg_pool,
    avg_pool_backward,
    max_pool,
    max_pool_backward,
    pooled_size,
)


class _Pool(Layer):
    """Windows that slide over each channel on its own."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride = self.kernel_size if stride is None else pair(stride, "stride")
        self.padding = pair(padding, "padding", 0)
        self.ceil_mode = ceil_mode
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size, strict=True)):
            raise OptionError(
                f"pooling pads by {self.padding}: at most half the window {self.kernel_size}"
            )

    def output_shape(self, shape: Shape) -> Shape:
        """Return ``(C, OH, OW)``."""
        channels, height, width = picture(shape, "pooling")
        sizes = [
            pooled_size(n, k, s, p, self.ceil_mode)
            for n, k, s, p in zip(
                (height, width), self.kernel_size, self.stride, self.padding, strict=True
            )
        ]
        return channels, sizes[0], sizes[1]

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "kernel_size": list(self.kernel_size),
            "stride": list(self.stride),
            "padding": list(self.padding),
            "ceil_mode": self.ceil_mode,
        }


class MaxPool2D(_Pool):
    """The maximum of each window; its gradient goes to the first maximum alone.

    Parameters
    ----------
    kernel_size, stride, padding : int or (int, int)
        The stride is the window's size by default.
    ceil_mode : bool
        Let a last window hang over the edge.

    Examples
    --------
    >>> MaxPool2D(2).forward(np.arange(16.0).reshape(1, 1, 4, 4))[0, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return the maxima, shape (N, C, OH, OW)."""
        picture(x.shape[1:], "max pooling")
        self._size: Pair = (x.shape[2], x.shape[3])
        y, self._winner = max_pool(x, self.kernel_size, self.stride, self.padding, self.ceil_mode)
        return y

    def backward(self, dy: Array) -> Array:
        """Send each gradient to where its maximum stood."""
        return max_pool_backward(
            dy, self._winner, self._size, self.kernel_size, self.stride, self.padding
        )


class AvgPool2D(_Pool):
    """The mean of each window.

    Parameters
    ----------
    kernel_size, stride, padding : int or (int, int)
        The stride is the window's size by default.
    ceil_mode : bool
        Let a last window hang over the edge.
    count_include_pad : bool
        Whether zeros of the padding count in the mean.
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.count_include_pad = count_include_pad

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return the means, shape (N, C, OH, OW)."""
        picture(x.shape[1:], "average pooling")
        self._size: Pair = (x.shape[2], x.shape[3])
        return avg_pool(
            x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )

    def backward(self, dy: Array) -> Array:
        """Share each gradient equally among its window."""
        return avg_pool_backward(
            dy,
            self._size,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
        )

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().config() | {"count_include_pad": self.count_include_pad}


class _GlobalPool(Layer):
    def output_shape(self, shape: Shape) -> Shape:
        """Return ``(C,)``."""
        return (picture(shape, "global pooling")[0],)


class GlobalAvgPool2D(_GlobalPool):
    """The mean of each channel: (N, C, H, W) becomes (N, C)."""

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return the means, shape (N, C)."""
        self._shape = x.shape
        result: Array = x.mean(axis=(2, 3))
        return result

    def backward(self, dy: Array) -> Array:
        """Give each pixel ``1 / (H W)`` of its channel's gradient."""
        share = dy / np.asarray(prod(self._shape[2:]), dy.dtype)
        return np.broadcast_to(share[:, :, None, None], self._shape).copy()


class GlobalMaxPool2D(_GlobalPool):
    """The maximum of each channel: (N, C, H, W) becomes (N, C)."""

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return the maxima, shape (N, C)."""
        self._shape = x.shape
        flat = x.reshape(*x.shape[:2], -1)
        self._winner = flat.argmax(axis=2)
        return np.take_along_axis(flat, self._winner[..., None], axis=2)[..., 0]

    def backward(self, dy: Array) -> Array:
        """Send each gradient to its channel's first maximum."""
        dx = np.zeros((*self._shape[:2], prod(self._shape[2:])), dy.dtype)
        np.put_along_axis(dx, self._winner[..., None], dy[..., None], axis=2)
        return dx.reshape(self._shape)
