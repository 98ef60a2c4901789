"""TIFF and BigTIFF files: any tags, strips or tiles, any number of pages.

References
----------
TIFF 6.0: sections 2 (structure), 9 (PackBits), 13 (LZW), 14 (predictor), 15 (tiles). The BigTIFF
design by the libtiff project.
"""

import struct
import zlib

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, LONG8 = 1, 2, 3, 4, 5, 7, 16
_CODES = {1: "B", 2: "B", 3: "H", 4: "I", 5: "I", 7: "B", 16: "Q"}
_STRIPS, _TILES = (273, 279), (324, 325)
_SHORTS = {258, 259, 262, 266, 274, 277, 284, 317, 320, 338, 339}
_BYTES = {34675: UNDEFINED, 700: BYTE}


def sample_bytes(values, bits, order, floats=False):
    """Return a row of samples as bytes; fewer than 8 bits are packed, the first highest."""
    if bits >= 8:
        codes = {16: "e", 32: "f", 64: "d"} if floats else {8: "B", 16: "H", 32: "I"}
        return struct.pack(f"{order}{len(values)}{codes[bits]}", *values)
    text = "".join(f"{value:0{bits}b}" for value in values)
    text = text.ljust(-(-len(text) // 8) * 8, "0")
    return int(text, 2).to_bytes(len(text) // 8, "big")


def stored(part, rows):
    return part


def deflated(part, rows):
    return zlib.compress(part)


def packbits(part, rows):
    """Compress each row on its own, runs of three or more as runs."""
    out = bytearray()
    width = len(part) // rows
    for start in range(0, len(part), width):
        row, i = part[start : start + width], 0
        while i < len(row):
            run = 1
            while i + run < len(row) and row[i + run] == row[i] and run < 128:
                run += 1
            if run > 2:
                out += bytes([257 - run, row[i]])
                i += run
            else:
                out += bytes([0, row[i]])
                i += 1
    return bytes(out)


def lzw(part, rows):
    """Compress as TIFF's LZW: codes of 9 to 12 bits, the highest bit first, widened one early."""
    table = {bytes([i]): i for i in range(256)}
    text, width, following, word = [f"{256:09b}"], 9, 258, b""
    for value in part:
        longer = word + bytes([value])
        if longer in table:
            word = longer
            continue
        text.append(f"{table[word]:0{width}b}")
        table[longer] = following
        following += 1
        width = max(width, following.bit_length())
        if following == 4094:
            text.append(f"{256:0{width}b}")
            table, width, following = {bytes([i]): i for i in range(256)}, 9, 258
        word = bytes([value])
    text.append(f"{table[word]:0{width}b}")
    following += 1
    text.append(f"{257:0{max(width, (following + 1).bit_length())}b}")
    bits = "".join(text)
    bits = bits.ljust(-(-len(bits) // 8) * 8, "0")
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


COMPRESSIONS = {
    "stored": (1, stored),
    "lzw": (5, lzw),
    "deflate": (8, deflated),
    "packbits": (32773, packbits),
}


def predicted(values, step, bits):
    """Return differences along a row."""
    return [
        (value - (values[i - step] if i >= step else 0)) % (1 << bits)
        for i, value in enumerate(values)
    ]


def page(
    picture, *, bits=None, order="<", rows_per_strip=4, tile=None, planar=False,
    compression="stored", predictor=1, floats=False, tags=None,
):  # fmt: skip
    """Return tags and parts (strips or tiles) of a picture; ``tags`` replace those made here."""
    bits = bits or int(picture.depth)
    number, squeeze = COMPRESSIONS[compression]
    samples = picture.channels
    planes = [[channel] for channel in range(samples)] if planar else [list(range(samples))]
    block_width, block_height = tile or (picture.width, rows_per_strip)
    parts = []
    for plane in planes:
        for top in range(0, picture.height, block_height):
            for left in range(0, picture.width, block_width):
                height = block_height if tile else min(block_height, picture.height - top)
                part = b""
                for y in range(top, top + height):
                    row = [
                        picture.pixel(x, y)[channel]
                        if x < picture.width and y < picture.height
                        else 0
                        for x in range(left, left + block_width)
                        for channel in plane
                    ]
                    if predictor == 2:
                        row = predicted(row, len(plane), bits)
                    part += sample_bytes(row, bits, order, floats)
                parts.append(squeeze(part, height))
    made = {
        256: [picture.width], 257: [picture.height], 258: [bits] * samples, 259: [number],
        262: [2 if samples >= 3 else 1], 277: [samples],
    }  # fmt: skip
    made |= {322: [tile[0]], 323: [tile[1]]} if tile else {278: [rows_per_strip]}
    made |= {284: [2]} if planar else {}
    made |= {317: [predictor]} if predictor > 1 else {}
    made |= {338: [2]} if samples in (2, 4) else {}
    made |= {339: [3] * samples} if floats else {}
    return made | (tags or {}), parts


def tiff(*pages, order="<", big=False, last=0, version=None):
    """Make a file of (tags, parts) pages; ``last`` is where the last directory says the next is.

    A tag's value is a list of numbers, bytes, or (type, count, contents) to say what is not so. A
    tag of None is left out.
    """
    mark = b"II" if order == "<" else b"MM"
    version = version or (43 if big else 42)
    word = "Q" if big else "I"
    start = struct.pack(order + "2sH", mark, version) + (
        struct.pack(order + "HH", 8, 0) if big else b""
    )
    data = bytearray(start + bytes(8 if big else 4))
    link = len(start)
    for tags, parts in pages:
        offsets = []
        for part in parts:
            offsets.append(len(data))
            data += part
        data += bytes(len(data) % 2)
        places = _TILES if 322 in tags else _STRIPS
        made = dict(zip(places, (offsets, [len(part) for part in parts]), strict=True)) | tags
        struct.pack_into(order + word, data, link, len(data))
        link = _directory(data, {n: v for n, v in made.items() if v is not None}, order, big)
    struct.pack_into(order + word, data, link, last)
    return bytes(data)


def _directory(data, tags, order, big):
    """Append a directory; return where it says which one follows."""
    count, entry, inline, size = ("Q", "HHQ", 8, 20) if big else ("H", "HHI", 4, 12)
    begin = len(data)
    data += struct.pack(order + count, len(tags))
    link = len(data) + size * len(tags)
    beyond = bytearray()
    after = link + inline
    for number in sorted(tags):
        kind, length, content = _entry(number, tags[number], order)
        if len(content) > inline:
            place = after + len(beyond)
            beyond += content + bytes(len(content) % 2)
            content = struct.pack(order + ("Q" if big else "I"), place)
        data += struct.pack(order + entry, number, kind, length) + content.ljust(inline, b"\0")
    assert len(data) == link > begin
    data += bytes(inline) + beyond
    return link


def _entry(number, value, order):
    if isinstance(value, tuple):
        return value
    if isinstance(value, bytes):
        return _BYTES.get(number, ASCII), len(value), value
    kind = SHORT if number in _SHORTS else LONG
    return kind, len(value), struct.pack(f"{order}{len(value)}{_CODES[kind]}", *value)
