"""GIF: frames by hand, for Pillow composes some otherwise and takes damaged ones; LZW by Pillow.

Up to 256 colours a frame, transparency that is all or nothing, animation. The screen grows to hold
the first frame, as viewers have it; what later frames have beyond it is cut off.

References
----------
W3C, GIF89a specification: sections 18 (screen), 20 (image), 23 (graphic control), 26 (application).
The Netscape extension: a number of repetitions, 0 for ever.
"""

import io
import struct
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from convtool.errors import ImageFormatError, ImageReadError
from convtool.images.codec import Decoded, Header
from convtool.images.codecs.animation import CLEAR, LEAVE, RESTORE, Patch, compose
from convtool.images.codecs.binary import unpack
from convtool.images.codecs.pillow import strictly
from convtool.images.image import Document, Image, Metadata, Pixels
from convtool.images.options import ReadOptions, WriteOptions
from convtool.records import Record, replace

LARGEST = 65535
_COLOURS = 256
_IMAGE, _EXTENSION, _END = 0x2C, 0x21, 0x3B
_CONTROL, _COMMENT, _APPLICATION = 0xF9, 0xFE, 0xFF
_REPEATS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_XMP, _ICC = b"XMP DataXMP", b"ICCRGBG1012"
_XMP_END = bytes([1, *range(255, -1, -1), 0])
"""What leads a reader of sub-blocks from any place within the packet to its end."""

_DISPOSALS = {2: CLEAR, 3: RESTORE}
_HUNDREDTH = 10.0
_MOST_FRAMES = 50_000


class _Frame(Record):
    """One image block: its place, what controls it, its palette and its bytes in the file."""

    left: int
    top: int
    width: int
    height: int
    duration: float
    disposal: int
    transparent: int | None
    palette: bytes
    descriptor: bytes
    content: bytes


class _Screen(Record):
    width: int
    height: int
    frames: tuple[_Frame, ...]
    loop: int
    comments: tuple[bytes, ...]
    icc: bytes
    xmp: bytes
    notes: tuple[str, ...]

    @property
    def has_alpha(self) -> bool:
        """Whether any pixel of any frame can be clear."""
        first = self.frames[0]
        whole = (first.left, first.top, first.width, first.height)
        return (
            whole != (0, 0, self.width, self.height)
            or any(frame.disposal == CLEAR for frame in self.frames[:-1])
            or any(frame.transparent is not None for frame in self.frames[:1])
            or (first.disposal == RESTORE and len(self.frames) > 1)
        )


def _palette(data: bytes, position: int, flags: int) -> bytes:
    size = 3 * (2 << (flags & 7)) if flags & 0x80 else 0
    if position + size > len(data):
        raise ImageReadError("is cut off: it ends within a palette")
    return data[position : position + size]


def _blocks(data: bytes, position: int) -> tuple[bytes, int]:
    """Return the contents of a chain of sub-blocks, joined, and where it ends."""
    parts: list[bytes] = []
    while True:
        (length,) = unpack("B", data, position)
        position += 1
        if not length:
            return b"".join(parts), position
        if position + length > len(data):
            raise ImageReadError("is cut off: it ends within a block")
        parts.append(data[position : position + length])
        position += length


def _screen(data: bytes) -> _Screen:
    """Read the whole structure of a file, without decompressing anything."""
    width, height, flags = unpack("<HHB", data, 6)
    shared = _palette(data, 13, flags)
    position = 13 + len(shared)
    frames: list[_Frame] = []
    comments: list[bytes] = []
    control, loop = b"\0\0\0\0", 1
    icc = xmp = b""
    while True:
        (kind,) = unpack("B", data, position)
        if kind == _END:
            break
        if kind == _EXTENSION:
            (label,) = unpack("B", data, position + 1)
            content, end = _blocks(data, position + 2)
            if label == _CONTROL and len(content) >= len(control):
                control = content
            elif label == _COMMENT:
                comments.append(content)
            elif label == _APPLICATION and content[:11] in _REPEATS and len(content) >= 14:
                (repeats,) = unpack("<H", content, 12)
                loop = repeats + 1 if repeats else 0
            elif label == _APPLICATION and content.startswith(_ICC):
                icc = content[len(_ICC) :]
            elif label == _APPLICATION and content.startswith(_XMP):
                packet = data[position + 3 + len(_XMP) : end]
                xmp = packet.removesuffix(_XMP_END)
            position = end
        elif kind == _IMAGE:
            frame, position = _frame(data, position, control, shared)
            frames.append(frame)
            if len(frames) > _MOST_FRAMES:
                raise ImageReadError(f"has more than {_MOST_FRAMES} frames, the limit")
            control = b"\0\0\0\0"
        else:
            raise ImageReadError(f"is damaged: it has a block of the unknown kind {kind}")
    if not frames:
        raise ImageReadError("is damaged: it has no picture")
    screen = width, height
    width = max(width, frames[0].left + frames[0].width)
    height = max(height, frames[0].top + frames[0].height)
    notes = []
    if 0 not in screen and screen != (width, height):
        notes.append(f"its first picture reaches over the screen of {screen[0]}×{screen[1]}")
    if any(f.left + f.width > width or f.top + f.height > height for f in frames):
        notes.append("some of its frames reach over the picture and were cut")
    return _Screen(width, height, tuple(frames), loop, tuple(comments), icc, xmp, tuple(notes))


