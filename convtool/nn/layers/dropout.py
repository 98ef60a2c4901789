"""Dropout layers: noise in training against overfitting, none in inference.

References
----------
Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov (2014): Dropout: a simple way to prevent
neural networks from overfitting.
"""

from types import MappingProxyType
from typing import Any

import numpy as np

from convtool.nn._types import Array, Shape
from convtool.nn.arguments import real, seed
from convtool.nn.layers.base import Layer
from convtool.nn.operations.noise import keep_mask, key, normal


def _rate(value: Any, name: str) -> float:
    return real(value, f"dropout {name}", 0, 1, high_open=True)


class _Noise(Layer):
    """Multiply by random noise, redrawn at each training step.

    The noise is a function of seed, step and position (see ``operations.noise``), so a resumed
    training continues with the same values.
    """

    ARGUMENTS = MappingProxyType({"rate": _rate, "seed": seed})
    rate: float
    seed: int

    def __init__(self, rate: float = 0.5, seed: int = 0) -> None:
        super().__init__(rate=rate, seed=seed)
        self._state = {"steps": np.zeros(1, np.int64)}

    def array_shapes(self) -> dict[str, Shape]:
        """Return the shape of the counter of steps."""
        return {"steps": (1,)}

    @property
    def level(self) -> float:
        """The parameter of the noise that the compiled step takes."""
        raise TypeError(f"{type(self).__name__} draws nothing")

    def next_key(self) -> int:
        """Return this training step's key and advance to the next step."""
        steps = self._state["steps"]
        result = key(self.seed, 0, int(steps[0]))
        steps += 1
        return result

    def step_back(self) -> None:
        """Undo the last :meth:`next_key`, after a step that changed nothing."""
        self._state["steps"] -= 1

    def _factor(self, stream: int, x: Array) -> Array:
        raise TypeError(f"{type(self).__name__} draws nothing")

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return `x` times the noise in training, `x` itself in inference."""
        self._last: Array | None = None
        if not training or not self.rate:
            return x
        self._last = self._factor(self.next_key(), x).astype(x.dtype)
        result: Array = x * self._last
        return result

    def backward(self, dy: Array) -> Array:
        """Multiply by the same noise."""
        return dy if self._last is None else dy * self._last


class Dropout(_Noise):
    """Zero each element with probability `rate`, and divide the others by ``1 - rate``."""

    @property
    def level(self) -> float:
        """The factor of the elements that are not zeroed."""
        return 1 / (1 - self.rate)

    def _factor(self, stream: int, x: Array) -> Array:
        return keep_mask(stream, x.shape, self.rate) / (1 - self.rate)


class GaussianDropout(_Noise):
    """Multiply by normal noise of mean 1 and variance ``rate / (1 - rate)``."""

    @property
    def level(self) -> float:
        """The noise's standard deviation."""
        return float(np.sqrt(self.rate / (1 - self.rate)))

    def _factor(self, stream: int, x: Array) -> Array:
        return 1 + normal(stream, x.shape) * self.level
