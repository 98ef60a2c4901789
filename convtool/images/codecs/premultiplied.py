"""Alpha that was multiplied into the colours, divided out."""

import numpy as np

from convtool.images.image import Pixels, peak_of


def divided(pixels: Pixels) -> Pixels:
    """Divide colours by their alpha, the last channel; where that is 0, so are they.

    Integers are rounded to the nearest and saturate.

    Examples
    --------
    >>> divided(np.array([[[51, 102]]], np.uint8)).tolist()
    [[[128, 102]]]
    """
    peak = peak_of(pixels.dtype)
    colours = np.zeros((*pixels.shape[:2], pixels.shape[2] - 1))
    with np.errstate(all="ignore"):
        alpha = pixels[:, :, -1:].astype(np.float64)
        np.divide(pixels[:, :, :-1].astype(np.float64) * peak, alpha, out=colours, where=alpha > 0)
        if pixels.dtype.kind == "u":
            colours = np.clip(np.rint(colours), 0, peak)
        return np.concatenate([colours.astype(pixels.dtype), pixels[:, :, -1:]], axis=2)
