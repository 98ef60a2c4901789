"""Pooling layers."""

from math import prod
from types import MappingProxyType
from typing import Any

import numpy as np

from convtool.errors import OptionError
from convtool.nn._types import Array, Pair, Shape
from convtool.nn.arguments import flag
from convtool.nn.layers.base import Layer, check_windows, picture
from convtool.nn.operations.geometry import Padding, Size, extent, padding_of, pair, sides
from convtool.nn.operations.pooling import (
    Windows,
    avg_pool,
    avg_pool_backward,
    max_pool,
    max_pool_backward,
)


def _stride(value: Any, name: str) -> Pair | None:
    return None if value is None else pair(value, name)


class _Pool(Layer):
    """Base of the pooling layers with a sliding window."""

    ARGUMENTS = MappingProxyType(
        {
            "kernel_size": pair,
            "stride": _stride,
            "padding": padding_of,
            "ceil_mode": flag,
            "dilation": pair,
        }
    )
    kernel_size: Pair
    stride: Pair
    padding: Padding
    ceil_mode: bool
    dilation: Pair

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        dilation: Size = 1,
        **more: Any,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            ceil_mode=ceil_mode,
            dilation=dilation,
            **more,
        )

    def complete(self) -> None:
        """Complete stride and padding, and refuse a window that could hold padding alone."""
        self.stride = self.stride or self.kernel_size
        if isinstance(self.padding, int):
            self.padding = self.padding, self.padding
        if not isinstance(self.padding, tuple):
            return
        covered = extent(self.kernel_size, self.dilation)
        if len(self.padding) == 4:
            if any(p >= k for p, k in zip(self.padding, covered * 2, strict=True)):
                raise OptionError(f"pooling pads by {self.padding}: less than the window {covered}")
        elif any(2 * p > k for p, k in zip(self.padding, covered, strict=True)):
            raise OptionError(f"pooling pads by {self.padding}: at most half the window {covered}")

    def windows(self, height: int, width: int) -> Windows:
        """Return the windows over pictures of one size."""
        size, stride = (height, width), self.stride
        padding = sides(self.padding, size, extent(self.kernel_size, self.dilation), stride)
        return Windows(size, self.kernel_size, stride, self.dilation, padding, self.ceil_mode)

    def output_shape(self, shape: Shape) -> Shape:
        """Return ``(C, OH, OW)``."""
        channels, height, width = picture(shape, "pooling")
        windows = self.windows(height, width)
        check_windows(
            (channels, *windows.framed), channels * prod(self.kernel_size), windows.counts
        )
        return channels, *windows.counts

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        arguments = super().config()
        if self.dilation == (1, 1):  # older versions read model files without it
            del arguments["dilation"]
        return arguments


class MaxPool2D(_Pool):
    """The maximum of each window; its gradient goes to the first maximum alone.

    Parameters
    ----------
    kernel_size, stride : int or (int, int)
        The stride defaults to the window's size.
    padding : int, "same", (py, px) or (top, left, bottom, right)
        Padding never is the maximum. One or two numbers: at most half the window, as in PyTorch;
        four sides: each less than the window, as in ONNX.
    ceil_mode : bool
        Whether the last window may extend beyond the edge.
    dilation : int or (int, int)
        The distance between the pixels of a window.

    Raises
    ------
    OptionError
        If a size is below 1, or the padding too wide.

    Examples
    --------
    >>> MaxPool2D(2).forward(np.arange(16.0).reshape(1, 1, 4, 4))[0, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    >>> MaxPool2D(2, ceil_mode=True).forward(np.arange(7.0).reshape(1, 1, 7, 1)).ravel()
    array([1., 3., 5., 6.])
    """

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return the maxima, shape (N, C, OH, OW)."""
        self.output_shape(x.shape[1:])
        self._windows = self.windows(x.shape[2], x.shape[3])
        y, self._winner = max_pool(x, self._windows)
        return y

    def backward(self, dy: Array) -> Array:
        """Send each gradient to the position of its maximum."""
        return max_pool_backward(dy, self._winner, self._windows)


class AvgPool2D(_Pool):
    """The mean of each window.

    Parameters
    ----------
    kernel_size, stride, padding, ceil_mode, dilation
        As of :class:`MaxPool2D`, whose errors are raised here, too.
    count_include_pad : bool
        Whether zeros of the padding count in the mean.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> AvgPool2D(2, padding="same", count_include_pad=False).forward(x)[0, 0]
    array([[2. , 3.5],
           [6.5, 8. ]])
    """

    ARGUMENTS = MappingProxyType({**_Pool.ARGUMENTS, "count_include_pad": flag})
    count_include_pad: bool

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        dilation: Size = 1,
    ) -> None:
        super().__init__(
            kernel_size, stride, padding, ceil_mode, dilation, count_include_pad=count_include_pad
        )

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return the means, shape (N, C, OH, OW)."""
        self.output_shape(x.shape[1:])
        self._windows = self.windows(x.shape[2], x.shape[3])
        return avg_pool(x, self._windows, self.count_include_pad)

    def backward(self, dy: Array) -> Array:
        """Distribute each gradient equally over its window."""
        return avg_pool_backward(dy, self._windows, self.count_include_pad)


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
