"""Which engine is fastest: a cost model, and the choice made from it.

Everything here is a pure function of sizes, dtypes, threads, what each engine still has to start,
and a calibration. :mod:`~.startup` looks at the process; nothing here does.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from convtool.convolution.engines import ENGINES
from convtool.convolution.engines.fft import tile_length


@dataclass(frozen=True)
class Rate:
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
    "direct": Rate(1e-4, 0.3, 0.25),
    "separable": Rate(1e-4, 0.5, 0.25),
    "fft": Rate(3e-4, 2.0, 0.25),
    "numba": Rate(1e-4, 0.4, 0.08),
    "numba-factored": Rate(1e-4, 0.5, 0.08),
    "opencv": Rate(5e-5, 0.4, 0.05),
    "opencv-dft": Rate(1e-3, 16.0, 0.0),
    "scipy": Rate(1e-4, 2.0, 1.4),
}
"""Measured on two cores at 2.6 GHz with AVX-512; the ratios matter more than the values."""

OPENCV_DFT_FROM = 12
"""OpenCV's filter2D turns to its DFT where a kernel has more than 11 × 11 weights."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """The rates that the planner computes with."""

    rates: Mapping[str, Rate]


BUILT_IN = Calibration(DEFAULT_RATES)
"""The calibration of a machine that was not measured."""


@dataclass(frozen=True)
class Problem:
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
        The kernel's rank, or min(KH, KW) where it was not worth finding out.
    itemsize : int
        4 for float32, 8 for float64.
    threads : int
        Number of threads.
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
    finite: bool = True

    @property
    def samples(self) -> int:
        """Samples of the stride-1 output."""
        return self.outputs[0] * self.outputs[1] * self.channels

    @property
    def factors_keep_support(self) -> bool:
        """Whether factors reach exactly as far as the kernel's non-zero weights do."""
        return self.rank == 1 or self.taps == math.prod(self.kernel_shape)


@dataclass(frozen=True)
class Plan:
    """How a convolution is going to be done, and why.

    Attributes
    ----------
    engine : str
        The engine.
    rank : int or None
        How many factors it uses; None where it does not factor.
    costs : dict of str to float
        Seconds that each engine would have taken, starting it included.
    reason : str
        Why this engine, in words.
    """

    engine: str
    rank: int | None
    costs: dict[str, float]
    reason: str


@dataclass(frozen=True)
class _Estimate:
    engine: str
    rank: int | None
    seconds: float
    local: bool


def _seconds(problem: Problem, rate: Rate, steps: float) -> float:
    work = problem.samples * (rate.per_sample + rate.per_step * steps) * 1e-9
    width = problem.itemsize / 4
    divided = (1 - rate.parallel) + rate.parallel / problem.threads
    return rate.fixed + work * width * divided


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


@lru_cache(maxsize=256)
def _estimates(problem: Problem, calibration: Calibration) -> tuple[_Estimate, ...]:
    """Return what each engine takes once it is started, in each way that it can work."""
    rates = calibration.rates
    height, width = problem.kernel_shape
    passes = problem.rank * (height + width)
    dft = height * width >= OPENCV_DFT_FROM**2
    keeps = problem.factors_keep_support

    def at(rate: str, steps: float) -> float:
        return _seconds(problem, rates[rate], steps)

    return (
        _Estimate("direct", None, at("direct", problem.taps), True),
        _Estimate("separable", problem.rank, at("separable", passes), keeps),
        _Estimate("fft", None, at("fft", _butterflies(problem)), False),
        _Estimate("numba", None, at("numba", height * width), True),
        _Estimate("numba", problem.rank, at("numba-factored", passes), True),
        _Estimate("opencv", None, at("opencv-dft" if dft else "opencv", height * width), False),
        _Estimate("scipy", None, at("scipy", problem.taps), True),
    )


def _in_words(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _work_in_words(estimate: _Estimate, problem: Problem) -> str:
    height, width = problem.kernel_shape
    if estimate.engine == "fft":
        return "FFT tiles, whose cost hardly grows with the kernel"
    if estimate.rank is not None:
        passes = estimate.rank * (height + width)
        return f"rank {estimate.rank}: {passes} multiply-adds a pixel, not {height * width}"
    return f"{problem.taps} multiply-adds a pixel"


def keeps_nonfinite(plan: Plan, problem: Problem) -> bool:
    """Return whether a plan spreads NaN and inf no further than the kernel's support reaches."""
    return any(
        estimate.local
        for estimate in _estimates(problem, BUILT_IN)
        if (estimate.engine, estimate.rank) == (plan.engine, plan.rank)
    )


def choose(
    problem: Problem,
    startup: Mapping[str, float] | None = None,
    calibration: Calibration = BUILT_IN,
    engine: str = "auto",
) -> Plan:
    """Choose the engine, and the way it works, that takes least time.

    Parameters
    ----------
    problem : Problem
        The sizes.
    startup : mapping of str to float, optional
        Seconds that each engine needs before it can begin (import, compilation); none by default.
        The ``opencv`` adapter is taken only where an engine of the project's own has to be started
        and the adapter is faster than any of them.
    calibration : Calibration, optional
        The rates to compute with.
    engine : str
        An engine that must be taken, or ``auto``.

    Returns
    -------
    Plan
        The engine, how, and what each would have cost.

    Examples
    --------
    >>> small = Problem((480, 640), 1, (3, 3), 9, 1)
    >>> choose(small, {"numba": 0.5, "fft": 0.3}).engine
    'opencv'
    """
    startup = startup or {}
    estimates = _estimates(problem, calibration)
    usable = [e for e in estimates if problem.finite or e.local or e.engine == engine]

    def total(estimate: _Estimate) -> float:
        return estimate.seconds + startup.get(estimate.engine, 0.0)

    costs = {name: min(total(e) for e in estimates if e.engine == name) for name in ENGINES}
    if engine != "auto":
        best = min((e for e in usable if e.engine == engine), key=total)
        return Plan(engine, best.rank, costs, f"asked for; {_work_in_words(best, problem)}")
    own = [e for e in usable if ENGINES[e.engine].own]
    best = min(own, key=total)
    adapter = [e for e in usable if e.engine == "opencv"]
    if adapter and any(startup.get(e.engine, 0.0) > 0 for e in own):
        best = min(best, *adapter, key=total)
    reason = f"{_work_in_words(best, problem)}; about {_in_words(total(best))}"
    if best.engine == "opencv":
        waiting = min((e for e in own if startup.get(e.engine, 0.0) > 0), key=lambda e: e.seconds)
        reason += (
            f", while engine '{waiting.engine}' would first take"
            f" {_in_words(startup[waiting.engine])} to start"
        )
    if not problem.finite:
        reason += "; the image holds NaN or inf, which this engine does not spread"
    return Plan(best.engine, best.rank, costs, reason)
