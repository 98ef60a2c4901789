"""Separate colours from alpha, and move alpha that is not filtered with the colours."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convtool.convolution.borders import BORDERS, OUTSIDE, table
from convtool.convolution.geometry import Geometry
from convtool.filtering import nonfinite
from convtool.filtering.alpha_rules import anchor
from convtool.filtering.options import FilterOptions
from convtool.images import light, tone
from convtool.images.image import Image, Pixels
from convtool.images.tone import Values

if TYPE_CHECKING:
    from convtool.convolution.source import Held

_ENGINE_TYPES = frozenset({"uint8", "uint16", "float32", "float64"})
"""The types of pixels that the engines are given as they are; others are converted exactly."""


def is_opaque(alpha: Values, peak: float) -> bool:
    """Tell whether every pixel is opaque."""
    return bool((alpha >= peak).all())


def separate(image: Image, options: FilterOptions) -> tuple[Pixels, Values | None]:
    """Separate colours, made grey or light where the options say so, and alpha as floats."""
    pixels, alpha = image.pixels, None
    if image.has_alpha:
        alpha = tone.to_working(pixels[:, :, -1])
        pixels = pixels[:, :, 0] if pixels.shape[2] == 2 else pixels[:, :, :-1]
    pixels = nonfinite.marked(pixels, options.nodata)
    if options.linear:
        pixels = light.to_linear(pixels, image.peak)
    if pixels.ndim == 3 and (options.gray or options.direction):
        pixels = tone.to_gray(pixels, threads=options.threads)
    return pixels if pixels.dtype.name in _ENGINE_TYPES else tone.to_working(pixels), alpha


def carried(
    plane: NDArray[Any],
    layout: Geometry,
    flipped: bool,
    border: str,
    outside: float,
    lines: slice | None = None,
    held: "Held | None" = None,
) -> NDArray[Any]:
    """Cut, pad and stride a plane as a convolution would, its values untouched.

    Parameters
    ----------
    plane : ndarray, shape (H, W)
        The values, alpha for one.
    layout : Geometry
        The convolution's sizes.
    flipped : bool
        Whether the kernel is flipped, which moves the anchor of even kernels.
    border : str
        What lies beyond the edge.
    outside : float
        The value there where the border is a constant.
    lines : slice, optional
        Only those rows of the answer.
    held : Held, optional
        Which rows of the plane are given, if not all.

    Returns
    -------
    ndarray, shape ``layout.shape``, or of the rows asked for
        For each output pixel the value on which the kernel's anchor lay.

    Examples
    --------
    >>> from convtool.convolution.geometry import geometry
    >>> layout = geometry((3, 3), (3, 3), mode="valid")
    >>> carried(np.arange(9).reshape(3, 3), layout, True, "reflect", 0)
    array([[4]])
    """
    places = []
    for axis in (layout.rows, layout.columns):
        start = axis.start + anchor(axis.taps, flipped)
        places.append(table(axis.size, start, start + axis.dense, BORDERS[border])[:: axis.stride])
    rows, columns = places
    rows = rows if lines is None else rows[lines]
    rows = rows if held is None else held.places(rows)
    answer = plane[rows[:, np.newaxis], columns]
    answer[rows == OUTSIDE] = outside
    answer[:, columns == OUTSIDE] = outside
    return answer
