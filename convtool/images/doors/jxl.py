"""JPEG XL by imagecodecs, for which imageio has no plugin."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from convtool.extras import load
from convtool.images.codec import Decoded, Format, Header
from convtool.images.codecs.jp2_boxes import box
from convtool.images.doors.depths import widened
from convtool.images.doors.jxl_header import facts_of
from convtool.images.image import Document
from convtool.images.options import ReadOptions, WriteOptions

_SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl "


def inspect(entry: Format, data: bytes) -> tuple[Header, ...]:
    """Read the header of the first frame."""
    load("jxl", "imagecodecs")
    return (facts_of(data).header,)


def decode(
    entry: Format, data: bytes, headers: Sequence[Header], options: ReadOptions, start: int
) -> list[Decoded]:
    """Make the pixels of the first frame."""
    facts = facts_of(data)
    pixels = np.asarray(load("jxl", "imagecodecs").jpegxl_decode(data, index=0))
    if pixels.dtype == np.float16:
        pixels = pixels.astype(np.float32)
    return [widened(pixels, facts.bits, premultiplied=facts.premultiplied)]


def encode(entry: Format, document: Document, options: WriteOptions) -> bytes:
    """Encode one picture, bit for bit unless a quality is given."""
    (image,) = document.pages
    how: dict[str, Any] = {"lossless": True}
    if options.quality is not None:
        how = {"distance": _distance(options.quality)}
    encoder = load("jxl", "imagecodecs").jpegxl_encode
    told = image.metadata
    if not told.exif and not told.xmp:
        return bytes(encoder(image.pixels, **how))
    stream = bytes(encoder(image.pixels, usecontainer=False, **how))
    contained = stream.startswith(_SIGNATURE[:12])
    inner = stream[len(_SIGNATURE) :] if contained else box(b"jxlc", stream)
    exif = box(b"Exif", bytes(4) + told.exif) if told.exif else b""
    xmp = box(b"xml ", told.xmp) if told.xmp else b""
    return _SIGNATURE + exif + xmp + inner


def _distance(quality: int) -> float:
    """Return libjxl's distance for a quality, as its own programs count it."""
    if quality >= 30:
        return 0.1 + (100 - quality) * 0.09
    return 53 / 3000 * quality**2 - 23 / 20 * quality + 25
