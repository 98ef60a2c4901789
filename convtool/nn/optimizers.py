"""Optimisers: rules that update parameters by their gradients.

An optimiser keeps its state (moments, velocities) per parameter across epochs.

References
----------
Duchi, Hazan, Singer (2011): Adaptive subgradient methods. Tieleman, Hinton (2012): RMSProp, lecture
6.5. Kingma, Ba (2015): Adam, arXiv:1412.6980. Loshchilov, Hutter (2019): Decoupled weight decay
regularization, arXiv:1711.05101. Polyak (1964): Some methods of speeding up the convergence.
Sutskever, Martens, Dahl, Hinton (2013): On the importance of initialization and momentum in deep
learning. Pascanu, Mikolov, Bengio (2013): On the difficulty of training recurrent neural networks.
"""

from collections.abc import Callable
from copy import copy
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from convtool.nn._types import Array, Arrays
from convtool.nn.arguments import arguments_of, real


def _share(value: float, name: str) -> float:
    """Validate a decay rate: from 0 to below 1."""
    return real(value, name, 0, 1, high_open=True)


def _epsilon(value: float) -> float:
    """Validate an epsilon; with 0, a parameter without any gradient becomes NaN."""
    return real(value, "epsilon", 0)


class Optimizer:
    """Base class of optimisers.

    Parameters
    ----------
    lr : float
        The learning rate, above 0. It may change between steps.

    Raises
    ------
    OptionError
        If an argument is out of range, here and in derived classes.

    Attributes
    ----------
    slots : tuple of str
        The names of the state arrays of each parameter.
    steps : int
        The number of steps taken.
    clip : float
        Gradient clipping: the largest global norm of the gradients, which are scaled down to it
        before the step. 0, the default, disables clipping.

    Examples
    --------
    >>> rule = SGD(lr=1.0)
    >>> rule.clip = 1.0
    >>> weights = {"w": np.zeros(2)}
    >>> rule.step(weights, {"w": np.array([3.0, 4.0])})
    >>> weights["w"].round(3).tolist()
    [-0.6, -0.8]
    """

    name: ClassVar[str] = ""
    slots: ClassVar[tuple[str, ...]] = ()
    decoupled_decay: float = 0.0
    clip: float = 0.0

    def __init__(self, lr: float = 0.01) -> None:
        self.lr = real(lr, "learning rate", 0, low_open=True)
        self.steps = 0
        self.on_access: Callable[[], None] | None = None
        self._state: dict[str, Arrays] = {slot: {} for slot in self.slots}

    @property
    def state(self) -> dict[str, Arrays]:
        """The state arrays by slot and parameter."""
        if self.on_access is not None:
            self.on_access()
        return self._state

    def step(self, params: Arrays, grads: Arrays, decayed: frozenset[str] = frozenset()) -> None:
        """Update each parameter in place.

        Parameters
        ----------
        params, grads : dict of str to ndarray
            Parameters and gradients under the same names.
        decayed : frozenset of str
            The names of the parameters with weight decay (weights, not biases).
        """
        self.steps += 1
        state = self.state
        scale = self._clip_scale(params, grads) if self.clip else 1.0
        for name, parameter in params.items():
            kept = {
                slot: state[slot].setdefault(name, np.zeros_like(parameter)) for slot in self.slots
            }
            if self.decoupled_decay and name in decayed:
                np.multiply(parameter, 1 - self.lr * self.decoupled_decay, out=parameter)
            gradient = grads[name] if scale == 1 else grads[name] * parameter.dtype.type(scale)
            self._change(parameter, gradient, kept)

    def _clip_scale(self, params: Arrays, grads: Arrays) -> float:
        squares = sum(float(np.square(grads[name]).sum(dtype=np.float64)) for name in params)
        return min(1.0, self.clip / sqrt(squares)) if squares else 1.0

    def fresh(self) -> "Optimizer":
        """Return a new optimiser with the same settings and no state."""
        result = copy(self)
        result.steps, result.on_access = 0, None
        result._state = {slot: {} for slot in self.slots}
        return result

    def _change(self, parameter: Array, gradient: Array, kept: Arrays) -> None:
        raise TypeError(f"{type(self).__name__} changes nothing")

    def config(self) -> dict[str, Any]:
        """Return the keyword arguments that rebuild this optimiser."""
        return arguments_of(self)


class SGD(Optimizer):
    """``p -= lr * g``."""

    name = "sgd"

    def _change(self, parameter: Array, gradient: Array, kept: Arrays) -> None:
        parameter -= self.lr * gradient


