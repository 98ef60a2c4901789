"""Where the iterations begin: how wide a block, and which random vectors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SPARE_SHARE = 0.44
_SPARE_LEAST = 15
_MULTIPLE = 8


def block_size(k: int) -> int:
    """Return how many vectors advance at once.

    It exceeds k, because a subspace that grows from b vectors finds at most b directions of a
    singular value that occurs many times.

    Examples
    --------
    >>> block_size(50)
    72
    """
    wanted = max(round(k * (1 + _SPARE_SHARE)), k + _SPARE_LEAST)
    return -(-wanted // _MULTIPLE) * _MULTIPLE


def starting_vectors(
    length: int, count: int, dtype: np.dtype[Any], seed: int
) -> NDArray[np.floating[Any]]:
    """Return random vectors: white noise and slow waves.

    The strongest singular vectors of pictures are smooth, and so are the waves; the noise sees to
    those that are not. At one wave per length the waves are about a hundred times as strong as
    the noise, at a hundred waves they are as strong.

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
