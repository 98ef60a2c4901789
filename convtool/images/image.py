"""A picture in memory: its pixels, and what is known about them."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from convtool.arrays import adopt
from convtool.errors import PixelTypeError, ShapeError
from convtool.notebook import png_of
from convtool.records import Record

Pixels = NDArray[Any]
"""An array of pixels, shape (H, W) or (H, W, C), of one of `PIXEL_TYPES`."""


class PixelType(Record):
    """A type of pixels, and the range of its values."""

    name: str
    """The name of the NumPy type; ``"uint9"`` to ``"uint15"`` lie in uint16."""
    depth: str
    """The word for its depth, as ``depth`` is said where it can be chosen."""
    peak: float
    """The value of white, and of opaque."""
    low: float
    """The smallest value; values of floats are not limited."""
    array: str
    """The NumPy type of arrays."""
    working: str
    """The type that its values are computed in, which holds them exactly."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy type of arrays."""
        return np.dtype(self.array)

    @property
    def bits(self) -> int:
        """How many bits of the NumPy type are used; 0 for all."""
        return 0 if self.name == self.array else int(self.depth)

    @property
    def is_integer(self) -> bool:
        """Whether values are whole numbers, which are rounded and saturate."""
        return self.array[0] != "f"


def _integers(bits: int, *, signed: bool = False) -> PixelType:
    kind = "int" if signed else "uint"
    held = next(size for size in (8, 16, 32) if bits <= size)
    word = str(bits) if not signed and bits <= 16 else f"{kind}{bits}"
    peak = float(2 ** (bits - signed) - 1)
    working = "float32" if not signed and bits <= 16 else "float64"
    return PixelType(f"{kind}{bits}", word, peak, -(peak + 1) * signed, f"{kind}{held}", working)


def _floats(bits: int) -> PixelType:
    name, word = f"float{bits}", "float16" if bits == 16 else "float"
    return PixelType(name, word, 1.0, -np.inf, name, "float64" if bits == 64 else "float32")


PIXEL_TYPES = {
    kind.name: kind
    for kind in (
        *(_integers(bits) for bits in (8, *range(9, 17), 32)),
        *(_integers(bits, signed=True) for bits in (8, 16, 32)),
        *(_floats(bits) for bits in (16, 32, 64)),
    )
}
"""Every type that pixels can have, by its name."""

DEPTHS = {name: kind.depth for name, kind in PIXEL_TYPES.items()}
"""The word for the depth of each type that pixels can have."""

_EXACT_IN_FLOAT32 = 2**24
_DEEP = 2**16
"""Integers from here on are measurements, seldom as large as white: they are shown stretched."""


@lru_cache(maxsize=64)
def name_of(dtype: np.dtype[Any]) -> str:
    """Return the cached name of a type, which NumPy builds at each access.

    Examples
    --------
    >>> name_of(np.dtype(">u2"))
    'uint16'
    """
    return dtype.name


def type_of(dtype: np.dtype[Any] | PixelType, bits: int = 0) -> PixelType:
    """Return the type of pixels in an array, of which all bits are used or only so many.

    Raises
    ------
    PixelTypeError
        If pixels are of no such type.

    Examples
    --------
    >>> type_of(np.dtype("uint16")).peak, type_of(np.dtype("uint16"), 12).peak
    (65535.0, 4095.0)
    """
    if isinstance(dtype, PixelType):
        return dtype
    kind = PIXEL_TYPES.get(f"uint{bits}" if bits else name_of(dtype))
    if kind is None or kind.array != name_of(dtype):
        known = ", ".join(name for name, each in PIXEL_TYPES.items() if name == each.array)
        raise PixelTypeError(f"pixels are of type {dtype}; a picture has one of {known}")
    return kind


