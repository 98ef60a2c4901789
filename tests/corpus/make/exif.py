"""EXIF, XMP and ICC blocks.

References
----------
Exif 2.32, sections 4.5 and 4.6; ICC.1:2010, section 7.
"""

import struct


def exif(orientation, order="<"):
    """Make a TIFF structure that holds an orientation and the name of a maker."""
    mark = b"II" if order == "<" else b"MM"
    maker = b"convtool\0"
    entries = struct.pack(order + "HHII", 271, 2, len(maker), 38)
    entries += struct.pack(order + "HHIHH", 274, 3, 1, orientation, 0)
    body = struct.pack(order + "H", 2) + entries + struct.pack(order + "I", 0)
    return mark + struct.pack(order + "HI", 42, 8) + body + maker


def icc(space=b"GRAY", size=None):
    """Make the smallest profile that has a valid header and a tag table: a description."""
    text = b"convtool\0"
    desc = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)
    desc += bytes(-len(desc) % 4)
    table = struct.pack(">I4sII", 1, b"desc", 128 + 16, len(desc))
    length = 128 + len(table) + len(desc)
    head = struct.pack(">I4sI4s4s4s", length, bytes(4), 0x02100000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    profile = head.ljust(128, b"\0") + table + desc
    return profile if size is None else profile.ljust(size, b"\0")
