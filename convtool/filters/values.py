"""The values that scikit-image gives pixels: its ``img_as_float``, without the conversion."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from convtool.arrays import as_array
from convtool.convolution.types import Array, DType
from convtool.errors import OptionError, ShapeError


class Values(NamedTuple):
    """Pixels and what one unit of them is worth: the filters multiply kernels by it."""

    pixels: Array
    """The pixels as they are stored."""
    unit: float
    """``pixels * unit`` are the values to filter."""
    dtype: DType
    """float32 or float64: the type of the values, and of the answer."""

    def converted(self) -> Array:
        """Return the values as an array of their type, which may be the pixels themselves."""
        if self.unit == 1:
            return self.pixels.astype(self.dtype, copy=False)
        return np.multiply(self.pixels, self.unit, dtype=self.dtype)


def values_of(image: ArrayLike, preserve_range: bool = False) -> Values:
    """Return the values of an image by scikit-image's rules.

    Parameters
    ----------
    image : array_like
        Real pixels, any shape.
    preserve_range : bool
        Whether integers keep their values. Otherwise those of N bits become 0 to 1, or -1 to 1
        where they are signed; floats and bools keep theirs in either case.

    Raises
    ------
    OptionError
        If the pixels are not real numbers.
    PixelTypeError
        If they cannot be read as an array: masked ones, those on a device, those with a gradient.

    Examples
    --------
    >>> values_of(np.array([0, 51, 255], np.uint8)).converted().tolist()
    [0.0, 0.2, 1.0]
    >>> values_of(np.array([-128, 127], np.int8)).converted().tolist()
    [-1.0, 1.0]
    """
    pixels = as_array(image, "image", "filtered")
    kind = pixels.dtype.kind
    if kind not in "buif":
        raise OptionError(f"image: cannot convert from {pixels.dtype} to float64")
    if kind == "f":
        dtype = np.dtype(np.float32 if pixels.dtype.itemsize <= 4 else np.float64)
        if pixels.dtype.itemsize not in (4, 8):
            pixels = pixels.astype(dtype)
        return Values(pixels, 1.0, dtype)
    double = np.dtype(np.float64)
    if kind == "b":
        return Values(pixels.view(np.uint8), 1.0, double)
    if preserve_range:
        return Values(pixels, 1.0, double)
    largest = int(np.iinfo(pixels.dtype).max)
    if kind == "i":
        pixels = np.maximum(pixels, -largest)  # the most negative value is worth -1 too
    return Values(pixels, 1 / largest, double)


def plane_of(image: ArrayLike) -> Array:
    """Return an image that has two dimensions as an array.

    Raises
    ------
    ShapeError
        If it has others, or no pixels.
    """
    pixels = as_array(image, "image", "filtered")
    if not pixels.size:
        raise ShapeError("The parameter `image` cannot be an empty array")
    if pixels.ndim != 2:
        raise ShapeError("The parameter `image` must be a 2-dimensional array")
    return pixels
