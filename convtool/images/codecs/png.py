"""PNG: chunks by hand, for no library gives all samples and metadata as stored; pixels by OpenCV.

1 to 16 bits a channel, grey, colour or palette, with alpha, with a transparent colour.
OpenCV loses the alpha of grey pictures, and follows side chunks of its choice. So it is given only
the compressed pixels, under a header that makes it return the stored samples as they are: PNG's
row filters work on bytes, and so a grey-alpha picture of 8 bits decodes as 16-bit grey, one of 16
bits as 8-bit colour with alpha, and a palette picture as grey.

References
----------
W3C, Portable Network Graphics (third edition): 5 (chunks), 9 (filters), 11 (chunk contents).
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from convtool.errors import ImageReadError
from convtool.images.codec import Decoded, Header
from convtool.images.codecs import apng, opencv
from convtool.images.codecs.binary import unpack
from convtool.images.codecs.chunks import SIGNATURE, chunk, chunks, file_of
from convtool.images.codecs.exif_facts import orientation_in
from convtool.images.codecs.png_metadata import chunks_of, metadata_of
from convtool.images.image import Document, Image, Pixels
from convtool.images.options import ReadOptions, WriteOptions
from convtool.records import Record, replace

_GREY, _COLOUR, _PALETTE, _GREY_ALPHA, _COLOUR_ALPHA = 0, 2, 3, 4, 6
_PIXELS = (b"IDAT", b"fdAT")
_COLOURING = (b"PLTE", b"tRNS")
_DEPTHS = {
    _GREY: (1, 2, 4, 8, 16),
    _COLOUR: (8, 16),
    _PALETTE: (1, 2, 4, 8),
    _GREY_ALPHA: (8, 16),
    _COLOUR_ALPHA: (8, 16),
}
_CHANNELS = {_GREY: 1, _COLOUR: 3, _PALETTE: 3, _GREY_ALPHA: 2, _COLOUR_ALPHA: 4}
_STAND_IN = {
    (_GREY_ALPHA, 8): (_GREY, 16),
    (_GREY_ALPHA, 16): (_COLOUR_ALPHA, 8),
    (_PALETTE, 1): (_GREY, 1),
    (_PALETTE, 2): (_GREY, 2),
    (_PALETTE, 4): (_GREY, 4),
    (_PALETTE, 8): (_GREY, 8),
}
"""Colour type and bit depth -> those under which OpenCV returns the stored samples."""


class _PngLayout(Record):
    width: int
    height: int
    bits: int
    colour: int
    interlace: int


def _layout(data: bytes) -> _PngLayout:
    length, name, width, height, bits, colour, method, filtering, interlace = unpack(
        ">I4sIIBBBBB", data, len(SIGNATURE)
    )
    if name != b"IHDR" or length != 13 or bits not in _DEPTHS.get(colour, ()) or not width * height:
        raise ImageReadError("is damaged: its header makes no sense")
    if method or filtering or interlace > 1:
        raise ImageReadError("has a compression, filter or interlace method that is not read")
    return _PngLayout(width, height, bits, colour, interlace)


def inspect(data: bytes) -> Header:
    """Read size, kind, transparency and orientation from the chunks around the pixels."""
    layout = _layout(data)
    found = chunks(data, unchecked=_PIXELS)
    side = [(name, data[start:end]) for name, start, end in found if name not in _PIXELS]
    metadata, notes = metadata_of(side)
    names = {name for name, _ in side}
    channels = _CHANNELS[layout.colour]
    if b"tRNS" in names and channels in (1, 3):
        channels += 1
    dtype = "uint16" if layout.bits == 16 else "uint8"
    frames, loop = apng.extent(data) if b"acTL" in names else (1, 0)
    if b"acTL" in names:
        notes += apng.left_out(data, frames)
    if frames > 1 and channels in (1, 3) and apng.shows_through(data, layout.width, layout.height):
        channels += 1
    return Header(
        layout.width,
        layout.height,
        channels,
        dtype,
        channels in (2, 4),
        orientation_in(metadata.exif),
        frames,
        metadata=metadata,
        notes=notes,
        loop=loop,
    )


def inspect_all(data: bytes) -> tuple[Header, ...]:
    """Give each frame of an animation the header of all, with its duration."""
    header = inspect(data)
    frames = apng.frames(data) if header.pages > 1 else []
    return tuple(replace(header, duration=frame.duration) for frame in frames) or (header,)


def decode(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    """Decode the stored samples and put palette and transparency to use."""
    if header.pages > 1:
        return next(decode_all(data, (header,), options, 0))
    layout, parts, side = _layout(data), [], {}
    for name, start, end in chunks(data):
        if name == b"IDAT":
            parts.append(data[start - 8 : end + 4])
        elif name in _COLOURING:
            side[name] = data[start:end]
    if not parts:
        raise ImageReadError("is damaged: it has no pixels")
    return Decoded(_coloured(_samples(layout, parts), layout, side))


def decode_all(
    data: bytes, headers: Sequence[Header], options: ReadOptions, start: int
) -> Iterator[Decoded]:
    """Decode the frames of an animation, each as a whole picture."""
    header, layout, side = headers[0], _layout(data), _side(data)

    def pixels(frame: apng.Frame) -> Pixels:
        own = replace(layout, width=frame.width, height=frame.height)
        return _coloured(_samples(own, [chunk(b"IDAT", frame.data)]), own, side)

    shape = (header.height, header.width, header.channels)
    for number, canvas in enumerate(apng.composed(data, pixels, shape)):
        if number >= start:
            yield Decoded(canvas)


def _side(data: bytes) -> dict[bytes, bytes]:
    return {name: data[start:end] for name, start, end in chunks(data) if name in _COLOURING}


def _coloured(samples: Pixels, layout: _PngLayout, side: dict[bytes, bytes]) -> Pixels:
    if layout.colour == _PALETTE:
        return _look_up(samples, side, 4 if b"tRNS" in side else 3)
    if b"tRNS" in side and layout.colour in (_GREY, _COLOUR):
        return _with_key(samples, layout, side[b"tRNS"])
    return samples


def _samples(layout: _PngLayout, parts: list[bytes]) -> Pixels:
    """Decode the samples: (H, W) palette indices, or (H, W[, C]) values in full range."""
    colour, bits = _STAND_IN.get((layout.colour, layout.bits), (layout.colour, layout.bits))
    file = file_of(layout.width, layout.height, bits, colour, parts, interlace=layout.interlace)
    pixels, _ = opencv.decode(file)
    if pixels.shape[:2] != (layout.height, layout.width):
        raise ImageReadError("is damaged: it decodes to another size than its header says")
    if layout.colour == _GREY_ALPHA:
        return _split_grey_alpha(pixels, layout.bits)
    if layout.colour == _PALETTE:
        indices: Pixels = pixels // np.uint8(255 // (2**layout.bits - 1))
        return indices
    return pixels


def _split_grey_alpha(stored: Pixels, bits: int) -> Pixels:
    """Take grey-alpha pairs apart, which were decoded as 16-bit grey or as 8-bit colour."""
    if bits == 8:
        return np.stack([stored >> 8, stored & 0xFF], axis=-1).astype(np.uint8)
    wide = stored.astype(np.uint16)
    return (wide[:, :, 0::2] << 8) | wide[:, :, 1::2]


def _look_up(indices: Pixels, side: dict[bytes, bytes], channels: int) -> Pixels:
    """Replace palette indices by colours, with alpha where the palette has it."""
    stored = np.frombuffer(side.get(b"PLTE", b""), np.uint8)
    if stored.size == 0 or stored.size % 3 or stored.size > 768:
        raise ImageReadError("is damaged: its palette is missing or makes no sense")
    palette = np.zeros((256, channels), np.uint8)
    palette[: stored.size // 3, :3] = stored.reshape(-1, 3)
    if channels == 4:
        alpha = np.frombuffer(side[b"tRNS"][:256], np.uint8)
        palette[:, 3] = 255
        palette[: alpha.size, 3] = alpha
    if int(indices.max()) >= stored.size // 3:
        raise ImageReadError("is damaged: a pixel's colour is not in its palette")
    return palette[indices]


def _with_key(samples: Pixels, layout: _PngLayout, key: bytes) -> Pixels:
    """Append an alpha channel that is 0 where a pixel has the transparent colour."""
    channels = 1 if samples.ndim == 2 else 3
    colour = np.array(unpack(f">{channels}H", key, 0)) & (2**layout.bits - 1)
    if layout.bits < 8:
        colour = colour * (255 // (2**layout.bits - 1))
    planes = samples.reshape(layout.height, layout.width, channels)
    alpha = np.where((planes == colour).all(axis=2), 0, np.iinfo(samples.dtype).max)
    return np.dstack([planes, alpha.astype(samples.dtype)])


def encode(image: Image, options: WriteOptions) -> bytes:
    """Encode in the depth of the pixels."""
    return _file(image, _compressed(image.pixels), chunks_of(image.metadata))


def encode_all(document: Document, options: WriteOptions) -> bytes:
    """Encode an animation of whole frames."""
    first = document.pages[0]
    frames = [_compressed(page.pixels) for page in document.pages]
    size = (first.width, first.height)
    control, parts = apng.assembled(frames, size, document.durations, document.loop)
    return _file(first, parts, [control, *chunks_of(first.metadata)], compressed=False)


def _file(
    image: Image,
    parts: Iterable[bytes],
    side: Iterable[tuple[bytes, bytes]],
    compressed: bool = True,
) -> bytes:
    colour = {1: _GREY, 2: _GREY_ALPHA, 3: _COLOUR, 4: _COLOUR_ALPHA}[image.channels]
    whole = [chunk(b"IDAT", part) for part in parts] if compressed else parts
    bits = 8 * image.pixels.itemsize
    return file_of(image.width, image.height, bits, colour, whole, side=side)


def _compressed(pixels: Pixels) -> list[bytes]:
    """Return the contents of the chunks with the pixels."""
    stored = _joined_grey_alpha(pixels) if pixels.shape[2:] == (2,) else pixels
    file = opencv.encode(".png", stored, {})
    return [file[start:end] for name, start, end in chunks(file, _PIXELS) if name == b"IDAT"]


def _joined_grey_alpha(pixels: Pixels) -> Pixels:
    """Lay grey-alpha pairs out as 16-bit grey, or as 8-bit colour with alpha."""
    if pixels.dtype == np.uint8:
        joined: Pixels = (pixels[:, :, 0].astype(np.uint16) << 8) | pixels[:, :, 1]
        return joined
    stored = np.empty((*pixels.shape[:2], 4), np.uint8)
    stored[:, :, 0::2] = pixels >> 8
    stored[:, :, 1::2] = pixels & 0xFF
    return stored
