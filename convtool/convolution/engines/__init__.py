"""The registry of engines: names and facts as data, the modules imported on use.

An engine's module has one public function, :class:`Prepare`: it makes whatever the kernel needs
once (factors, spectra, compiled code) and returns a correlator that is called tile by tile.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from convtool import compiled
from convtool.convolution.types import Array, DType, Span
from convtool.errors import EngineError, check_choice
from convtool.kernels.factor import Factors, cheap_factors
from convtool.kernels.rational import own_lines
from convtool.kernels.weights import Combination
from convtool.records import Record

if TYPE_CHECKING:
    from convtool.convolution.flat import Level
    from convtool.convolution.geometry import Geometry
    from convtool.convolution.source import Source


class Job(Record, eq=False):
    """One convolution for an engine to compute."""

    kernels: tuple[Array, ...]
    """One kernel of float64, shape (KH, KW), not to be flipped; or two of the same shape, for
    engines that take pairs, whose answers' magnitude sqrt(a² + b²) is wanted."""
    dtype: DType
    """The working dtype, float32 or float64."""
    layout: "Geometry"
    """Where the windows lie."""
    channels: int
    """Number of channels."""
    rank: int | None
    """The number of factors to use, for engines that factor."""
    threads: int
    """How many threads may work."""
    level: "Level | None" = None
    """What windows of one value are multiplied by, where sums of them have to be helped."""
    combination: Combination = "magnitude"
    """What is taken of the answers of several kernels."""
    floats: bool = False
    """Whether the image is of floats, whose values may lie far apart."""

    @property
    def kernel(self) -> Array:
        """The only kernel, or the first of a pair."""
        return self.kernels[0]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C) of the stride-1 output."""
        return self.layout.rows.dense, self.layout.columns.dense, self.channels


class TileCorrelator(Record):
    """A prepared kernel of an engine that reads windows."""

    run: Callable[[Array, Array], None]
    """``run(window, out)``: ``window`` has shape (R + KH - 1, N + KW - 1, C), ``out`` (R, N, C),
    both of the working dtype; writes the valid correlation of each channel with the kernel."""
    tile: tuple[int, int]
    """The largest (R, N) that a call should have."""
    reads: frozenset[DType] = frozenset()
    """What ``window`` may be of, beside the working dtype."""
    writes: frozenset[DType] = frozenset()
    """What ``out`` may be of, beside the working dtype, where ``window`` is of one that is read."""


class StripCorrelator(Record):
    """A prepared kernel of an engine that reads the image through the border table itself."""

    run: Callable[["Source", Array, Span, Array, int], None]
    """``run(source, out, origin, strips, workers)`` makes strips of the answer, on so many threads.
    Each row of ``strips`` says which: first and last line (after the stride), first and last window
    (column at stride 1; last means the one after it). ``out`` holds the part of the answer that
    starts at row and column ``origin``. ``source`` and ``out`` have rows whose scalars lie side by
    side."""
    tile: tuple[int, int]
    """The most rows and windows that a call should have."""
    writes: frozenset[DType]
    """What ``out`` may be of, beside the working dtype."""
    wake: Callable[[int], None]
    """``wake(workers)`` wakes so many threads for a run that follows at once."""
    bind: Callable[["Source", Array, Array, int], Callable[[Array, Array], None]] | None = None
    """``bind(source, out, strips, workers)`` returns what makes whole answers of images that lie in
    memory as these do, called with image and answer."""
    bind_patches: (
        Callable[[tuple[str, float], Array, Array], Callable[[Array, Array, int], None]] | None
    ) = None
    """``bind_patches(rule, images, out)`` returns what makes the answers of small pictures, shape
    (N, H, W, C), called with pictures and answers that lie in memory as these do, and with the
    number of threads."""


Correlator = TileCorrelator | StripCorrelator


class Prepare(Protocol):
    """What an engine's module has as ``prepare``."""

    def __call__(self, job: Job) -> Correlator:
        """Make a correlator."""


class EngineEntry(Record):
    """What the registry knows of an engine without importing it."""

    name: str
    module: str
    """Its name and where it lives."""
    summary: str
    """What it does, in a line."""
    own: bool = True
    """Written by this project, not an adapter to another library."""
    compiled: bool = False
    """It calls compiled functions."""
    local: bool = False
    """NaN and inf spread only as far as the kernel's non-zero weights reach."""
    takes_rank: bool = False
    """``rank`` means something to it."""
    takes_pairs: bool = False
    """It makes the magnitude of two kernels' answers in one pass."""


