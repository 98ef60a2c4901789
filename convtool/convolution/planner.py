"""The choice of the engine: a cost model and a pure function.

Everything here is a pure function of the problem (sizes, types, kernel) and a calibration. Nothing
looks at the process: what was imported or called before changes no plan.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from convtool.convolution.candidates import Candidate, Problem, Rate, candidates, cost, factors_pay
from convtool.convolution.engines import ENGINES
from convtool.errors import EngineError
from convtool.notebook import costs_html
from convtool.records import Record

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

TRANSFORMS = ("fft", "numba-fft")
TRANSFORMS_FROM = 25
"""Engines that multiply spectra, and the fewest weights of a kernel that they are chosen for."""

MOST_SUMMED = {4: 256, 8: 8192}
"""The most products that the JIT engine may sum one after the other where values lie far apart, by
the size of the working type: more of them round too much."""

OWN = frozenset(name for name, entry in ENGINES.items() if entry.own)
"""The project's own engines; the others are there to compare with."""


class Calibration(Record, eq=False):
    """What plans depend on besides the problem: plain data, which other processes are given."""

    rates: Mapping[str, Rate]
    """What each algorithm costs."""
    cores: int = 2
    """Number of threads for which engines are compared, whatever number computes: so that this
    number changes no bit of the answer."""
    engines: frozenset[str] = OWN
    """The engines that ``auto`` may take."""

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

    def _repr_html_(self) -> str:
        """Return what a notebook shows: a table of the costs."""
        rank = f", rank {self.rank}" if self.rank is not None else ""
        return costs_html(self.costs, self.engine, f"{self.engine}{rank}: {self.reason}")

    @property
    def chosen(self) -> "Chosen":
        """What it settles."""
        return Chosen(self.engine, self.rank)


class Chosen(NamedTuple):
    """What a plan settles: an engine, and how many factors it uses."""

    engine: str
    rank: int | None


class _Estimate(NamedTuple):
    """Seconds of a candidate: on its own threads, and on those used to compare candidates."""

    candidate: Candidate
    seconds: float
    compared: float

    @property
    def engine(self) -> str:
        return self.candidate.engine


@lru_cache(maxsize=256)
def _estimates(problem: Problem, calibration: Calibration) -> tuple[_Estimate, ...]:
    """Estimate the seconds of each candidate."""

    def estimate(candidate: Candidate) -> _Estimate:
        rate = calibration.rates[candidate.rate]
        compared = cost(problem, candidate, rate, calibration.cores)
        return _Estimate(candidate, cost(problem, candidate, rate), compared)

    return tuple(estimate(candidate) for candidate in candidates(problem))


def _format_seconds(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _describe_work(candidate: Candidate, problem: Problem) -> str:
    height, width = problem.kernel_shape
    if candidate.rate in ("numba-running", "numba-means"):
        return "equal weights: running sums, whose cost does not grow with the kernel"
    if candidate.engine in ("fft", "numba-fft"):
        return "FFT tiles, whose cost hardly grows with the kernel"
    if candidate.rate == "numba-small":
        return f"8 bits: {problem.nonzeros} multiply-adds a pixel, in int16"
    if candidate.rate == "numba-whole":
        return f"8 bits, whole numbers of rank 1: {height + width - 2} adds a pixel, in uint16"
    if candidate.rate == "numba-rounded":
        return f"8 bits and rank 1: {height + width} multiply-adds a pixel, in int16"
    if candidate.rate == "numba-fixed":
        return "8 bits and rank 1: fixed point, as exact as whole weights allow"
    if candidate.rank is not None:
        passes = candidate.rank * (height + width)
        return f"rank {candidate.rank}: {passes} multiply-adds a pixel, not {height * width}"
    if problem.nonzeros == 1:
        return "a single weight: one multiplication a pixel"
    return f"{problem.nonzeros} multiply-adds a pixel"


def _rounds_much(candidate: Candidate, problem: Problem) -> bool:
    """Return whether a candidate rounds by more than a small share of what a window sums to."""
    if candidate.rank is not None:
        return candidate.rank > 1 and problem.cancels
    return candidate.rate == "numba" and problem.nonzeros > MOST_SUMMED[problem.itemsize]


def _may_choose(candidate: Candidate, problem: Problem) -> bool:
    """Return whether a candidate keeps what the problem has: values in their place, exact sums.

    Factors are taken where they pay. Values that lie far apart are never left to candidates that
    round much. Few weights are never left to transforms, whose rounding shows where sums are zero,
    and one alone is multiplied without a sum, so that the identity keeps each bit, that of -0 too.
    """
    if problem.nonzeros == 1:
        return candidate.engine == "direct"
    if candidate.engine in TRANSFORMS and math.prod(problem.kernel_shape) < TRANSFORMS_FROM:
        return False
    if candidate.engine == "separable" and not factors_pay(problem, problem.nonzeros):
        return False
    if problem.floats and _rounds_much(candidate, problem):
        return False
    return candidate.exact or not problem.exact


def choose(problem: Problem, calibration: Calibration = BUILT_IN, engine: str = "auto") -> Plan:
    """Choose the engine and algorithm that take the least time.

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
        reason = f"asked for; {_describe_work(best.candidate, problem)}"
        return Plan(engine, best.candidate.rank, costs, reason)
    own = [one for one in estimates if one.engine in OWN and _may_choose(one.candidate, problem)]
    best = _fastest([one for one in own if one.engine in calibration.engines])
    reason = f"{_describe_work(best.candidate, problem)}; about {_format_seconds(best.seconds)}"
    wanted = _fastest(own)
    if wanted.engine not in calibration.engines:
        reason += (
            f"; engine '{wanted.engine}' would take about {_format_seconds(wanted.seconds)}: "
            "run 'convtool compile'"
        )
    return Plan(best.engine, best.candidate.rank, costs, reason)


def _fastest(estimates: Sequence[_Estimate]) -> _Estimate:
    """Return the first of the candidates that take least time where candidates are compared."""
    return min(estimates, key=lambda one: one.compared)
