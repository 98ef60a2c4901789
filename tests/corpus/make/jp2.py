"""JPEG 2000 files put together from the codestreams of their channels.

Only the coding of a channel's bits is left to a library: one channel, one resolution, one packet.
What places the channels, subsamples them and gives them colours is made here.

References
----------
ITU-T T.800: annex A (markers), annex B.12.1.1 (the order of packets), annex I (boxes).
"""

import io
import struct

from corpus import picture as pictures

SRGB, GREY, SYCC, CIELAB, CMYK = 16, 17, 18, 14, 12


def _channel(values, width, height):
    """Return the segments of a codestream of one channel, and its only packet."""
    from PIL import Image

    file = io.BytesIO()
    Image.frombytes("L", (width, height), bytes(values)).save(
        file, "JPEG2000", irreversible=False, num_resolutions=1, no_jp2=True
    )
    data, position, segments = file.getvalue(), 2, {}
    while True:
        (marker,) = struct.unpack_from(">H", data, position)
        if marker == 0xFF93:
            return segments, data[position + 2 : -2]
        (length,) = struct.unpack_from(">H", data, position + 2)
        segments[marker] = data[position + 4 : position + 2 + length]
        position += 2 + length


def _segment(marker, content):
    return struct.pack(">HH", marker, len(content) + 2) + content


def stream(planes, *, factors=None, offset=(0, 0), bits=8, claimed=None):
    """Make a codestream of pictures of one channel each; the first has the full size."""
    width, height = claimed or (planes[0].width, planes[0].height)
    parts = [_channel(plane.values, plane.width, plane.height) for plane in planes]
    right, bottom = width + offset[0], height + offset[1]
    size = struct.pack(">HIIIIIIIIH", 0, right, bottom, *offset, right, bottom, 0, 0, len(planes))
    for across, down in factors or [(1, 1)] * len(planes):
        size += bytes([bits - 1, across, down])
    coding = bytearray(parts[0][0][0xFF52])
    coding[4] = 0  # the channels are not transformed
    packets = b"".join(packet for _, packet in parts)
    return b"".join(
        [
            b"\xff\x4f",
            _segment(0xFF51, size),
            _segment(0xFF52, bytes(coding)),
            _segment(0xFF5C, parts[0][0][0xFF5C]),
            _segment(0xFF90, struct.pack(">HIBB", 0, len(packets) + 14, 0, 1)),
            b"\xff\x93",
            packets,
            b"\xff\xd9",
        ]
    )


def box(name, *contents):
    content = b"".join(contents)
    return struct.pack(">I4s", len(content) + 8, name) + content


def palette(colours):
    """Make the boxes of a palette, every column of it mapped."""
    columns = len(colours[0])
    stored = struct.pack(">HB", len(colours), columns) + b"\7" * columns
    stored += b"".join(bytes(colour) for colour in colours)
    mapping = b"".join(struct.pack(">HBB", 0, 1, n) for n in range(columns))
    return box(b"pclr", stored) + box(b"cmap", mapping)


def jp2(codestream, size, channels, space, *, inner=b"", before=b"", behind=b"", bits=8):
    """Make a file: ``inner`` are more boxes of the header, others stand around the codestream."""
    header = box(b"ihdr", struct.pack(">IIHBBBB", size[1], size[0], channels, bits - 1, 7, 0, 0))
    colour = space if isinstance(space, bytes) else struct.pack(">BBBI", 1, 0, 0, space)
    return b"".join(
        [
            box(b"jP  ", b"\r\n\x87\n"),
            box(b"ftyp", b"jp2 \0\0\0\0jp2 "),
            box(b"jp2h", header, box(b"colr", colour), inner),
            before,
            box(b"jp2c", codestream),
            behind,
        ]
    )


def planes_of(picture):
    """Return one picture for each channel."""
    return [
        pictures.Picture(
            picture.width, picture.height, 1, "8", picture.values[n :: picture.channels]
        )
        for n in range(picture.channels)
    ]
