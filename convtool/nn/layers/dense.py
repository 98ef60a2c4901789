"""Fully connected layers, and the flattening before them."""

from math import prod
from types import MappingProxyType

from convtool.errors import ShapeError
from convtool.nn._types import Array, Shape
from convtool.nn.arguments import size
from convtool.nn.initializers import Seed
from convtool.nn.layers.base import AffineLayer, Layer


class Flatten(Layer):
    """Flatten each picture to one row: (N, C, H, W) becomes (N, C H W)."""

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return shape (N, C H W)."""
        self._shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy: Array) -> Array:
        """Reshape the gradient to the input's shape."""
        return dy.reshape(self._shape)

    def output_shape(self, shape: Shape) -> Shape:
        """Return ``(C H W,)``."""
        return (prod(shape),)


class Dense(AffineLayer):
    """A fully connected layer, ``y = x W + b``.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
    initializer : "he" or "glorot"
    rng : Generator, int or None
        The source of the initial weights.
    dtype : str

    Raises
    ------
    OptionError
        If a count is below 1, or a name unknown.

    Notes
    -----
    The weights have shape (in_features, out_features), the transpose of PyTorch's.
    """

    ARGUMENTS = MappingProxyType(
        {"in_features": size, "out_features": size, **AffineLayer.ARGUMENTS}
    )
    in_features: int
    out_features: int

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        initializer: str = "he",
        rng: Seed = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__(
            rng,
            dtype,
            in_features=in_features,
            out_features=out_features,
            bias=bias,
            initializer=initializer,
        )

    def array_shapes(self) -> dict[str, Shape]:
        """Return the shapes of the weights and of the bias."""
        weight = (self.in_features, self.out_features)
        return {"weight": weight} | ({"bias": (self.out_features,)} if self.bias else {})

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return shape (N, out_features) for `x` of shape (N, in_features)."""
        self.output_shape(x.shape[1:])
        self._x = x
        params = self.params
        y: Array = x @ params["weight"]
        if "bias" in params:
            y += params["bias"]
        return y

    def backward(self, dy: Array) -> Array:
        """Set the gradients of weights and bias; return ``dy W^T``."""
        params = self.params
        self.grads = {"weight": self._x.T @ dy}
        if "bias" in params:
            self.grads["bias"] = dy.sum(axis=0)
        result: Array = dy @ params["weight"].T
        return result

    def output_shape(self, shape: Shape) -> Shape:
        """Return ``(out_features,)``."""
        if len(shape) != 1:
            raise ShapeError(
                f"a dense layer needs rows of numbers, not shape {shape}: put flatten, or global"
                " pooling, before it"
            )
        if shape[0] != self.in_features:
            raise ShapeError(
                f"a dense layer is made for {self.in_features} inputs, it gets {shape[0]}"
            )
        return (self.out_features,)

    def multiply_adds(self, shape: Shape) -> int:
        """Return inputs times outputs."""
        return self.in_features * self.out_features
