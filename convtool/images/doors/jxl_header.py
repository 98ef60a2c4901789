"""The header of a JPEG XL file, which imagecodecs does not show.

References
----------
ISO/IEC 18181-1:2022, annex D (image header), B.2 (numbers); 18181-2, 9 (boxes).
"""

import struct

from convtool.errors import ImageReadError
from convtool.images.codec import Header
from convtool.images.codecs import jp2_boxes
from convtool.images.codecs.exif_facts import resolution_in
from convtool.images.image import Metadata
from convtool.records import Record

_START = b"\xff\x0a"
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
_ALPHA, _GREY = 0, 1
_Choice = tuple[int, int]


class JxlFacts(Record):
    """The header, how many bits its samples have, and whether colours are multiplied by alpha."""

    header: Header
    bits: int
    premultiplied: bool


class _Bits:
    """Reads numbers, the lowest bit of the first byte first."""

    def __init__(self, data: bytes) -> None:
        self._number, self._place, self._end = int.from_bytes(data, "little"), 0, 8 * len(data)

    def take(self, count: int) -> int:
        if self._place + count > self._end:
            raise ImageReadError("is cut off or damaged: it ends within its header")
        found = self._number >> self._place & ((1 << count) - 1)
        self._place += count
        return found

    def choose(self, *choices: _Choice) -> int:
        """Return one of four numbers: an offset and so many bits more."""
        offset, count = choices[self.take(2)]
        return offset + self.take(count)

    def enumeration(self) -> int:
        return self.choose((0, 0), (1, 0), (2, 4), (18, 6))

    def size(self) -> tuple[int, int]:
        """Return width and height."""
        if self.take(1):
            height = 8 * (1 + self.take(5))
            across = None
        else:
            height = self._length()
            across = self._length
        ratio = self.take(3)
        if ratio:
            top, bottom = _RATIOS[ratio]
            return height * top // bottom, height
        return (across() if across else 8 * (1 + self.take(5))), height

    def _length(self) -> int:
        return self.choose((1, 9), (1, 13), (1, 18), (1, 30))

    def depth(self) -> tuple[int, bool]:
        """Return the bits of a sample, and whether it is a float."""
        if self.take(1):
            bits = self.choose((32, 0), (16, 0), (24, 0), (1, 6))
            self.take(4)
            return bits, True
        return self.choose((8, 0), (10, 0), (12, 0), (1, 6)), False


def facts_of(data: bytes) -> JxlFacts:
    """Read the boxes and the header of the codestream.

    Raises
    ------
    ImageReadError
        If the file ends within them, or they are damaged.
    """
    if data.startswith(_START):
        return _stream_facts(data[:4096], Metadata(), ())
    found: dict[bytes, bytes] = {}
    for kind, start, end in jp2_boxes.boxes(data):
        skipped = 4 if kind == b"jxlp" else 0
        name = b"jxlc" if kind == b"jxlp" else kind
        found.setdefault(name, data[start + skipped : end])
    exif = found.get(b"Exif", b"")
    (offset,) = struct.unpack(">I", exif[:4]) if len(exif) >= 4 else (0,)
    exif = exif[4 + offset :]
    told = Metadata(exif=exif, xmp=found.get(b"xml ", b""), resolution=resolution_in(exif))
    notes = []
    if b"brob" in found:
        notes.append("its metadata in compressed boxes are left out")
    if b"jbrd" in found:
        notes.append("what restores the JPEG that it was made from is left out")
    return _stream_facts(found.get(b"jxlc", b"")[:4096], told, tuple(notes))


def _stream_facts(stream: bytes, told: Metadata, notes: tuple[str, ...]) -> JxlFacts:
    if not stream.startswith(_START):
        raise ImageReadError("is cut off or damaged: it holds no codestream")
    bits = _Bits(stream[2:])
    width, height = bits.size()
    depth, floats, kinds, premultiplied, grey = 8, False, [], False, False
    remarks = list(notes)
    if not bits.take(1):  # else all is as usual
        if bits.take(1):
            turned = bits.take(3) >= 4
            width, height = (height, width) if turned else (width, height)
            if bits.take(1):
                bits.size()
            if bits.take(1):
                _skip_preview(bits)
            if bits.take(1):
                remarks.append("is an animation; only its first frame is read")
                _skip_animation(bits)
        depth, floats = bits.depth()
        bits.take(1)
        for _ in range(bits.choose((0, 0), (1, 0), (2, 4), (1, 12))):
            kind, multiplied = _extra_channel(bits)
            kinds.append(kind)
            premultiplied |= multiplied
        bits.take(1)
        if not bits.take(1):
            if bits.take(1):
                remarks.append("its ICC profile is left out")
            grey = bits.enumeration() == _GREY
    if [kind for kind in kinds if kind != _ALPHA] or len(kinds) > 1:
        remarks.append("its channels besides colour and alpha are left out")
    alpha = _ALPHA in kinds
    dtype = "float32" if floats or depth > 16 else "uint16" if depth > 8 else "uint8"
    header = Header(
        width,
        height,
        (1 if grey else 3) + alpha,
        dtype,
        has_alpha=alpha,
        metadata=told,
        notes=tuple(remarks),
    )
    return JxlFacts(header, depth, premultiplied)


def _skip_preview(bits: _Bits) -> None:
    if bits.take(1):
        bits.choose((16, 0), (32, 0), (1, 5), (33, 9))
        ratio = bits.take(3)
        if not ratio:
            bits.choose((16, 0), (32, 0), (1, 5), (33, 9))
        return
    bits.choose((1, 6), (65, 8), (321, 10), (1345, 12))
    if not bits.take(3):
        bits.choose((1, 6), (65, 8), (321, 10), (1345, 12))


def _skip_animation(bits: _Bits) -> None:
    bits.choose((100, 0), (1000, 0), (1, 10), (1, 30))
    bits.choose((1, 0), (1001, 0), (1, 8), (1, 10))
    bits.choose((0, 0), (0, 3), (0, 16), (0, 32))
    bits.take(1)


def _extra_channel(bits: _Bits) -> tuple[int, bool]:
    """Return the kind of a channel, and whether it is alpha that is multiplied in."""
    if bits.take(1):
        return _ALPHA, False
    kind = bits.enumeration()
    bits.depth()
    bits.choose((0, 0), (3, 0), (4, 0), (1, 3))
    bits.take(8 * bits.choose((0, 0), (0, 4), (16, 5), (48, 10)))
    if kind == _ALPHA:
        return kind, bool(bits.take(1))
    if kind == 2:
        bits.take(64)
    if kind == 5:
        bits.choose((1, 0), (0, 2), (3, 4), (19, 8))
    return kind, False
