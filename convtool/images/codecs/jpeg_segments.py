"""The segments of a JPEG: where each marker is and how far its content goes.

References
----------
ITU-T T.81, annex B.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from convtool.errors import ImageReadError
from convtool.images.codecs.binary import unpack

SOS, EOI, DQT = 0xDA, 0xD9, 0xDB
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
EOI_BYTES = b"\xff\xd9"

_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])", re.DOTALL)
"""A marker, any fill bytes (0xFF) before it left aside. Beginning with one literal byte it is found
fifteen times as fast as with any number of them."""


class Segment(NamedTuple):
    """A marker, and where its content is."""

    marker: int
    start: int
    end: int


def next_segment(data: bytes, position: int) -> Segment:
    """Return the first segment from a position on; restart markers are passed over."""
    found = _MARKER.search(data, position)
    if found is None:
        raise ImageReadError("is cut off: it ends without its end marker")
    marker = found.group(1)[0]
    if marker == EOI:
        return Segment(marker, found.end(), found.end())
    (length,) = unpack(">H", data, found.end())
    return Segment(marker, found.end() + 2, found.end() + max(length, 2))


def segments(data: bytes) -> list[Segment]:
    """List the segments up to the first scan."""
    found = []
    position = 2
    while True:
        segment = next_segment(data, position)
        if segment.marker == EOI:
            raise ImageReadError("is damaged: it has no picture before its end marker")
        found.append(segment)
        if segment.marker == SOS:
            return found
        position = segment.end


def frame_of(found: Sequence[Segment]) -> Segment:
    """Return the frame header: precision, height, width, channels."""
    frame = next((segment for segment in found if segment.marker in FRAMES), None)
    if frame is None:
        raise ImageReadError("is damaged: it has no frame header")
    return frame
