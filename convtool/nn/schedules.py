"""How the learning rate changes over a training.

References
----------
Loshchilov, Hutter (2017): SGDR: stochastic gradient descent with warm restarts. arXiv:1608.03983.
"""

from collections.abc import Callable
from math import cos, pi


def constant(progress: float) -> float:
    """Return 1."""
    return 1.0


def step(progress: float) -> float:
    """Return 1, after half of the training 0.1, after three quarters 0.01.

    Examples
    --------
    >>> step(0.2), step(0.6)
    (1.0, 0.1)
    """
    return 1.0 if progress < 0.5 else 0.1 if progress < 0.75 else 0.01


def cosine(progress: float) -> float:
    """Return half a cosine wave from 1 down to 0, after a short rise in the first twentieth.

    Examples
    --------
    >>> round(cosine(0.05), 3), round(cosine(0.525), 3)
    (1.0, 0.5)
    """
    warm = 0.05
    if progress < warm:
        return 0.1 + 0.9 * progress / warm
    return 0.5 * (1 + cos(pi * (progress - warm) / (1 - warm)))


SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": constant,
    "step": step,
    "cosine": cosine,
}
"""Each schedule gives the factor of the learning rate for a progress from 0 to 1."""
