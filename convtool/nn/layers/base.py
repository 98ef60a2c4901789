"""The base class of layers."""

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from math import prod
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np

from convtool.errors import OptionError, ShapeError
from convtool.nn._types import Array, Arrays, Shape
from convtool.nn.arguments import (
    MOST_COLUMNS,
    MOST_VALUES,
    Check,
    arguments_of,
    flag,
    short,
)
from convtool.nn.initializers import Seed, draw, initializer_name


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

    Parameters
    ----------
    **arguments
        A value for each name in `ARGUMENTS`; it is checked, and becomes an attribute.

    Raises
    ------
    OptionError, ShapeError
        If a value is out of bounds, or the arrays would be too large.
    """

    ARGUMENTS: ClassVar[Mapping[str, Check]] = MappingProxyType({})
    """The arguments that determine the layer, and the check of each."""

    def __init__(self, **arguments: Any) -> None:
        for name, check in self.ARGUMENTS.items():
            setattr(self, name, check(arguments[name], name))
        self.complete()
        count = sum(prod(shape) for shape in self.array_shapes().values())
        if count > MOST_VALUES:
            raise OptionError(
                f"{type(self).__name__} would hold {short(count)} numbers, more than {MOST_VALUES}"
            )
        self._params: Arrays = {}
        self._state: Arrays = {}
        self.grads: Arrays = {}
        self.frozen: set[str] = set()
        self.on_access: Callable[[], None] | None = None

    @classmethod
    def planned(cls, arguments: Mapping[str, Any]) -> Self:
        """Return a layer without arrays, which takes no memory, for :meth:`array_shapes`.

        Parameters
        ----------
        arguments : mapping
            A value for each name in `ARGUMENTS` that has no default.

        Raises
        ------
        OptionError, ShapeError
            If one is missing, unknown or out of bounds, or the arrays would be too large.
        """
        for name in arguments.keys() - cls.ARGUMENTS.keys():
            raise OptionError(f"{cls.__name__} has no argument {short(name)}")
        given = {**arguments}
        for name, parameter in signature(cls).parameters.items():
            if name in cls.ARGUMENTS and name not in given:
                if parameter.default is Parameter.empty:
                    raise OptionError(f"{cls.__name__}: {name} is missing")
                given[name] = parameter.default
        layer = cls.__new__(cls)
        Layer.__init__(layer, **given)
        return layer

    def complete(self) -> None:
        """Check and complete the arguments that depend on each other."""

    def array_shapes(self) -> dict[str, Shape]:
        """Return the shape of each parameter and state array, by its name."""
        return {}

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

    ARGUMENTS = MappingProxyType({"bias": flag, "initializer": initializer_name})
    bias: bool
    """Whether a trained bias is added to each output."""
    initializer: str

    def __init__(self, rng: Seed, dtype: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        shapes = self.array_shapes()
        self._params = {"weight": draw(self.initializer, shapes["weight"], rng, dtype)}
        if self.bias:
            self._params["bias"] = np.zeros(shapes["bias"], self._params["weight"].dtype)


def output_of(layer: Layer, shape: Shape) -> Shape:
    """Return the shape of a layer's output, see `Layer.output_shape`.

    Raises
    ------
    ShapeError
        If the layer does not accept such an input, or puts out too much.
    """
    after = layer.output_shape(shape)
    if prod(after) > MOST_VALUES:
        raise ShapeError(f"it puts out {' x '.join(map(str, after))} values, which is too much")
    return after


def check_windows(padded: Shape, taps: int, outputs: Shape) -> None:
    """Check what a layer gathers from a picture of one size.

    Parameters
    ----------
    padded : (C, H, W)
        The picture with its padding.
    taps : int
        The values that each output is computed from.
    outputs : (H, W)
        How many there are of each.

    Raises
    ------
    ShapeError
        If it is too much.
    """
    if prod(padded) > MOST_VALUES or taps * prod(outputs) > MOST_COLUMNS:
        sizes = " x ".join(map(str, padded))
        raise ShapeError(
            f"windows of {taps} values over {sizes} with padding take too much memory: use smaller"
            " windows, dilation and padding"
        )


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
