"""Activation functions and their derivatives, each derivative taken at the pre-activation."""

import numpy as np

from convtool.nn._types import Array


def sigmoid(x: Array) -> Array:
    """Return ``1 / (1 + exp(-x))``, without overflow at either end.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small)).astype(x.dtype, copy=False)


def softmax(x: Array, axis: int = 1) -> Array:
    """Return ``exp(x) / sum(exp(x))`` along an axis, without overflow.

    Examples
    --------
    >>> softmax(np.array([[0.0, 0.0, 1000.0]]))
    array([[0., 0., 1.]])
    """
    shifted = np.exp(x - x.max(axis=axis, keepdims=True))
    result: Array = shifted / shifted.sum(axis=axis, keepdims=True)
    return result


def log_softmax(x: Array, axis: int = 1) -> Array:
    """Return the logarithm of :func:`softmax`, exact where the probability rounds to 0."""
    shifted = x - x.max(axis=axis, keepdims=True)
    result: Array = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return result


def softmax_backward(y: Array, dy: Array, axis: int = 1) -> Array:
    """Return ``y * (dy - sum(dy * y))``: the softmax's Jacobian times `dy`."""
    result: Array = y * (dy - (dy * y).sum(axis=axis, keepdims=True))
    return result
