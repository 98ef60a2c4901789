"""An image as the engines see it."""

from dataclasses import dataclass, replace

import numpy as np

from convtool.convolution import borders
from convtool.convolution.engines import Array, DType, Span


@dataclass(frozen=True)
class Source:
    """An image as the engines see it: readable at any position.

    Attributes
    ----------
    pixels : ndarray, shape (H, W, C)
        The image, of any real type.
    rule : str
        The border's rule.
    cval : float
        The value outside, for the rule ``constant``.
    dtype : dtype
        The type of the windows.
    """

    pixels: Array
    rule: str
    cval: float
    dtype: DType

    def packed(self) -> "Source":
        """Return the same with pixels side by side, of a type that compiled code knows.

        Only images that lie otherwise in memory, and half precision, are copied.
        """
        pixels = self.pixels
        if pixels.dtype == np.float16:
            pixels = pixels.astype(self.dtype)
        if not (is_packed(pixels) and pixels.dtype.isnative):
            pixels = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))
        if pixels.dtype == np.bool_:
            pixels = pixels.view(np.uint8)
        return self if pixels is self.pixels else replace(self, pixels=pixels)

    def as_it_is(self) -> "Source":
        """Return the same with windows of the image's integer type, if that can hold ``cval``."""
        dtype = self.pixels.dtype
        limits = np.iinfo(dtype)
        fits = float(self.cval).is_integer() and limits.min <= self.cval <= limits.max
        return replace(self, dtype=dtype) if fits or self.rule != "constant" else self

    def window(self, rows: Span, columns: Span) -> Array:
        """Return the pixels at these positions (start, stop), shape (rows, columns, C)."""
        height, width, channels = self.pixels.shape
        if rows[0] >= 0 and rows[1] <= height and columns[0] >= 0 and columns[1] <= width:
            view = self.pixels[rows[0] : rows[1], columns[0] : columns[1]]
            if view.dtype == self.dtype and is_packed(view):
                return view
            return np.ascontiguousarray(view, dtype=self.dtype)
        y = borders.table(height, *rows, self.rule)
        x = borders.table(width, *columns, self.rule)
        inside = slice(max(0, columns[0]), min(width, columns[1]))
        copy = np.empty((len(y), len(x), channels), self.dtype)
        lines = self.pixels if rows[0] == 0 and rows[1] == height else self.pixels[y]
        first, last = inside.start - columns[0], inside.stop - columns[0]
        if first < last:
            copy[:, first:last] = lines[:, inside]
        for outside in (slice(0, max(0, first)), slice(max(0, last, first), None)):
            copy[:, outside] = lines[:, x[outside]]
        if self.rule == "constant":
            copy[y == borders.OUTSIDE] = self.cval
            copy[:, x == borders.OUTSIDE] = self.cval
        return copy


def is_packed(view: Array) -> bool:
    """Return whether each row's scalars lie side by side, rows any whole number of them apart."""
    size, channels = view.itemsize, view.shape[2]
    packed = view.strides[1:] == (size * channels, size)
    return packed and view.strides[0] % size == 0 and view.flags.aligned
