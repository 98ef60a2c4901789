"""Frames laid on the picture by hand, because Pillow composes 16 bits and partial alpha otherwise.

References
----------
W3C, Portable Network Graphics (third edition), 11.3.6.3: the dispose and blend operations of fcTL.
RFC 9649, 2.7.1.1: WebP's, and the formula of blending. GIF89a, section 23: disposal methods.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from convtool.errors import ImageReadError
from convtool.images.image import Pixels, peak_of
from convtool.records import Record

LEAVE, CLEAR, RESTORE = 0, 1, 2
"""What becomes of a frame's place before the next one: it stays, is cleared, is as before."""


class Patch(Record, eq=False):
    """The pixels of one frame and where they belong."""

    pixels: Pixels
    """Shape (h, w[, C])."""
    left: int = 0
    top: int = 0
    """Its place on the canvas."""
    disposal: int = LEAVE
    """`LEAVE`, `CLEAR` or `RESTORE`."""
    blends: bool = False
    """Whether it is laid over what is there by its alpha, in place of replacing it."""


def compose(patches: Iterable[Patch], shape: tuple[int, int, int]) -> Iterator[Pixels]:
    """Yield the whole picture after each frame.

    Parameters
    ----------
    patches : iterable of Patch
        The frames, in order.
    shape : (int, int, int)
        Height, width and channels of the canvas; 2 and 4 channels include alpha, and a frame with
        a channel less is opaque.

    Yields
    ------
    ndarray
        Shape (H, W) for one channel, else (H, W, C); each of its own.

    Raises
    ------
    ImageReadError
        If a frame does not lie within the canvas.
    """
    height, width, channels = shape
    canvas: Pixels | None = None
    for patch in patches:
        part = _with_channels(patch.pixels, channels)
        if canvas is None:
            canvas = np.zeros(shape, part.dtype)
        rows = slice(patch.top, patch.top + part.shape[0])
        columns = slice(patch.left, patch.left + part.shape[1])
        if rows.stop > height or columns.stop > width:
            raise ImageReadError("is damaged: a frame lies outside the picture")
        before = canvas[rows, columns].copy()
        blends = patch.blends and channels in (2, 4)
        canvas[rows, columns] = _blended(part, before) if blends else part
        yield canvas[:, :, 0].copy() if channels == 1 else canvas.copy()
        if patch.disposal == CLEAR:
            canvas[rows, columns] = 0
        elif patch.disposal == RESTORE:
            canvas[rows, columns] = before


def _with_channels(pixels: Pixels, channels: int) -> Pixels:
    planes = pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]
    if planes.shape[2] == channels:
        return planes
    if planes.shape[2] > channels:
        raise ImageReadError("is damaged: a frame has alpha and the header says none")
    opaque = np.full(planes.shape[:2], peak_of(planes.dtype), planes.dtype)
    return np.dstack([planes, opaque])


def _blended(above: Pixels, below: Pixels) -> Pixels:
    """Lay colours with alpha over others; where the upper one is opaque or clear, exactly."""
    peak = peak_of(above.dtype)
    alpha = above[:, :, -1:]
    result = np.where(alpha == peak, above, below)
    partly = ((alpha > 0) & (alpha < peak))[:, :, 0]
    if partly.any():
        upper, lower = above[partly].astype(np.float64), below[partly].astype(np.float64)
        remaining = lower[:, -1:] * (1 - upper[:, -1:] / peak)
        opacity = upper[:, -1:] + remaining
        colours = (upper[:, :-1] * upper[:, -1:] + lower[:, :-1] * remaining) / opacity
        result[partly] = np.rint(np.hstack([colours, opacity])).astype(above.dtype)
    return result
