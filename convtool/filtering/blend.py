"""Blend filtered pixels with the original ones by a mask.

References
----------
T. Porter, T. Duff, "Compositing Digital Images", SIGGRAPH 1984, section 4.3: a mixture (their
``plus`` of two dissolved pictures) adds colours that are multiplied by alpha.
"""

import numpy as np
from numpy.typing import NDArray

from convtool.images import light
from convtool.images.tone import Values

Shares = NDArray[np.float64]
"""How much of the filtered pixel each mixture has: 0 to 1, shape (N,)."""


def mixed(old: Values, new: Values, shares: Shares, peak: float, *, linear: bool) -> Values:
    """Mix pixels, in light or as they are stored.

    Parameters
    ----------
    old, new : ndarray, shape (N, C)
        The pixels as they were, and filtered.
    shares : ndarray, shape (N,)
        How much of ``new`` each mixture has.
    peak : float
        The value of white.
    linear : bool
        Whether to mix light, of pixels that are encoded as sRGB.

    Returns
    -------
    ndarray, shape (N, C)
        Not rounded.

    Examples
    --------
    >>> black, white, half = np.zeros((1, 1)), np.ones((1, 1)), np.array([0.5])
    >>> mixed(black, white, half, 1.0, linear=False).round(3)
    array([[0.5]])
    >>> mixed(black, white, half, 1.0, linear=True).round(3)
    array([[0.735]])
    """
    if linear:
        old, new = light.to_linear(old, peak), light.to_linear(new, peak)
    with np.errstate(all="ignore"):
        answer: Values = old + shares.astype(new.dtype)[:, np.newaxis] * (new - old)
    return light.to_encoded(answer, peak) if linear else answer


def shares_of_colour(shares: Shares, before: Values, after: Values) -> Shares:
    """Return how much of the filtered colour a mixture has, where alpha is mixed by shares, too.

    Parameters
    ----------
    shares : ndarray, shape (N,)
        How much of the filtered pixel each mixture has.
    before, after : ndarray, shape (N,)
        Alpha as it was, and filtered.

    Returns
    -------
    ndarray, shape (N,)
        A pixel that was transparent gives no colour, whatever its share.

    Examples
    --------
    >>> shares_of_colour(np.array([0.5, 0.5]), np.array([255, 0]), np.array([255, 255])).tolist()
    [0.5, 1.0]
    """
    filtered = shares * after
    total = (1 - shares) * before + filtered
    return np.divide(filtered, total, out=shares.copy(), where=total > 0)
