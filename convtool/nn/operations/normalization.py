"""Batch normalisation.

References
----------
Ioffe, Szegedy (2015): Batch normalization: accelerating deep network training by reducing internal
covariate shift. arXiv:1502.03167.
"""

import numpy as np

from convtool.nn._types import Array


def _axes(x: Array) -> tuple[int, ...]:
    return (0, *range(2, x.ndim))


def _column(values: Array, x: Array) -> Array:
    """Reshape per-channel values to broadcast along axis 1."""
    return values.reshape(1, -1, *(1,) * (x.ndim - 2))


def batch_statistics(x: Array) -> tuple[Array, Array]:
    """Return mean and (biased) variance of each channel over the batch and all positions."""
    mean = x.mean(axis=_axes(x))
    variance = np.square(x - _column(mean, x)).mean(axis=_axes(x))
    return mean, variance


def normalize(
    x: Array, mean: Array, variance: Array, gamma: Array, beta: Array, epsilon: float
) -> tuple[Array, Array]:
    """Return ``gamma * xhat + beta`` and ``xhat = (x - mean) / sqrt(variance + epsilon)``.

    Parameters
    ----------
    x : ndarray, shape (N, C) or (N, C, H, W)
    mean, variance, gamma, beta : ndarray, shape (C,)
    """
    xhat = (x - _column(mean, x)) / np.sqrt(_column(variance, x) + epsilon)
    return _column(gamma, x) * xhat + _column(beta, x), xhat


def normalize_backward(
    dy: Array, xhat: Array, variance: Array, gamma: Array, epsilon: float, *, training: bool
) -> tuple[Array, Array, Array]:
    """Return the gradients with respect to x, gamma and beta.

    In training, mean and variance depend on `x` and contribute to the gradient; in inference they
    are constants.
    """
    axes = _axes(dy)
    dgamma = (dy * xhat).sum(axis=axes)
    dbeta = dy.sum(axis=axes)
    scale = _column(gamma / np.sqrt(variance + epsilon), dy)
    if not training:
        return dy * scale, dgamma, dbeta
    count = dy.size // dy.shape[1]
    centred = dy - _column(dbeta, dy) / count - xhat * (_column(dgamma, dy) / count)
    return centred * scale, dgamma, dbeta
