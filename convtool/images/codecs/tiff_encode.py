"""Writing TIFF: every depth and number of channels, alpha as alpha, pages, metadata.

Integers are stored as differences along the row (predictor 2) and deflated; floats, which hardly
compress, as they are.

References
----------
TIFF 6.0: sections 2 (directories), 8 (baseline RGB), 12 (pages), 14 (predictor), 18 (extra
samples), 19 (sample formats). ICC.1:2022, annex B.3, and XMP part 3, section 3.1.2: their tags.
"""

import struct
import zlib

import numpy as np

from convtool.errors import ImageFormatError
from convtool.images.codecs import tiff_private
from convtool.images.codecs.exif import serialised, tags_of
from convtool.images.codecs.ifd import Entry
from convtool.images.image import Document, Image, Metadata, Pixels
from convtool.images.options import WriteOptions

_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _UNDEFINED = 1, 2, 3, 4, 5, 7
_FORMS = {_BYTE: "u1", _SHORT: "u2", _LONG: "u4", _RATIONAL: "u4", _UNDEFINED: "u1"}
_STRIP_BYTES = 1 << 18
_LARGEST = 2**32 - 2**20
_FAST = 1
_INCH = 2
_ONE_OF_SEVERAL = 2
_FRACTIONS = 10000
_ALPHA = 2
_SAMPLE_FORMATS = {"u": 1, "i": 2, "f": 3}


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
            f"TIFF holds at most 4 GB, this picture has {size / 2**30:.1f} GB; use --depth 8 or 16"
        )
    order = _order_of(document.pages[0].metadata)
    link, link_at, position = bytearray(4), 0, 8
    parts: list[bytes | bytearray] = [b"II*\0" if order == "<" else b"MM\0*", link]
    for number, image in enumerate(document.pages):
        strips, rows = _strips(image.pixels, order, image.bits)
        starts = [int(v) for v in np.cumsum([position, *(len(strip) for strip in strips)])]
        padding = starts[-1] % 2
        place = starts[-1] + padding
        entries = _entries(image, order, rows, starts[:-1], [len(strip) for strip in strips])
        if len(document.pages) > 1:
            own = {254: (_LONG, [_ONE_OF_SEVERAL]), 297: (_SHORT, [number, len(document.pages)])}
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
    samples, kind = image.channels, image.pixels.dtype.kind
    floats, bits = kind == "f", image.bits or 8 * image.pixels.itemsize
    extra = _extra_of(image)
    numbers = {
        256: (_LONG, [image.width]),
        257: (_LONG, [image.height]),
        258: (_SHORT, [bits] * samples),
        259: (_SHORT, [1 if floats else 8]),
        262: (_SHORT, [2 if samples - len(extra) == 3 else 1]),
        273: (_LONG, offsets),
        277: (_SHORT, [samples]),
        278: (_LONG, [rows]),
        279: (_LONG, lengths),
        284: (_SHORT, [1]),
        317: (_SHORT, [1 if floats or image.bits else 2]),
        339: (_SHORT, [_SAMPLE_FORMATS[kind]] * samples),
    }
    if extra:
        numbers[338] = (_SHORT, list(extra))
    return _described(image.metadata, order) | _numbers(order, numbers)


def _extra_of(image: Image) -> tuple[int, ...]:
    """Return what the samples beside grey or colour are: alpha, or bands."""
    if image.has_alpha:
        return (_ALPHA,)
    if not image.has_bands:
        return ()
    known = image.metadata.extra
    return known if image.channels - len(known) in (1, 3) else (0,) * (image.channels - 1)


def _order_of(metadata: Metadata) -> str:
    """Return the byte order that tags were read in."""
    entries, order = tags_of(metadata.exif)
    return order if entries else tiff_private.tags_of(metadata.tiff)[1]


def _described(metadata: Metadata, order: str) -> dict[int, Entry]:
    """Return the tags that describe a page; EXIF of another byte order than the file is left out.

    Pages of one document have their EXIF from one file, and so in one order.
    """
    entries: dict[int, Entry] = {}
    for block in (tags_of(metadata.exif), tiff_private.tags_of(metadata.tiff)):
        entries |= block[0] if block[1] == order else {}
    entries.pop(tiff_private.NODATA, None)
    if metadata.nodata is not None:
        text = f"{metadata.nodata:.17g}".encode() + b"\0"
        entries[tiff_private.NODATA] = Entry(_ASCII, len(text), text)
    if metadata.icc:
        entries[34675] = Entry(_UNDEFINED, len(metadata.icc), metadata.icc)
    if metadata.xmp:
        entries[700] = Entry(_BYTE, len(metadata.xmp), metadata.xmp)
    if metadata.resolution is not None:
        across, down = (round(value * _FRACTIONS) for value in metadata.resolution)
        entries |= _numbers(
            order,
            {
                282: (_RATIONAL, [across, _FRACTIONS]),
                283: (_RATIONAL, [down, _FRACTIONS]),
                296: (_SHORT, [_INCH]),
            },
        )
    return entries


def _numbers(order: str, values: dict[int, tuple[int, list[int]]]) -> dict[int, Entry]:
    entries = {}
    for number, (kind, numbers) in values.items():
        content = np.array(numbers, np.int64).astype(order + _FORMS[kind]).tobytes()
        count = len(numbers) // 2 if kind == _RATIONAL else len(numbers)
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
