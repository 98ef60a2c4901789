"""CIE L*a*b*, as TIFF stores it, converted to sRGB.

References
----------
TIFF 6.0, section 23 (CIE L*a*b*); TIFF Technical Note 4 (ICC L*a*b*). CIE 15:2004, section 8.2.1:
the cube root and its line. B. Lindbloom, "RGB/XYZ Matrices": sRGB, adapted to D50 by Bradford.
"""

import numpy as np

from convtool.errors import ImageReadError
from convtool.images.image import Pixels
from convtool.images.light import to_encoded

CIE, ICC = 8, 9
"""The photometric interpretations of TIFF: a* and b* as signed numbers, or with an offset."""

SPACES = (CIE, ICC)
NOTE = "CIE L*a*b* was converted to sRGB; colours beyond that were clipped"
_D50 = np.array([0.96422, 1.0, 0.82521])
_TO_SRGB = np.array(
    [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
)
_EPSILON, _KAPPA = 216 / 24389, 24389 / 27


def to_colours(stored: Pixels, photometric: int) -> Pixels:
    """Return sRGB in the depth of the stored values.

    Parameters
    ----------
    stored : ndarray of uint8 or uint16, shape (H, W, 3)
        L*, a* and b* as they are stored.
    photometric : int
        `CIE` or `ICC`.

    Returns
    -------
    ndarray, shape (H, W, 3)

    Raises
    ------
    ImageReadError
        If there are other than three samples of 8 or 16 bits.

    Examples
    --------
    >>> to_colours(np.array([[[255, 0, 0], [138, 81, 70]]], np.uint8), CIE).tolist()
    [[[255, 255, 255], [255, 0, 0]]]
    """
    if stored.dtype not in (np.uint8, np.uint16) or stored.shape[2:] != (3,):
        raise ImageReadError("holds CIE L*a*b* of other than three samples of 8 or 16 bits")
    peak, unit = (255, 1) if stored.dtype == np.uint8 else (65535, 256)
    if photometric == CIE:
        chroma = stored[..., 1:].view(np.dtype(f"i{stored.itemsize}")) / unit
        lightness = stored[..., 0] * (100 / peak)
    else:
        chroma = stored[..., 1:] / unit - 128
        lightness = stored[..., 0] * (100 / (255 * unit))
    y = (lightness + 16) / 116
    roots = np.stack([y + chroma[..., 0] / 500, y, y - chroma[..., 1] / 200], axis=-1)
    cubes = roots**3
    ratios = np.where(cubes > _EPSILON, cubes, (116 * roots - 16) / _KAPPA)
    light = np.clip((ratios * _D50) @ _TO_SRGB.T, 0, 1)
    encoded: Pixels = np.rint(to_encoded(light, 1.0) * peak).astype(stored.dtype)
    return encoded
