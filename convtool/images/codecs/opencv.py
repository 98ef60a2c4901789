"""OpenCV's codecs, called so that they lose nothing and print nothing.

Files are decoded from memory and never by the name that they were given by.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

import numpy as np

from convtool.convolution.threads import count, for_each
from convtool.errors import ImageFormatError, ImageReadError
from convtool.images.codecs.stderr import Printed, caught, first_line
from convtool.images.image import Pixels

LARGE = 1 << 22
"""Bytes of an array whose memory NumPy takes in large pages."""

_ERRORS_ONLY = 2
_OPEN_FILES = "/proc/self/fd"
"""The names of this process's open files, where the system has them."""


@contextmanager
def _quiet(cv2: ModuleType) -> Iterator[Printed]:
    """Catch what is printed, OpenCV's own log cut down to errors."""
    log = getattr(cv2.utils, "logging", cv2)  # its place moved between OpenCV 4 and 5
    level = log.setLogLevel(_ERRORS_ONLY)
    try:
        with caught() as printed:
            yield printed
    finally:
        log.setLogLevel(level)


def decode(data: bytes, *, uint8_size: tuple[int, int] | None = None) -> tuple[Pixels, str]:
    """Decode a file from memory, its depth and channels unchanged.

    Parameters
    ----------
    data : bytes
        The whole file.
    uint8_size : tuple of int, optional
        Height and width, if the header promises three uint8 channels.

    Returns
    -------
    pixels : ndarray
        Shape (H, W), (H, W, 3) or (H, W, 4), in red, green, blue order.
    remarks : str
        The first line that the codec printed, empty if there was none.

    Raises
    ------
    ImageReadError
        If OpenCV refuses the file.
    """
    import cv2

    with _quiet(cv2) as printed:
        try:
            if uint8_size is None:
                pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
            else:
                pixels = _decode_uint8(cv2, data, np.empty((*uint8_size, 3), np.uint8))
        except cv2.error as error:
            raise ImageReadError(f"is damaged: {first_line(str(error))}") from None
    if pixels is None:
        reason = printed.text or "the decoder refuses it"
        raise ImageReadError(f"is cut off or damaged: {reason}")
    return _swap_red_and_blue(cv2, pixels) if uint8_size is None else pixels, printed.text


def _decode_uint8(cv2: ModuleType, data: bytes, into: Pixels) -> Pixels | None:
    """Decode three channels of 8 bits in red, green, blue order; if they are many, into memory.

    Only what reads files by name takes memory to decode into; what reads from memory fills some of
    its own, small page by small page, and copies it. So a large file is given a name in memory.
    """
    how = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    pixels: Pixels | None
    named = hasattr(os, "memfd_create") and os.path.isdir(_OPEN_FILES)
    if into.nbytes < LARGE or not named:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), how)
        return pixels
    with open(os.memfd_create("picture"), "wb") as file:
        file.write(data)
        file.flush()
        pixels = cv2.imread(f"{_OPEN_FILES}/{file.fileno()}", into, how)
    return pixels


def usable_threads() -> int:
    """Return on how many threads pictures are encoded and decoded."""
    import cv2

    return max(1, min(count(), cv2.getNumThreads()))


def encode(ending: str, pixels: Pixels, options: dict[str, int]) -> bytes:
    """Encode pixels to a file in memory.

    Parameters
    ----------
    ending : str
        The ending of such files, with the dot.
    pixels : ndarray
        Shape (H, W), (H, W, 3) or (H, W, 4), in red, green, blue order.
    options : dict
        OpenCV's write options by the names of its constants without ``IMWRITE_``.

    Returns
    -------
    bytes
        The whole file.

    Raises
    ------
    ImageFormatError
        If the picture is too large for the format.
    """
    return encode_each(ending, [pixels], options)[0]


def encode_each(ending: str, pictures: Sequence[Pixels], options: dict[str, int]) -> list[bytes]:
    """Encode several pictures as `encode` does one, on as many threads as OpenCV may use."""
    import cv2

    flat = [item for name, value in options.items() for item in (constant(name), value)]
    files = [b""] * len(pictures)

    def one(number: int) -> None:
        pixels = pictures[number]
        done, buffer = cv2.imencode(ending, _swap_red_and_blue(cv2, pixels), flat)
        if not done:
            height, width = pixels.shape[:2]
            raise ImageFormatError(f"{width}×{height} pixels are too many for the format")
        files[number] = buffer.tobytes()

    try:
        with _quiet(cv2):
            for_each(one, range(len(pictures)), min(usable_threads(), len(pictures)))
    except cv2.error as error:
        raise ImageFormatError(f"cannot be encoded: {first_line(str(error))}") from None
    return files


def constant(name: str) -> int:
    """Return the value of OpenCV's constant ``IMWRITE_`` + name."""
    import cv2

    return int(getattr(cv2, f"IMWRITE_{name}"))


def _swap_red_and_blue(cv2: ModuleType, pixels: Pixels) -> Pixels:
    if pixels.ndim == 2:
        return pixels
    code = cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
    if pixels.dtype == np.float64:
        order = [2, 1, 0, 3][: pixels.shape[2]]
        return np.ascontiguousarray(pixels[:, :, order])
    swapped: Pixels = cv2.cvtColor(pixels, code)
    return swapped
