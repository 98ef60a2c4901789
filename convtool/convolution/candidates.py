"""What the planner chooses from, and what each candidate costs: pure functions."""

import math
from functools import lru_cache
from typing import NamedTuple

from convtool.convolution.engines.fft import tile_length
from convtool.convolution.engines.overlap import tiling
from convtool.records import Record


class Rate(NamedTuple):
    """What an algorithm costs: seconds = fixed + samples·(per_sample + per_step·steps)."""

    fixed: float
    """Seconds of a call."""
    per_sample: float
    """Nanoseconds of one thread for each sample (pixel × channel) of the stride-1 output."""
    per_step: float
    """Nanoseconds of one thread for each sample and step (a multiply-add, or a butterfly)."""
    parallel: float = 0.95
    """Share of the work that more threads divide among them."""


RUNNING_SUMS_FROM = 25
"""The JIT engine does kernels of so many equal weights by running sums."""

RUNNING_SUMS_CHANNELS = (1, 2, 3, 4)
"""For pixels of so many channels."""

SMALL_SHAPES = ((3, 3), (5, 5))
"""The JIT engine does 8-bit images by kernels of these shapes in int16; of two kernels, only
those of the first."""

STRIDED = 1.5
"""A sample that a stride keeps costs the JIT engine so many of a dense answer's: fewer rows share
what is loaded."""

OPENCV_DFT_FROM = 12
"""OpenCV's filter2D turns to its DFT where a kernel has more than 11 × 11 weights."""


class Problem(Record):
    """A convolution, as far as its cost depends on it."""

    outputs: tuple[int, int]
    """Height and width of the stride-1 output."""
    channels: int
    """Number of channels."""
    kernel_shape: tuple[int, int]
    """(KH, KW)."""
    nonzeros: int
    """Number of weights that are not zero."""
    rank: int
    """The kernel's rank, or min(KH, KW) where it is large and its rank is not low."""
    itemsize: int = 4
    """4 for float32, 8 for float64."""
    threads: int = 1
    """Number of threads."""
    stride: tuple[int, int] = (1, 1)
    """Every how many rows and columns of that output are kept."""
    uniform: bool = False
    """Whether all weights are the same."""
    kernels: int = 1
    """How many kernels there are: 2 for a gradient's magnitude."""
    uint8: bool = False
    """Whether image and answer are 8 bits."""
    uint16_sums: bool = False
    """Whether the kernel is one whose sums over 8-bit pixels fit 16 bits: see
    :func:`~.engines.uint16_sums.uint16_sums`."""
    uint16_products: bool = False
    """Whether it is one for rounded products: see :func:`~.engines.uint16_sums.uint16_products`."""
    exact: bool = False
    """Whether float sums are exact, whatever their order: the image is of integers, the weights are
    small integers over a power of two. That limits the choice to candidates that multiply them as
    they are, or by factors as exact."""
    whole: bool = False
    """Whether the weights are whole numbers, or whole numbers times one common factor."""
    exact_factors: bool = False
    """Whether the factors are so too."""
    floats: bool = False
    """Whether the image is of floats, whose values may lie far apart: then no candidate is taken
    that rounds by more than a small share of what each window's products sum to."""
    cancels: bool = False
    """Whether products of the factors cancel, so that sums by factors round so."""

    @property
    def passes(self) -> int:
        """Multiply-adds of all factors, for each sample."""
        return self.rank * sum(self.kernel_shape)

    @property
    def samples(self) -> int:
        """Samples of the stride-1 output."""
        return self.outputs[0] * self.outputs[1] * self.channels


class Candidate(NamedTuple):
    """One engine, and how it would compute a convolution."""

    engine: str
    """The engine."""
    rank: int | None
    """How many factors it uses; None where it does not factor."""
    rate: str
    """The name of the rate that it costs."""
    samples: float
    """Samples that it works on."""
    steps: float
    """Steps for each of them."""
    exact: bool = False
    """It multiplies pixels by the weights as they are, or by factors as exact."""


def divided(parallel: float, threads: int) -> float:
    """Return the time on ``threads`` threads as a share of one thread's."""
    return (1 - parallel) + parallel / threads


def cost(problem: Problem, candidate: Candidate, rate: Rate, threads: int | None = None) -> float:
    """Return the seconds that a candidate takes at a rate, on the problem's threads unless given.

    Examples
    --------
    >>> problem = Problem((1000, 1000), 1, (3, 3), 9, 1)
    >>> cost(problem, candidates(problem)[0], Rate(0.5, 1.0, 1.0))
    0.51
    """
    work = candidate.samples * (rate.per_sample + rate.per_step * candidate.steps) * 1e-9
    work *= problem.kernels * problem.itemsize / 4
    return rate.fixed + work * divided(rate.parallel, threads or problem.threads)


