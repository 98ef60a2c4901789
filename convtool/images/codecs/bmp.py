"""BMP, by hand: Pillow takes files cut within their last row, and colours outside the palette.

8 bits a channel or less; grey, palette, colour, and alpha where a mask says so.

References
----------
Microsoft, "Bitmap Storage", BITMAPCOREHEADER, BITMAPINFOHEADER and BITMAPV5HEADER: the headers, the
order of bytes in a pixel, the meaning of masks; "Bitmap Compression": the run lengths.
"""

import struct

import numpy as np

from convtool.errors import ImageReadError
from convtool.images.codec import Decoded, Header
from convtool.images.codecs.binary import unpack
from convtool.images.codecs.bmp_runs import indices_of
from convtool.images.image import Coding, Image, Metadata, Pixels
from convtool.images.options import ReadOptions, WriteOptions
from convtool.records import Record

_CORE, _INFO, _WITH_ALPHA_MASK, _V4, _V5 = 12, 40, 56, 108, 124
_SRGB, _EMBEDDED, _LINKED = b"BGRs", b"DEBM", b"KNIL"
"""Colour spaces, least significant byte first."""
_RGB, _RLE8, _RLE4, _BITFIELDS, _ALPHA_BITFIELDS = 0, 1, 2, 3, 6
_RUNS = {_RLE8: 8, _RLE4: 4}
_NAMES = {_RLE8: "RLE", _RLE4: "RLE"}
_MASKED = (_BITFIELDS, _ALPHA_BITFIELDS)
_MASKS = {16: (0x7C00, 0x3E0, 0x1F), 32: (0xFF0000, 0xFF00, 0xFF)}
_MOST_IN_TWO_BYTES = 255
_INCH = 0.0254
_COLOURS = 256


class _BmpLayout(Record):
    """What the header says, and the palette."""

    width: int
    height: int
    bits: int
    compression: int
    top_down: bool
    start: int
    palette: Pixels
    masks: tuple[int, ...]

    @property
    def row_bytes(self) -> int:
        """Bytes of a row, padding included."""
        return (self.width * self.bits + 31) // 32 * 4

    @property
    def is_grey(self) -> bool:
        """Whether every colour of the palette is grey."""
        return self.bits <= 8 and bool((self.palette == self.palette[:, :1]).all())


