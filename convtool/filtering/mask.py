"""Masks: the weight of the filtered pixel, from black (0) to white (1)."""

import os

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convtool.errors import ImageReadError, OptionError, PixelTypeError, ShapeError
from convtool.images.image import Image, Pixels, PixelType, as_image, type_of
from convtool.images.options import ReadOptions
from convtool.images.paths import shown
from convtool.images.read import read_document
from convtool.images.sources import STDIN
from convtool.records import Record, replace

Weights = NDArray[np.float64]
"""Shares, 0 to 1."""


class Mask(Record, eq=False):
    """A grey picture that says where a filter applies.

    Raises
    ------
    ShapeError
        If it is not grey, or empty.
    PixelTypeError
        If it is of another type.
    OptionError
        If a value is below 0, above 1 or NaN, in floats.

    Examples
    --------
    >>> Mask(np.array([[0, 51, 255]], np.uint8)).weights((slice(0, 1), slice(1, 3)))
    array([[0.2, 1. ]])
    """

    pixels: Pixels
    """uint8, uint16, float32 or float64: black leaves a pixel as it is, white gives the filter's
    answer, and grey mixes the two by its share of white, in all of its depth. Shape (H, W)."""
    name: str = "mask"
    """What messages call it."""
    bits: int = 0
    """How many bits of uint16 are used; 0 for all of any type."""

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2 or 0 in self.pixels.shape:
            shape = self.pixels.shape
            raise ShapeError(f"{self.name}: a mask is grey, of shape (H, W); this has {shape}")
        if self.type.low < 0 and self.type.is_integer:
            raise PixelTypeError(f"{self.name}: a mask holds unsigned integers or floats")
        if self.pixels.dtype.kind == "f" and not bool(
            ((self.pixels >= 0) & (self.pixels <= 1)).all()
        ):
            raise OptionError(f"{self.name}: a mask of floats has values from 0 to 1")

    @property
    def type(self) -> PixelType:
        """The type of the pixels."""
        return type_of(self.pixels.dtype, self.bits)

    def weights(self, box: tuple[slice, slice]) -> Weights:
        """Return the shares of white of a part of it."""
        shares: Weights = self.pixels[box].astype(np.float64) / self.type.peak
        return shares

    def is_white(self, box: tuple[slice, slice]) -> bool:
        """Tell whether a part of it gives all of the filter."""
        return bool((self.pixels[box] == self.type.peak).all())

    def extent(self, box: tuple[slice, slice]) -> tuple[slice, slice] | None:
        """Return the smallest part of a box that holds all that is not black; None if all is."""
        lit = self.pixels[box] > 0
        rows, columns = (np.flatnonzero(lit.any(axis=axis)) for axis in (1, 0))
        if not rows.size:
            return None
        top, left = box[0].start, box[1].start
        return (
            slice(top + int(rows[0]), top + int(rows[-1]) + 1),
            slice(left + int(columns[0]), left + int(columns[-1]) + 1),
        )


def load_mask(path: str | os.PathLike[str], reading: ReadOptions | None = None) -> Mask:
    """Read a mask from a file.

    Parameters
    ----------
    path : str or path-like
        A picture of one page: grey, or of colours that are all grey; without transparency.
    reading : ReadOptions, optional
        How it is read, as the pictures that it is for; its page is not the mask's.

    Raises
    ------
    ImageReadError
        If it cannot be read, has several pages, colours or transparency.

    Examples
    --------
    >>> import tempfile
    >>> from convtool.images.write import write
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(f"{folder}/mask.png", np.full((2, 3), 65535, np.uint16))
    ...     mask = load_mask(f"{folder}/mask.png")
    >>> mask.pixels.shape, mask.pixels.dtype
    ((2, 3), dtype('uint16'))
    """
    name = shown(path)
    if os.fspath(path) == STDIN:
        raise OptionError("a mask is read from a file, not from standard input")
    document = read_document(path, replace(reading or ReadOptions(), page=None))
    if len(document.pages) > 1:
        raise ImageReadError(f"{name}: has {len(document.pages)} pages; a mask is one picture")
    page = document.pages[0]
    return Mask(_grey(page, name), name, page.bits)


def as_mask(value: Mask | Image | ArrayLike | os.PathLike[str]) -> Mask:
    """Take a picture, an array or a file as a mask.

    Parameters
    ----------
    value : Mask, Image, array_like, str or path-like
        A grey picture, or the file of one; a bool array is white where it is True.

    Raises
    ------
    ImageReadError
        If it has colours or transparency, or its file cannot be read.
    ShapeError, PixelTypeError, OptionError
        If it is no picture, or no `Mask`.

    Examples
    --------
    >>> as_mask([[True, False]]).pixels
    array([[255,   0]], dtype=uint8)
    """
    if isinstance(value, Mask):
        return value
    if isinstance(value, str | os.PathLike):
        return load_mask(value)
    image = as_image(value)
    return Mask(_grey(image, "mask"), bits=image.bits)


def _grey(image: Image, name: str) -> Pixels:
    pixels = image.pixels
    if image.has_alpha:
        if not bool((pixels[:, :, -1] == image.peak).all()):
            raise ImageReadError(
                f"{name}: a mask has no transparency; lay it on black or white first, as with "
                "`background='white'`"
            )
        pixels = pixels[:, :, :-1]
    if pixels.ndim == 3:
        if not bool((pixels == pixels[:, :, :1]).all()):
            raise ImageReadError(
                f"{name}: a mask is grey, this is in colour; make it grey first, as with "
                "convtool filter -k identity --gray"
            )
        pixels = np.ascontiguousarray(pixels[:, :, 0])
    return pixels
