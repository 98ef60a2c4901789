"""The tags of a TIFF that say nothing of its pixels' layout: kept as a block, and written again.

The block is a small TIFF without pixels, as EXIF is; it has the size of its picture, too, since
where pixels lie on the earth (GeoTIFF) holds for that size only.

References
----------
OGC GeoTIFF 1.1, section 7.1: the tags of its keys. TIFF 6.0, section 2: private tags are those
from 32768 on. GDAL's documentation of its driver GTiff: tags 42112 and 42113.
"""

import math
import struct

from convtool.errors import ImageReadError
from convtool.images.codecs.exif import GPS, SUB, block_with
from convtool.images.codecs.ifd import Directory, Entry, all_directories, raw_entries

GEO = frozenset({33550, 33922, 34264, 34735, 34736, 34737})
NODATA = 42113
_WIDTH, _HEIGHT = 256, 257
_LONG = 4
_FIRST_PRIVATE = 32768
_COLORIMETRY = frozenset({318, 319})
_OF_LAYOUT = frozenset(
    {
        32995, 32996, 32997, 32998, 33421, 33422,  # how pixels are stored; a sensor's mosaic
        33432, SUB, GPS, 34675,  # rights, EXIF and profile, which are kept as such
        33628, 33629, 33630, 33631, 50838, 50839,  # MetaMorph's and ImageJ's planes
        37724,  # Photoshop's layers, which show other pixels
    }
)  # fmt: skip
_POINTERS = (13, 18)
"""Types of tags that point into the file."""


def block_of(page: Directory) -> bytes:
    """Return the private tags of a page as a block; empty where there are none."""
    entries = {number: e for number, e in raw_entries(page).items() if _is_kept(number, e)}
    if not entries:
        return b""
    for number in (_WIDTH, _HEIGHT):
        entries[number] = _number(page.order, page.value(number))
    return block_with(entries, page.order)


def _is_kept(number: int, entry: Entry) -> bool:
    named = number in _COLORIMETRY or (number >= _FIRST_PRIVATE and number not in _OF_LAYOUT)
    return named and entry.type not in _POINTERS


def _number(order: str, value: int) -> Entry:
    return Entry(_LONG, 1, struct.pack(order + "I", value))


def tags_of(block: bytes) -> tuple[dict[int, Entry], str]:
    """Return the tags of a block, without the size, and their byte order."""
    if not block:
        return {}, "<"
    first = next(all_directories(block))
    entries = raw_entries(first)
    return {n: e for n, e in entries.items() if n not in (_WIDTH, _HEIGHT)}, first.order


def settled(block: bytes, width: int, height: int) -> tuple[bytes, tuple[str, ...]]:
    """Return a block that agrees with a picture of a size, and remarks on what is left out."""
    first = next(all_directories(block))
    if not GEO & first.tags.keys():
        return block, ()
    if (first.value(_WIDTH), first.value(_HEIGHT)) == (width, height):
        return block, ()
    entries = {n: e for n, e in raw_entries(first).items() if n not in GEO}
    remark = "the GeoTIFF keys hold for another size of the picture and are left out"
    return block_with(entries, first.order) if len(entries) > 2 else b"", (remark,)


def nodata_of(page: Directory) -> float | None:
    """Return the value of missing pixels that GDAL's tag states, if it is a number."""
    try:
        text = page.content(NODATA).rstrip(b"\0 ").decode("ascii")
        value = float(text)
    except (ImageReadError, ValueError):
        return None
    return None if math.isnan(value) else value