def _frame(data: bytes, position: int, control: bytes, shared: bytes) -> tuple[_Frame, int]:
    left, top, width, height, flags = unpack("<HHHHB", data, position + 1)
    own = _palette(data, position + 10, flags)
    start = position + 10 + len(own)
    _, end = _blocks(data, start + 1)
    packed, delay, index = unpack("<BHB", control, 0)
    palette = own or shared
    if not width * height or not palette:
        raise ImageReadError("is damaged: a frame of it has no size or no palette")
    frame = _Frame(
        left,
        top,
        width,
        height,
        delay * _HUNDREDTH,
        _DISPOSALS.get(packed >> 2 & 7, LEAVE),
        index if packed & 1 else None,
        palette,
        struct.pack("<BHHHHB", _IMAGE, 0, 0, width, height, flags & 0x40),
        data[start:end],
    )
    return frame, end


def inspect(data: bytes) -> Header:
    """Read size, transparency, frames and comments."""
    return _header(_screen(data))


def _header(screen: _Screen) -> Header:
    texts = [("Comment", comment.decode("latin-1")) for comment in screen.comments]
    return Header(
        screen.width,
        screen.height,
        4 if screen.has_alpha else 3,
        "uint8",
        screen.has_alpha,
        pages=len(screen.frames),
        metadata=Metadata(icc=screen.icc, xmp=screen.xmp, text=tuple(texts)),
        notes=screen.notes,
        loop=screen.loop,
    )


def inspect_all(data: bytes) -> tuple[Header, ...]:
    """Give each frame the header of all, with its duration."""
    screen = _screen(data)
    header = _header(screen)
    return tuple(replace(header, duration=frame.duration) for frame in screen.frames)


