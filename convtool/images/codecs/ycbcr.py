"""TIFF's luma and chroma where JPEG has no part in it: data units of subsampled 8-bit values.

References
----------
TIFF 6.0, section 21: YCbCrCoefficients, YCbCrSubSampling, ReferenceBlackWhite, and how a data unit
holds the luma of its pixels row by row, then one of each chroma.
"""

import numpy as np

from convtool.errors import ImageReadError
from convtool.images.codecs.ifd import Directory
from convtool.images.image import Pixels
from convtool.records import Record

_COEFFICIENTS, _SUBSAMPLING, _REFERENCE = 529, 530, 532
_BT601 = (0.299, 0.587, 0.114)
_FULL_RANGE = (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)
_FACTORS = (1, 2, 4)


class Luma(Record):
    """How luma and chroma are stored."""

    across: int
    down: int
    """How many pixels share one value of each chroma."""
    shares: tuple[float, ...] = _BT601
    """Those of red, green and blue in luma."""
    reference: tuple[float, ...] = _FULL_RANGE
    """Black and white of luma, then zero and largest of either chroma."""

    @property
    def is_subsampled(self) -> bool:
        """Whether several pixels share one value of each chroma."""
        return (self.across, self.down) != (1, 1)

    def row_bytes(self, width: int) -> int:
        """Bytes of one row of data units."""
        return -(-width // self.across) * (self.across * self.down + 2)

    def rows(self, height: int) -> int:
        """Rows of data units in a block."""
        return -(-height // self.down)

    def colours(self, raw: Pixels, height: int, width: int) -> Pixels:
        """Make red, green and blue, shape (height, width, 3), of rows of data units."""
        units = raw.reshape(raw.shape[0], -1, self.across * self.down + 2)
        in_units = units[:, :, :-2].reshape(*units.shape[:2], self.down, self.across)
        luma = in_units.transpose(0, 2, 1, 3).reshape(raw.shape[0] * self.down, -1)
        chroma = np.repeat(np.repeat(units[:, :, -2:], self.down, 0), self.across, 1)
        return self.converted(np.dstack([luma, chroma])[:height, :width])

    def converted(self, stored: Pixels) -> Pixels:
        """Make red, green and blue of luma and both chromas, shape (H, W, 3)."""
        planes = stored.astype(np.float64)
        low, high = np.array(self.reference).reshape(3, 2).T
        y, blue, red = np.moveaxis((planes - low) * ([255, 127, 127] / (high - low)), 2, 0)
        of_red, of_green, of_blue = self.shares
        r = y + red * (2 - 2 * of_red)
        b = y + blue * (2 - 2 * of_blue)
        g = (y - of_red * r - of_blue * b) / of_green
        result: Pixels = np.clip(np.rint(np.dstack([r, g, b])), 0, 255).astype(np.uint8)
        return result


def luma_of(page: Directory, bits: int, samples: int) -> Luma:
    """Read how a page stores luma and chroma.

    Raises
    ------
    ImageReadError
        If it does so in a way that is not read.
    """
    across, down = (*page.values(_SUBSAMPLING, (2, 2)), 0)[:2]
    if bits != 8 or samples != 3:
        raise ImageReadError("stores luma and chroma not in 8 bits each; not read")
    if page.value(284, 1) != 1 and (across, down) != (1, 1):
        raise ImageReadError("stores subsampled chroma in planes, which is not read")
    if across not in _FACTORS or down not in _FACTORS:
        raise ImageReadError(f"is damaged: its chroma is subsampled by {across}×{down}")
    shares = page.rationals(_COEFFICIENTS) or _BT601
    reference = page.rationals(_REFERENCE) or _FULL_RANGE
    if len(shares) != 3 or len(reference) != 6 or not shares[1]:
        raise ImageReadError("is damaged: its luma and chroma make no sense")
    if any(low == high for low, high in zip(reference[::2], reference[1::2], strict=True)):
        raise ImageReadError("is damaged: its luma and chroma make no sense")
    return Luma(across, down, shares, reference)
