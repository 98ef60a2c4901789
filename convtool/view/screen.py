"""Pixels of any type as PNG files for a screen: 8 bits, reduced or in part."""

import numpy as np

from convtool.images.formats import format_for
from convtool.images.image import Image, Pixels
from convtool.images.options import WriteOptions
from convtool.records import Record

_ROWS = 1024


class Box(Record):
    """A part of a picture, in pixels."""

    left: int
    top: int
    width: int
    height: int


def white_of(image: Image) -> float:
    """Return the value that is shown as white: the type's, or the largest of floats beyond it.

    Examples
    --------
    >>> white_of(Image(np.array([[0.0, 250.0]], np.float32)))
    250.0
    """
    if image.type.is_integer:
        return image.peak
    pixels = image.pixels
    return max(image.peak, float(pixels.max(initial=0.0, where=np.isfinite(pixels))))


def factor_for(image: Image, most: int) -> int:
    """Return by how much a picture is reduced to at most so many pixels a side."""
    return -(-max(image.height, image.width) // most)


def reduced_png(image: Image, white: float, most: int) -> bytes:
    """Return a picture as PNG; each pixel is the mean of a square of `factor_for` pixels."""
    by = factor_for(image, most)
    pixels = _bytes(_visible(image), white)
    if by > 1:
        pixels = _reduced(pixels, by, has_alpha=image.has_alpha)
    return _png(pixels, has_alpha=image.has_alpha)


def part_png(image: Image, white: float, box: Box) -> bytes:
    """Return a part of a picture as PNG, pixel by pixel."""
    rows = slice(box.top, box.top + box.height)
    part = _visible(image)[rows, box.left : box.left + box.width]
    return _png(_bytes(part, white), has_alpha=image.has_alpha)


def _visible(image: Image) -> Pixels:
    """Return grey or colours, with alpha; of bands the first."""
    return image.pixels[:, :, 0] if image.has_bands else image.pixels


def _bytes(pixels: Pixels, white: float) -> Pixels:
    if pixels.dtype == np.uint8:
        return pixels
    made = np.empty(pixels.shape, np.uint8)
    for top in range(0, len(pixels), _ROWS):
        rows = pixels[top : top + _ROWS].astype(np.float64)
        np.nan_to_num(rows, copy=False, posinf=white, neginf=0.0)
        rows *= 255 / white
        made[top : top + _ROWS] = np.rint(np.clip(rows, 0, 255, out=rows), out=rows)
    return made


def _reduced(pixels: Pixels, by: int, *, has_alpha: bool) -> Pixels:
    import cv2

    height, width = (max(1, side // by) for side in pixels.shape[:2])
    kept = pixels[: height * by, : width * by]
    if not has_alpha:
        return np.asarray(cv2.resize(kept, (width, height), interpolation=cv2.INTER_AREA))
    alpha = kept[:, :, -1:].astype(np.float32)
    weighted = np.dstack([kept[:, :, :-1] * (alpha / 255), alpha])
    means = cv2.resize(weighted, (width, height), interpolation=cv2.INTER_AREA)
    opacity = np.maximum(means[:, :, -1:] / 255, 1 / 510)
    found = np.dstack([means[:, :, :-1] / opacity, means[:, :, -1:]])
    rounded: Pixels = np.rint(np.clip(found, 0, 255)).astype(np.uint8)
    return rounded


def _png(pixels: Pixels, *, has_alpha: bool) -> bytes:
    image = Image(np.ascontiguousarray(pixels), has_alpha)
    return format_for("a.png").load().encode(image, WriteOptions())