def decode(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    """Decode the first frame."""
    return next(decode_all(data, (header,), options, 0))


def decode_all(
    data: bytes, headers: Sequence[Header], options: ReadOptions, start: int
) -> Iterator[Decoded]:
    """Decode the frames, each as a whole picture."""
    header = headers[0]
    shape = (header.height, header.width, 4)
    patches = (_patch(frame, *shape[:2]) for frame in _screen(data).frames)
    for number, canvas in enumerate(compose(patches, shape)):
        if number >= start:
            yield Decoded(np.ascontiguousarray(canvas[:, :, : header.channels]))


def _patch(frame: _Frame, height: int, width: int) -> Patch:
    indices = _indices(frame)
    table = np.zeros((_COLOURS, 4), np.uint8)
    colours = np.frombuffer(frame.palette, np.uint8).reshape(-1, 3)
    table[: len(colours), :3] = colours
    table[: len(colours), 3] = 255
    if int(indices.max()) >= len(colours) and int(indices.max()) != frame.transparent:
        raise ImageReadError("is damaged: a pixel's colour is not in its palette")
    if frame.transparent is not None:
        table[frame.transparent] = 0
    left, top = min(frame.left, width), min(frame.top, height)
    pixels = table[indices[: height - top, : width - left]]
    return Patch(pixels, left, top, frame.disposal, blends=True)


def _indices(frame: _Frame) -> NDArray[np.uint8]:
    """Decompress a frame, alone in a file with a palette of greys."""
    from PIL.GifImagePlugin import GifImageFile

    greys = bytes(value for grey in range(_COLOURS) for value in (grey, grey, grey))
    head = b"GIF89a" + struct.pack("<HHBBB", frame.width, frame.height, 0xF7, 0, 0)
    file = head + greys + frame.descriptor + frame.content + bytes([_END])
    with strictly(), GifImageFile(io.BytesIO(file)) as picture:
        indices = np.asarray(picture)
    if indices.shape != (frame.height, frame.width):
        raise ImageReadError("is damaged: a frame decodes to another size than it says")
    return indices


def encode(image: Image, options: WriteOptions) -> bytes:
    """Encode a still picture."""
    return _file([image], [None], 1, options)


def encode_all(document: Document, options: WriteOptions) -> bytes:
    """Encode an animation of whole frames, each with a palette of its own."""
    return _file(document.pages, document.durations, document.loop, options)


def _file(
    images: Sequence[Image], durations: Sequence[float | None], loop: int, options: WriteOptions
) -> bytes:
    first = images[0]
    if max(first.width, first.height) > LARGEST:
        raise ImageFormatError(
            f"GIF holds at most {LARGEST} pixels a side, this picture has "
            f"{first.width}×{first.height}; write PNG"
        )
    parts = [b"GIF89a", struct.pack("<HHBBB", first.width, first.height, 0x70, 0, 0)]
    if loop != 1:
        repeats = min(max(loop - 1, 0), LARGEST)
        parts.append(b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", repeats) + b"\0")
    known = first.metadata
    if known.icc:
        parts.append(b"\x21\xff" + _in_blocks(_ICC, known.icc))
    if known.xmp:
        parts.append(b"\x21\xff\x0b" + _XMP + known.xmp + _XMP_END)
    comments = [text.encode("latin-1", "replace") for _, text in known.text]
    parts += [b"\x21\xfe" + _in_blocks(comment) for comment in comments]
    for image, duration in zip(images, durations, strict=True):
        parts.append(_block(image, duration, options.quantize))
    return b"".join([*parts, bytes([_END])])


def _in_blocks(*contents: bytes) -> bytes:
    """Return contents as a chain of sub-blocks, each content from a block of its own on."""
    blocks = [part[n : n + 255] for part in contents for n in range(0, len(part), 255)]
    return b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def _block(image: Image, duration: float | None, quantize: bool) -> bytes:
    """Return the control and image blocks of one frame, which replaces what was there before."""
    indices, palette, transparent = _indexed(image, quantize)
    delay = min(round((duration or 0) / _HUNDREDTH), LARGEST)
    packed = 2 << 2 if duration is not None and image.has_alpha else 0
    packed |= transparent is not None
    control = struct.pack("<BBBBHBB", _EXTENSION, _CONTROL, 4, packed, delay, transparent or 0, 0)
    bits = max(1, int(len(palette) // 3 - 1).bit_length())
    table = palette.ljust(3 * 2**bits, b"\0")
    place = struct.pack("<BHHHHB", _IMAGE, 0, 0, image.width, image.height, 0x80 | (bits - 1))
    return control + place + table + _compressed(indices)


def _compressed(indices: NDArray[np.uint8]) -> bytes:
    """Compress indices; the code size stands before the blocks."""
    from PIL import Image as Pillow

    height, width = indices.shape
    picture = Pillow.frombytes("L", (width, height), indices.tobytes())
    file = io.BytesIO()
    picture.save(file, "GIF", optimize=False, interlace=False)
    made = _screen(file.getvalue()).frames[0]
    return made.content


def _indexed(image: Image, quantize: bool) -> tuple[NDArray[np.uint8], bytes, int | None]:
    """Return indices (H, W), the palette, and which index is clear, if any."""
    colours = _as_colours(image)
    clear = colours[:, :, 3] == 0
    partly = bool(((colours[:, :, 3] > 0) & (colours[:, :, 3] < 255)).any())
    if partly and not quantize:
        raise ImageFormatError(
            "GIF holds no partial transparency, this picture has some; write PNG or WebP, "
            "or use `quantize=True` or `background='white'`"
        )
    if partly:
        clear = colours[:, :, 3] < 128
    room = _COLOURS - bool(clear.any())
    packed = np.ascontiguousarray(colours[:, :, :3]).astype(np.uint32)
    keys = packed[:, :, 0] << 16 | packed[:, :, 1] << 8 | packed[:, :, 2]
    keys[clear] = 0
    used, inverse = np.unique(keys[~clear], return_inverse=True)
    indices = np.zeros(clear.shape, np.uint8)
    if used.size <= room:
        indices[~clear] = inverse
        palette = np.stack([used >> 16, used >> 8 & 255, used & 255], axis=-1).astype(np.uint8)
    elif quantize:
        indices, palette = _quantized(colours[:, :, :3], room)
    else:
        raise ImageFormatError(
            f"GIF holds at most {room} colours a frame here, this picture has {used.size}; "
            "write PNG or WebP, or use `quantize=True`"
        )
    transparent = len(palette) if clear.any() else None
    if transparent is not None:
        indices[clear] = transparent
    table = palette.tobytes() + (b"\0\0\0" if transparent is not None else b"")
    return indices, table or b"\0\0\0", transparent


def _as_colours(image: Image) -> Pixels:
    pixels = image.pixels if image.pixels.ndim == 3 else image.pixels[:, :, np.newaxis]
    opaque = np.full((*pixels.shape[:2], 1), 255, np.uint8)
    alpha = pixels[:, :, -1:] if image.has_alpha else opaque
    colours = pixels[:, :, :-1] if image.has_alpha else pixels
    if colours.shape[2] == 1:
        colours = np.repeat(colours, 3, axis=2)
    return np.concatenate([colours, alpha], axis=2)


def _quantized(colours: Pixels, room: int) -> tuple[NDArray[np.uint8], Pixels]:
    """Find the best colours by median cut, and take the nearest for each pixel, not dithered."""
    from PIL import Image as Pillow

    height, width = colours.shape[:2]
    picture = Pillow.frombytes("RGB", (width, height), np.ascontiguousarray(colours).tobytes())
    few = picture.quantize(room, Pillow.Quantize.MEDIANCUT, dither=Pillow.Dither.NONE)
    palette = np.array(few.getpalette() or [0, 0, 0], np.uint8).reshape(-1, 3)[:room]
    return np.array(few, np.uint8), palette
