"""The base class of layers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from convtool.errors import ShapeError
from convtool.nn._types import Array, Arrays, Shape
from convtool.nn.arguments import arguments_of
from convtool.nn.initializers import Seed, draw


class Layer:
    """One step of a network: a function with a gradient, and perhaps parameters.

    Attributes
    ----------
    params : dict of str to ndarray
        The trained arrays. Change them in place, and get the dict again after a training step: a
        compiled step keeps its own copy until the attribute is read.
    grads : dict of str to ndarray
        The loss's gradient with respect to each parameter, set by :meth:`backward`.
    state : dict of str to ndarray
        Arrays that belong to the model but have no gradient (running statistics).
    frozen : set of str
        Names of parameters that training does not change.
    """

    def __init__(self) -> None:
        self._params: Arrays = {}
        self._state: Arrays = {}
        self.grads: Arrays = {}
        self.frozen: set[str] = set()
        self.on_access: Callable[[], None] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return the state to pickle or copy, without the values saved for the backward pass."""
        kept = {"_params", "_state"}
        return {k: v for k, v in self.__dict__.items() if k[0] != "_" or k in kept}

    @property
    def params(self) -> Arrays:
        """The parameters by name."""
        if self.on_access is not None:
            self.on_access()
        return self._params

    @property
    def state(self) -> Arrays:
        """The untrained arrays by name."""
        if self.on_access is not None:
            self.on_access()
        return self._state

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return the output for a batch `x`; save what the backward pass needs."""
        raise TypeError(f"{type(self).__name__} has no forward pass")

    def backward(self, dy: Array) -> Array:
        """Return the gradient with respect to the last input, and set :attr:`grads`."""
        raise TypeError(f"{type(self).__name__} has no backward pass")

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of one output for the shape of one input (without the batch).

        Raises
        ------
        ShapeError
            If the layer does not accept such an input.
        """
        return shape

    def multiply_adds(self, shape: Shape) -> int:
        """Return the number of multiply-adds of one forward pass over one input."""
        return 0

    def config(self) -> dict[str, Any]:
        """Return the keyword arguments that rebuild this layer (JSON values)."""
        return arguments_of(self)

    def count(self) -> tuple[int, int]:
        """Return the numbers of trained and untrained values.

        Integer arrays (counters) are excluded.
        """
        trained = sum(a.size for name, a in self.params.items() if name not in self.frozen)
        fixed = sum(a.size for name, a in self.params.items() if name in self.frozen)
        return trained, fixed + sum(a.size for a in self.state.values() if a.dtype.kind == "f")

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.config().items())
        return f"{type(self).__name__}({arguments})"


class AffineLayer(Layer):
    """Base of the layers with a weight and perhaps a bias."""

    def __init__(
        self, shape: Shape, outputs: int, bias: bool, initializer: str, rng: Seed, dtype: str
    ) -> None:
        super().__init__()
        self.initializer = initializer
        self._params = {"weight": draw(initializer, shape, rng, dtype)}
        if bias:
            self._params["bias"] = np.zeros(outputs, self._params["weight"].dtype)

    @property
    def bias(self) -> bool:
        """Whether a trained bias is added to each output."""
        return "bias" in self._params


def picture(shape: Shape, layer: str, channels: int | None = None) -> tuple[int, int, int]:
    """Validate the shape of a picture and return it as (C, H, W).

    Raises
    ------
    ShapeError
        If it does not have three axes, or has another number of channels.
    """
    if len(shape) != 3:
        raise ShapeError(f"{layer} needs a picture (channels, height, width), not shape {shape}")
    if channels is not None and shape[0] != channels:
        raise ShapeError(f"{layer} is made for {channels} channels, its input has {shape[0]}")
    return shape[0], shape[1], shape[2]
