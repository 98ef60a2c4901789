"""A picture kept as its strongest singular triples."""

import os
from typing import Any

import numpy as np

from convtool.errors import ImageReadError, OptionError
from convtool.images.image import Image, Pixels, PixelType, as_image
from convtool.images.options import MAX_PIXELS
from convtool.images.tone import finish
from convtool.images.write import save_bytes
from convtool.kernels.weights import FloatArray
from convtool.notebook import picture_html, table_html
from convtool.reading import load as load_regular
from convtool.records import Record, replace
from convtool.svd.approximation import Approximation, approximate
from convtool.svd.fileformat import BLOCKS, Contents, decode, encode
from convtool.svd.metrics import decibels, peak_for
from convtool.svd.planes import COLORINGS, cleared, coloring
from convtool.svd.targets import Target, smallest_k


class Compressed(Record, eq=False):
    """A picture kept as its strongest singular triples.

    Attributes
    ----------
    shape : tuple of int
        The picture's: (H, W) or (H, W, C).
    type : PixelType
        The type of its pixels.
    k : int
        Number of triples of each matrix; with tiles, of each tile on average.
    color : str
        ``channels``, ``joint`` or ``gray``.
    block : int or None
        The side of the tiles.
    parts : list of Approximation
        One for each matrix.
    has_alpha : bool
        Whether the last channel is alpha.
    peak : float
        The largest possible value, which the PSNR is measured with.
    """

    shape: tuple[int, ...]
    type: PixelType
    k: int
    color: str
    block: int | None
    parts: list[Approximation]
    has_alpha: bool
    peak: float

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy type of its pixels."""
        return self.type.dtype

    @property
    def size(self) -> int:
        """Number of values of the uncompressed matrices."""
        return sum(part.shape[0] * part.shape[1] for part in self.parts)

    @property
    def stored(self) -> int:
        """Number of stored values: k·(1 + m + n) for each matrix."""
        return sum(part.stored for part in self.parts)

    @property
    def ratio(self) -> float:
        """Stored values divided by the values of the picture."""
        return self.stored / self.size

    @property
    def mse(self) -> float:
        """The mean-square error, from the omitted singular values: Σ_{i>k} σᵢ² / (m·n)."""
        return sum(part.squared_error for part in self.parts) / self.size

    @property
    def psnr(self) -> float:
        """The PSNR in dB before rounding to integer pixels; inf for a lossless result."""
        return decibels(self.mse, self.peak)

    @property
    def energy(self) -> float:
        """The retained share of Σσ²."""
        total = sum(part.total for part in self.parts)
        return 1 - sum(part.squared_error for part in self.parts) / total if total else 1.0

    def _repr_png_(self) -> bytes:
        """Return what a notebook shows of the picture."""
        return self.image()._repr_png_()

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the picture, its size and quality."""
        size = "×".join(map(str, self.shape))
        caption = f"{size} {self.type.name}, {self.color}"
        facts = {
            "k": self.k,
            "stored values": self.stored,
            "ratio": self.ratio,
            "PSNR in dB": self.psnr,
            "energy": self.energy,
        }
        table = table_html(list(facts), [list(facts.values())], caption)
        return picture_html(self._repr_png_(), caption) + table

    def values(self) -> FloatArray:
        """Return the picture as floats in the range of its pixels, neither rounded nor clipped."""
        channels = 1 if len(self.shape) == 2 else self.shape[2]
        return COLORINGS[self.color].join([part.matrix() for part in self.parts], channels)

    def reconstruct(self) -> Pixels:
        """Return the picture in its pixel type; integers are rounded and clipped.

        Returns
        -------
        ndarray
            Shape (H, W) or (H, W, C).
        """
        return finish(self.values(), source=self.type).pixels

    def image(self) -> Image:
        """Return the picture with the meaning of its channels and bits."""
        return Image(self.reconstruct(), self.has_alpha, bits=self.type.bits)

    def first(self, k: int) -> "Compressed":
        """Return this picture with fewer triples.

        Raises
        ------
        OptionError
            If there are not as many triples.
        """
        if not 1 <= k <= self.k:
            raise OptionError(f"k {k}: there are {self.k} triples, give 1 to {self.k}")
        return replace(self, k=k, parts=[part.first(k) for part in self.parts])

    def save(self, path: str | os.PathLike[str], *, precision: str = "auto") -> int:
        """Write a ``.ctsvd`` file, atomically.

        Parameters
        ----------
        path : str or path-like
            The file, or ``-`` for standard output.
        precision : str
            ``auto``, ``8bit``, ``float16`` or ``float32``. The first mixes the others, so that the
            picture stays within 0.1 dB of the unquantised one.

        Returns
        -------
        int
            Number of bytes written.

        Raises
        ------
        ImageWriteError
            If the file cannot be written.
        OptionError
            If the precision is unknown.
        """
        data = to_bytes(self, precision=precision)
        save_bytes(path, data)
        return len(data)


