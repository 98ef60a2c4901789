"""Reading what the command wrote, without any library that is tested: TIFF as convtool writes it.

References
----------
TIFF 6.0: sections 2 (structure), 14 (predictor), 18 (extra samples), 19 (sample formats).
"""

import struct
import zlib

from .picture import Picture

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 12: 8}
_CODES = {1: "B", 3: "H", 4: "I", 12: "d"}
_DEPTHS = {
    (1, 8): ("8", "B"),
    (1, 16): ("16", "H"),
    (3, 16): ("float", "e"),
    (3, 32): ("float", "f"),
    (3, 64): ("float", "d"),
}


def pages(data: bytes) -> list[Picture]:
    """Return the pictures of a TIFF of strips, stored or deflated."""
    order = {b"II": "<", b"MM": ">"}[data[:2]]
    version, place = struct.unpack_from(order + "HI", data, 2)
    assert version == 42
    found = []
    while place:
        tags, place = _directory(data, place, order)
        found.append(_page(data, tags, order))
    return found


def _directory(data, place, order):
    (count,) = struct.unpack_from(order + "H", data, place)
    tags = {}
    for entry in range(place + 2, place + 2 + 12 * count, 12):
        number, kind, length = struct.unpack_from(order + "HHI", data, entry)
        where = entry + 8
        if length * _SIZES[kind] > 4:
            (where,) = struct.unpack_from(order + "I", data, where)
        if kind in _CODES:
            tags[number] = struct.unpack_from(f"{order}{length}{_CODES[kind]}", data, where)
    (following,) = struct.unpack_from(order + "I", data, place + 2 + 12 * count)
    return tags, following


def _page(data, tags, order):
    (width,), (height,), (samples,) = tags[256], tags[257], tags.get(277, (1,))
    assert len(set(tags[258])) == 1
    assert tags.get(284, (1,)) == (1,)
    assert tags.get(274, (1,)) == (1,), "the orientation tag is not reset"
    assert tags[262][0] == (2 if samples >= 3 else 1)
    assert (338 in tags) == (samples in (2, 4))
    depth, code = _DEPTHS[tags.get(339, (1,))[0], tags[258][0]]
    content = b""
    for start, length in zip(tags[273], tags[279], strict=True):
        part = data[start : start + length]
        assert len(part) == length
        content += zlib.decompress(part) if tags[259][0] == 8 else part
    values = struct.unpack(f"{order}{width * height * samples}{code}", content)
    if tags.get(317, (1,))[0] == 2:
        values = _summed(values, width * samples, samples, 256 ** struct.calcsize(code))
    return Picture(width, height, samples, depth, tuple(values))


def _summed(values, row, samples, modulus):
    """Undo the differences along each row."""
    values = list(values)
    for i in range(len(values)):
        if i % row >= samples:
            values[i] = (values[i] + values[i - samples]) % modulus
    return values
