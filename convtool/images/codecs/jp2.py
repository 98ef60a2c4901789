"""JPEG 2000: up to 16 bits a channel, grey or colour, with or without alpha; written lossless.

OpenCV and Pillow both decode by OpenJPEG. OpenCV has all depths, but no grey with alpha, offset or
subsampling, and writes nothing below 32 pixels a side; Pillow is the other way round, but has no
16-bit colours. Both are given the channels as stored, for each makes other colours of them.

References
----------
ITU-T T.800: annex A.5.1 (the SIZ segment). OpenJPEG, color.c: sYCC to RGB.
"""

import io

import numpy as np

from convtool.errors import ImageFormatError, ImageReadError
from convtool.images.codec import Decoded, Header
from convtool.images.codecs import jp2_boxes, opencv
from convtool.images.codecs.binary import unpack
from convtool.images.codecs.full_range import to_full_range
from convtool.images.codecs.jp2_boxes import CIELAB, CMYK, CODESTREAM, SYCC, Boxes
from convtool.images.codecs.pillow import strictly
from convtool.images.codecs.stderr import caught, first_line
from convtool.images.codecs.wanted import wanted
from convtool.images.image import Image, Pixels
from convtool.images.options import ReadOptions, WriteOptions
from convtool.records import Record

_END = b"\xff\xd9"
_SMALLEST_FOR_OPENCV = 32
_LOSSLESS_FOR_OPENCV = 1000
_SPACES = (0, CMYK, jp2_boxes.SRGB, jp2_boxes.GREY, SYCC)


class _Size(Record):
    """What the SIZ segment says: ``factors`` are those by which each channel is subsampled."""

    width: int
    height: int
    left: int
    top: int
    tile: int
    bits: int
    factors: tuple[tuple[int, int], ...]

    @property
    def is_plain(self) -> bool:
        """Whether OpenCV decodes it."""
        whole = {(1, 1)} == set(self.factors) and (self.left, self.top) == (0, 0)
        return whole and self.bits >= 8 and len(self.factors) != 2

    @property
    def is_luma_and_chroma(self) -> bool:
        """Whether OpenJPEG takes it for that, whatever its colour space."""
        return len(self.factors) == 3 and self.factors[1][0] != 1

    @property
    def is_even(self) -> bool:
        """Whether Pillow, which rounds the width of subsampled channels down, decodes it."""
        tile = min(self.tile, self.width)
        return not any(self.width % across or tile % across for across, _ in self.factors)


def _size(data: bytes, stream: int) -> _Size:
    if data[stream : stream + 4] != CODESTREAM:
        raise ImageReadError("is damaged: its codestream has no beginning")
    right, bottom, left, top = unpack(">IIII", data, stream + 8)
    (tile,) = unpack(">I", data, stream + 24)
    (channels,) = unpack(">H", data, stream + 40)
    if not 1 <= channels <= 4 or right <= left or bottom <= top:
        raise ImageReadError(
            f"is damaged: {right - left}×{bottom - top} pixels of {channels} channels"
        )
    kinds = [unpack("BBB", data, stream + 42 + 3 * n) for n in range(channels)]
    if len({bits for bits, _, _ in kinds}) > 1:
        raise ImageReadError("has channels of different depths, which is not read")
    bits = (kinds[0][0] & 127) + 1
    if kinds[0][0] & 128 or bits > 16:
        sign = " with sign" if kinds[0][0] & 128 else ""
        raise ImageReadError(
            f"has samples of {bits} bits{sign}, which are not read; convert it to 8 or 16 bits"
        )
    factors = tuple((across, down) for _, across, down in kinds)
    places = (left, top)
    if factors[0] != (1, 1) or any(
        not by or place % by for pair in factors for place, by in zip(places, pair, strict=True)
    ):
        raise ImageReadError("has channels at other places than its pixels, which is not read")
    return _Size(right - left, bottom - top, left, top, tile, bits, factors)


def inspect(data: bytes) -> Header:
    """Read size, depth and channels from the SIZ segment, colours and metadata from the boxes."""
    boxes = jp2_boxes.read(data)
    size = _size(data, boxes.start)
    channels = len(size.factors)
    if boxes.space == CIELAB or boxes.space not in _SPACES:
        name = "CIE L*a*b*" if boxes.space == CIELAB else f"the colour space {boxes.space}"
        raise ImageReadError(f"has its colours in {name}, which is not read; convert it to sRGB")
    if not size.is_even and not size.is_luma_and_chroma:
        raise ImageReadError("has subsampled channels besides chroma, which is not read")
    if size.bits > 8 and not size.is_plain:
        raise ImageReadError(
            f"has samples of {size.bits} bits with alpha for grey, subsampling or an offset, "
            "which is not read; convert it to PNG"
        )
    if boxes.palette:
        if channels != 1 or size.bits > 8:
            raise ImageReadError("has a palette for more than one channel of 8 bits; not read")
        channels = len(boxes.palette[0])
    is_cmyk = _is_cmyk(boxes, size)
    return Header(
        size.width,
        size.height,
        3 if is_cmyk else channels,
        "uint8" if size.bits <= 8 else "uint16",
        not is_cmyk and channels in (2, 4),
        metadata=boxes.metadata,
        notes=boxes.notes,
        cmyk=is_cmyk,
    )


