"""The tags that a TIFF is written with, of pictures in memory and of those larger than it.

References
----------
TIFF 6.0: sections 8 (photometric interpretation), 14 (predictor), 18 (extra samples), 19 (sample
formats). ICC.1:2022, annex B.3, and XMP part 3, section 3.1.2: their tags.
"""

from typing import Any

import numpy as np

from convtool.images.codecs.exif import tags_of
from convtool.images.codecs.ifd import Entry
from convtool.images.image import Metadata

BYTE, SHORT, LONG, RATIONAL, UNDEFINED = 1, 3, 4, 5, 7
PHOTOMETRIC, PREDICTOR, EXTRA_SAMPLES, SAMPLE_FORMAT = 262, 317, 338, 339
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
_XMP, _ICC = 700, 34675
_GRAY, _RGB = 1, 2
_PLAIN, _DIFFERENCES = 1, 2
_UNSIGNED, _FLOAT = 1, 3
_STRAIGHT_ALPHA = 2
_INCH = 2
_FRACTIONS = 10000


def sample_tags(samples: int, dtype: np.dtype[Any], *, has_alpha: bool) -> dict[int, list[int]]:
    """Return the values that say what samples mean and how they are stored.

    Integers that are compressed are stored as differences along the row, which compress better;
    floats, which hardly compress, as they are.

    Examples
    --------
    >>> sample_tags(2, np.dtype("uint8"), has_alpha=True)
    {262: [1], 317: [2], 339: [1, 1], 338: [2]}
    """
    floats = dtype.kind == "f"
    tags = {
        PHOTOMETRIC: [_RGB if samples >= 3 else _GRAY],
        PREDICTOR: [_PLAIN if floats else _DIFFERENCES],
        SAMPLE_FORMAT: [_FLOAT if floats else _UNSIGNED] * samples,
    }
    return tags | ({EXTRA_SAMPLES: [_STRAIGHT_ALPHA]} if has_alpha else {})


def resolution_tags(resolution: tuple[float, float]) -> dict[int, tuple[int, list[int]]]:
    """Return the types and values that say how many pixels an inch has."""
    across, down = (round(value * _FRACTIONS) for value in resolution)
    return {
        X_RESOLUTION: (RATIONAL, [across, _FRACTIONS]),
        Y_RESOLUTION: (RATIONAL, [down, _FRACTIONS]),
        RESOLUTION_UNIT: (SHORT, [_INCH]),
    }


def descriptive_tags(metadata: Metadata, order: str) -> dict[int, Entry]:
    """Return EXIF, profile and XMP; EXIF of another byte order than the file is left out.

    Pages of one document have their EXIF from one file, and so in one order.
    """
    entries, own_order = tags_of(metadata.exif)
    entries = dict(entries) if own_order == order else {}
    if metadata.icc:
        entries[_ICC] = Entry(UNDEFINED, len(metadata.icc), metadata.icc)
    if metadata.xmp:
        entries[_XMP] = Entry(BYTE, len(metadata.xmp), metadata.xmp)
    return entries