class Momentum(Optimizer):
    """``v = momentum * v + g; p -= lr * v``.

    With `nesterov` the step looks ahead, ``p -= lr * (g + momentum * v)``, as in PyTorch and Keras.
    """

    name = "momentum"
    slots = ("velocity",)

    def __init__(self, lr: float = 0.01, momentum: float = 0.9, nesterov: bool = False) -> None:
        super().__init__(lr)
        self.momentum = _share(momentum, "momentum")
        self.nesterov = nesterov

    def _change(self, parameter: Array, gradient: Array, kept: Arrays) -> None:
        velocity = kept["velocity"]
        velocity *= self.momentum
        velocity += gradient
        ahead = gradient + self.momentum * velocity if self.nesterov else velocity
        parameter -= self.lr * ahead


class AdaGrad(Optimizer):
    """``s += g^2; p -= lr * g / (sqrt(s) + epsilon)``, element by element."""

    name = "adagrad"
    slots = ("squares",)

    def __init__(self, lr: float = 0.01, epsilon: float = 1e-8) -> None:
        super().__init__(lr)
        self.epsilon = _epsilon(epsilon)

    def _change(self, parameter: Array, gradient: Array, kept: Arrays) -> None:
        squares = kept["squares"]
        squares += gradient * gradient
        parameter -= self.lr * gradient / (np.sqrt(squares) + self.epsilon)


class AdaGradMomentum(Optimizer):
    """AdaGrad with momentum on the scaled gradient.

    ``s += g^2; v = momentum * v + g / (sqrt(s) + epsilon); p -= lr * v``.
    """

    name = "adagrad-momentum"
    slots = ("squares", "velocity")

    def __init__(self, lr: float = 0.01, momentum: float = 0.9, epsilon: float = 1e-8) -> None:
        super().__init__(lr)
        self.momentum, self.epsilon = _share(momentum, "momentum"), _epsilon(epsilon)

    def _change(self, parameter: Array, gradient: Array, kept: Arrays) -> None:
        squares, velocity = kept["squares"], kept["velocity"]
        squares += gradient * gradient
        velocity *= self.momentum
        velocity += gradient / (np.sqrt(squares) + self.epsilon)
        parameter -= self.lr * velocity


class RMSProp(Optimizer):
    """``s = rho * s + (1 - rho) g^2; p -= lr * g / (sqrt(s) + epsilon)``."""

    name = "rmsprop"
    slots = ("squares",)

    def __init__(self, lr: float = 0.001, rho: float = 0.99, epsilon: float = 1e-8) -> None:
        super().__init__(lr)
        self.rho, self.epsilon = _share(rho, "rho"), _epsilon(epsilon)

    def _change(self, parameter: Array, gradient: Array, kept: Arrays) -> None:
        squares = kept["squares"]
        squares *= self.rho
        squares += (1 - self.rho) * (gradient * gradient)
        parameter -= self.lr * gradient / (np.sqrt(squares) + self.epsilon)


class Adam(Optimizer):
    """Adaptive moment estimation with bias correction.

    ``m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
    p -= lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)``.
    """

    name = "adam"
    slots = ("mean", "squares")

    def __init__(
        self, lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
    ) -> None:
        super().__init__(lr)
        self.beta1, self.beta2 = _share(beta1, "beta1"), _share(beta2, "beta2")
        self.epsilon = _epsilon(epsilon)

    def corrections(self) -> tuple[float, float]:
        """Return the bias corrections ``1 - beta1^t`` and ``1 - beta2^t`` of the current step."""
        return 1 - self.beta1**self.steps, 1 - self.beta2**self.steps

    def _change(self, parameter: Array, gradient: Array, kept: Arrays) -> None:
        mean, squares = kept["mean"], kept["squares"]
        first, second = self.corrections()
        mean *= self.beta1
        mean += (1 - self.beta1) * gradient
        squares *= self.beta2
        squares += (1 - self.beta2) * (gradient * gradient)
        parameter -= (self.lr / first) * mean / (np.sqrt(squares / second) + self.epsilon)


class AdamW(Adam):
    """Adam with decoupled weight decay: ``p *= 1 - lr * decay``."""

    name = "adamw"

    def __init__(
        self,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(lr, beta1, beta2, epsilon)
        self.weight_decay = self.decoupled_decay = real(weight_decay, "weight_decay", 0)


OPTIMIZERS: dict[str, type[Optimizer]] = {
    rule.name: rule for rule in (SGD, Momentum, AdaGrad, AdaGradMomentum, RMSProp, Adam, AdamW)
}
"""The optimisers by name."""
