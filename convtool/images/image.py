"""A picture in memory: its pixels, and what is known about them."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.errors import PixelTypeError, ShapeError
from convtool.records import Record

Pixels = NDArray[Any]
"""An array of uint8, uint16, float32 or float64 pixels, shape (H, W) or (H, W, C)."""

PEAKS = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0, "float64": 1.0}
"""The value of white (and of opaque) for each type that pixels can have."""

DEPTHS = {"uint8": "8", "uint16": "16", "float32": "float", "float64": "float"}
"""The word for the depth of each type that pixels can have, as ``--depth`` says it."""

_EXACT_IN_FLOAT32 = 2**24


@lru_cache(maxsize=64)
def name_of(dtype: np.dtype[Any]) -> str:
    """Return the cached name of a type, which NumPy builds at each access.

    Examples
    --------
    >>> name_of(np.dtype(">u2"))
    'uint16'
    """
    return dtype.name


def peak_of(dtype: np.dtype[Any]) -> float:
    """Return the value of white for pixels of a type.

    Examples
    --------
    >>> peak_of(np.dtype("uint16"))
    65535.0
    """
    try:
        return PEAKS[name_of(dtype)]
    except KeyError:
        raise PixelTypeError(
            f"pixels are of type {dtype}; uint8, uint16, float32 and float64 have a meaning"
        ) from None


def held(kind: str, largest: float) -> str:
    """Return the type that pixels of a kind are read as: their own, or a float that holds them.

    Parameters
    ----------
    kind : str
        NumPy's name of their type.
    largest : float
        The largest magnitude that they can have.

    Examples
    --------
    >>> held("uint16", 65535), held("int64", 2**40)
    ('uint16', 'float64')
    """
    if kind in DEPTHS:
        return kind
    return "float32" if largest <= _EXACT_IN_FLOAT32 else "float64"


class Coding(Record):
    """How a file had its pixels compressed.

    Parameters
    ----------
    compression : str
        The method as its format calls it, such as ``"deflate"``; empty where there is only one.
    quality : int, optional
        1 to 100: for JPEG, that of the tables nearest to the file's.
    chroma_quality : int, optional
        The same for the tables of chroma, where they differ.
    subsampling : str
        Of chroma in JPEG, such as ``"4:2:0"``; empty where there is none.
    progressive : bool
        Whether a JPEG comes in several scans.
    """

    compression: str = ""
    quality: int | None = None
    chroma_quality: int | None = None
    subsampling: str = ""
    progressive: bool = False


class Metadata(Record):
    """What a file says about its picture besides the pixels.

    Parameters
    ----------
    orientation : int
        The EXIF orientation that the file had, 1 to 8. It has been applied to the pixels.
    pages : int
        How many pages or frames the file holds.
    icc : bytes
        The ICC colour profile.
    exif : bytes
        The EXIF block: a TIFF header and its directories. Its orientation agrees with the pixels.
    xmp : bytes
        The XMP packet, XML in UTF-8.
    resolution : (float, float), optional
        Pixels an inch, across and down.
    text : tuple of (str, str)
        Keys and texts, such as ``("Comment", "by the lake")``.
    colour : tuple of (str, bytes)
        PNG's own statements about colour, by the names of their chunks: gAMA, cHRM, sRGB, cICP.
    coding : Coding
        How the pixels were compressed.
    """

    orientation: int = 1
    pages: int = 1
    icc: bytes = b""
    exif: bytes = b""
    xmp: bytes = b""
    resolution: tuple[float, float] | None = None
    text: tuple[tuple[str, str], ...] = ()
    colour: tuple[tuple[str, bytes], ...] = ()
    coding: Coding = Coding()


class Image(Record, eq=False):
    """A picture: pixels in the depth of their file, and what is known about them.

    Parameters
    ----------
    pixels : ndarray
        Shape (H, W) for grey, (H, W, 2) for grey and alpha, (H, W, 3) for colour, (H, W, 4) for
        colour and alpha; uint8 (0 to 255), uint16 (0 to 65535), float32 or float64 (white is 1.0).
        Colours are in the order red, green, blue, and not multiplied by alpha.
    has_alpha : bool
        Whether the last channel is alpha.
    format : str
        The name of the file format it came from, empty where there was none.
    metadata : Metadata
        What the file said besides.
    notes : tuple of str
        What a reader of the file should know: damage that was survived, pages left out.

    Examples
    --------
    >>> picture = Image(np.zeros((4, 6, 3), np.uint16))
    >>> picture.channels, picture.depth, picture.peak
    (3, '16', 65535.0)
    """

    pixels: Pixels
    has_alpha: bool = False
    format: str = ""
    metadata: Metadata = Metadata()
    notes: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        """Number of rows."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.pixels.shape[1])

    @property
    def channels(self) -> int:
        """Number of channels, alpha included."""
        return 1 if self.pixels.ndim == 2 else int(self.pixels.shape[2])

    @property
    def depth(self) -> str:
        """The word for the depth: ``"8"``, ``"16"`` or ``"float"``."""
        return DEPTHS[name_of(self.pixels.dtype)]

    @property
    def peak(self) -> float:
        """The value of white, and of opaque."""
        return peak_of(self.pixels.dtype)


class Document(Record, eq=False):
    """All pages of a file, or all frames of an animation.

    Parameters
    ----------
    pages : tuple of Image
        At least one. The frames of an animation have one size and are whole pictures.
    durations : tuple of float
        Milliseconds that each frame is shown; empty where the pages are no animation.
    loop : int
        How often the animation is played; 0 for ever.

    Examples
    --------
    >>> still = Document((Image(np.zeros((4, 6), np.uint8)),))
    >>> still.is_animation
    False
    """

    pages: tuple[Image, ...]
    durations: tuple[float, ...] = ()
    loop: int = 0

    @property
    def is_animation(self) -> bool:
        """Whether the pages are frames that are shown one after the other."""
        return bool(self.durations)


def as_image(value: Image | Pixels) -> Image:
    """Take an array as a picture, its second or fourth channel as alpha.

    Parameters
    ----------
    value : Image or ndarray
        An array has the shape (H, W) or (H, W, 1 to 4) and the type bool (False is black, True is
        white), uint8, uint16, float32 or float64.

    Returns
    -------
    Image
        The picture itself, or a new one around the array; (H, W, 1) becomes (H, W), bool uint8.

    Raises
    ------
    ShapeError
        If the array has another shape, or no pixels.
    PixelTypeError
        If the array is of another type.

    Examples
    --------
    >>> as_image(np.ones((2, 2, 4), np.uint8)).has_alpha
    True
    """
    if isinstance(value, Image):
        return value
    pixels = np.asarray(value)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (2, 3, 4)):
        raise ShapeError(
            f"a picture has the shape (H, W) or (H, W, 1 to 4), this array has {pixels.shape}"
        )
    if 0 in pixels.shape:
        raise ShapeError(f"an array of shape {pixels.shape} holds no pixels")
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    peak_of(pixels.dtype)
    return Image(pixels, has_alpha=pixels.ndim == 3 and pixels.shape[2] in (2, 4))
