"""OpenCV's codecs, asked in such a way that they lose nothing and print nothing.

Files are decoded from memory and never by name. libpng, libjpeg and OpenCV's log print to the
process's standard error, and damage that a decoder survives is reported there and nowhere else: so
what they print is caught and returned.
"""

import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import numpy as np

from convtool.errors import ImageFormatError, ImageReadError
from convtool.images.image import Pixels

_one_at_a_time = threading.Lock()
_LOG_TAG = re.compile(r"\[ *(?:ERROR|FATAL)[^\]]*\] global \S+ \S+ ")


class _Printed:
    text = ""


@contextmanager
def _caught(cv2: ModuleType) -> Iterator[_Printed]:
    """Catch what native code prints to standard error: its errors, and no lesser messages."""
    printed = _Printed()
    if sys.stderr is None:
        yield printed
        return
    log = cv2.utils.logging
    with _one_at_a_time:
        level = log.setLogLevel(log.LOG_LEVEL_ERROR)
        sys.stderr.flush()
        saved = os.dup(2)
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        os.set_blocking(reading, False)
        os.dup2(writing, 2)
        try:
            yield printed
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(writing)
            log.setLogLevel(level)
            with open(reading, "rb") as pipe:
                text = (pipe.read() or b"").decode("utf-8", "replace")
            printed.text = _one_line(_LOG_TAG.sub("", text))


def decode(data: bytes) -> tuple[Pixels, str]:
    """Decode a file from memory, its depth and channels unchanged.

    Parameters
    ----------
    data : bytes
        The whole file.

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

    with _caught(cv2) as printed:
        try:
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error as error:
            raise ImageReadError(f"is damaged: {_one_line(str(error))}") from None
    if pixels is None:
        reason = printed.text or "the decoder refuses it"
        raise ImageReadError(f"is cut off or damaged: {reason}")
    return _swap_red_and_blue(cv2, pixels), printed.text


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
    import cv2

    flat = [item for name, value in options.items() for item in (constant(name), value)]
    try:
        with _caught(cv2):
            done, buffer = cv2.imencode(ending, _swap_red_and_blue(cv2, pixels), flat)
    except cv2.error as error:
        raise ImageFormatError(f"cannot be encoded: {_one_line(str(error))}") from None
    if not done:
        height, width = pixels.shape[:2]
        raise ImageFormatError(f"{width}×{height} pixels are too many for the format")
    encoded: bytes = buffer.tobytes()
    return encoded


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


def _one_line(text: str) -> str:
    """Return the first line that says something, at most 120 characters of it."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return next((line[:120] for line in lines if line), "")
