"""Conversion of pictures to matrices: grey, channel by channel, or channels side by side."""

from collections.abc import Callable

import numpy as np

from convtool.errors import OptionError, check_choice
from convtool.images.image import Image, Pixels
from convtool.images.tone import to_gray, to_working
from convtool.kernels.weights import FloatArray
from convtool.records import Record, replace


class Coloring(Record):
    """A conversion of a picture to matrices and back."""

    code: int
    """Its code in files."""
    split: Callable[[Image], list[FloatArray]]
    """Takes an `Image`, returns float matrices."""
    join: Callable[[list[FloatArray], int], FloatArray]
    """Takes the matrices and the number of channels, returns values of shape (H, W) or (H, W,
    C)."""


def cleared(image: Image) -> Image:
    """Return a picture whose colours are 0 where alpha is 0: they are not seen, and cost triples.

    Examples
    --------
    >>> cleared(Image(np.array([[[90, 0], [90, 255]]], np.uint8), has_alpha=True)).pixels.tolist()
    [[[0, 0], [90, 255]]]
    """
    if not image.has_alpha:
        return image
    hidden = image.pixels[:, :, -1] == 0
    if not image.pixels[hidden].any():
        return image
    pixels = image.pixels.copy()
    pixels[hidden] = 0
    return replace(image, pixels=pixels)


def _gray(image: Image) -> list[FloatArray]:
    if image.has_bands:
        raise OptionError(
            f"grey is made of red, green and blue; the picture has {image.channels} bands"
        )
    if image.channels >= 3:
        return [to_gray(image.pixels[:, :, :3])]
    return [to_working(image.pixels if image.channels == 1 else image.pixels[:, :, 0])]


def _channels(image: Image) -> list[FloatArray]:
    pixels: Pixels = np.atleast_3d(image.pixels)
    return [to_working(np.ascontiguousarray(pixels[:, :, c])) for c in range(image.channels)]


def _joint(image: Image) -> list[FloatArray]:
    return [np.hstack(_channels(image))]


def _first(matrices: list[FloatArray], channels: int) -> FloatArray:
    return matrices[0]


def _stack(matrices: list[FloatArray], channels: int) -> FloatArray:
    return matrices[0] if channels == 1 else np.dstack(matrices)


def _unfold(matrices: list[FloatArray], channels: int) -> FloatArray:
    return _stack(np.split(matrices[0], channels, axis=1), channels)


COLORINGS = {
    "channels": Coloring(0, _channels, _stack),
    "joint": Coloring(1, _joint, _unfold),
    "gray": Coloring(2, _gray, _first),
}
"""The conversions by name. ``gray`` is the luma of colours without alpha; the others treat alpha as
another channel."""


def coloring(name: str) -> Coloring:
    """Look up a conversion by name.

    Raises
    ------
    OptionError
        If the name is unknown.
    """
    check_choice("color", name, COLORINGS)
    return COLORINGS[name]
