"""Preprocess pictures for a network: size, grey, inversion, normalisation.

A model contains its preprocessing, so inference converts pictures as training did.
"""

from dataclasses import asdict
from typing import Any

import numpy as np

from convtool.errors import DatasetError, OptionError, ShapeError
from convtool.images.background import colour_of
from convtool.nn._types import Array
from convtool.nn.arguments import real, short, whole
from convtool.records import Record

_LONGEST, _MOST_PIXELS = 2**14, 2**24
_MOST_SCALE = 1e6
_GREY = np.array([0.299, 0.587, 0.114])


def resize_weights(size: int, new: int) -> Array:
    """Return the (new, size) matrix that resamples one axis with a triangle filter.

    Each row sums to 1. The triangle's half width is one pixel of the coarser grid, which prevents
    aliasing when a picture shrinks.

    Examples
    --------
    >>> resize_weights(4, 2).round(3)
    array([[0.429, 0.429, 0.143, 0.   ],
           [0.   , 0.143, 0.429, 0.429]])
    """
    step = size / new
    half = max(step, 1.0)
    centres = (np.arange(new) + 0.5) * step - 0.5
    weights = np.maximum(1 - np.abs(np.arange(size) - centres[:, None]) / half, 0)
    weights = np.where(weights.sum(axis=1, keepdims=True) > 0, weights, 0)
    result: Array = weights / weights.sum(axis=1, keepdims=True)
    return result.round(12)


def resize(images: Array, height: int, width: int) -> Array:
    """Resize a picture (H, W[, C]); the result is floating-point in the same range."""
    rows = resize_weights(images.shape[0], height)
    columns = resize_weights(images.shape[1], width)
    return np.moveaxis(np.tensordot(columns, np.tensordot(rows, images, (1, 0)), (1, 1)), 0, 1)


def fitted(images: Array) -> "Preprocessing":
    """Return the preprocessing that normalises uint8 pictures to mean 0 and deviation 1."""
    channels = 1 if images.ndim == 3 else images.shape[3]
    values = images.astype(np.float32) / 255 if images.size < 2**24 else images[::8] / 255
    mean, std = float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
    return Preprocessing(
        images.shape[1], images.shape[2], channels, round(mean, 6), round(max(std, 1e-3), 6)
    )


class Preprocessing(Record):
    """Converts pictures to tensors.

    Attributes
    ----------
    height, width : int
        The size that pictures are resized to.
    channels : int
        1 for grey, 3 for colour.
    mean, std : float
        Subtracted and divided by, after scaling to [0, 1].
    background : str
        The colour that transparent pictures are composited on: a name or #rrggbb.

    Raises
    ------
    OptionError
        If a value is out of bounds, or the background is not a colour.

    Examples
    --------
    >>> Preprocessing(2, 2, 1).tensor(np.full((5, 2, 2), 255, "uint8")).shape
    (5, 1, 2, 2)
    """

    height: int
    width: int
    channels: int
    mean: float = 0.0
    std: float = 1.0
    background: str = "white"

    def __post_init__(self) -> None:
        height, width = (whole(getattr(self, n), n, 1, _LONGEST) for n in ("height", "width"))
        if height * width > _MOST_PIXELS:
            raise OptionError(f"a size of {height}x{width}: {_MOST_PIXELS} pixels at most")
        if whole(self.channels, "channels") not in (1, 3):
            raise OptionError(f"channels {self.channels}: 1 for grey or 3 for colour")
        real(self.mean, "mean", -_MOST_SCALE, _MOST_SCALE)
        real(self.std, "std", 1 / _MOST_SCALE, _MOST_SCALE)
        if not isinstance(self.background, str):
            raise OptionError(f"background {short(self.background)}: a colour")
        colour_of(self.background)

    def picture(self, pixels: Array, *, invert: bool = False) -> Array:
        """Convert one picture to uint8 (height, width) or (height, width, 3).

        Parameters
        ----------
        pixels : ndarray, shape (H, W) or (H, W, C)
            Integers over their type's range or floats in [0, 1]. With 2 or 4 channels the last is
            alpha, and the picture is composited on the background.
        invert : bool
            Whether to invert dark and bright (for dark digits on white).

        Raises
        ------
        DatasetError
            If a value is not finite, or the array is not a picture.
        """
        if pixels.ndim not in (2, 3) or not pixels.size:
            raise DatasetError(f"an array of shape {pixels.shape} is no picture (H, W[, C])")
        values = pixels.astype(np.float64)
        if not np.isfinite(values).all():
            raise DatasetError("a picture has values that are not finite (NaN or infinity)")
        if np.issubdtype(pixels.dtype, np.integer):
            values /= np.iinfo(pixels.dtype).max
        values = values[..., None] if values.ndim == 2 else values
        if values.shape[2] in (2, 4):
            values = self._laid(values[..., :-1], values[..., -1:])
        if self.channels == 1 and values.shape[2] == 3:
            values = values @ _GREY[:, None]
        elif self.channels == 3 and values.shape[2] == 1:
            values = np.repeat(values, 3, axis=2)
        if values.shape[2] != self.channels:
            raise DatasetError(f"a picture has {values.shape[2]} channels, not 1 to 4")
        if values.shape[:2] != (self.height, self.width):
            values = resize(values, self.height, self.width)
        if invert:
            values = 1 - values
        result = np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)
        return result[..., 0] if self.channels == 1 else result

    def _laid(self, colours: Array, opacity: Array) -> Array:
        """Composite colours on the background; grey on a colour becomes three channels."""
        below = np.array(colour_of(self.background)) / 255
        if colours.shape[2] == 1 and np.ptp(below) == 0:
            below = below[:1]
        result: Array = colours * opacity + below * (1 - opacity)
        return result

    def tensor(self, images: Array) -> Array:
        """Convert uint8 pictures (N, H, W) or (N, H, W, C) to float32 (N, C, H, W).

        Raises
        ------
        ShapeError
            If their size or number of channels differs from the network's.
        """
        stack = images[..., None] if images.ndim == 3 else images
        if stack.shape[1:] != (self.height, self.width, self.channels):
            raise ShapeError(
                f"pictures of shape {images.shape[1:]}, the network takes {self.height} rows of"
                f" {self.width} pixels with {self.channels} channel(s)"
            )
        gain, offset = self.line
        planes = np.ascontiguousarray(stack.transpose(0, 3, 1, 2)).astype(np.float32)
        planes *= np.float32(gain)
        planes += np.float32(offset)
        return planes

    @property
    def line(self) -> tuple[float, float]:
        """Gain and offset from a uint8 value to the network's input."""
        return 1 / (255 * self.std), -self.mean / self.std

    def config(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)
