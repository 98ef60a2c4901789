"""Composite transparent pictures over a colour."""

import re

import numpy as np

from convtool.errors import OptionError
from convtool.images.image import Image, Pixels
from convtool.records import replace

NAMES = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "gray": (128, 128, 128),
    "red": (255, 0, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
}
"""Names of colours, with the values that CSS gives them."""

_HEX = r"#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})"


def colour_of(text: str) -> tuple[int, int, int]:
    """Return red, green and blue, 0 to 255, of a colour's name or of #rrggbb.

    Raises
    ------
    OptionError
        If it is neither.

    Examples
    --------
    >>> colour_of("#ff8000")
    (255, 128, 0)
    """
    if text in NAMES:
        return NAMES[text]
    found = re.fullmatch(_HEX, text)
    if found is None:
        names = ", ".join(NAMES)
        raise OptionError(f"background '{text}' is no colour; use #rrggbb or one of {names}")
    red, green, blue = (int(part, 16) for part in found.groups())
    return red, green, blue


def flattened(image: Image, text: str) -> Image:
    """Lay a picture on a colour, so that it has no alpha any more.

    Parameters
    ----------
    image : Image
        The picture; one without alpha comes back as it is.
    text : str
        The colour, as for `colour_of`. A grey picture becomes one in colour unless this is grey.

    Returns
    -------
    Image
        The picture in the depth it had.

    Raises
    ------
    OptionError
        If the text is no colour.

    Examples
    --------
    >>> clear = Image(np.array([[[10, 20, 30, 0]]], np.uint8), has_alpha=True)
    >>> flattened(clear, "white").pixels.tolist()
    [[[255, 255, 255]]]
    """
    colour = colour_of(text)
    if not image.has_alpha:
        return image
    pixels: Pixels = image.pixels.astype(np.float64)
    colours, alpha = pixels[:, :, :-1], pixels[:, :, -1:] / image.peak
    below: Pixels = np.array(colour) * (image.peak / 255)
    if colours.shape[2] == 1 and len(set(colour)) == 1:
        below = below[:1]
    result = colours * alpha + below * (1 - alpha)
    if image.type.is_integer:
        result = np.clip(np.rint(result), image.type.low, image.peak)
    laid = result.astype(image.pixels.dtype)
    return replace(image, pixels=laid[:, :, 0] if laid.shape[2] == 1 else laid, has_alpha=False)


def channels_on(channels: int, text: str | None) -> int:
    """Return how many channels a picture has on a background, if one is given.

    Examples
    --------
    >>> channels_on(4, "white"), channels_on(2, "red"), channels_on(4, None)
    (3, 3, 4)
    """
    if text is None or channels not in (2, 4):
        return channels
    return 1 if channels == 2 and len(set(colour_of(text))) == 1 else 3