ENGINES: dict[str, EngineEntry] = {
    entry.name: entry
    for entry in (
        EngineEntry(
            "direct",
            "convtool.convolution.engines.direct",
            "NumPy: one multiply-add of the whole tile for each weight",
            local=True,
        ),
        EngineEntry(
            "separable",
            "convtool.convolution.engines.separable",
            "NumPy: a column and a row pass for each of the kernel's factors",
            takes_rank=True,
        ),
        EngineEntry(
            "fft",
            "convtool.convolution.engines.fft",
            "SciPy: real FFTs of overlapping tiles (overlap-save)",
            local=True,
        ),
        EngineEntry(
            "numba",
            "convtool.convolution.engines.jit",
            "Numba: compiled vector code, dense or by factors, on threads",
            compiled=True,
            local=True,
            takes_rank=True,
            takes_pairs=True,
        ),
        EngineEntry(
            "numba-fft",
            "convtool.convolution.engines.jit.transforms",
            "Numba: compiled FFTs of overlapping tiles, on threads",
            local=True,
            compiled=True,
            takes_pairs=True,
        ),
        EngineEntry(
            "opencv",
            "convtool.convolution.engines.opencv",
            "OpenCV's filter2D, or sepFilter2D for each factor, to compare with",
            own=False,
            takes_rank=True,
            takes_pairs=True,
        ),
        EngineEntry(
            "scipy",
            "convtool.convolution.engines.reference",
            "scipy.ndimage.correlate, to compare with",
            own=False,
            local=True,
        ),
    )
}


def engines() -> tuple[str, ...]:
    """Return the names of all engines.

    Examples
    --------
    >>> engines()
    ('direct', 'separable', 'fft', 'numba', 'numba-fft', 'opencv', 'scipy')
    """
    return tuple(ENGINES)


@cache
def available() -> frozenset[str]:
    """Return the names of the engines that ``auto`` may take in this installation.

    Those that are compiled are among them where a library was built, or where ``convtool compile``
    has filled the cache.

    Examples
    --------
    >>> "direct" in available(), "scipy" in available()
    (True, False)
    """
    ready = compiled.is_ready()
    return frozenset(
        name for name, known in ENGINES.items() if known.own and (ready or not known.compiled)
    )


def entry(name: str) -> EngineEntry:
    """Return the registry's entry of an engine.

    Raises
    ------
    OptionError
        If no engine has that name.
    """
    check_choice("engine", name, ("auto", *ENGINES))
    return ENGINES[name]


def load(name: str) -> Prepare:
    """Import an engine's module and return its ``prepare``."""
    module = import_module(entry(name).module)
    prepare: Prepare = module.prepare
    return prepare


def rank_tolerance(dtype: DType) -> float | None:
    """Return which singular values count as zero: those that the working dtype cannot see."""
    return float(np.finfo(np.float32).eps) / 2 if dtype == np.float32 else None


class Lines(NamedTuple):
    """The factors of a kernel in a working dtype: columns (rank, KH) and rows (rank, KW)."""

    columns: Array
    rows: Array


class Factoring(Record, eq=False):
    """How a kernel is taken apart in a working dtype: what plans and engines both look at."""

    rank: int
    """How many factors it takes, at least 1."""
    whole: bool
    """Whether its weights are whole numbers, or whole numbers times one common factor."""
    exact: bool
    """Whether its factors are so too."""
    factors: Factors | None
    """The factors; None for a large kernel of high rank, whose factors are its own lines."""
    cancels: bool = False
    """Whether products of factors cancel: somewhere, their magnitudes sum to more than `CANCELLING`
    times the weight."""


CANCELLING = 20.0
"""How many times the weight that products of factors sum to their magnitudes may sum to: so many
times the rounding of each is within the tolerance of the sum."""


def _cancels(kernel: Array, factors: Factors) -> bool:
    """Return whether products of factors cancel, see `Factoring`."""
    magnitudes = np.abs(factors.columns).T @ np.abs(factors.rows)
    return len(factors.columns) > 1 and bool(np.any(magnitudes > CANCELLING * np.abs(kernel)))


@lru_cache(maxsize=64)
def _factoring(weights: bytes, shape: tuple[int, int], dtype: DType) -> Factoring:
    kernel = np.frombuffer(weights).reshape(shape)
    factors = cheap_factors(kernel, rank_tolerance(dtype))
    if factors is None:
        return Factoring(min(shape), False, False, None)
    cancels = _cancels(kernel, factors)
    return Factoring(len(factors.columns), factors.whole, factors.exact, factors, cancels)


def factoring(kernel: Array, dtype: DType) -> Factoring:
    """Return how a kernel of float64 is taken apart in the working dtype, from memory if known."""
    return _factoring(kernel.tobytes(), (kernel.shape[0], kernel.shape[1]), dtype)


def factors_for(engine: str, kernel: Array, dtype: DType, asked: int | None) -> Lines:
    """Return the factors of a kernel in the working dtype.

    Raises
    ------
    EngineError
        If fewer factors are asked for than the kernel needs.
    """
    found = factoring(kernel, dtype)
    if asked is not None and asked < found.rank:
        raise EngineError(
            f"the kernel has rank {found.rank}, engine {engine!r} was asked to do it with rank"
            f" {asked}; ask for at least {found.rank}, or leave the rank out"
        )
    if found.factors is None:
        columns, rows = own_lines(kernel)
    else:
        columns, rows = found.factors.columns, found.factors.rows
    return Lines(columns.astype(dtype), rows.astype(dtype))


def cache_tile(shape: tuple[int, int, int], itemsize: int, budget: int) -> tuple[int, int]:
    """Return the largest tile (rows, columns) of whole image rows that fits ``budget`` bytes.

    Very wide images are cut into columns too, so that a tile keeps at least 32 rows.
    """
    height, width, channels = shape
    columns = min(width, max(1, budget // (32 * channels * itemsize)))
    rows = max(1, budget // (columns * channels * itemsize))
    return min(height, rows), columns