def _butterflies(problem: Problem) -> float:
    """Return the butterflies of the overlap-save transforms, for each output sample."""
    waste, bits = 1.0, 0.0
    for taps, size in zip(problem.kernel_shape, problem.outputs, strict=True):
        outputs = tile_length(taps, size)
        length = outputs + taps - 1
        tiles = -(-size // outputs)
        waste *= tiles * length / size
        bits += math.log2(length + 1)
    return waste * bits


def factors_pay(problem: Problem, products: int) -> bool:
    """Return whether factors may take the place of so many multiply-adds for each sample.

    They must save some, and they never make whole numbers inexact.

    Examples
    --------
    >>> factors_pay(Problem((480, 640), 1, (3, 3), 9, 2), 9)
    False
    >>> factors_pay(Problem((480, 640), 1, (9, 9), 81, 2), 81)
    True
    """
    return problem.passes < products and (problem.exact_factors or not problem.whole)


def _compiled_candidates(problem: Problem, kept: float) -> list[Candidate]:
    """Return the candidates of the JIT engine: as they are or by running sums, and by factors."""
    area = math.prod(problem.kernel_shape)
    whole = Candidate("numba", None, "numba", kept, area, exact=True)
    uint8 = problem.uint8 and problem.stride == (1, 1)
    if uint8 and problem.kernel_shape in SMALL_SHAPES[: 2 // problem.kernels]:
        whole = Candidate("numba", None, "numba-small", kept, area, exact=True)
    uint8 = uint8 and problem.kernels == 1
    if uint8 and (problem.uint16_sums or problem.uint16_products):
        rate = "numba-whole" if problem.uint16_sums else "numba-rounded"
        return [Candidate("numba", 1, rate, kept, problem.passes, exact=problem.uint16_sums)]
    sums = problem.uniform and area >= RUNNING_SUMS_FROM and problem.kernel_shape[1] > 1
    if sums and problem.channels in RUNNING_SUMS_CHANNELS:
        rate = "numba-means" if uint8 else "numba-running"
        whole = Candidate("numba", None, rate, kept, sum(problem.kernel_shape), exact=True)
    if uint8 and problem.rank == 1:
        return [whole, Candidate("numba", 1, "numba-fixed", kept, problem.passes, exact=True)]
    if not factors_pay(problem, area):
        return [whole]
    exact = _has_exact_product(problem)
    candidate = Candidate(
        "numba", problem.rank, "numba-factored", kept, problem.passes, exact=exact
    )
    return [whole, candidate]


def _has_exact_product(problem: Problem) -> bool:
    """Return whether sums by factors are exact where those by the weights are."""
    return problem.exact_factors and problem.rank == 1


@lru_cache(maxsize=256)
def candidates(problem: Problem) -> tuple[Candidate, ...]:
    """List every candidate for a problem.

    The JIT engine makes only the rows that the stride keeps.
    """
    height, width = problem.kernel_shape
    area, passes = height * width, problem.passes
    dft = "opencv-dft" if area >= OPENCV_DFT_FROM**2 else "opencv"
    samples = float(problem.samples)
    kept = samples if problem.stride[0] == 1 else samples * STRIDED / problem.stride[0]
    compiled = _compiled_candidates(problem, kept)
    transforms = tiling(problem.kernel_shape, problem.outputs)
    if transforms is not None:
        compiled.append(Candidate("numba-fft", None, "numba-fft", samples, transforms.effort))
    # One candidate only, whatever the number of threads, so that they do not change the answer.
    adapter = Candidate("opencv", None, dft, samples, area, exact=dft == "opencv")
    if passes < area and not (problem.exact and adapter.exact):
        adapter = Candidate("opencv", problem.rank, "opencv-factored", samples, passes)
    return (
        Candidate("direct", None, "direct", samples, problem.nonzeros, exact=True),
        Candidate(
            "separable",
            problem.rank,
            "separable",
            samples,
            passes,
            exact=_has_exact_product(problem),
        ),
        Candidate("fft", None, "fft", samples, _butterflies(problem)),
        *compiled,
        adapter,
        Candidate("scipy", None, "scipy", samples, problem.nonzeros, exact=True),
    )