def load(
    path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS, max_memory: int | None = None
) -> Compressed:
    """Read a ``.ctsvd`` file.

    Parameters
    ----------
    path : str or path-like
        The file.
    max_pixels : int
        The largest accepted picture, checked in the header before memory is allocated.
    max_memory : int, optional
        The most bytes that factors and picture may take together. Unless given, the factors may
        take a GiB, or 256 times the file.

    Returns
    -------
    Compressed
        The picture as stored. The file does not contain the loss of the compression, so its `mse`
        is 0.

    Raises
    ------
    ImageReadError
        If the file cannot be read, is damaged, truncated, of a newer version or another format.
    ImageTooLargeError
        If its header claims more pixels than `max_pixels`, or it needs more memory.
    """
    name = os.fspath(path)
    try:
        data = load_regular(path, "ctsvd file")
    except OSError as error:
        raise ImageReadError(f"{name}: cannot be read: {error.strerror}") from error
    try:
        return from_bytes(data, max_pixels=max_pixels, max_memory=max_memory)
    except ImageReadError as error:
        raise type(error)(f"{name}: {error}") from error


def to_bytes(picture: Compressed, *, precision: str = "auto") -> bytes:
    """Return the bytes of a ``.ctsvd`` file.

    Raises
    ------
    OptionError
        Where there is no such precision.
    """
    return encode(Contents(**vars(picture)), precision=precision)


def from_bytes(
    data: bytes, *, max_pixels: int = MAX_PIXELS, max_memory: int | None = None
) -> Compressed:
    """Decode the compressed picture in the bytes of a file.

    Raises
    ------
    ImageReadError, ImageTooLargeError
        As `load` does.
    """
    return Compressed(**vars(decode(data, max_pixels=max_pixels, max_memory=max_memory)))


def largest_k(image: Image, color: str, block: int | None) -> int:
    """Return the largest possible k for a picture.

    Examples
    --------
    >>> largest_k(Image(np.zeros((40, 30, 3), np.uint8)), "joint", None)
    40
    """
    height, width = image.height, image.width
    if color == "joint":
        width *= image.channels
    smaller = min(height, width)
    return smaller if block is None else min(block, smaller)


def compress(
    image: Image | Pixels,
    k: int | None = None,
    *,
    target_psnr: float | None = None,
    target_ratio: float | None = None,
    energy: float | None = None,
    method: str = "auto",
    color: str = "channels",
    block: int | None = None,
    peak: float | None = None,
) -> Compressed:
    """Compress a picture to its strongest singular triples.

    Parameters
    ----------
    image : Image or ndarray
        Shape (H, W) or (H, W, C), of one of `PIXEL_TYPES` or bool. Colours under an alpha of 0 are
        taken as 0.
    k : int, optional
        Number of triples per matrix, 1 to its smaller side; with `block`, per tile on average. Give
        exactly one of k and the three targets.
    target_psnr : float, optional
        Keep the fewest triples that reach this PSNR, in dB.
    target_ratio : float, optional
        Keep the most triples that take no more than this fraction of the picture's values, above 0.
    energy : float, optional
        Keep the fewest triples with this share of Σσ², above 0 and up to 1.
    method : str
        The solver: ``auto``, ``full``, ``gram``, ``randomized`` or ``lanczos``.
    color : str
        ``channels``: each channel is a matrix. ``joint``: one matrix with the channels side by
        side. ``gray``: 0.299 R + 0.587 G + 0.114 B.
    block : int, optional
        8, 16 or 32: divide the matrices into tiles of that side, and keep the strongest triples of
        all tiles, k per tile on average.
    peak : float, optional
        The largest possible value, for PSNRs. By default, for integers white of their type; for
        floats 1 if they lie within 0 to 1, 255 if within 0 to 255 and beyond 127, else their range.

    Returns
    -------
    Compressed

    Raises
    ------
    OptionError
        If k, a target or a name is invalid, or not exactly one of k and targets is given.
    ShapeError, PixelTypeError
        If the array is not a picture, or contains NaN or infinity.

    References
    ----------
    C. Eckart, G. Young, "The approximation of one matrix by another of lower rank",
    Psychometrika 1 (1936), pp. 211-218: no matrix of rank k is nearer.

    Examples
    --------
    >>> ramp = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    >>> small = compress(ramp, 2)
    >>> small.ratio, small.psnr
    (0.06298828125, inf)
    """
    picture = cleared(as_image(image))
    peak = peak_for([picture], peak).value
    target = Target.of(k=k, psnr=target_psnr, ratio=target_ratio, energy=energy)
    matrices = coloring(color).split(picture)
    count = chosen_k(picture, target, color, block, peak)
    parts = [approximate(matrix, count, block=block, method=method) for matrix in matrices]
    shape = picture.pixels.shape[:2] if color == "gray" else picture.pixels.shape
    has_alpha = picture.has_alpha and color != "gray"
    return Compressed(shape, picture.type, count, color, block, parts, has_alpha, peak)


def chosen_k(
    picture: Image, target: Target, color: str, block: int | None, peak: float | None = None
) -> int:
    """Return the k for a target and a picture; ``peak`` is as for `compress`.

    Raises
    ------
    OptionError
        If the target cannot be met, or color or block is invalid.
    """
    split = coloring(color).split
    if block is not None and block not in BLOCKS:
        raise OptionError(f"block {block}: choose one of {', '.join(map(str, BLOCKS))}")
    largest = largest_k(picture, color, block)
    if target.name != "k":
        peak = peak_for([picture], peak).value
        return smallest_k(split(picture), target, largest, block, peak)
    if not 1 <= target.value <= largest:
        what = f"tiles of {block}×{block}" if block else f"{picture.width}×{picture.height} pixels"
        raise OptionError(f"k {target.value:g}: a picture of {what} allows 1 to {largest}")
    return int(target.value)