def _layout(data: bytes) -> _BmpLayout:
    start, size = unpack("<II", data, 10)
    compression, used = _RGB, 0
    if size == _CORE:
        width, height, _, bits = unpack("<HHHH", data, 18)
    elif size >= _INFO:
        width, height, _, bits, compression = unpack("<iiHHI", data, 18)
        (used,) = unpack("<I", data, 46)
    else:
        raise ImageReadError(f"is damaged: its header claims to have {size} bytes")
    if width <= 0 or height == 0 or bits not in (1, 4, 8, 16, 24, 32):
        raise ImageReadError(f"is damaged: {width}×{height} pixels of {bits} bits")
    if compression not in (_RGB, *_RUNS, *_MASKED):
        raise ImageReadError(f"has the BMP compression {compression}, which is not read")
    fits = _RUNS.get(compression, bits) == bits and (compression not in _MASKED or bits in _MASKS)
    if not fits or (compression in _RUNS and height < 0):
        raise ImageReadError(f"is damaged: its compression does not go with {bits} bits")
    masks = _masks(data, size, bits, compression)
    end = 14 + size + (4 * len(masks) if compression in _MASKED and size == _INFO else 0)
    palette = _palette(data, size, bits, used, start)
    if start < end + (palette.size // 3 * (3 if size == _CORE else 4) if bits <= 8 else 0):
        raise ImageReadError("is damaged: its pixels lie within its header")
    layout = _BmpLayout(width, abs(height), bits, compression, height < 0, start, palette, masks)
    _check_size(layout, len(data))
    return layout


def _check_size(layout: _BmpLayout, length: int) -> None:
    """Refuse a file that cannot hold the pixels that its header claims."""
    needed = layout.start + layout.height * layout.row_bytes
    if layout.compression in _RUNS:
        pixels = layout.width * layout.height
        needed = layout.start + 2 * (pixels // _MOST_IN_TWO_BYTES)
    if needed > length:
        raise ImageReadError(f"is cut off or damaged: it has {length} bytes of {needed}")


def _masks(data: bytes, size: int, bits: int, compression: int) -> tuple[int, ...]:
    """Return the masks of red, green, blue and, where there is one, of alpha."""
    if compression not in _MASKED:
        return _MASKS.get(bits, ())
    masks: tuple[int, ...] = unpack("<3I", data, 54)
    if size >= _WITH_ALPHA_MASK or compression == _ALPHA_BITFIELDS:
        masks += unpack("<I", data, 66)
    masks = masks if masks[-1] else masks[:3]
    if any(not mask or _width(mask) > 8 or mask >> bits for mask in masks):
        raise ImageReadError("has channels of no bits, or of more than 8, which is not read")
    return masks


def _width(mask: int) -> int:
    """Return how many bits a mask spans."""
    return mask.bit_length() - _shift(mask)


def _shift(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


def _palette(data: bytes, size: int, bits: int, used: int, start: int) -> Pixels:
    """Return the palette's colours, shape (N, 3), red first."""
    if bits > 8:
        return np.empty((0, 3), np.uint8)
    step = 3 if size == _CORE else 4
    room = max(0, (start - 14 - size) // step)
    count = min(used or 2**bits, 2**bits, room)
    stored = data[14 + size : 14 + size + count * step]
    if not count or len(stored) < count * step:
        raise ImageReadError("is cut off or damaged: it has no palette")
    return np.frombuffer(stored, np.uint8).reshape(-1, step)[:, 2::-1]


def inspect(data: bytes) -> Header:
    """Read size and kind from the header and the palette."""
    layout = _layout(data)
    has_alpha = len(layout.masks) == 4
    channels = 4 if has_alpha else 1 if layout.is_grey else 3
    coding = Coding(_NAMES.get(layout.compression, ""))
    icc, notes = _profile(data)
    metadata = Metadata(icc=icc, resolution=_resolution(data), coding=coding)
    size = layout.width, layout.height
    return Header(*size, channels, "uint8", has_alpha, metadata=metadata, notes=notes)


def _profile(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return the colour profile, and remarks."""
    (size,) = unpack("<I", data, 14)
    space = data[70:74] if size >= _V5 else b""
    if space == _LINKED:
        return b"", ("its colour profile is in another file, and left out",)
    if space != _EMBEDDED:
        return b"", ()
    offset, length = unpack("<II", data, 126)
    profile = data[14 + offset : 14 + offset + length]
    if not length or len(profile) < length:
        return b"", ("its colour profile is incomplete and left out",)
    return profile, ()


def _resolution(data: bytes) -> tuple[float, float] | None:
    (size,) = unpack("<I", data, 14)
    if size < _INFO:
        return None
    across, down = unpack("<ii", data, 38)
    return (across * _INCH, down * _INCH) if across > 0 and down > 0 else None


def decode(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    """Decode; a fourth byte without a mask is left out."""
    layout = _layout(data)
    if layout.compression in _RUNS:
        rows = indices_of(data[layout.start :], layout.bits, layout.width, layout.height)
    else:
        count = layout.height * layout.row_bytes
        stored = np.frombuffer(data, np.uint8, count, layout.start)
        rows = stored.reshape(layout.height, layout.row_bytes)
        if layout.bits <= 8:
            rows = _unpacked(rows, layout)
    upright = rows if layout.top_down else rows[::-1]
    if layout.bits <= 8:
        return Decoded(_looked_up(upright, layout, header.channels))
    if layout.bits == 24:
        pixels = upright[:, : 3 * layout.width].reshape(layout.height, layout.width, 3)
        return Decoded(np.ascontiguousarray(pixels[:, :, ::-1]))
    return Decoded(_unmasked(upright, layout))


def _unpacked(rows: Pixels, layout: _BmpLayout) -> Pixels:
    """Take indices of 1, 4 or 8 bits apart."""
    if layout.bits == 8:
        return rows[:, : layout.width]
    single = np.unpackbits(rows, axis=1).reshape(layout.height, -1, layout.bits)
    weights = (1 << np.arange(layout.bits - 1, -1, -1)).astype(np.uint8)
    indices: Pixels = (single[:, : layout.width] * weights).sum(axis=2, dtype=np.uint8)
    return indices


def _looked_up(indices: Pixels, layout: _BmpLayout, channels: int) -> Pixels:
    if int(indices.max()) >= len(layout.palette):
        raise ImageReadError("is damaged: a pixel's colour is not in its palette")
    table = layout.palette[:, 0] if channels == 1 else layout.palette
    return np.ascontiguousarray(table)[indices]


def _unmasked(rows: Pixels, layout: _BmpLayout) -> Pixels:
    """Take the channels out of pixels of 16 or 32 bits, each stretched to 8 bits."""
    kind = "<u2" if layout.bits == 16 else "<u4"
    size = layout.bits // 8 * layout.width
    values = np.ascontiguousarray(rows[:, :size]).view(kind)
    planes = []
    for mask in layout.masks:
        peak = 2 ** _width(mask) - 1
        table = np.rint(np.arange(peak + 1) * (255 / peak)).astype(np.uint8)
        planes.append(table[(values & mask) >> _shift(mask)])
    return np.dstack(planes)


def encode(image: Image, options: WriteOptions) -> bytes:
    """Encode; grey with alpha is stored as equal colours with alpha."""
    pixels, icc, (height, width) = image.pixels, image.metadata.icc, image.pixels.shape[:2]
    bits = 32 if image.has_alpha else 8 * image.channels
    order = {1: [0], 2: [0, 0, 0, 1], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[image.channels]
    rows = pixels.reshape(height, width, -1)[::-1, :, order].reshape(height, -1)
    body = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4))).tobytes()
    size = _V5 if icc else _V4 if image.has_alpha else _INFO
    used = _COLOURS if bits == 8 else 0
    compression = _BITFIELDS if image.has_alpha else _RGB
    across, down = _density(image.metadata.resolution or (0, 0))
    start = 14 + size + 4 * used
    info = struct.pack(
        "<IiiHHIIiiII",
        *(size, width, height, 1, bits, compression, len(body), across, down, used, 0),
    )
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000) if image.has_alpha else (0, 0, 0, 0)
    info += struct.pack("<4I4s", *masks, _EMBEDDED if icc else _SRGB) if size > _INFO else b""
    end = struct.pack("<IIII", 0, start - 14 + len(body), len(icc), 0) if icc else b""
    info = info.ljust(size - len(end), b"\0") + end
    greys = bytes(value for grey in range(used) for value in (grey, grey, grey, 0))
    total = start + len(body) + len(icc)
    head = struct.pack("<2sIII", b"BM", total, 0, start)
    return b"".join([head, info, greys, body, icc])


def _density(resolution: tuple[float, float]) -> tuple[int, int]:
    """Return pixels an inch as pixels a metre."""
    across, down = (min(round(value / _INCH), 2**31 - 1) for value in resolution)
    return across, down
