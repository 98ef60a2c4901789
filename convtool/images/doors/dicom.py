"""DICOM by pydicom; imageio's plugins for it neither rescale nor invert.

Values are those of the modality (rescale slope and intercept applied), not of a window on a screen.

References
----------
DICOM PS3.3, C.7.6.3 (image pixel), C.11.1 (modality LUT); PS3.5, A.5 (deflated).
"""

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from convtool.errors import ImageReadError
from convtool.extras import load
from convtool.images.codec import Decoded, Format, Header
from convtool.images.image import Metadata, Pixels, held
from convtool.images.options import ReadOptions
from convtool.records import Record

_DEFLATED = b"1.2.840.10008.1.2.1.99"
_EXPLICIT = b"1.2.840.10008.1.2.1\0\0\0"
_META_LENGTH = slice(140, 144)
_META_START = 144
_LARGEST_HEADER = 1 << 24
_MOST_FRAMES = 20_000
_MILLIMETRES = 25.4
_COLOURS = {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "YBR_PARTIAL_420"}
_GREYS = {"MONOCHROME1", "MONOCHROME2"}
_FLOATS = {"FloatPixelData": "float32", "DoubleFloatPixelData": "float64"}


class _Scale(Record):
    """How stored values become those of the modality."""

    slope: float = 1.0
    intercept: float = 0.0


def _dataset(data: bytes, samples: int | None = None) -> Any:
    """Return the data set, without pixels unless the number of its samples is given."""
    pydicom = load("science", "pydicom")
    if _DEFLATED in data[:2048] and len(data) > _META_START:
        limit = _LARGEST_HEADER + 8 * (samples or 0)
        data = _inflated(data, limit, whole=samples is not None)
    found = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=samples is None)
    if samples is None and not any(name in found for name in ("Rows", "Columns")):
        raise ImageReadError("is a DICOM file without a picture")
    return found


def _inflated(data: bytes, limit: int, *, whole: bool) -> bytes:
    """Return a deflated file as one that is not, at most so many bytes of it."""
    end = _META_START + struct.unpack("<I", data[_META_LENGTH])[0]
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = inflater.decompress(data[end:], limit)
    if whole and not inflater.eof:
        reason = "inflates to more than its header promises" if inflater.unconsumed_tail else ""
        raise ImageReadError(reason or "is cut off or damaged: its deflated data end too early")
    return data[:end].replace(_DEFLATED, _EXPLICIT, 1) + inflated


def inspect(entry: Format, data: bytes) -> tuple[Header, ...]:
    """Read the headers of all frames."""
    found = _dataset(data)
    frames = int(found.get("NumberOfFrames") or 1)
    if not 1 <= frames <= _MOST_FRAMES:
        raise ImageReadError(f"has {frames} frames; 1 to {_MOST_FRAMES} are read")
    _check_decoder(found)
    notes = []
    if found.get("PhotometricInterpretation") == "MONOCHROME1":
        notes.append("is MONOCHROME1, in which white is the lowest value; values were inverted")
    return tuple(_header(found, frame, frames, notes) for frame in range(frames))


def _check_decoder(found: Any) -> None:
    get_decoder = load("science", "pydicom.pixels").get_decoder
    syntax = found.file_meta.TransferSyntaxUID
    if not syntax.is_compressed or _DEFLATED.decode() == syntax:
        return
    try:
        missing = not get_decoder(syntax).is_available
    except NotImplementedError:
        missing = True
    if missing:
        raise ImageReadError(
            f"has frames compressed as {syntax.name}, for which pydicom has no decoder here; "
            "pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg may bring one"
        )


def _header(found: Any, frame: int, frames: int, notes: list[str]) -> Header:
    channels, dtype = _kind(found, frame)
    spacing = found.get("PixelSpacing")
    resolution = None
    if spacing is not None and len(spacing) == 2 and min(spacing) > 0:
        resolution = (_MILLIMETRES / float(spacing[1]), _MILLIMETRES / float(spacing[0]))
    return Header(
        int(found.Columns),
        int(found.Rows),
        channels,
        dtype,
        pages=frames,
        metadata=Metadata(resolution=resolution),
        notes=tuple(notes) if frame == 0 else (),
    )


