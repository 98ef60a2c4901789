"""Activation functions and their derivatives, as a step of an explanation."""

from collections.abc import Callable

import numpy as np

from convtool.errors import KernelError, OptionError
from convtool.explain.walk import Plane
from convtool.kernels.numerals import number
from convtool.records import Record

LEAKY_SLOPE = 0.01
"""The default slope of ``leaky`` below zero."""


class _Function(Record):
    """A function, its derivative and its formula; all take the slope, which only ``leaky`` uses."""

    value: Callable[[Plane, float], Plane]
    derivative: Callable[[Plane, float], Plane]
    formula: str


def _sigmoid(z: Plane, _: float = 0.0) -> Plane:
    return np.asarray(0.5 * (1 + np.tanh(z / 2)))


FUNCTIONS: dict[str, _Function] = {
    "relu": _Function(
        lambda z, _: np.maximum(z, 0.0),
        lambda z, _: np.where(z > 0, 1.0, 0.0),
        "max(0, z)",
    ),
    "sigmoid": _Function(
        _sigmoid,
        lambda z, _: np.asarray(_sigmoid(z) * (1 - _sigmoid(z))),
        "1 / (1 + exp(−z))",
    ),
    "tanh": _Function(
        lambda z, _: np.tanh(z),
        lambda z, _: np.asarray(1 - np.tanh(z) ** 2),
        "tanh(z)",
    ),
    "leaky": _Function(
        lambda z, slope: np.where(z > 0, z, slope * z),
        lambda z, slope: np.where(z > 0, 1.0, slope),
        "z where z > 0, slope · z elsewhere",
    ),
}
"""The activation functions by name; the derivative of ``relu`` and ``leaky`` at 0 is the left one,
as in convtool.nn and PyTorch."""


class Activation(Record):
    """An activation function.

    Attributes
    ----------
    name : str
        A key of `FUNCTIONS`.
    slope : float
        The slope of ``leaky`` below zero; the others do not use it.
    """

    name: str
    slope: float = 0.0

    def __call__(self, z: Plane) -> Plane:
        """Return the function's values, in the shape of `z`."""
        return FUNCTIONS[self.name].value(z, self.slope)

    def derivative(self, z: Plane) -> Plane:
        """Return the derivative at `z`, in its shape."""
        return FUNCTIONS[self.name].derivative(z, self.slope)

    @property
    def formula(self) -> str:
        """The formula of the function as text."""
        return FUNCTIONS[self.name].formula.replace("slope", f"{self.slope:g}")


def activation(text: str) -> Activation:
    """Parse an activation function.

    Parameters
    ----------
    text : str
        ``relu``, ``sigmoid``, ``tanh``, or ``leaky:SLOPE``; the default slope is 0.01.

    Returns
    -------
    Activation

    Raises
    ------
    OptionError
        If the function is unknown, or the slope is not a finite number.

    Examples
    --------
    >>> activation("leaky:0.1")(np.array([[-2.0, 3.0]])).tolist()
    [[-0.2, 3.0]]
    """
    name, colon, slope = text.strip().partition(":")
    if name not in FUNCTIONS or (colon and name != "leaky"):
        raise OptionError(
            f"activation {text!r} is not known; write relu, sigmoid, tanh or leaky:SLOPE"
        )
    if name != "leaky":
        return Activation(name)
    try:
        value = number(slope) if colon else LEAKY_SLOPE
    except KernelError as error:
        raise OptionError(f"activation {text!r}: {error}") from error
    return Activation(name, value)
