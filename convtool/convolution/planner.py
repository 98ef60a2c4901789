"""Which engine is fastest: a cost model, and the choice made from it.

Everything here is a pure function of the problem (sizes, types, kernel) and a calibration. Nothing
looks at the process: what was imported or called before changes no plan.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from convtool.convolution.engines import ENGINES
from convtool.convolution.engines.fft import tile_length
from convtool.convolution.engines.overlap import tiling
from convtool.errors import EngineError
from convtool.records import Record


class Rate(NamedTuple):
    """What an algorithm costs: seconds = fixed + samples·(per_sample + per_step·steps).

    Attributes
    ----------
    fixed : float
        Seconds of a call.
    per_sample : float
        Nanoseconds of one thread for each sample (pixel × channel) of the stride-1 output.
    per_step : float
        Nanoseconds of one thread for each sample and step (a multiply-add, or a butterfly).
    parallel : float
        Share of the work that more threads divide among them.
    """

    fixed: float
    per_sample: float
    per_step: float
    parallel: float = 0.95


DEFAULT_RATES: dict[str, Rate] = {
    "direct": Rate(0.00026, 0.179, 0.379, 0.9),
    "separable": Rate(0.000221, 0.869, 0.302, 0.82),
    "fft": Rate(0.000657, 4.3, 0.216, 0.72),
    "numba": Rate(0.000115, 0.2, 0.024, 0.8),
    "numba-factored": Rate(0.000143, 0.376, 0.0486, 0.92),
    "numba-fixed": Rate(0.000077, 0.261, 0.0162, 0.78),
    "numba-fft": Rate(0.00015, 1.8, 0.066, 0.94),
    "numba-running": Rate(0.000123, 0.929, 0.00592, 0.94),
    "numba-small": Rate(0.0001, 0.075, 0.0223, 0.88),
    "numba-means": Rate(0.000113, 0.521, 0.000857, 0.86),
    "numba-whole": Rate(0.00008, 0.06, 0.0165, 0.8),
    "numba-rounded": Rate(0.00008, 0.09, 0.0165, 0.8),
    "opencv": Rate(0.000157, 0.682, 0.0413, 0.84),
    "opencv-dft": Rate(0.00121, 12.8, 0.00181, 0.9),
    "opencv-factored": Rate(0.000172, 0.113, 0.126, 0.78),
    "scipy": Rate(0.000519, 3.67, 0.69, 0.84),
}
"""Measured by ``convtool bench --calibrate`` on two cores of an AMD EPYC with AVX2; their ratios
matter more than their values."""

RUNNING_SUMS_FROM = 25
"""The JIT engine does kernels of so many equal weights by running sums."""

RUNNING_SUMS_CHANNELS = (1, 2, 3, 4)
"""For pixels of so many channels."""

SMALL_SHAPES = ((3, 3), (5, 5))
"""The JIT engine does 8-bit images by kernels of these shapes in 16-bit words; of two kernels, only
those of the first."""

STRIDED = 1.5
"""A sample that a stride keeps costs the JIT engine so many of a dense answer's: fewer rows share
what is loaded."""

TRANSFORMS = ("fft", "numba-fft")
TRANSFORMS_FROM = 25
"""Engines that multiply spectra, and the fewest weights of a kernel that they are chosen for."""

OPENCV_DFT_FROM = 12
"""OpenCV's filter2D turns to its DFT where a kernel has more than 11 × 11 weights."""


OWN = frozenset(name for name, entry in ENGINES.items() if entry.own)
"""The project's own engines; the others are there to compare with."""


class Calibration(Record, eq=False):
    """What plans depend on besides the problem: plain data, which other processes are given.

    Attributes
    ----------
    rates : mapping of str to Rate
        What each algorithm costs.
    cores : int
        Number of threads for which engines are compared, whatever number computes: so that this
        number changes no bit of the answer.
    engines : frozenset of str
        The engines that ``auto`` may take.
    """

    rates: Mapping[str, Rate]
    cores: int = 2
    engines: frozenset[str] = OWN

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (tuple(self.rates.items()), self.cores, self.engines)


@lru_cache(maxsize=4)
def _received(
    rates: tuple[tuple[str, Rate], ...], cores: int, engines: frozenset[str]
) -> Calibration:
    """Return one object for equal calibrations that arrive: plans are remembered by it."""
    return Calibration(dict(rates), cores, engines)


