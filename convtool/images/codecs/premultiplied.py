"""Alpha that was multiplied into the colours, divided out."""

import zlib

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


def undone(pixels: Pixels) -> tuple[Pixels, bytes]:
    """Divide 32-bit colours by their alpha, the last channel, so that `multiplied` undoes it.

    Colours stay as they are where alpha is not above 0 or not finite.

    Returns
    -------
    ndarray of float32
        The colours divided, and alpha.
    bytes
        By how many units in the last place, −1 to 1, a product is less than what was divided: one
        signed byte for each colour, deflated. Empty where all products are the same.

    Examples
    --------
    >>> straight, rounding = undone(np.array([[[0.25, 0.5], [3.0, 0.0]]], np.float32))
    >>> straight.tolist(), rounding
    ([[[0.5, 0.5], [3.0, 0.0]]], b'')
    """
    alpha = pixels[:, :, -1:]
    straight = pixels.copy()
    with np.errstate(all="ignore"):
        np.divide(pixels[:, :, :-1], alpha, out=straight[:, :, :-1], where=_counts(alpha))
    apart = pixels[:, :, :-1].view(np.int32) - multiplied(straight)[:, :, :-1].view(np.int32)
    units = np.where(np.abs(apart) == 1, apart, 0).astype(np.int8)
    return straight, zlib.compress(units.tobytes(), 1) if units.any() else b""


def multiplied(pixels: Pixels, rounding: bytes = b"") -> Pixels:
    """Multiply 32-bit colours by their alpha, the last channel; `undone` tells the rounding.

    A rounding for another number of pixels is not applied.
    """
    alpha, product = pixels[:, :, -1:], pixels.copy()
    with np.errstate(all="ignore"):
        np.multiply(pixels[:, :, :-1], alpha, out=product[:, :, :-1], where=_counts(alpha))
    units = np.frombuffer(zlib.decompress(rounding) if rounding else b"", np.int8)
    colours = product[:, :, :-1]
    if units.size == colours.size:
        units = units.reshape(colours.shape)
        near = np.ascontiguousarray(colours).view(np.int32) + units
        may = np.isfinite(colours) & ((colours != 0) | (units > 0))
        product[:, :, :-1] = np.where(may, near.view(np.float32), colours)
    return product


def _counts(alpha: Pixels) -> Pixels:
    """Tell where colours are multiplied by alpha."""
    return (alpha > 0) & np.isfinite(alpha)
