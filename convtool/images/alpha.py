"""Colours multiplied by alpha, and divided by it again.

References
----------
T. Porter, T. Duff, "Compositing Digital Images", SIGGRAPH 1984, section 3: premultiplied colours.
"""

import numpy as np

from convtool.images.tone import Values


def premultiply(colours: Values, alpha: Values, peak: float) -> Values:
    """Multiply colours by alpha.

    Parameters
    ----------
    colours : ndarray, shape (H, W, C)
        The colours, without alpha.
    alpha : ndarray, shape (H, W)
        0 is transparent, ``peak`` opaque.
    peak : float
        The value of opaque.

    Returns
    -------
    ndarray, shape (H, W, C)

    Examples
    --------
    >>> premultiply(np.full((1, 1, 1), 200.0), np.full((1, 1), 51.0), 255.0)
    array([[[40.]]])
    """
    with np.errstate(invalid="ignore"):
        weighted: Values = colours * (alpha / peak)[:, :, np.newaxis]
    return weighted


def divide(colours: Values, alpha: Values, peak: float) -> Values:
    """Divide premultiplied colours by alpha; where alpha is 0 they become 0.

    Parameters and result as for `premultiply`, whose inverse this is.

    Examples
    --------
    >>> divide(np.full((1, 1, 1), 40.0), np.full((1, 1), 51.0), 255.0)
    array([[[200.]]])
    """
    share = (alpha / peak)[:, :, np.newaxis]
    with np.errstate(all="ignore"):
        return np.divide(colours, share, out=np.zeros_like(colours), where=share > 0)