BUILT_IN = Calibration(DEFAULT_RATES)
"""The calibration of a machine that was not measured."""


class Problem(Record):
    """A convolution, as far as its cost depends on it.

    Attributes
    ----------
    outputs : tuple of int
        Height and width of the stride-1 output.
    channels : int
        Number of channels.
    kernel_shape : tuple of int
        (KH, KW).
    taps : int
        Number of weights that are not zero.
    rank : int
        The kernel's rank, or min(KH, KW) where it is large and its rank is not low.
    itemsize : int
        4 for float32, 8 for float64.
    threads : int
        Number of threads.
    stride : tuple of int
        Every how many rows and columns of that output are kept.
    uniform : bool
        Whether all weights are the same.
    kernels : int
        How many kernels there are: 2 for a gradient's length.
    octets : bool
        Whether image and answer are 8 bits.
    uint16_sums : bool
        Whether the kernel is one whose sums over 8-bit pixels fit 16 bits: see
        :func:`~.engines.uint16_sums.uint16_sums`.
    uint16_products : bool
        Whether it is one for rounded products: see :func:`~.engines.uint16_sums.uint16_products`.
    exact : bool
        Whether float sums are exact, whatever their order: the image is of integers, the weights
        are small integers over a power of two. That limits the choice to ways that multiply them
        as they are, or by factors as exact.
    whole : bool
        Whether the weights are whole numbers, or whole numbers times one common factor.
    exact_factors : bool
        Whether the factors are so too.
    finite : bool
        False if the image holds NaN or inf, which limits the choice to engines that keep them
        where the kernel reaches.
    """

    outputs: tuple[int, int]
    channels: int
    kernel_shape: tuple[int, int]
    taps: int
    rank: int
    itemsize: int = 4
    threads: int = 1
    stride: tuple[int, int] = (1, 1)
    uniform: bool = False
    kernels: int = 1
    octets: bool = False
    uint16_sums: bool = False
    uint16_products: bool = False
    exact: bool = False
    whole: bool = False
    exact_factors: bool = False
    finite: bool = True

    @property
    def passes(self) -> int:
        """Multiply-adds of all factors, for each sample."""
        return self.rank * sum(self.kernel_shape)

    @property
    def samples(self) -> int:
        """Samples of the stride-1 output."""
        return self.outputs[0] * self.outputs[1] * self.channels

    @property
    def factors_keep_support(self) -> bool:
        """Whether factors reach exactly as far as the kernel's non-zero weights do."""
        return self.rank == 1 or self.taps == math.prod(self.kernel_shape)


class Plan(Record):
    """How a convolution is going to be done, and why.

    Attributes
    ----------
    engine : str
        The engine.
    rank : int or None
        How many factors it uses; None where it does not factor.
    costs : dict of str to float
        Seconds that each engine would have taken.
    reason : str
        Why this engine, in words.
    """

    engine: str
    rank: int | None
    costs: dict[str, float]
    reason: str

    @property
    def chosen(self) -> "Chosen":
        """What it settles."""
        return Chosen(self.engine, self.rank)


class Chosen(NamedTuple):
    """What a plan settles: an engine, and how many factors it uses."""

    engine: str
    rank: int | None


class Way(NamedTuple):
    """A way in which an engine can do a problem.

    Attributes
    ----------
    engine : str
        The engine.
    rank : int or None
        How many factors it uses; None where it does not factor.
    rate : str
        The name of the rate that it costs.
    samples : float
        Samples that it works on.
    steps : float
        Steps for each of them.
    local : bool
        It spreads NaN and inf no further than the kernel's non-zero weights reach.
    exact : bool
        It multiplies pixels by the weights as they are, or by factors as exact.
    """

    engine: str
    rank: int | None
    rate: str
    samples: float
    steps: float
    local: bool
    exact: bool = False


def divided(parallel: float, threads: int) -> float:
    """Return which share of one thread's time so many threads take."""
    return (1 - parallel) + parallel / threads


