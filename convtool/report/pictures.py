"""Pictures for reports: downsampled if large, arranged with labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

_GAP = 12
SHEET_PAPER = 255
"""The grey of a sheet between its pictures."""
_INK = 20
_LABEL_WIDTH = 220
_FONT_SCALE = 0.5
_LINE = 20


def to_bytes(values: NDArray[Any], peak: float) -> Bytes:
    """Convert pixels to uint8 with white at 255, without alpha.

    Examples
    --------
    >>> to_bytes(np.array([[-0.1, 0.5, 1.0]]), 1.0)
    array([[  0, 128, 255]], dtype=uint8)
    """
    scaled = np.clip(values.astype(np.float32) * (255 / peak), 0, 255)
    if scaled.ndim == 3 and scaled.shape[2] != 3:
        scaled = scaled[:, :, 0] if scaled.shape[2] == 2 else scaled[:, :, :3]
    rounded: Bytes = np.rint(scaled).astype(np.uint8)
    return rounded


def reduced(pixels: Bytes, most: int) -> tuple[Bytes, int]:
    """Downsample a picture to at most a number of pixels per side; return it and the factor.

    Each pixel is the mean of a square block; incomplete blocks at the right and at the bottom are
    cropped.

    Examples
    --------
    >>> reduced(np.arange(16, dtype=np.uint8).reshape(4, 4), 2)
    (array([[ 2,  4],
           [10, 12]], dtype=uint8), 2)
    """
    by = -(-max(pixels.shape[:2]) // most)
    if by <= 1:
        return pixels, 1
    height, width = (max(1, side // by) for side in pixels.shape[:2])
    rows, columns = pixels.shape[0] // height, pixels.shape[1] // width
    cut = pixels[: height * rows, : width * columns]
    split = cut.reshape(height, rows, width, columns, -1).mean(axis=(1, 3), dtype=np.float32)
    return np.rint(split).astype(np.uint8).reshape(height, width, *pixels.shape[2:]), by


def contact_sheet(
    pictures: Sequence[Bytes], labels: Sequence[str], *, across: int | None = None
) -> Bytes:
    """Arrange pictures of one size in rows, each above its label.

    Parameters
    ----------
    pictures : sequence of ndarray
        uint8, all of shape (H, W) or (H, W, 3).
    labels : sequence of str
        One for each picture, ASCII, possibly of several lines.
    across : int, optional
        The number of pictures in a row; by default the sheet is a little wider than high.

    Returns
    -------
    ndarray
        uint8, shape (H', W') or (H', W', 3).
    """
    import cv2

    height, width = pictures[0].shape[:2]
    lines = max(label.count("\n") + 1 for label in labels)
    cell = (height + _LINE * lines + _GAP, max(width, _LABEL_WIDTH) + _GAP)
    if across is None:
        across = max(1, round(float(np.sqrt(len(pictures) * cell[0] / cell[1]) * 1.25)))
        across = min(across, len(pictures))
    down = -(-len(pictures) // across)
    shape = (down * cell[0] + _GAP, across * cell[1] + _GAP, *pictures[0].shape[2:])
    sheet = np.full(shape, SHEET_PAPER, np.uint8)
    for index, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        top, left = _GAP + index // across * cell[0], _GAP + index % across * cell[1]
        sheet[top : top + height, left : left + width] = picture
        for number, line in enumerate(label.split("\n"), 1):
            place = (left, top + height + _LINE * number - 5)
            ink = (_INK, _INK, _INK)
            font = cv2.FONT_HERSHEY_SIMPLEX
            cv2.putText(sheet, line, place, font, _FONT_SCALE, ink, 1, cv2.LINE_AA)
    return sheet
