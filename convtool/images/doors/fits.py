"""FITS by astropy, whose scaled values keep their precision here; imageio's plugin tells no header.

The first row of the file is the first row here.

References
----------
FITS standard 4.0, 4.4.2 (BSCALE, BZERO, BLANK), 5 (data).
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any

import numpy as np

from convtool.errors import ImageReadError
from convtool.extras import load
from convtool.images.codec import Decoded, Format, Header
from convtool.images.image import Document, Pixels, held
from convtool.images.options import ReadOptions, WriteOptions
from convtool.records import Record

_FLOATS = {-32: "float32", -64: "float64"}
_MOST_PAGES = 20_000
_EXACT_IN_FLOAT64 = 2**53


class _Plane(Record):
    """A plane of an image, how its values are stored, and how they become numbers."""

    unit: int
    place: tuple[int, ...]
    size: tuple[int, int]
    bits: int
    slope: float
    shift: float
    blank: int | None
    pages: int = 1

    @property
    def dtype(self) -> str:
        """The type of its pixels."""
        if self.bits in _FLOATS:
            plain = self.slope == 1 and self.shift == 0
            return _FLOATS[self.bits] if plain else "float64"
        low, high = (
            (0, 255) if self.bits == 8 else (-(2 ** (self.bits - 1)), 2 ** (self.bits - 1) - 1)
        )
        ends = sorted(self.slope * end + self.shift for end in (low, high))
        whole = self.slope.is_integer() and self.shift.is_integer()
        largest = max(map(abs, ends))
        if whole and self.slope == 1 and self.blank is None:
            for kind in ("uint8", "int8", "uint16", "int16", "uint32", "int32"):
                limits = np.iinfo(kind)
                if ends == [limits.min, limits.max]:
                    return held(kind, largest)
        return held("", largest) if whole else "float64"


@contextmanager
def _opened(data: bytes) -> Iterator[Any]:
    fits = load("science", "astropy.io.fits")
    options = {"memmap": False, "do_not_scale_image_data": True, "ignore_blank": True}
    with fits.open(io.BytesIO(data), **options) as units:
        yield units


def _planes(units: Any, data: bytes) -> list[_Plane]:
    found: list[_Plane] = []
    for number, unit in enumerate(units):
        if not unit.is_image or len(unit.shape) < 2 or not prod(unit.shape):
            continue
        place = unit.fileinfo()
        if place["datLoc"] + unit.size > len(data) and not hasattr(unit, "compressed_data"):
            raise ImageReadError(
                f"is cut off: it has {len(data)} bytes of {place['datLoc'] + unit.size}"
            )
        if len(found) + prod(unit.shape[:-2]) > _MOST_PAGES:
            raise ImageReadError(f"has more than {_MOST_PAGES} planes")
        head = unit.header
        found += [
            _Plane(
                number,
                tuple(int(n) for n in where),
                unit.shape[-2:],
                int(head["BITPIX"]),
                float(head.get("BSCALE", 1)),
                float(head.get("BZERO", 0)),
                head.get("BLANK") if head["BITPIX"] > 0 else None,
            )
            for where in np.ndindex(unit.shape[:-2])
        ]
    if not found:
        raise ImageReadError("is a FITS file without an image of two dimensions")
    return found


def inspect(entry: Format, data: bytes) -> tuple[Header, ...]:
    """Read the headers of all planes of all images."""
    with _opened(data) as units:
        planes = _planes(units, data)
    return tuple(_header(plane, len(planes)) for plane in planes)


def _header(plane: _Plane, pages: int) -> Header:
    height, width = plane.size
    notes: tuple[str, ...] = ()
    if plane.bits == 64:
        notes = (f"holds integers of 64 bits; beyond {_EXACT_IN_FLOAT64} they are rounded",)
    return Header(int(width), int(height), 1, plane.dtype, pages=pages, notes=notes)


def decode(
    entry: Format, data: bytes, headers: Sequence[Header], options: ReadOptions, start: int
) -> list[Decoded]:
    """Make the pixels of planes."""
    with _opened(data) as units:
        wanted = _planes(units, data)[start : start + len(headers)]
        return [_decoded(plane, units[plane.unit].data[plane.place]) for plane in wanted]


def _decoded(plane: _Plane, stored: Pixels) -> Decoded:
    dtype = np.dtype(plane.dtype)
    if plane.slope == 1 and plane.shift == 0:
        values = stored.astype(dtype)
    elif dtype.kind in "iu":
        values = (stored.astype(np.int64) + int(plane.shift)).astype(dtype)
    else:
        values = (stored.astype(np.float64) * plane.slope + plane.shift).astype(dtype)
    if plane.blank is None:
        return Decoded(np.ascontiguousarray(values))
    missing = stored == plane.blank
    values[missing] = np.nan
    count = int(np.count_nonzero(missing))
    note = f"{count} pixels without a value (BLANK {plane.blank}) are NaN; `nan=` says what then"
    return Decoded(np.ascontiguousarray(values), (note,) if count else ())


def encode(entry: Format, document: Document, options: WriteOptions) -> bytes:
    """Encode pictures, each as an image of its own."""
    fits = load("science", "astropy.io.fits")
    first, *others = document.pages
    units = [fits.PrimaryHDU(first.pixels), *(fits.ImageHDU(page.pixels) for page in others)]
    made = io.BytesIO()
    fits.HDUList(units).writeto(made)
    return made.getvalue()
