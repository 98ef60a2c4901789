"""Activations: element-wise functions, and the softmax over channels."""

from types import MappingProxyType

import numpy as np

from convtool.nn._types import Array
from convtool.nn.arguments import real
from convtool.nn.layers.base import Layer
from convtool.nn.operations.activations import sigmoid, softmax, softmax_backward


class Identity(Layer):
    """Return the input unchanged."""

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return `x`."""
        return x

    def backward(self, dy: Array) -> Array:
        """Return `dy`."""
        return dy


class ReLU(Layer):
    """``max(x, 0)``; its derivative at 0 is 0.

    Examples
    --------
    >>> ReLU().forward(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return ``max(x, 0)``; NaN stays NaN."""
        self._positive = x > 0
        return np.where(x <= 0, np.zeros((), x.dtype), x)

    def backward(self, dy: Array) -> Array:
        """Pass the gradient where the input was positive."""
        return np.where(self._positive, dy, np.zeros((), dy.dtype))


class LeakyReLU(Layer):
    """``x`` where positive, ``slope * x`` elsewhere."""

    ARGUMENTS = MappingProxyType({"slope": real})
    slope: float

    def __init__(self, slope: float = 0.01) -> None:
        super().__init__(slope=slope)

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return ``x`` where positive, ``slope * x`` elsewhere."""
        self._factor = np.where(x > 0, 1, self.slope).astype(x.dtype)
        result: Array = x * self._factor
        return result

    def backward(self, dy: Array) -> Array:
        """Scale the gradient by 1 or the slope."""
        result: Array = dy * self._factor
        return result


class Sigmoid(Layer):
    """``1 / (1 + exp(-x))``, with values in (0, 1)."""

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return ``1 / (1 + exp(-x))``."""
        self._y = sigmoid(x)
        return self._y

    def backward(self, dy: Array) -> Array:
        """Return ``dy * y * (1 - y)``."""
        result: Array = dy * self._y * (1 - self._y)
        return result


class Tanh(Layer):
    """The hyperbolic tangent, with values in (-1, 1)."""

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return ``tanh(x)``."""
        self._y = np.tanh(x)
        return self._y

    def backward(self, dy: Array) -> Array:
        """Return ``dy * (1 - y^2)``."""
        result: Array = dy * (1 - np.square(self._y))
        return result


class Softmax(Layer):
    """``exp(x) / sum(exp(x))`` over the channels (axis 1)."""

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return probabilities that sum to 1 along axis 1."""
        self._y = softmax(x)
        return self._y

    def backward(self, dy: Array) -> Array:
        """Return the Jacobian of the softmax times `dy`."""
        return softmax_backward(self._y, dy)
