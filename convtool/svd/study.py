"""The compression report of one picture: quality and size at several k, beside JPEG and tiles."""

from collections.abc import Sequence

import numpy as np

from convtool.images.formats import format_for
from convtool.images.image import Image, Pixels
from convtool.images.options import ReadOptions, WriteOptions
from convtool.notebook import picture_html, table_html
from convtool.records import Record, names_of, replace
from convtool.svd.compressed import Compressed, chosen_k, compress, to_bytes
from convtool.svd.fileformat import BLOCKS
from convtool.svd.metrics import decibels, psnr, ssim
from convtool.svd.planes import cleared, coloring
from convtool.svd.targets import Spectrum, Target, k_for_psnr, spectrum

DEFAULT_KS = (5, 10, 20, 100, 200, 400, 500)
QUALITIES = (30.0, 35.0, 40.0)
_JPEG_QUALITIES = (5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95)
_SEARCH_STEPS = 7


class Row(Record):
    """Quality and size at one k."""

    k: int
    """Number of triples."""
    stored: int
    """Number of stored values, k·(1 + m + n) for each matrix."""
    ratio: float
    """Stored values divided by the values of the picture."""
    mse: float
    psnr: float
    ssim: float
    """Mean-square error before rounding, in squared pixel units; PSNR in dB; structural
    similarity."""
    energy: float
    """The retained share of Σσ²."""
    file_bytes: int
    """The size of the ``.ctsvd`` file."""


class Point(Record):
    """A file size and the PSNR in dB at that size."""

    file_bytes: int
    psnr: float


class Study(Record, eq=False):
    """A picture compressed at several k."""

    original: Pixels
    """The reference for the compressed pictures, in pixel units."""
    best: Compressed
    """The compressed picture at the largest k."""
    rows: list[Row]
    """One for each k."""
    spectrum: Spectrum
    """The energies of all triples."""
    raw_bytes: int
    """The size of the uncompressed pixels."""

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the picture at the largest k, and a table of all."""
        names = names_of(Row)
        table = table_html(names, [[getattr(row, name) for name in names] for row in self.rows])
        return picture_html(self.best._repr_png_(), f"k = {self.best.k}") + table

    def smallest(self) -> dict[float, int]:
        """Return the smallest k for 30, 35 and 40 dB."""
        peak = self.best.peak
        return {level: k_for_psnr(self.spectrum, level, peak) for level in QUALITIES}


def default_ks(largest: int) -> list[int]:
    """Return the default k of a report, limited to the largest possible k.

    Examples
    --------
    >>> default_ks(128), default_ks(3)
    ([5, 10, 20, 100], [3])
    """
    return [k for k in DEFAULT_KS if k <= largest] or [largest]


def study(
    image: Image,
    ks: Sequence[int],
    *,
    method: str,
    color: str,
    block: int | None,
    precision: str,
    peak: float | None = None,
) -> Study:
    """Compress a picture at several k.

    Parameters
    ----------
    image : Image
        The picture.
    ks : sequence of int
        Each from 1 to the largest possible k.
    method, color, block, peak
        As for `compress`.
    precision : str
        As for `Compressed.save`.

    Raises
    ------
    OptionError
        As `compress` does.
    """
    for k in ks:
        chosen_k(image, Target("k", k), color, block)
    image = cleared(image)
    best = compress(image, max(ks), method=method, color=color, block=block, peak=peak)
    matrices = coloring(color).split(image)
    original = coloring(color).join(matrices, image.channels)
    rows = [_row(best.first(k), original, precision) for k in ks]
    raw = best.size * image.pixels.dtype.itemsize
    return Study(original, best, rows, spectrum(matrices, block), raw)


def _row(picture: Compressed, original: Pixels, precision: str) -> Row:
    return Row(
        picture.k,
        picture.stored,
        picture.ratio,
        picture.mse,
        picture.psnr,
        ssim(original, picture.values(), picture.peak),
        picture.energy,
        len(to_bytes(picture, precision=precision)),
    )


class Choice(Record):
    """The PSNR of separate and joint channels at equal storage."""

    ratio: float
    """Stored values divided by the values of the picture."""
    channels: float
    joint: float
    """PSNR in dB."""

    @property
    def better(self) -> str:
        """The name of the conversion with the higher PSNR."""
        return "joint" if self.joint > self.channels else "channels"


def better_coloring(image: Image, ratio: float, peak: float) -> Choice:
    """Compare separate and joint channels at equal storage.

    Parameters
    ----------
    image : Image
        A picture with several channels.
    ratio : float
        The allowed ratio of stored values to the picture's values; k is at least 1.
    peak : float
        The largest possible value.
    """
    levels = {}
    for name in ("channels", "joint"):
        known = spectrum(coloring(name).split(cleared(image)))
        fits = max(1, int(np.flatnonzero(known.stored <= ratio * known.size * (1 + 1e-9))[-1]))
        levels[name] = decibels(float(known.left[fits]) / known.size, peak)
    return Choice(ratio, **levels)


def tiles_at(
    image: Image, sizes: Sequence[int], *, color: str, precision: str, peak: float
) -> dict[int, list[Point]]:
    """Return the PSNR of tiles at given file sizes.

    Parameters
    ----------
    image : Image
        The picture.
    sizes : sequence of int
        The largest file sizes in bytes.
    color, precision, peak
        As for `study`.

    Returns
    -------
    dict of int to list of Point
        For each tile size that fits the picture, a point for each file size: the largest file
        within it that a bisection over the number of products finds.
    """
    smaller = min(image.height, image.width)
    points = {}
    for block in BLOCKS:
        if block <= smaller:
            whole = compress(image, block, color=color, block=block, peak=peak)
            points[block] = [_largest_within(whole, size, precision) for size in sizes]
    return points


def _largest_within(whole: Compressed, size: int, precision: str) -> Point:
    """Find the best compression of at most `size` bytes by bisection over its products."""
    low, high = 1, max(part.tile_count for part in whole.parts) * whole.k
    best = Point(0, 0.0)
    for step in range(_SEARCH_STEPS):
        middle = low + (high - low) // (8 if step == 0 else 2)
        parts = [part.strongest(middle) for part in whole.parts]
        picture = replace(whole, parts=parts)
        taken = len(to_bytes(picture, precision=precision))
        if taken <= size:
            best, low = Point(taken, picture.psnr), middle
        else:
            high = middle
    return best


def jpeg_curve(image: Image, original: Pixels, peak: float) -> list[Point]:
    """Return size and PSNR of a picture as JPEG, from the lowest quality to the highest.

    Parameters
    ----------
    image : Image
        The picture; JPEG supports only some depths.
    original : ndarray
        The values to compress, shape (H, W) or (H, W, 3).
    peak : float
        The largest possible value.

    Returns
    -------
    list of Point
        Empty if JPEG does not support the picture.
    """
    if image.depth != "8" or (original.ndim == 3 and original.shape[2] != 3):
        return []
    codec = format_for("a.jpg").load()
    pixels = np.rint(original).astype(np.uint8)
    points = []
    for quality in _JPEG_QUALITIES:
        data = codec.encode(Image(np.ascontiguousarray(pixels)), WriteOptions(quality=quality))
        decoded = codec.decode(data, codec.inspect(data), ReadOptions()).pixels
        points.append(Point(len(data), psnr(original, decoded, peak)))
    return points