def _kind(found: Any, frame: int) -> tuple[int, str]:
    """Return the channels and the type of a frame's pixels."""
    floats = next((kind for name, kind in _FLOATS.items() if name in found), None)
    if floats:
        return 1, floats
    samples, how = int(found.SamplesPerPixel), str(found.PhotometricInterpretation)
    allocated = int(found.BitsAllocated)
    if allocated not in (1, 8, 16, 32):
        raise ImageReadError(f"has {allocated} bits a sample, which are not read")
    unsigned = {1: "uint8", 8: "uint8", 16: "uint16", 32: "uint32"}[allocated]
    if how == "PALETTE COLOR":
        return 3, "uint8" if found.RedPaletteColorLookupTableDescriptor[2] <= 8 else "uint16"
    if samples == 3 and how in _COLOURS and allocated >= 8:
        return 3, unsigned
    if samples != 1 or how not in _GREYS:
        raise ImageReadError(f"holds {samples} samples a pixel as {how}, which are not read")
    low, high = _stored_range(found)
    scale = _scale_of(found, frame)
    if scale == _Scale():
        return 1, held(unsigned.removeprefix("u") if low < 0 else unsigned, max(-low, high))
    ends = sorted(scale.slope * end + scale.intercept for end in (low, high))
    largest = max(map(abs, ends))
    if not all(float(value).is_integer() for value in (scale.slope, scale.intercept)):
        return 1, "float32" if allocated <= 16 else "float64"
    for kind in ("uint8", "uint16", "int16", "int32"):
        limits = np.iinfo(kind)
        if limits.min <= ends[0] and ends[1] <= limits.max:
            return 1, held(kind, largest)
    return 1, held("int64", largest)


def _stored_range(found: Any) -> tuple[int, int]:
    bits = int(found.BitsStored)
    if found.get("PixelRepresentation") == 1:
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return 0, 2**bits - 1


def _scale_of(found: Any, frame: int) -> _Scale:
    """Return the rescale slope and intercept of a frame, or of all frames."""
    if "ModalityLUTSequence" in found:
        raise ImageReadError("has a table of modality values, which is not applied")
    places = [found]
    for name, number in (
        ("SharedFunctionalGroupsSequence", 0),
        ("PerFrameFunctionalGroupsSequence", frame),
    ):
        groups = found.get(name) or []
        if number < len(groups):
            places += groups[number].get("PixelValueTransformationSequence") or []
    slope = [place.RescaleSlope for place in places if place.get("RescaleSlope") is not None]
    shift = [
        place.RescaleIntercept for place in places if place.get("RescaleIntercept") is not None
    ]
    return _Scale(float(slope[-1]) if slope else 1.0, float(shift[-1]) if shift else 0.0)


def decode(
    entry: Format, data: bytes, headers: Sequence[Header], options: ReadOptions, start: int
) -> list[Decoded]:
    """Make the pixels of frames."""
    samples = headers[0].pages * headers[0].width * headers[0].height * headers[0].channels
    found = _dataset(data, samples)
    return [
        Decoded(_frame(found, start + number, header.dtype))
        for number, header in enumerate(headers)
    ]


def _frame(found: Any, frame: int, dtype: str) -> Pixels:
    library = load("science", "pydicom.pixels")
    stored = library.pixel_array(found, index=frame)
    how = str(found.get("PhotometricInterpretation"))
    if how == "PALETTE COLOR":
        return np.ascontiguousarray(library.apply_color_lut(stored, found), dtype)
    if stored.ndim == 3 or any(name in found for name in _FLOATS):
        return np.ascontiguousarray(stored, dtype)
    if int(found.BitsAllocated) == 1:
        stored = stored * np.uint8(255)
    values = stored.astype(np.float64)
    if how == "MONOCHROME1":
        values = sum(_stored_range(found)) - values
    scale = _scale_of(found, frame)
    values = values * scale.slope + scale.intercept
    return np.ascontiguousarray(values, dtype)
