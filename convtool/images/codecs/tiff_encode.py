"""Writing TIFF: every depth and number of channels, alpha as alpha, pages, metadata.

Integers are stored as differences along the row (predictor 2) and deflated; floats, which hardly
compress, as they are.

References
----------
TIFF 6.0: sections 2 (directories), 12 (pages), 14 (predictor).
"""

import struct
import zlib

import numpy as np

from convtool.errors import ImageFormatError
from convtool.images.codecs.exif import serialised
from convtool.images.codecs.ifd import Entry
from convtool.images.codecs.tiff_tags import (
    LONG,
    RATIONAL,
    SHORT,
    descriptive_tags,
    extra_of,
    order_of,
    resolution_tags,
    sample_tags,
)
from convtool.images.image import Document, Image, Pixels
from convtool.images.options import WriteOptions

_FORMS = {SHORT: "u2", LONG: "u4", RATIONAL: "u4"}
_STRIP_BYTES = 1 << 18
_LARGEST = 2**32 - 2**20
_FAST = 1
_ONE_OF_SEVERAL = 2


def encode(image: Image, options: WriteOptions) -> bytes:
    """Encode in the depth of the pixels; float64 stays float64."""
    return encode_all(Document((image,)), options)


def encode_all(document: Document, options: WriteOptions) -> bytes:
    """Encode pages that may differ in everything.

    The byte order of the file is that of the first page's EXIF, so that values in it keep theirs.
    """
    size = sum(image.pixels.nbytes for image in document.pages)
    if size > _LARGEST:
        raise ImageFormatError(
            f"TIFF holds at most 4 GB, this picture has {size / 2**30:.1f} GB; "
            "use `depth='8'` or 16"
        )
    order = order_of(document.pages[0].metadata)
    link, link_at, position = bytearray(4), 0, 8
    parts: list[bytes | bytearray] = [b"II*\0" if order == "<" else b"MM\0*", link]
    for number, image in enumerate(document.pages):
        strips, rows = _strips(image.pixels, order, image.bits)
        starts = [int(v) for v in np.cumsum([position, *(len(strip) for strip in strips)])]
        padding = starts[-1] % 2
        place = starts[-1] + padding
        entries = _entries(image, order, rows, starts[:-1], [len(strip) for strip in strips])
        if len(document.pages) > 1:
            own = {254: (LONG, [_ONE_OF_SEVERAL]), 297: (SHORT, [number, len(document.pages)])}
            entries |= _numbers(order, own)
        struct.pack_into(order + "I", link, link_at, place)
        link, link_at = bytearray(serialised(entries, order, place)), 2 + 12 * len(entries)
        parts += [*strips, b"\0" * padding, link]
        position = place + len(link)
        parts.append(b"\0" * (position % 2))
        position += position % 2
    return b"".join(parts)


def _entries(
    image: Image, order: str, rows: int, offsets: list[int], lengths: list[int]
) -> dict[int, Entry]:
    """Return the tags of one page."""
    samples, dtype = image.channels, image.pixels.dtype
    extra = extra_of(samples, image.metadata, has_alpha=image.has_alpha)
    meaning = sample_tags(samples, dtype, extra, packed=bool(image.bits))
    resolution = image.metadata.resolution
    numbers = {
        256: (LONG, [image.width]),
        257: (LONG, [image.height]),
        258: (SHORT, [image.bits or 8 * dtype.itemsize] * samples),
        259: (SHORT, [1 if dtype.kind == "f" else 8]),
        273: (LONG, offsets),
        277: (SHORT, [samples]),
        278: (LONG, [rows]),
        279: (LONG, lengths),
        284: (SHORT, [1]),
    }
    numbers |= {tag: (SHORT, values) for tag, values in meaning.items()}
    numbers |= resolution_tags(resolution) if resolution is not None else {}
    return descriptive_tags(image.metadata, order) | _numbers(order, numbers)


def _numbers(order: str, values: dict[int, tuple[int, list[int]]]) -> dict[int, Entry]:
    entries = {}
    for number, (kind, numbers) in values.items():
        content = np.array(numbers, np.int64).astype(order + _FORMS[kind]).tobytes()
        count = len(numbers) // 2 if kind == RATIONAL else len(numbers)
        entries[number] = Entry(kind, count, content)
    return entries


def _strip_rows(pixels: Pixels) -> int:
    return max(1, _STRIP_BYTES // max(1, pixels[:1].nbytes))


def _strips(pixels: Pixels, order: str, bits: int) -> tuple[list[bytes], int]:
    rows = _strip_rows(pixels)
    planes = pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]
    tops = range(0, planes.shape[0], rows)
    return [_strip(planes[top : top + rows], order, bits) for top in tops], rows


def _strip(rows: Pixels, order: str, bits: int) -> bytes:
    """Return one strip's bytes."""
    if bits:
        return zlib.compress(_packed(rows, bits), _FAST)
    stored = rows.dtype.newbyteorder(order)  # type: ignore[arg-type]
    if rows.dtype.kind == "f":
        return rows.astype(stored, copy=False).tobytes()
    differences = rows.astype(stored)
    np.subtract(rows[:, 1:], rows[:, :-1], out=differences[:, 1:])
    return zlib.compress(differences.tobytes(), _FAST)


def _packed(rows: Pixels, bits: int) -> bytes:
    """Pack values of uint16 by their lowest bits; each row begins at a byte."""
    flat = rows.reshape(len(rows), -1).astype(">u2").view(np.uint8)
    single = np.unpackbits(flat, axis=1).reshape(len(rows), -1, 16)[:, :, 16 - bits :]
    return np.packbits(single.reshape(len(rows), -1), axis=1).tobytes()
