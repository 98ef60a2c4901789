"""Pictures of camera sensors by LibRaw through imageio's plugin for rawpy: linear, 16 bits.

The camera's white balance is applied and colours become linear sRGB; nothing is brightened.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from convtool.errors import ImageReadError
from convtool.extras import load
from convtool.images.codec import Decoded, Format, Header
from convtool.images.options import ReadOptions

_HOW = {
    "gamma": (1, 1),
    "no_auto_bright": True,
    "output_bps": 16,
    "use_camera_wb": True,
}


@contextmanager
def _opened(data: bytes) -> Iterator[Any]:
    load("raw", "rawpy")
    from imageio.v3 import imopen

    try:
        file = imopen(io.BytesIO(data), "r", plugin="rawpy")
    except OSError:
        raise ImageReadError("is a damaged raw file, or of a camera unknown to LibRaw") from None
    with file:
        yield file


def inspect(entry: Format, data: bytes) -> tuple[Header, ...]:
    """Read the size, turned as the camera says."""
    with _opened(data) as file:
        told = file.metadata(exclude_applied=False)
    width, height = int(told["iwidth"]), int(told["iheight"])
    if told["flip"] & 4:
        width, height = height, width
    return (Header(width, height, 3, "uint16"),)


def decode(
    entry: Format, data: bytes, headers: Sequence[Header], options: ReadOptions, start: int
) -> list[Decoded]:
    """Develop the picture."""
    with _opened(data) as file:
        try:
            pixels = np.asarray(file.read(**_HOW))
        except UnboundLocalError:  # the plugin's answer to any error of LibRaw
            raise ImageReadError("is cut off or damaged: LibRaw does not decode it") from None
    return [Decoded(np.ascontiguousarray(pixels))]
