"""The starting block of iterative solvers: its width and vectors."""

from typing import Any

import numpy as np

from convtool.kernels.weights import FloatArray
from convtool.svd.orthonormal import orthonormal_rows

_SPARE_SHARE = 0.44
_SPARE_LEAST = 15
_MULTIPLE = 8
_STEP = 4
_GUESSED_SHARE = 0.12
_GUESSED_LEAST = 4
_RANDOM_PART = 8
_ROUNDS = 2
_NOISE = 0.1


def block_size(k: int) -> int:
    """Return the block width for a random start.

    It exceeds k, because a Krylov subspace of b vectors contains at most b directions of a
    singular value that occurs many times.

    Examples
    --------
    >>> block_size(50)
    72
    """
    wanted = max(round(k * (1 + _SPARE_SHARE)), k + _SPARE_LEAST)
    return -(-wanted // _MULTIPLE) * _MULTIPLE


def guessed_size(k: int) -> int:
    """Return the block width for a start from a downsampled matrix.

    Examples
    --------
    >>> guessed_size(50)
    60
    """
    return k + round(_GUESSED_SHARE * k) + _GUESSED_LEAST


def can_guess(rows: int, columns: int, k: int) -> bool:
    """Return whether every fourth row and column suffice to estimate k vectors.

    Examples
    --------
    >>> can_guess(1080, 1920, 50), can_guess(480, 640, 80)
    (True, False)
    """
    return min(rows, columns) // _STEP >= 2 * guessed_size(k)


def first_rows(matrix: FloatArray, k: int) -> FloatArray:
    """Return the starting vectors: estimates for a large enough matrix, else random.

    The approximate right singular vectors of every fourth row and column, upsampled, are near those
    of the whole matrix. Added noise and a few random vectors cover the directions that the
    downsampled matrix lacks.

    Parameters
    ----------
    matrix : ndarray
        Shape (M, N) with M ≤ N.
    k : int
        Number of triples.

    Returns
    -------
    ndarray
        Shape (b, N) with b ≤ M, the same for the same matrix.
    """
    rows, columns = matrix.shape
    if not can_guess(rows, columns, k):
        width = min(block_size(k), rows)
        return starting_vectors(columns, width, matrix.dtype, seed=0).T
    width = guessed_size(k)
    small = np.ascontiguousarray(matrix[::_STEP, ::_STEP])
    count = width - width // _RANDOM_PART
    guess = starting_vectors(small.shape[1], count, matrix.dtype, seed=0).T
    nothing = np.zeros((0, 0), matrix.dtype)
    for _ in range(_ROUNDS):
        back = orthonormal_rows(guess @ small.T, nothing)
        guess = orthonormal_rows(back @ small, nothing)
    others = starting_vectors(columns, width - len(guess), matrix.dtype, seed=1).T
    stretched = np.repeat(guess, _STEP, axis=1)[:, :columns]
    noise = np.random.default_rng(2).random(stretched.shape, dtype=np.float32) - 0.5
    strength = _NOISE * _STEP * np.sqrt(12 / columns) / 2
    return np.vstack((stretched + (noise * strength).astype(matrix.dtype), others))


def starting_vectors(length: int, count: int, dtype: np.dtype[Any], seed: int) -> FloatArray:
    """Return random vectors: white noise plus low-frequency waves.

    The strongest singular vectors of pictures are smooth, like the waves; the noise covers the
    others. At one period per length the waves are about a hundred times as strong as the noise, at
    a hundred periods equally strong.

    Parameters
    ----------
    length, count : int
        The shape of the result.
    dtype : dtype
        The dtype of the result.
    seed : int
        The same seed gives the same vectors.

    Returns
    -------
    ndarray
        Shape (length, count).
    """
    noise = np.random.default_rng(seed).random((length, count), dtype=np.float32) - 0.5
    waves = np.cumsum(noise, axis=0) * np.float32(200 * np.pi / length)
    return (noise + waves).astype(dtype, copy=False)
