"""The cells of the tables: a kind of convolution, an image size and type, a kernel size."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.errors import check_choice
from convtool.kernels.spec import kernel as named_kernel
from convtool.records import Record, replace

Array = NDArray[Any]
Kernel = NDArray[np.float64]

SEED = 20260721
"""Seed of all images and kernels."""


class Cell(Record):
    """One benchmark case."""

    work: str
    """A name of `WORKS`."""
    height: int
    width: int
    channels: int = 1
    """The image's size; one channel is an image of shape (H, W)."""
    dtype: str = "float32"
    """Type of the image and of the output."""
    kernel: int = 3
    """Side of the kernel."""
    rank: int | None = None
    """The kernel's rank, for works that depend on it."""
    stride: int = 1
    """Step between the rows and columns of the output."""
    threads: int = 1
    """Threads of every contender."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The image's shape."""
        return (self.height, self.width) + ((self.channels,) if self.channels > 1 else ())

    @property
    def out_shape(self) -> tuple[int, ...]:
        """The answer's shape."""
        size = (-(-self.height // self.stride), -(-self.width // self.stride))
        return size + self.shape[2:]

    @property
    def outputs(self) -> int:
        """Number of output values: pixels × channels."""
        return int(np.prod(self.out_shape))

    @property
    def title(self) -> str:
        """A description of the cell.

        Examples
        --------
        >>> Cell("rank", 1080, 1920, 3, "uint8", 9, rank=2).title
        'rank 2, 1080×1920 colour uint8, 9×9'
        """
        tail = f" {self.rank}" if self.rank else (f" {self.stride}" if self.stride > 1 else "")
        colour = " colour" if self.channels == 3 else f"×{self.channels}"
        size = f"{self.height}×{self.width}{colour if self.channels > 1 else ''}"
        return f"{self.work}{tail}, {size} {self.dtype}, {self.kernel}×{self.kernel}"


class Variant(Record):
    """Values of `Cell.rank` and `Cell.stride` for a work."""

    rank: int | None = None
    stride: int = 1


class Work(Record):
    """A kind of convolution and its peers."""

    name: str
    summary: str
    """Its name and a one-line description."""
    kernels: Callable[[Cell], Array]
    """``kernels(cell)`` returns the kernel, or the pair of a gradient."""
    peers: tuple[str, ...]
    """Names of `peers.PEERS`."""
    dtypes: tuple[str, ...] = ("uint8", "float32")
    """Types measured by default."""
    sizes: tuple[int, ...] | None = None
    """The only possible kernel sizes; None for any."""
    variants: tuple[Variant, ...] = (Variant(),)
    """The variants to measure."""

    def cells(self, base: Cell) -> list[Cell]:
        """Return the cells of this work for all variants whose kernels exist."""
        if self.sizes is not None and base.kernel not in self.sizes:
            return []
        cells = [
            replace(base, work=self.name, rank=variant.rank, stride=variant.stride)
            for variant in self.variants
        ]
        return [cell for cell in cells if cell.rank is None or cell.rank <= cell.kernel]


def _drawn(*key: int) -> np.random.Generator:
    return np.random.default_rng([SEED, *key])


def _dense(cell: Cell) -> Kernel:
    """Return random weights, mostly positive, with sum 1: full rank, no symmetry."""
    weights = _drawn(cell.kernel).uniform(-0.2, 1.0, (cell.kernel, cell.kernel))
    return np.asarray(weights / weights.sum())


def _low_rank(cell: Cell) -> Kernel:
    """Return a sum of outer products of random vectors, with sum 1."""
    rank, size = cell.rank or 2, cell.kernel
    columns = _drawn(size, rank).uniform(-0.2, 1.0, (2, rank, size))
    weights = columns[0].T @ columns[1]
    return np.asarray(weights / weights.sum())


def sigma_of(size: int) -> float:
    """Return the standard deviation for which a kernel spans three sigmas on either side.

    Examples
    --------
    >>> sigma_of(7)
    1.0
    """
    return (size - 1) / 6


def _gaussian(cell: Cell) -> Kernel:
    return named_kernel(f"gaussian:sigma={sigma_of(cell.kernel)!r},size={cell.kernel}")


def _box(cell: Cell) -> Kernel:
    return named_kernel(f"box:size={cell.kernel}")


_FILTER2D = ("cv2.filter2D",)

WORKS: dict[str, Work] = {
    work.name: work
    for work in (
        Work(
            "dense",
            "full-rank kernels, floats",
            _dense,
            (*_FILTER2D, "scipy.signal.oaconvolve"),
            dtypes=("float32",),
        ),
        Work(
            "dense-uint8",
            "full-rank kernels, 8 bits in and out",
            _dense,
            _FILTER2D,
            dtypes=("uint8",),
        ),
        Work(
            "gaussian",
            "Gaussians, rank 1",
            _gaussian,
            ("cv2.sepFilter2D", "cv2.GaussianBlur", *_FILTER2D),
        ),
        Work(
            "box",
            "means over a square",
            _box,
            ("cv2.blur", "cv2.boxFilter"),
        ),
        Work(
            "sobel",
            "magnitude of the Sobel gradient",
            lambda cell: named_kernel("sobel"),
            ("cv2.Sobel+magnitude",),
            sizes=(3,),
        ),
        Work(
            "rank",
            "kernels of rank 2, 3 and 4",
            _low_rank,
            _FILTER2D,
            variants=(Variant(rank=2), Variant(rank=3), Variant(rank=4)),
        ),
        Work(
            "strided",
            "full-rank kernels, stride 2 or 4",
            _dense,
            _FILTER2D,
            variants=(Variant(stride=2), Variant(stride=4)),
        ),
    )
}


def work_named(name: str) -> Work:
    """Look up a work by name.

    Raises
    ------
    OptionError
        If the name is unknown.
    """
    check_choice("work", name, WORKS)
    return WORKS[name]


class Grid(Record):
    """The cells to measure, as a product of lists."""

    sizes: tuple[tuple[int, int, int], ...]
    """Heights, widths and channels."""
    kernels: tuple[int, ...]
    works: tuple[str, ...]
    dtypes: tuple[str, ...] = ()
    """The other axes; empty dtypes mean those of each work."""
    threads: int = 1
    """Number of threads."""

    def cells(self) -> list[Cell]:
        """Return the cells, ordered by work, size, channels, type, kernel."""
        return [
            cell
            for work in map(work_named, self.works)
            for height, width, channels in self.sizes
            for dtype in self.dtypes or work.dtypes
            for kernel in self.kernels
            for cell in work.cells(
                Cell(work.name, height, width, channels, dtype, kernel, threads=self.threads)
            )
        ]


@lru_cache(maxsize=2)
def drawn_image(shape: tuple[int, ...], dtype: str) -> Array:
    """Return a read-only noise image: integers over the type's range, floats from 0 to 1.

    Examples
    --------
    >>> drawn_image((2, 3), "uint8").dtype
    dtype('uint8')
    """
    noise = _drawn(*shape).integers(0, 256, shape, np.uint8)
    image: Array
    if np.dtype(dtype).kind == "f":
        image = noise.astype(dtype)
        image /= 255
    else:
        image = noise.astype(dtype)
    image.flags.writeable = False
    return image
