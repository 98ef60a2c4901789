"""Writing TIFF: every depth and number of channels, alpha as alpha, integers compressed.

Integers are stored as differences along the row (predictor 2) and deflated; floats, which hardly
compress, as they are.

References
----------
TIFF 6.0: sections 8 (baseline RGB), 14 (predictor), 18 (extra samples), 19 (sample formats).
"""

import zlib

import numpy as np

from convtool.errors import ImageFormatError
from convtool.images.codecs.libtiff import join
from convtool.images.image import Pixels

_SHORT, _LONG = 3, 4
_STRIP_BYTES = 1 << 18
_LARGEST = 2**32 - 2**20
_FAST = 1


def encode(pixels: Pixels, has_alpha: bool, quality: int | None) -> bytes:
    """Encode in the depth of the pixels; float64 stays float64."""
    planes = pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]
    height, width, samples = planes.shape
    if planes.nbytes > _LARGEST:
        raise ImageFormatError(
            f"TIFF holds at most 4 GB, this picture has {planes.nbytes / 2**30:.1f} GB; "
            "use --depth 8 or 16"
        )
    floats = planes.dtype.kind == "f"
    rows = max(1, _STRIP_BYTES // (width * samples * planes.itemsize))
    parts = [_strip(planes[top : top + rows]) for top in range(0, height, rows)]
    lengths = [len(part) for part in parts]
    offsets = [int(end) for end in np.cumsum([8, *lengths[:-1]])]
    tags = [
        (256, _LONG, [width]),
        (257, _LONG, [height]),
        (258, _SHORT, [8 * planes.itemsize] * samples),
        (259, _SHORT, [1 if floats else 8]),
        (262, _SHORT, [2 if samples >= 3 else 1]),
        (273, _LONG, offsets),
        (277, _SHORT, [samples]),
        (278, _LONG, [rows]),
        (279, _LONG, lengths),
        (284, _SHORT, [1]),
        (317, _SHORT, [1 if floats else 2]),
        *([(338, _SHORT, [2])] if has_alpha else []),
        (339, _SHORT, [3 if floats else 1] * samples),
    ]
    return join(tags, parts)


def _strip(rows: Pixels) -> bytes:
    """Return one strip's bytes, little-endian."""
    if rows.dtype.kind == "f":
        return rows.astype(rows.dtype.newbyteorder("<"), copy=False).tobytes()
    differences = rows.astype(rows.dtype.newbyteorder("<"))
    np.subtract(rows[:, 1:], rows[:, :-1], out=differences[:, 1:])
    return zlib.compress(differences.tobytes(), _FAST)