def cost(problem: Problem, way: Way, rate: Rate, threads: int | None = None) -> float:
    """Return the seconds that a way takes at a rate, on the problem's threads unless given.

    Examples
    --------
    >>> problem = Problem((1000, 1000), 1, (3, 3), 9, 1)
    >>> cost(problem, ways(problem)[0], Rate(0.5, 1.0, 1.0))
    0.51
    """
    work = way.samples * (rate.per_sample + rate.per_step * way.steps) * 1e-9
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


def _compiled_ways(problem: Problem, kept: float) -> list[Way]:
    """Return the ways of the JIT engine: as they are or by running sums, and by factors."""
    area = math.prod(problem.kernel_shape)
    whole = Way("numba", None, "numba", kept, area, True, exact=True)
    octets = problem.octets and problem.stride == (1, 1)
    if octets and problem.kernel_shape in SMALL_SHAPES[: 2 // problem.kernels]:
        whole = Way("numba", None, "numba-small", kept, area, True, exact=True)
    octets = octets and problem.kernels == 1
    if octets and (problem.uint16_sums or problem.uint16_products):
        rate = "numba-whole" if problem.uint16_sums else "numba-rounded"
        return [Way("numba", 1, rate, kept, problem.passes, True, exact=problem.uint16_sums)]
    sums = problem.uniform and area >= RUNNING_SUMS_FROM and problem.kernel_shape[1] > 1
    if sums and problem.channels in RUNNING_SUMS_CHANNELS:
        rate = "numba-means" if octets else "numba-running"
        whole = Way("numba", None, rate, kept, sum(problem.kernel_shape), True, exact=True)
    if octets and problem.rank == 1:
        return [whole, Way("numba", 1, "numba-fixed", kept, problem.passes, True, exact=True)]
    if not factors_pay(problem, area):
        return [whole]
    exact = _has_exact_product(problem)
    way = Way("numba", problem.rank, "numba-factored", kept, problem.passes, True, exact=exact)
    return [whole, way]


def _has_exact_product(problem: Problem) -> bool:
    """Return whether sums by factors are exact where those by the weights are."""
    return problem.exact_factors and problem.rank == 1


@lru_cache(maxsize=256)
def ways(problem: Problem) -> tuple[Way, ...]:
    """Return all ways in which the engines can do a problem.

    The JIT engine makes only the rows that the stride keeps.
    """
    height, width = problem.kernel_shape
    area, passes = height * width, problem.passes
    dft = "opencv-dft" if area >= OPENCV_DFT_FROM**2 else "opencv"
    keeps, samples = problem.factors_keep_support, float(problem.samples)
    kept = samples if problem.stride[0] == 1 else samples * STRIDED / problem.stride[0]
    compiled = _compiled_ways(problem, kept)
    transforms = tiling(problem.kernel_shape, problem.outputs)
    if transforms is not None:
        compiled.append(Way("numba-fft", None, "numba-fft", samples, transforms.effort, False))
    # One way only, whatever the number of threads, so that they do not change the answer.
    adapter = Way("opencv", None, dft, samples, area, False, exact=dft == "opencv")
    if passes < area and not (problem.exact and adapter.exact):
        adapter = Way("opencv", problem.rank, "opencv-factored", samples, passes, False)
    return (
        Way("direct", None, "direct", samples, problem.taps, True, exact=True),
        Way(
            "separable",
            problem.rank,
            "separable",
            samples,
            passes,
            keeps,
            exact=_has_exact_product(problem),
        ),
        Way("fft", None, "fft", samples, _butterflies(problem), False),
        *compiled,
        adapter,
        Way("scipy", None, "scipy", samples, problem.taps, True, exact=True),
    )


class _Estimate(NamedTuple):
    """What a way takes: on the threads that it gets, and on those for which ways are compared."""

    way: Way
    seconds: float
    compared: float

    @property
    def engine(self) -> str:
        return self.way.engine


@lru_cache(maxsize=256)
def _estimates(problem: Problem, calibration: Calibration) -> tuple[_Estimate, ...]:
    """Return what each way takes."""

    def estimate(way: Way) -> _Estimate:
        rate = calibration.rates[way.rate]
        compared = cost(problem, way, rate, calibration.cores)
        return _Estimate(way, cost(problem, way, rate), compared)

    return tuple(estimate(way) for way in ways(problem))


def _in_words(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _work_in_words(way: Way, problem: Problem) -> str:
    height, width = problem.kernel_shape
    if way.rate in ("numba-running", "numba-means"):
        return "equal weights: running sums, whose cost does not grow with the kernel"
    if way.engine in ("fft", "numba-fft"):
        return "FFT tiles, whose cost hardly grows with the kernel"
    if way.rate == "numba-small":
        return f"8 bits: {problem.taps} multiply-adds a pixel, in 16-bit words"
    if way.rate == "numba-whole":
        return f"8 bits, whole numbers of rank 1: {height + width - 2} adds a pixel, in uint16"
    if way.rate == "numba-rounded":
        return f"8 bits and rank 1: {height + width} multiply-adds a pixel, in 16-bit words"
    if way.rate == "numba-fixed":
        return "8 bits and rank 1: fixed point, as exact as whole weights allow"
    if way.rank is not None:
        passes = way.rank * (height + width)
        return f"rank {way.rank}: {passes} multiply-adds a pixel, not {height * width}"
    if problem.taps == 1:
        return "a single weight: one multiplication a pixel"
    return f"{problem.taps} multiply-adds a pixel"


def keeps_nonfinite(plan: Plan | Chosen, problem: Problem) -> bool:
    """Return whether a plan spreads NaN and inf no further than the kernel's support reaches."""
    return any(
        way.local for way in ways(problem) if (way.engine, way.rank) == (plan.engine, plan.rank)
    )


def _may_choose(way: Way, problem: Problem) -> bool:
    """Return whether a way keeps what the problem has: NaN in its place, exact sums.

    Factors are taken where they pay. Few weights are never left to transforms, whose rounding shows
    where sums are zero, and one alone is multiplied without a sum, so that the identity keeps each
    bit, that of -0 too.
    """
    if problem.taps == 1:
        return way.engine == "direct"
    if way.engine in TRANSFORMS and math.prod(problem.kernel_shape) < TRANSFORMS_FROM:
        return False
    if way.engine == "separable" and not factors_pay(problem, problem.taps):
        return False
    return (way.local or problem.finite) and (way.exact or not problem.exact)


def choose(problem: Problem, calibration: Calibration = BUILT_IN, engine: str = "auto") -> Plan:
    """Choose the engine, and the way it works, that takes least time.

    Parameters
    ----------
    problem : Problem
        The sizes.
    calibration : Calibration, optional
        The rates to compute with, and the engines that ``auto`` may take.
    engine : str
        An engine that must be taken, or ``auto``.

    Returns
    -------
    Plan
        The engine, how, and what each that can do it would cost.

    Raises
    ------
    EngineError
        If the engine that must be taken cannot do it.

    Examples
    --------
    >>> small = Problem((480, 640), 1, (3, 3), 9, 1)
    >>> choose(small).engine
    'numba'
    >>> choose(small, Calibration(DEFAULT_RATES, engines=frozenset({"direct", "fft"}))).engine
    'direct'
    """
    estimates = _estimates(problem, calibration)
    costs: dict[str, float] = {}
    for one in estimates:
        costs[one.engine] = min(one.seconds, costs.get(one.engine, one.seconds))
    if engine != "auto":
        asked = [one for one in estimates if one.engine == engine]
        if not asked:
            height, width = problem.kernel_shape
            raise EngineError(f"engine {engine!r} takes no kernel of {height}×{width}; try 'fft'")
        best = _fastest(asked)
        reason = f"asked for; {_work_in_words(best.way, problem)}"
        return Plan(engine, best.way.rank, costs, reason)
    own = [one for one in estimates if one.engine in OWN and _may_choose(one.way, problem)]
    best = _fastest([one for one in own if one.engine in calibration.engines])
    reason = f"{_work_in_words(best.way, problem)}; about {_in_words(best.seconds)}"
    if not problem.finite:
        reason += "; the image holds NaN or inf, which this engine does not spread"
    wanted = _fastest(own)
    if wanted.engine not in calibration.engines:
        reason += (
            f"; engine '{wanted.engine}' would take about {_in_words(wanted.seconds)}: "
            "run 'convtool compile'"
        )
    return Plan(best.engine, best.way.rank, costs, reason)


def _fastest(estimates: Sequence[_Estimate]) -> _Estimate:
    """Return the first of the ways that take least time where ways are compared."""
    return min(estimates, key=lambda one: one.compared)