def _is_cmyk(boxes: Boxes, size: _Size) -> bool:
    named = boxes.space == CMYK or boxes.metadata.icc[16:20] == b"CMYK"
    return named and len(size.factors) == 4 and not boxes.palette


def decode(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    """Decode, refusing what ends early."""
    boxes = jp2_boxes.read(data)
    size = _size(data, boxes.start)
    stream = data[boxes.start : boxes.end]
    if not stream.rstrip(b"\0").endswith(_END):
        raise ImageReadError("is cut off: it ends without its end marker")
    if size.is_luma_and_chroma and not size.is_even:
        return Decoded(_by_imagecodecs(stream))
    values = _channels(stream, size)
    if boxes.palette:
        return Decoded(_looked_up(values, boxes.palette))
    pixels = to_full_range(values, 2**size.bits - 1)
    if header.cmyk:
        from convtool.images.codecs import cmyk

        return cmyk.to_colours(pixels, header.metadata.icc, options.cmyk)
    if size.is_luma_and_chroma or (boxes.space == SYCC and len(size.factors) == 3):
        return Decoded(_from_sycc(pixels))
    return Decoded(pixels)


def _channels(stream: bytes, size: _Size) -> Pixels:
    """Return the values of all channels as they are stored, subsampled ones repeated."""
    if size.is_plain:
        pixels, remarks = opencv.decode(stream)
        if remarks:
            raise ImageReadError(f"is damaged: {remarks}")
        return pixels
    from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

    file = jp2_boxes.plain(stream, size.width, size.height, len(size.factors), size.bits)
    with strictly(), Jpeg2KImageFile(io.BytesIO(file)) as picture:
        shifted: Pixels = np.array(picture) >> (8 - size.bits)
    return shifted


def _by_imagecodecs(stream: bytes) -> Pixels:
    """Decode luma and subsampled chroma to red, green and blue."""
    imagecodecs = wanted("imagecodecs", "JPEG 2000 with subsampled chroma of an odd width")
    with caught():  # it prints places in its code
        try:
            pixels: Pixels = imagecodecs.jpeg2k_decode(stream)
        except (imagecodecs.Jpeg2kError, NotImplementedError) as error:
            reason = first_line(str(error)) or "its codestream makes no sense"
            raise ImageReadError(f"cannot be decoded: {reason}") from None
    return pixels


def _looked_up(indices: Pixels, palette: tuple[bytes, ...]) -> Pixels:
    if int(indices.max()) >= len(palette):
        raise ImageReadError("is damaged: a pixel's colour is not in its palette")
    table = np.frombuffer(b"".join(palette), np.uint8).reshape(len(palette), -1)
    colours: Pixels = table[indices]
    return colours


def _from_sycc(pixels: Pixels) -> Pixels:
    """Make red, green and blue of luma and chroma, in the whole numbers of OpenJPEG."""
    peak = int(np.iinfo(pixels.dtype).max)
    luma, blue, red = np.moveaxis(pixels.astype(np.int32), 2, 0) - np.reshape(
        [0, (peak + 1) // 2, (peak + 1) // 2], (3, 1, 1)
    )
    planes = [
        luma + (1.402 * red).astype(np.int32),
        luma - (0.344 * blue + 0.714 * red).astype(np.int32),
        luma + (1.772 * blue).astype(np.int32),
    ]
    clipped: Pixels = np.clip(np.dstack(planes), 0, peak).astype(pixels.dtype)
    return clipped


def encode(image: Image, options: WriteOptions) -> bytes:
    """Encode with the reversible transform."""
    return jp2_boxes.with_metadata(_encoded(image.pixels), image.metadata)


def _encoded(pixels: Pixels) -> bytes:
    if pixels.dtype == np.uint8 or pixels.ndim == 2:
        return _encoded_by_pillow(pixels)
    if min(pixels.shape[:2]) < _SMALLEST_FOR_OPENCV:
        raise ImageFormatError(
            "JPEG 2000 is not written with 16-bit colours below "
            f"{_SMALLEST_FOR_OPENCV} pixels a side; write PNG or TIFF, or use `depth='8'`"
        )
    return opencv.encode(".jp2", pixels, {"JPEG2000_COMPRESSION_X1000": _LOSSLESS_FOR_OPENCV})


def _encoded_by_pillow(pixels: Pixels) -> bytes:
    from PIL import Image as Pillow

    levels = min(5, int(min(pixels.shape[:2])).bit_length() - 1)
    file = io.BytesIO()
    picture = Pillow.fromarray(pixels)
    picture.save(file, "JPEG2000", irreversible=False, num_resolutions=levels + 1)
    return file.getvalue()
