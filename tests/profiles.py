"""Colour profiles made byte by byte."""

import struct


def profile(space, tags, *, kind=b"mntr", pcs=b"XYZ "):
    """Make an ICC profile of version 2 with the given tags, in the given colour space."""
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    size = start + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02400000, kind, space, pcs)
    header += struct.pack(">6H4s", 2024, 1, 1, 0, 0, 0, b"acsp")
    header = header.ljust(68, b"\0") + struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
    return header.ljust(128, b"\0") + table + body


def named(name, space=b"RGB "):
    """Make a profile that has a name and nothing else."""
    return profile(space, {b"desc": _description(name)})


def _description(name):
    text = name.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)


def cmyk(cyan_lightness=50):
    """Make a CMYK profile in which black is black, and any other ink of a full amount is grey."""
    corners = b""
    for corner in range(16):
        cyan, magenta, yellow, black = (corner >> bit & 1 for bit in (3, 2, 1, 0))
        lightness = 0 if black else 100 if not cyan + magenta + yellow else cyan_lightness
        corners += bytes([round(lightness * 255 / 100), 128, 128])
    ramp = bytes(range(256))
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + matrix + ramp * 4 + corners + ramp * 3
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
    copyright_text = b"text\0\0\0\0none\0"
    tags = {b"desc": _description("Test CMYK"), b"cprt": copyright_text, b"wtpt": white}
    return profile(b"CMYK", tags | {b"A2B0": lut}, kind=b"prtr", pcs=b"Lab ")
