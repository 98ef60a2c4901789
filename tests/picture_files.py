"""Picture files made byte by byte with the standard library, so that no library makes the truth."""

import struct
import zlib

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png_chunk(name, contents):
    checksum = struct.pack(">I", zlib.crc32(name + contents))
    return struct.pack(">I", len(contents)) + name + contents + checksum


def png(width, height, bits, colour, rows, *, before=(), after=()):
    """Make a PNG of rows of packed bytes (no filter); ``before`` holds (name, contents) chunks."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    chunks = [(b"IHDR", header), *before, (b"IDAT", pixels), *after, (b"IEND", b"")]
    return PNG_SIGNATURE + b"".join(png_chunk(name, contents) for name, contents in chunks)


def exif(orientation, order="<"):
    """Make an EXIF block that holds an orientation and nothing else."""
    mark = b"II" if order == "<" else b"MM"
    value = struct.pack(order + "HH", orientation, 0)
    entry = struct.pack(order + "HHI", 274, 3, 1) + value
    start = mark + struct.pack(order + "HI", 42, 8)
    return start + struct.pack(order + "H", 1) + entry + struct.pack(order + "I", 0)


def with_exif(jpeg, block):
    """Insert an EXIF segment at the start of a JPEG."""
    segment = b"Exif\0\0" + block
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]


def tiff(tags, strips, *, order="<", big=False, pages=1):
    """Make a TIFF: ``tags`` maps numbers to lists of ints, strip offsets are filled in.

    With several pages, all share the strips.
    """
    mark = b"II" if order == "<" else b"MM"
    head = struct.pack(
        order + ("2sHHHQ" if big else "2sHI"), mark, *((43, 8, 0, 0) if big else (42, 0))
    )
    body = b"".join(strips)
    offsets, position = [], len(head)
    for strip in strips:
        offsets.append(position)
        position += len(strip)
    tags = {273: offsets, 279: [len(strip) for strip in strips]} | tags
    head = head[: 8 if big else 4] + struct.pack(order + ("Q" if big else "I"), position)
    answer = head + body
    for page in range(pages):
        answer += _directory(tags, len(answer), order, big, last=page == pages - 1)
    return answer


def _directory(tags, position, order, big, last):
    count, entry, inline, size = ("Q", "HHQ", 8, 20) if big else ("H", "HHI", 4, 12)
    start = struct.pack(order + count, len(tags))
    after = position + len(start) + size * len(tags) + inline
    entries, beyond = b"", b""
    for number in sorted(tags):
        content = struct.pack(f"{order}{len(tags[number])}I", *tags[number])
        if len(content) > inline:
            place = after + len(beyond)
            beyond += content
            content = struct.pack(order + ("Q" if big else "I"), place)
        entries += struct.pack(order + entry, number, 4, len(tags[number])) + content.ljust(
            inline, b"\0"
        )
    following = 0 if last else after + len(beyond)
    return start + entries + struct.pack(order + ("Q" if big else "I"), following) + beyond


def bmp(width, height, bits, rows, *, palette=b"", top_down=False):
    """Make a BMP with the 40-byte header; rows come from the bottom up unless told otherwise."""
    row_bytes = (width * bits + 31) // 32 * 4
    pixels = b"".join(bytes(row).ljust(row_bytes, b"\0") for row in rows)
    start = 14 + 40 + len(palette)
    info = struct.pack(
        "<IiiHHIIiiII", 40, width, -height if top_down else height, 1, bits, 0, len(pixels),
        2835, 2835, len(palette) // 4, 0,
    )  # fmt: skip
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + info + palette + pixels
