"""Learning rate schedules.

Each schedule is a function of the progress from 0 to 1 and of the epochs' losses so far (validation
losses, without validation training losses), so a training resumed from a checkpoint has the same
rates as an uninterrupted one.

References
----------
Loshchilov, Hutter (2017): SGDR: stochastic gradient descent with warm restarts. arXiv:1608.03983.
Smith, Topin (2018): Super-convergence: very fast training of neural networks using large learning
rates. arXiv:1708.07120.
"""

from collections.abc import Sequence
from math import cos, inf, pi
from typing import Protocol

_PATIENCE = 5
_CYCLES = (1, 2, 4)


class Schedule(Protocol):
    """Returns the factor of the learning rate for a progress and the losses so far."""

    def __call__(self, progress: float, losses: Sequence[float] = ()) -> float:
        """Return the factor."""


def constant(progress: float, losses: Sequence[float] = ()) -> float:
    """Return 1."""
    return 1.0


def step(progress: float, losses: Sequence[float] = ()) -> float:
    """Return 1, then 0.1 after half of the training, then 0.01 after three quarters.

    Examples
    --------
    >>> step(0.2), step(0.6)
    (1.0, 0.1)
    """
    return 1.0 if progress < 0.5 else 0.1 if progress < 0.75 else 0.01


def exponential(progress: float, losses: Sequence[float] = ()) -> float:
    """Decay exponentially from 1 to 0.01.

    Examples
    --------
    >>> exponential(0.5)
    0.1
    """
    return float(0.1 ** (2 * progress))


def _half_wave(share: float) -> float:
    return 0.5 * (1 + cos(pi * share))


def cosine(progress: float, losses: Sequence[float] = ()) -> float:
    """Anneal from 1 to 0 along half a cosine, after a warm-up in the first twentieth.

    Examples
    --------
    >>> round(cosine(0.05), 3), round(cosine(0.525), 3)
    (1.0, 0.5)
    """
    warm = 0.05
    if progress < warm:
        return 0.1 + 0.9 * progress / warm
    return _half_wave((progress - warm) / (1 - warm))


def warm_restarts(progress: float, losses: Sequence[float] = ()) -> float:
    """Anneal from 1 to 0 along half a cosine three times, each twice as long as the last.

    Examples
    --------
    >>> warm_restarts(0), round(warm_restarts(0.999 / 7), 3), round(warm_restarts(1.001 / 7), 3)
    (1.0, 0.0, 1.0)
    """
    place = min(progress, 1.0) * sum(_CYCLES)
    for length in _CYCLES[:-1]:
        if place < length:
            return _half_wave(place / length)
        place -= length
    return _half_wave(place / _CYCLES[-1])


def one_cycle(progress: float, losses: Sequence[float] = ()) -> float:
    """Rise from 1/25 to 1 along half a cosine in the first 30 %, then fall to nearly 0.

    PyTorch's ``OneCycleLR`` with its defaults, at constant momentum.

    Examples
    --------
    >>> round(one_cycle(0), 3), round(one_cycle(0.3), 3), round(one_cycle(1), 6)
    (0.04, 1.0, 4e-06)
    """
    rise, first, last = 0.3, 1 / 25, 1 / 25e4
    if progress < rise:
        return 1 + (first - 1) * _half_wave(progress / rise)
    return last + (1 - last) * _half_wave(min(1.0, (progress - rise) / (1 - rise)))


def plateau(progress: float, losses: Sequence[float] = ()) -> float:
    """Return 1, divided by 10 after each five epochs without a smaller loss.

    Examples
    --------
    >>> plateau(0.5, [3, 2, 1, 1, 1, 1, 1]), plateau(0.5, [3, 2, 1, 1, 1, 1, 1, 1])
    (1.0, 0.1)
    """
    least, since, drops = inf, 0, 0
    for loss in losses:
        since += 1
        if loss < least:
            least, since = loss, 0
        if since == _PATIENCE:
            drops, since = drops + 1, 0
    return float(10.0**-drops)


SCHEDULES: dict[str, Schedule] = {
    "constant": constant,
    "step": step,
    "exponential": exponential,
    "cosine": cosine,
    "warm-restarts": warm_restarts,
    "one-cycle": one_cycle,
    "plateau": plateau,
}
"""The schedules by name."""
