"""Read the pictures and numbers of ``convtool explain``."""

import os
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from convtool.cli._file_options import read_page
from convtool.cli._terminal import say
from convtool.errors import KernelError, OptionError
from convtool.images.options import ReadOptions
from convtool.images.tone import to_gray
from convtool.kernels.numerals import number

_LITERAL = re.compile(r"[\d\s.,;/+eE-]*\d[\d\s.,;/+eE-]*")
_SEPARATORS = frozenset(",;")
_MIDDLE = 6

Box = tuple[int, int, int, int]
"""A part of a picture: first row, first column, rows, columns."""


def read_numbers(text: str, option: str) -> list[float]:
    """Parse comma-separated numbers."""
    try:
        return [number(part) for part in text.split(",")]
    except KernelError as error:
        raise OptionError(f"{option} {text!r}: {error}; separate numbers by commas") from error


def read_rows(text: str, option: str) -> NDArray[np.float64]:
    """Parse rows of numbers separated by semicolons."""
    rows = [read_numbers(row, option) for row in text.strip().rstrip(";").split(";")]
    if len({len(row) for row in rows}) > 1:
        raise OptionError(
            f"{option}: its rows have {', '.join(str(len(row)) for row in rows)} numbers; "
            "give rows of equal length"
        )
    return np.array(rows)


def read_images(
    sources: Sequence[str], crop: Box | None, most: int | None, reading: ReadOptions
) -> list[NDArray[np.float64]]:
    """Read images, each as rows of numbers or a picture converted to grey, or a part of them.

    Parameters
    ----------
    sources : sequence of str
        Numbers or files, the channels of one volume.
    crop : (int, int, int, int) or None
        The part to return.
    most : int or None
        The longest side without a crop; larger images are cropped to the middle, with a note.
    reading : ReadOptions
        How files are read.
    """
    images = [_values(source, reading) for source in sources]
    height, width = images[0].shape
    for i, one in enumerate(images[1:], start=2):
        if one.shape != images[0].shape:
            raise OptionError(
                f"image {i} has {one.shape[1]}×{one.shape[0]} pixels, image 1 {width}×{height} "
                "(width × height); the channels of a volume must have one size"
            )
    if crop is not None:
        top, left, high, wide = crop
        if top + high > height or left + wide > width:
            raise OptionError(
                f"--crop reaches to row {top + high - 1}, column {left + wide - 1}, "
                f"but the image has {width}×{height} pixels (width × height)"
            )
    elif most is not None and max(height, width) > most:
        top, left = max(0, (height - _MIDDLE) // 2), max(0, (width - _MIDDLE) // 2)
        high = wide = _MIDDLE
        say(
            f"convtool: note: the image has {width}×{height} pixels (width × height); shown are "
            f"{_MIDDLE}×{_MIDDLE} in its middle, from row {top}, column {left}; "
            "--crop shows another part, --at one pixel",
            err=True,
        )
    else:
        return images
    return [one[top : top + high, left : left + wide] for one in images]


def _values(source: str, reading: ReadOptions) -> NDArray[np.float64]:
    """Parse rows of numbers, or read a picture as grey."""
    if not source.strip():
        raise OptionError("--image is empty; give rows of numbers such as 1,2;3,4, or a picture")
    there = os.path.exists(source)
    if _LITERAL.fullmatch(source) and not there:
        return read_rows(source, "--image")
    if not there and _SEPARATORS & set(source):
        raise OptionError(
            f"--image {source!r}: neither rows of finite numbers such as 1,2;3,4 "
            "nor an existing picture"
        )
    picture = read_page(source, reading)
    if picture.has_bands:
        raise OptionError(
            f"{source}: has {picture.channels} bands, and one plane is explained; convert it to "
            "grey or colours first"
        )
    pixels = picture.pixels[:, :, :-1] if picture.has_alpha else picture.pixels
    if pixels.ndim == 2:
        return pixels.astype(np.float64)
    grey = pixels[:, :, 0] if pixels.shape[2] == 1 else to_gray(pixels)
    whole = pixels.dtype.kind in "ui"
    return np.asarray(np.rint(grey) if whole else grey, np.float64)
