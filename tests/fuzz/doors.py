"""Files of the formats that libraries read, damaged."""

import re
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random

import door_files as files
import numpy as np

from convtool.images.formats import FORMATS
from convtool.images.image import Image
from convtool.images.options import WriteOptions

from .mutate import mutated


@cache
def _whole() -> tuple[tuple[str, bytes], ...]:
    """Return an ending and a file of each format whose library is there."""
    found = []
    for entry in FORMATS.values():
        if entry.door and entry.depths and entry.installed:
            channels = max(entry.channels)
            pixels = np.dstack([files.COLOURS, files.GREY])[:, :, :channels]
            image = Image(files.GREY if channels == 1 else np.ascontiguousarray(pixels))
            found.append((entry.extensions[0], entry.load().encode(image, WriteOptions())))
    if FORMATS["dicom"].installed:
        found.append((".dcm", files.dicom(files.SIGNED)))
        found.append((".dcm", files.dicom(files.GREY, syntax="1.2.840.10008.1.2.1.99")))
    found.append((".fits", files.fits(files.SIGNED, BSCALE=0.5, BLANK=3)))
    found.append((".dng", files.dng(np.full((48, 64), 1000))))
    found.append((".xbm", b"#define a_width 9\n#define a_height 1\nchar a_bits[] = {\n5, 1};\n"))
    found.append((".npy", b"\x93NUMPY\1\0v\0" + _HEADER.ljust(117) + b"\n" + bytes(12)))
    return tuple(found)


_HEADER = b"{'descr': '<u2', 'fortran_order': True, 'shape': (2, 3), }"


def make_door(rng: Random) -> bytes:
    """Return the ending of a file, a line break, and its contents."""
    ending, data = rng.choice(_whole())
    return ending.encode() + b"\n" + mutated(rng, data, [other for _, other in _whole()])


def file_of(data: bytes, place: Path) -> Path:
    """Write a file whose ending is the first line of some data, its contents the rest."""
    ending, _, contents = data.partition(b"\n")
    words = ending.decode("latin-1")
    path = place.with_name(place.name + (words if re.fullmatch(r"\.[a-z0-9]{2,4}", words) else ""))
    path.write_bytes(contents)
    return path


def read_door(data: bytes, folder: Path) -> None:
    """Read it, or have it refused."""
    from convtool.errors import ImageReadError
    from convtool.images.read import read

    path = file_of(data, folder / "picture")
    with suppress(ImageReadError):
        read(path, max_pixels=1_000_000)
