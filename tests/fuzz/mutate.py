"""Changing bytes and texts at random, each change a function of the generator alone."""

import re
import struct
import zlib
from contextlib import suppress

LARGEST = 1 << 16
_BYTES = (0, 1, 2, 3, 4, 7, 8, 16, 32, 64, 127, 128, 254, 255)
_WORDS = (
    0, 1, 2, 255, 256, 32767, 32768, 65535, 65536, 100_000, 2**24, 2**31 - 1, 2**31, 2**32 - 1
)  # fmt: skip
_NUMBERS = (
    b"0", b"1", b"-1", b"00", b"255", b"256", b"65535", b"65536", b"99999", b"2147483648",
    b"18446744073709551616", b"1e9", b"1e309", b"-1e309", b"nan", b"inf", b"1/0", b"1/3", b"0.5",
    b"-0", b"0x10", b"1_0", b"9" * 300, b"", b".", b"\xd9\xa3", b"\xe2\x88\x9e",
)  # fmt: skip
_PNG = b"\x89PNG\r\n\x1a\n"


def _place(rng, data, length=1):
    """Choose where to change; headers are chosen more often than what follows."""
    return int(max(1, len(data) - length + 1) * rng.random() ** rng.choice((1, 1, 3)))


def flip_bit(rng, data, others):
    place = _place(rng, data)
    data[place : place + 1] = bytes([data[place] ^ 1 << rng.randrange(8)])


def set_byte(rng, data, others):
    data[_place(rng, data)] = rng.choice(_BYTES)


def set_word(rng, data, others):
    form = rng.choice(("<H", ">H", "<I", ">I", "<Q", ">Q"))
    size = struct.calcsize(form)
    place = _place(rng, data, size)
    value = rng.choice(_WORDS) % (1 << 8 * size)
    data[place : place + size] = struct.pack(form, value)


def nudge_word(rng, data, others):
    form = rng.choice(("B", "<H", ">H", "<I", ">I"))
    size = struct.calcsize(form)
    if len(data) >= size:
        place = min(_place(rng, data, size), len(data) - size)
        (value,) = struct.unpack_from(form, data, place)
        struct.pack_into(form, data, place, (value + rng.randint(-9, 9)) % (1 << 8 * size))


def cut(rng, data, others):
    del data[_place(rng, data) :]


def delete(rng, data, others):
    place = _place(rng, data)
    del data[place : place + rng.choice((1, 2, 4, 12, 40))]


def double(rng, data, others):
    place = _place(rng, data)
    data[place:place] = data[place : place + rng.choice((1, 4, 12, 60, 300))]


def insert(rng, data, others):
    place = _place(rng, data)
    data[place:place] = rng.randbytes(rng.choice((1, 2, 4, 30)))


def splice(rng, data, others):
    other = rng.choice(others)
    if other:
        start = rng.randrange(len(other))
        part = other[start : start + rng.choice((4, 20, 100, 1000))]
        place = _place(rng, data)
        data[place : place + (len(part) if rng.random() < 0.5 else 0)] = part


def fill(rng, data, others):
    place = _place(rng, data)
    size = min(rng.choice((4, 16, 64)), len(data) - place)
    data[place : place + size] = bytes([rng.choice(_BYTES)]) * size


def renumber(rng, data, others):
    """Replace a number that is written as text."""
    found = list(re.finditer(rb"[-+]?\d+(?:\.\d+)?", data[:4000]))
    if found:
        start, end = rng.choice(found).span()
        data[start:end] = rng.choice(_NUMBERS)


CHANGES = (
    flip_bit, flip_bit, flip_bit, set_byte, set_byte, set_word, set_word, nudge_word, nudge_word,
    nudge_word, cut, delete, double, insert, splice, fill, renumber, renumber,
)  # fmt: skip


def mutated(rng, data, others):
    """Return data with one to eight changes; a PNG's checksums are mostly put right again."""
    data = bytearray(data[:LARGEST])
    is_png = data.startswith(_PNG)
    if is_png and rng.random() < 0.3:
        data = _within_a_stream(rng, data, others)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        if not data:
            break
        rng.choice(CHANGES)(rng, data, others)
    if is_png and rng.random() < 0.9:
        _correct_checksums(data)
    return bytes(data[:LARGEST])


def _chunks(data):
    """Yield start and length of the contents of each chunk."""
    place = len(_PNG)
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        if place + 12 + length > len(data):
            return
        yield place + 8, length
        place += 12 + length


def _correct_checksums(data):
    for start, length in _chunks(data):
        checksum = zlib.crc32(data[start - 4 : start + length])
        struct.pack_into(">I", data, start + length, checksum)


def _within_a_stream(rng, data, others):
    """Change what a chunk's compressed stream unpacks to."""
    start, length = rng.choice(list(_chunks(data)) or [(len(_PNG), 0)])
    with suppress(zlib.error):
        rows = bytearray(zlib.decompress(data[start : start + length]))
        if rows:
            rng.choice(CHANGES)(rng, rows, others)
        packed = zlib.compress(rows, 1)
        return (
            data[: start - 8]
            + struct.pack(">I", len(packed))
            + data[start - 4 : start]
            + (packed + data[start + length :])
        )
    return data


def mutated_text(rng, text, others):
    """Return text with one to eight changes."""
    data = bytearray(text.encode("utf-8", "surrogateescape"))
    for _ in range(rng.choice((0, 1, 1, 2, 3, 8))):
        if data:
            change = rng.choice((renumber, renumber, delete, double, splice, set_byte, insert, cut))
            change(rng, data, [other.encode() for other in others])
    return data[:4000].decode("utf-8", "replace").replace("\0", "")
