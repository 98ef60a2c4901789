"""EXIF blocks: brought into agreement with pixels that were turned or cut, and taken into TIFF.

A block is a small TIFF file without pixels. Offsets within it count from its own start, so that it
can be moved as it is; changes are made in place, which leaves makers' notes valid.

References
----------
Exif 2.32, sections 4.5 (structure) and 4.6 (tags); TIFF 6.0, section 2.
"""

import re
import struct

from convtool.errors import ImageReadError
from convtool.images.codecs.binary import unpack
from convtool.images.codecs.ifd import (
    ORIENTATION,
    Directory,
    Entry,
    all_directories,
    directory_at,
    raw_entries,
)

SUB, GPS, INTEROP = 34665, 34853, 40965
_POINTERS = (SUB, GPS, INTEROP)
_WIDTH, _HEIGHT = 40962, 40963
_X_RESOLUTION, _Y_RESOLUTION, _UNIT = 282, 283, 296
_SHORT, _LONG, _LONG8 = 3, 4, 16
_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation\s*(?:=\s*[\"']|>)\s*)[1-8]")

DESCRIPTIVE = (269, 270, 271, 272, 285, 305, 306, 315, 316, 33432)
"""Tags of a TIFF's page that describe it: names, make, model, software, date, artist, rights."""


def upright_block(block: bytes) -> bytes:
    """Return a block whose orientation, where it states one, is 1; a damaged one as it is."""
    try:
        changed = bytearray(block)
        _set(changed, next(all_directories(block)), ORIENTATION, 1)
        return bytes(changed)
    except (ImageReadError, struct.error):
        return block


def settled(block: bytes, width: int, height: int) -> bytes:
    """Return a block that agrees with filtered pixels.

    Parameters
    ----------
    block : bytes
        An EXIF block.
    width, height : int
        The size of the pixels.

    Returns
    -------
    bytes
        The same with the size of the pixels set where it is stated, and without the thumbnail,
        which shows other pixels. A damaged block comes back unchanged.
    """
    try:
        first = next(all_directories(block))
        changed = bytearray(block)
        sub = first.value(SUB, 0)
        if sub:
            directory = directory_at(block, first.order, sub)
            _set(changed, directory, _WIDTH, width)
            _set(changed, directory, _HEIGHT, height)
        return _without_thumbnail(changed, first)
    except (ImageReadError, struct.error):
        return block


def _set(block: bytearray, directory: Directory, number: int, value: int) -> None:
    tag = directory.tags.get(number)
    form = {_SHORT: "H", _LONG: "I"}.get(tag.type) if tag else None
    if tag is not None and form is not None and tag.count == 1:
        struct.pack_into(directory.order + form, block, tag.offset, value)


def _without_thumbnail(block: bytearray, first: Directory) -> bytes:
    """Unlink the second directory; cut off its picture where that lies at the end."""
    (start,) = unpack(first.order + "I", bytes(block), 4)
    (count,) = unpack(first.order + "H", bytes(block), start)
    link = start + 2 + 12 * count
    (second,) = unpack(first.order + "I", bytes(block), link)
    if not second:
        return bytes(block)
    directory = directory_at(bytes(block), first.order, second)
    struct.pack_into(first.order + "I", block, link, 0)
    offset, length = directory.value(513, 0), directory.value(514, 0)
    if length and offset > second and offset + length >= len(block) - 1:
        del block[offset:]
    return bytes(block)


def upright_xmp(packet: bytes) -> bytes:
    """Return an XMP packet whose orientation, where it states one, is 1.

    Examples
    --------
    >>> upright_xmp(b'<rdf:Description tiff:Orientation="6"/>')
    b'<rdf:Description tiff:Orientation="1"/>'
    """
    return _XMP_ORIENTATION.sub(rb"\g<1>1", packet)


def resolution(directory: Directory) -> tuple[float, float] | None:
    """Return the pixels an inch that a directory states, if it does."""
    across, down = directory.rationals(_X_RESOLUTION), directory.rationals(_Y_RESOLUTION)
    unit = {2: 1.0, 3: 2.54}.get(directory.value(_UNIT, 2))
    if unit is None or not across or not down or min(across[0], down[0]) <= 0:
        return None
    return across[0] * unit, down[0] * unit


def block_of(first: Directory) -> bytes:
    """Make an EXIF block of what a TIFF's page says: descriptions, camera settings, place.

    Parameters
    ----------
    first : Directory
        The page's directory.

    Returns
    -------
    bytes
        The block, empty where the page says nothing; damaged parts are left out.
    """
    entries = {n: e for n, e in raw_entries(first).items() if n in DESCRIPTIVE}
    entries |= _pointed_at(first, (SUB, GPS))
    if not entries:
        return b""
    if ORIENTATION in first.tags:
        entries |= {n: e for n, e in raw_entries(first).items() if n == ORIENTATION}
    return block_with(entries, first.order)


def tags_of(block: bytes) -> tuple[dict[int, Entry], str]:
    """Return the tags of an EXIF block that a TIFF's page can have, and their byte order."""
    try:
        first = next(all_directories(block))
        found = {n: e for n, e in raw_entries(first).items() if n in (*DESCRIPTIVE, ORIENTATION)}
        return found | _pointed_at(first, (SUB, GPS)), first.order
    except ImageReadError:
        return {}, "<"


def is_descriptive(block: bytes) -> bool:
    """Tell whether a block names and describes alone, as any TIFF may, with no camera's data."""
    entries, _ = tags_of(block)
    return bool(entries) and not entries.keys() & {SUB, GPS}


def without(block: bytes, number: int) -> bytes:
    """Return a block of the same tags but one."""
    entries, order = tags_of(block)
    entries.pop(number, None)
    return block_with(entries, order) if entries else b""


def block_with(entries: dict[int, Entry], order: str) -> bytes:
    """Return the block of some tags in a byte order."""
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    return head + serialised(entries, order, len(head))


def _pointed_at(directory: Directory, numbers: tuple[int, ...]) -> dict[int, Entry]:
    """Return pointer tags with the entries of the directories that they point at."""
    found: dict[int, Entry] = {}
    for number in numbers:
        try:
            place = directory.value(number, 0)
            if place:
                inner = directory_at(directory.data, directory.order, place, big=directory.big)
                entries = {n: e for n, e in raw_entries(inner).items() if n not in _POINTERS}
                entries |= _pointed_at(inner, (INTEROP,)) if number == SUB else {}
                found[number] = Entry(_LONG, 1, entries=entries)
        except ImageReadError:
            continue
    return found


def serialised(entries: dict[int, Entry], order: str, position: int, *, big: bool = False) -> bytes:
    """Return the bytes of a directory and of all it points at, for a place in a file.

    Parameters
    ----------
    entries : dict of int to Entry
        The tags; an entry with entries of its own becomes a directory behind this one.
    order : str
        ``<`` or ``>``: the byte order, also of the entries' values.
    position : int
        Where in the file the bytes will be.
    big : bool
        Whether the file is a BigTIFF.
    """
    count, head, inline, size = ("Q", "HHQ", 8, 20) if big else ("H", "HHI", 4, 12)
    pointer = order + ("Q" if big else "I")
    start = struct.pack(order + count, len(entries))
    behind = position + len(start) + size * len(entries) + inline
    rows, beyond = [], b""
    for number, entry in sorted(entries.items()):
        content, kind = entry.content, entry.type
        if entry.entries is not None:
            content, kind = struct.pack(pointer, behind + len(beyond)), _LONG8 if big else kind
            beyond += serialised(entry.entries, order, behind + len(beyond), big=big)
        elif len(content) > inline:
            place = behind + len(beyond)
            beyond += content + b"\0" * (len(content) % 2)
            content = struct.pack(pointer, place)
        rows.append(struct.pack(order + head, number, kind, entry.count))
        rows.append(content.ljust(inline, b"\0"))
    return start + b"".join(rows) + b"\0" * inline + beyond