def peak_of(dtype: np.dtype[Any] | PixelType) -> float:
    """Return the value of white for pixels of a type.

    Examples
    --------
    >>> peak_of(np.dtype("uint16"))
    65535.0
    """
    return type_of(dtype).peak


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
    """How a file had its pixels compressed."""

    compression: str = ""
    """The method as its format calls it, such as ``"deflate"``; empty where there is only one."""
    quality: int | None = None
    """1 to 100: for JPEG, that of the tables nearest to the file's."""
    chroma_quality: int | None = None
    """The same for the tables of chroma, where they differ."""
    subsampling: str = ""
    """Of chroma in JPEG, such as ``"4:2:0"``; empty where there is none."""
    progressive: bool = False
    """Whether a JPEG comes in several scans."""
    rounding: bytes = b""
    """What multiplying by alpha rounds otherwise than an OpenEXR file had it; see
    `codecs.premultiplied`."""


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
    blocks : tuple of (str, bytes)
        What few formats hold, by the names that warnings give it, such as ``"chromaticities"``.
    coding : Coding
        How the pixels were compressed.
    extra : tuple of int
        What the last channels are beside grey or colour, where they are not alpha alone, as TIFF
        says it: 0 unspecified, 1 alpha multiplied into the colours, 2 alpha.
    nodata : float, optional
        The value of pixels that are missing.
    tiff : bytes
        The private tags of a TIFF, GeoTIFF's keys among them, as a block like ``exif``.
    """

    orientation: int = 1
    pages: int = 1
    icc: bytes = b""
    exif: bytes = b""
    xmp: bytes = b""
    resolution: tuple[float, float] | None = None
    text: tuple[tuple[str, str], ...] = ()
    colour: tuple[tuple[str, bytes], ...] = ()
    blocks: tuple[tuple[str, bytes], ...] = ()
    coding: Coding = Coding()
    extra: tuple[int, ...] = ()
    nodata: float | None = None
    tiff: bytes = b""


_CHANNEL_WORDS = {
    (1, False): "grey",
    (2, True): "grey and alpha",
    (3, False): "RGB",
    (4, True): "RGBA",
}


class Image(Record, eq=False):
    """A picture: pixels in the depth of their file, and what is known about them.

    Parameters
    ----------
    pixels : ndarray
        Shape (H, W) for grey, (H, W, 2) for grey and alpha, (H, W, 3) for colour, (H, W, 4) for
        colour and alpha, (H, W, C) for bands. Of one of `PIXEL_TYPES`: integers up to their largest
        value, floats with white at 1.0. Colours are in the order red, green, blue, and not
        multiplied by alpha.
    has_alpha : bool
        Whether the last channel is alpha.
    format : str
        The name of the file format it came from, empty where there was none.
    metadata : Metadata
        What the file said besides.
    notes : tuple of str
        What a reader of the file should know: damage that was survived, pages left out.
    bits : int
        How many bits of uint16 are used, 9 to 15; 0 for all of any type.

    Examples
    --------
    >>> picture = Image(np.zeros((4, 6, 3), np.uint16))
    >>> picture.channels, picture.depth, picture.peak
    (3, '16', 65535.0)
    >>> picture
    Image(4×6, RGB, uint16)
    >>> np.asarray(picture).shape
    (4, 6, 3)
    """

    pixels: Pixels
    has_alpha: bool = False
    format: str = ""
    metadata: Metadata = Metadata()
    notes: tuple[str, ...] = ()
    bits: int = 0

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the pixels: what ``np.asarray(image)`` gives, without a copy."""
        return np.array(self.pixels, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        known = [_size(self.shape), _channel_words(self), self._type_name(), self.format.upper()]
        return f"Image({', '.join(filter(None, known))})"

    def _repr_png_(self) -> bytes:
        """Return what a notebook shows: the picture with 8 bits, at most 640 pixels a side."""
        kind = self.type
        white = kind.peak if kind.is_integer and kind.low == 0 and kind.peak < _DEEP else None
        return png_of(
            self.pixels, white=white, has_alpha=self.has_alpha, missing=self.metadata.nodata
        )

    def _type_name(self) -> str:
        return f"uint{self.bits}" if self.bits else name_of(self.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the pixels, (H, W) or (H, W, C)."""
        return self.pixels.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy type of the pixels."""
        return self.pixels.dtype

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
        """The word for the depth: ``"8"``, ``"16"``, ``"float"`` or another of `DEPTHS`."""
        return self.type.depth

    @property
    def type(self) -> PixelType:
        """The type of the pixels."""
        return type_of(self.pixels.dtype, self.bits)

    @property
    def has_bands(self) -> bool:
        """Whether the channels are neither grey nor colour, with or without alpha."""
        return not self.has_alpha and self.channels not in (1, 3)

    @property
    def peak(self) -> float:
        """The value of white, and of opaque."""
        return self.type.peak


def _channel_words(image: Image) -> str:
    channels = image.channels
    return _CHANNEL_WORDS.get((channels, image.has_alpha), f"{channels} bands")


def _size(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape[:2]))


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

    def __repr__(self) -> str:
        count = len(self.pages)
        noun = "frame" if self.is_animation else "page"
        first = repr(self.pages[0]).partition("(")[2] if self.pages else ")"
        return f"Document({count} {noun}{'s' * (count != 1)}, {first}"

    def _repr_png_(self) -> bytes:
        """Return what a notebook shows: the first page."""
        return self.pages[0]._repr_png_()

    @property
    def is_animation(self) -> bool:
        """Whether the pages are frames that are shown one after the other."""
        return bool(self.durations)


_OTHER_COLOURS = frozenset({"CMYK", "HSV", "LAB", "YCbCr"})
"""Modes of Pillow whose channels would be mistaken for colours or alpha."""


def as_image(value: Image | ArrayLike) -> Image:
    """Take an array as a picture, its second or fourth channel as alpha.

    Parameters
    ----------
    value : Image or array_like
        What `convtool.arrays.adopt` takes; an array has the shape (H, W) or (H, W, 1 to 4) and one
        of `PIXEL_TYPES`, or bool (False is black, True is white).

    Returns
    -------
    Image
        The picture itself, or a new one around the array; (H, W, 1) becomes (H, W), bool uint8.

    Raises
    ------
    ShapeError
        If the array has another shape, or no pixels.
    PixelTypeError
        If the array is of another type, or a Pillow image of other colours than RGB.

    Examples
    --------
    >>> as_image(np.ones((2, 2, 4), np.uint8)).has_alpha
    True
    """
    if isinstance(value, Image):
        return value
    mode = getattr(value, "mode", None)
    if mode in _OTHER_COLOURS:
        raise PixelTypeError(
            f"a Pillow image of mode {mode} is not RGB; convert it: image.convert('RGB')"
        )
    pixels = adopt(value, task="taken as a picture")
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
