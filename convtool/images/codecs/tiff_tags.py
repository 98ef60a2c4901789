"""The tags that a TIFF is written with, of pictures in memory and of those larger than it.

References
----------
TIFF 6.0: sections 8 (photometric interpretation), 14 (predictor), 18 (extra samples), 19 (sample
formats). ICC.1:2022, annex B.3, and XMP part 3, section 3.1.2: their tags.
"""

from typing import Any

import numpy as np

from convtool.images.codecs import tiff_private
from convtool.images.codecs.exif import tags_of
from convtool.images.codecs.ifd import Entry
from convtool.images.image import Metadata

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 1, 2, 3, 4, 5, 7
PHOTOMETRIC, PREDICTOR, EXTRA_SAMPLES, SAMPLE_FORMAT = 262, 317, 338, 339
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
_XMP, _ICC = 700, 34675
_GRAY, _RGB = 1, 2
_PLAIN, _DIFFERENCES = 1, 2
_SAMPLE_FORMATS = {"u": 1, "i": 2, "f": 3}
_STRAIGHT_ALPHA = 2
_INCH = 2
_FRACTIONS = 10000


def extra_of(samples: int, metadata: Metadata, *, has_alpha: bool) -> tuple[int, ...]:
    """Return what the samples beside grey or colour are: alpha, or bands.

    Examples
    --------
    >>> extra_of(4, Metadata(), has_alpha=True), extra_of(5, Metadata(), has_alpha=False)
    ((2,), (0, 0, 0, 0))
    """
    if has_alpha:
        return (_STRAIGHT_ALPHA,)
    if samples in (1, 3):
        return ()
    known = metadata.extra
    return known if samples - len(known) in (1, 3) else (0,) * (samples - 1)


def sample_tags(
    samples: int, dtype: np.dtype[Any], extra: tuple[int, ...] = (), *, packed: bool = False
) -> dict[int, list[int]]:
    """Return the values that say what samples mean and how they are stored.

    Integers that are compressed are stored as differences along the row, which compress better;
    floats, which hardly compress, and ``packed`` integers as they are.

    Examples
    --------
    >>> sample_tags(2, np.dtype("uint8"), (2,))
    {262: [1], 317: [2], 339: [1, 1], 338: [2]}
    """
    tags = {
        PHOTOMETRIC: [_RGB if samples - len(extra) == 3 else _GRAY],
        PREDICTOR: [_PLAIN if packed or dtype.kind == "f" else _DIFFERENCES],
        SAMPLE_FORMAT: [_SAMPLE_FORMATS[dtype.kind]] * samples,
    }
    return tags | ({EXTRA_SAMPLES: list(extra)} if extra else {})


def resolution_tags(resolution: tuple[float, float]) -> dict[int, tuple[int, list[int]]]:
    """Return the types and values that say how many pixels an inch has."""
    across, down = (round(value * _FRACTIONS) for value in resolution)
    return {
        X_RESOLUTION: (RATIONAL, [across, _FRACTIONS]),
        Y_RESOLUTION: (RATIONAL, [down, _FRACTIONS]),
        RESOLUTION_UNIT: (SHORT, [_INCH]),
    }


def order_of(metadata: Metadata) -> str:
    """Return the byte order that EXIF or private tags were read in."""
    entries, order = tags_of(metadata.exif)
    return order if entries else tiff_private.tags_of(metadata.tiff)[1]


def descriptive_tags(metadata: Metadata, order: str) -> dict[int, Entry]:
    """Return EXIF, profile, XMP and private tags; those of another byte order are left out.

    Pages of one document have their tags from one file, and so in one order.
    """
    entries: dict[int, Entry] = {}
    for tags, own_order in (tags_of(metadata.exif), tiff_private.tags_of(metadata.tiff)):
        entries |= tags if own_order == order else {}
    entries.pop(tiff_private.NODATA, None)
    if metadata.nodata is not None:
        text = f"{metadata.nodata:.17g}".encode() + b"\0"
        entries[tiff_private.NODATA] = Entry(ASCII, len(text), text)
    if metadata.icc:
        entries[_ICC] = Entry(UNDEFINED, len(metadata.icc), metadata.icc)
    if metadata.xmp:
        entries[_XMP] = Entry(BYTE, len(metadata.xmp), metadata.xmp)
    return entries
