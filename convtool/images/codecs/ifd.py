"""The tag directories of TIFF, which EXIF uses too.

References
----------
TIFF 6.0, section 2; the BigTIFF design by the libtiff project (8-byte offsets, version 43).
"""

from collections.abc import Iterator

import numpy as np

from convtool.errors import ImageReadError
from convtool.images.codecs.binary import Data, unpack
from convtool.records import Record

ORIENTATION = 274
_TYPES = {
    1: "u1", 2: "u1", 3: "u2", 4: "u4", 6: "i1", 7: "u1", 8: "i2", 9: "i4",
    11: "f4", 12: "f8", 13: "u4", 16: "u8", 17: "i8", 18: "u8",
}  # fmt: skip
_RATIONALS = {5: "u4", 10: "i4"}
_MOST_PAGES = 20_000
_MOST_RATIONALS = 64


class Tag(Record):
    """Where a tag's values lie."""

    type: int
    count: int
    offset: int


class Entry(Record):
    """A tag with its values: as bytes in the byte order of its file, or as tags of their own."""

    type: int
    count: int
    content: bytes = b""
    entries: "dict[int, Entry] | None" = None


class Directory(Record):
    """One directory: its tags, the byte order ('<' or '>') of their values, and how offsets are.

    These have 8 bytes in a BigTIFF (``big``), else 4. ``shift`` is how many bytes behind those that
    are listed its pixels lie, in a stack of which the first plane alone is listed.
    """

    data: Data
    order: str
    tags: dict[int, Tag]
    big: bool = False
    shift: int = 0

    def values(self, number: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Return the integers of a tag, or the default where it is absent or empty.

        Raises
        ------
        ImageReadError
            If the values lie outside the file, or are of no integer type.
        """
        tag = self.tags.get(number)
        if tag is None or tag.count == 0:
            return default
        kind = _TYPES.get(tag.type)
        if kind is None:
            raise ImageReadError(f"is damaged: its tag {number} has the unknown type {tag.type}")
        dtype = np.dtype(self.order + kind)
        end = tag.offset + tag.count * dtype.itemsize
        if end > len(self.data):
            raise ImageReadError(f"is cut off: the values of its tag {number} lie beyond its end")
        found = np.frombuffer(self.data[tag.offset : end], dtype)
        if not np.isfinite(found).all():
            raise ImageReadError(f"is damaged: its tag {number} holds no whole numbers")
        return tuple(int(v) for v in found)

    def value(self, number: int, default: int | None = None) -> int:
        """Return the first integer of a tag, or the default where it is absent.

        Raises
        ------
        ImageReadError
            If it is absent and there is no default.
        """
        values = self.values(number)
        if values:
            return values[0]
        if default is None:
            raise ImageReadError(f"is damaged: its tag {number} is missing")
        return default

    def rationals(self, number: int) -> tuple[float, ...]:
        """Return the fractions of a tag as numbers, nothing where it is absent or makes no sense.

        A fraction over 0 is 0; whole numbers are taken as they are.
        """
        tag = self.tags.get(number)
        if tag is None or tag.count > _MOST_RATIONALS:
            return ()
        try:
            if tag.type not in _RATIONALS:
                return tuple(map(float, self.values(number)))
            form = f"{self.order}{2 * tag.count}{'I' if tag.type == 5 else 'i'}"
            parts = unpack(form, self.data, tag.offset)
        except (ImageReadError, ValueError, OverflowError):
            return ()
        pairs = zip(parts[::2], parts[1::2], strict=True)
        return tuple(float(top / bottom) if bottom else 0.0 for top, bottom in pairs)

    def content(self, number: int) -> bytes:
        """Return the bytes of a tag's values, empty where the tag is absent.

        Raises
        ------
        ImageReadError
            If they lie outside the file.
        """
        tag = self.tags.get(number)
        if tag is None:
            return b""
        end = tag.offset + tag.count * _size_of(tag.type)
        if end > len(self.data):
            raise ImageReadError(f"is cut off: the values of its tag {number} lie beyond its end")
        return self.data[tag.offset : end]


def raw_entries(directory: Directory) -> dict[int, Entry]:
    """Return all tags of a directory with their values; those that lie outside are left out."""
    found = {}
    for number, tag in directory.tags.items():
        try:
            found[number] = Entry(tag.type, tag.count, directory.content(number))
        except ImageReadError:
            continue
    return found


def directory_at(data: Data, order: str, offset: int, *, big: bool = False) -> Directory:
    """Read one directory of a file with 4-byte offsets, of 8 bytes in a BigTIFF.

    Raises
    ------
    ImageReadError
        If it is damaged, or lies outside the file.
    """
    return _directory(data, order, big, offset)[0]


def all_directories(data: Data) -> Iterator[Directory]:
    """Read one directory of a file after the other.

    Raises
    ------
    ImageReadError
        If the header or a directory is damaged, or they go round in a loop.
    """
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        raise ImageReadError("is damaged: its tag directory has no byte order")
    (version,) = unpack(order + "H", data, 2)
    big = version == 43
    (offset,) = unpack(order + ("Q" if big else "I"), data, 8 if big else 4)
    seen: set[int] = set()
    while not seen or offset:
        if len(seen) >= _MOST_PAGES:
            raise ImageReadError(f"has more than {_MOST_PAGES} pages, the limit")
        if offset in seen:
            raise ImageReadError("is damaged: its tag directories go round in a loop")
        seen.add(offset)
        directory, offset = _directory(data, order, big, offset)
        yield directory


def _directory(data: Data, order: str, big: bool, offset: int) -> tuple[Directory, int]:
    count_form, entry_form, inline = ("Q", "HHQ", 8) if big else ("H", "HHI", 4)
    (count,) = unpack(order + count_form, data, offset)
    offset += inline if big else 2
    size = 20 if big else 12
    if count > len(data) // size:
        raise ImageReadError(f"is damaged: a tag directory claims {count} entries")
    tags: dict[int, Tag] = {}
    for position in range(offset, offset + count * size, size):
        number, kind, values = unpack(order + entry_form, data, position)
        place = position + size - inline
        if values * _size_of(kind) > inline:
            (place,) = unpack(order + ("Q" if big else "I"), data, place)
        tags.setdefault(number, Tag(kind, values, place))
    end = offset + count * size
    following = 0  # some files end without it
    if end + inline <= len(data):
        (following,) = unpack(order + ("Q" if big else "I"), data, end)
    return Directory(data, order, tags, big), following


def _size_of(kind: int) -> int:
    if kind in _RATIONALS:
        return 8
    return np.dtype(_TYPES.get(kind, "u1")).itemsize
