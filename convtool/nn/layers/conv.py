"""The convolution layer."""

from math import prod
from types import MappingProxyType

import numpy as np

from convtool.errors import ShapeError
from convtool.nn._types import Array, Pair, Shape, Sides
from convtool.nn.arguments import size
from convtool.nn.initializers import Seed
from convtool.nn.layers.base import AffineLayer, check_windows, picture
from convtool.nn.operations.convolution import conv2d, conv2d_backward
from convtool.nn.operations.geometry import (
    Padding,
    Size,
    extent,
    output_size,
    padding_of,
    pair,
    sides,
)


class Conv2D(AffineLayer):
    """A two-dimensional convolution layer with a bank of kernels.

    As in PyTorch, TensorFlow and ONNX this correlates: the kernel is not flipped.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, dilation : int or (int, int)
    padding : int, "same", (py, px) or (top, left, bottom, right)
        Zero padding around the picture.
    groups : int
        Number of independent channel groups; divides both channel counts.
    bias : bool
        Whether to add a trained bias to each output channel.
    initializer : "he" or "glorot"
    rng : Generator, int or None
        The source of the initial weights.
    dtype : str

    Raises
    ------
    OptionError, ShapeError
        If a size is below 1, the padding negative, or the groups do not divide the channels.

    Examples
    --------
    >>> layer = Conv2D(1, 32, 3, padding="same", rng=0)
    >>> layer.forward(np.zeros((2, 1, 28, 28), "float32")).shape
    (2, 32, 28, 28)
    """

    ARGUMENTS = MappingProxyType(
        {
            "in_channels": size,
            "out_channels": size,
            "kernel_size": pair,
            "stride": pair,
            "padding": padding_of,
            "dilation": pair,
            "groups": size,
            **AffineLayer.ARGUMENTS,
        }
    )
    in_channels: int
    out_channels: int
    kernel_size: Pair
    stride: Pair
    padding: Padding
    dilation: Pair
    groups: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Padding = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        initializer: str = "he",
        rng: Seed = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__(
            rng,
            dtype,
            in_channels=in_channels,
            out_channels=out_channels,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
            initializer=initializer,
        )
        self.needs_input_gradient = True

    def complete(self) -> None:
        """Check that the groups divide the channels."""
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ShapeError(
                f"{self.groups} groups do not divide {self.in_channels} input and"
                f" {self.out_channels} output channels"
            )

    def array_shapes(self) -> dict[str, Shape]:
        """Return the shapes of the weights and of the bias."""
        weight = (self.out_channels, self.in_channels // self.groups, *self.kernel_size)
        return {"weight": weight} | ({"bias": (self.out_channels,)} if self.bias else {})

    @property
    def extent(self) -> Pair:
        """Height and width of the dilated kernel."""
        return extent(self.kernel_size, self.dilation)

    def sides(self, height: int, width: int) -> Sides:
        """Return the padding of a picture as (top, left, bottom, right)."""
        return sides(self.padding, (height, width), self.extent, self.stride)

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return shape (N, out_channels, OH, OW) for `x` of shape (N, in_channels, H, W)."""
        self.output_shape(x.shape[1:])
        self._x = x
        self._sides = self.sides(x.shape[2], x.shape[3])
        params = self.params
        return conv2d(
            x,
            params["weight"],
            params.get("bias"),
            self.stride,
            self._sides,
            self.dilation,
            self.groups,
        )

    def backward(self, dy: Array) -> Array:
        """Set the gradients of weights and bias; return that of the input.

        Without :attr:`needs_input_gradient` (a network's first layer) the result is empty.
        """
        params = self.params
        dx, dweight, dbias = conv2d_backward(
            self._x,
            params["weight"],
            dy,
            self.stride,
            self._sides,
            self.dilation,
            self.groups,
            input_gradient=self.needs_input_gradient,
        )
        self.grads = {"weight": dweight}
        if "bias" in params:
            self.grads["bias"] = dbias
        return np.empty(0, dy.dtype) if dx is None else dx

    def output_shape(self, shape: Shape) -> Shape:
        """Return ``(out_channels, OH, OW)``."""
        name = f"a convolution of {self.kernel_size[0]}x{self.kernel_size[1]}"
        _, height, width = picture(shape, name, self.in_channels)
        top, left, bottom, right = self.sides(height, width)
        rows = output_size(height, self.extent[0], self.stride[0], top, bottom)
        columns = output_size(width, self.extent[1], self.stride[1], left, right)
        padded = (self.in_channels, height + top + bottom, width + left + right)
        check_windows(padded, self.in_channels * prod(self.kernel_size), (rows, columns))
        return self.out_channels, rows, columns

    def multiply_adds(self, shape: Shape) -> int:
        """Return taps times inputs per group times outputs."""
        outputs, height, width = self.output_shape(shape)
        taps = self.kernel_size[0] * self.kernel_size[1] * self.in_channels // self.groups
        return outputs * height * width * taps
