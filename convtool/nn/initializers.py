"""Weight initializers.

References
----------
Glorot, Bengio (2010): Understanding the difficulty of training deep feedforward neural networks.
He, Zhang, Ren, Sun (2015): Delving deep into rectifiers. arXiv:1502.01852.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from convtool.errors import check_choice
from convtool.nn._types import Array, Shape
from convtool.nn.arguments import float_type, whole

Seed = np.random.Generator | int | None


def fans(shape: Shape) -> tuple[int, int]:
    """Return fan-in and fan-out: inputs per output, and outputs per input.

    Examples
    --------
    >>> fans((32, 16, 3, 3)), fans((64, 10))
    ((144, 288), (64, 10))
    """
    if len(shape) == 4:
        area = prod(shape[2:])
        return shape[1] * area, shape[0] * area
    return shape[0], shape[1]


def he(shape: Shape, rng: np.random.Generator) -> Array:
    """Draw from a normal distribution of variance ``2 / fan_in``, which suits ReLU."""
    result: Array = rng.standard_normal(shape) * np.sqrt(2 / fans(shape)[0])
    return result


def glorot(shape: Shape, rng: np.random.Generator) -> Array:
    """Draw uniformly with variance ``2 / (fan_in + fan_out)``: for sigmoid, tanh and outputs."""
    limit = np.sqrt(6 / sum(fans(shape)))
    return rng.uniform(-limit, limit, shape)


INITIALIZERS: dict[str, Callable[[Shape, np.random.Generator], Array]] = {
    "he": he,
    "glorot": glorot,
}


def initializer_name(value: Any, name: str = "initializer") -> str:
    """Validate the name of an initializer and return it.

    Raises
    ------
    OptionError
        If there is none.
    """
    check_choice(name, value, INITIALIZERS)
    return str(value)


def draw(name: str, shape: Shape, rng: Seed, dtype: str) -> Array:
    """Return initial weights drawn by a named initializer.

    Raises
    ------
    OptionError
        If the name, the seed or the dtype is invalid.
    """
    name = initializer_name(name)
    dtype = float_type(dtype)
    if rng is not None and not isinstance(rng, np.random.Generator):
        rng = whole(rng, "rng", 0)
    return INITIALIZERS[name](shape, np.random.default_rng(rng)).astype(dtype)
