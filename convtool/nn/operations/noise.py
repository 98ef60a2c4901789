"""Counter-based random numbers: a function of key and position, independent of order and threads.

Element ``i`` of the stream with key ``k`` is a hash of both, so a mask is recomputed rather than
stored. The quality suffices for dropout, not for cryptography.

References
----------
Appleby (2011): MurmurHash3, 32-bit finaliser. Salmon et al. (2011): Parallel random numbers: as
easy as 1, 2, 3 (counter-based generators).
"""

import numpy as np

from convtool.nn._types import Array

GOLDEN = 0x9E3779B9
MIX = (0x85EBCA6B, 0xC2B2AE35)
_ALL = 0xFFFFFFFF


def key(seed: int, stream: int, step: int) -> int:
    """Return a 32-bit key for one layer (`stream`) at one training step.

    Examples
    --------
    >>> key(0, 1, 0) != key(0, 1, 1)
    True
    """
    value = seed & _ALL
    for part in (stream, step):
        value = (value + GOLDEN + part) & _ALL
        value ^= value >> 16
        value = value * MIX[0] & _ALL
        value ^= value >> 13
        value = value * MIX[1] & _ALL
        value ^= value >> 16
    return value


def bits(stream_key: int, count: int) -> Array:
    """Return the first `count` 32-bit numbers of a stream as uint32."""
    value = np.arange(count, dtype=np.uint32) * np.uint32(GOLDEN) + np.uint32(stream_key)
    value ^= value >> np.uint32(16)
    value *= np.uint32(MIX[0])
    value ^= value >> np.uint32(13)
    value *= np.uint32(MIX[1])
    value ^= value >> np.uint32(16)
    return value


def threshold(rate: float) -> int:
    """Return the threshold below which :func:`bits` are with probability ``1 - rate``.

    Examples
    --------
    >>> threshold(0.5) == 2**31
    True
    """
    return min(round((1 - rate) * 2.0**32), _ALL)


def keep_mask(stream_key: int, shape: tuple[int, ...], rate: float) -> Array:
    """Return a boolean mask that is True with probability ``1 - rate``."""
    count = int(np.prod(shape))
    return (bits(stream_key, count) < np.uint32(threshold(rate))).reshape(shape)


def normal(stream_key: int, shape: tuple[int, ...]) -> Array:
    """Return standard normal float64 numbers (Box-Muller)."""
    count = int(np.prod(shape))
    uniform = (bits(stream_key, 2 * count).astype(np.float64) + 0.5) / 2.0**32
    radius = np.sqrt(-2 * np.log(uniform[:count]))
    result: Array = radius * np.cos(2 * np.pi * uniform[count:])
    return result.reshape(shape)
