"""The choice of the engine for a volume: factors of three-dimensional kernels, costs, a decision.

All is a pure function of sizes, types, the kernel and what is installed, as for images.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from convtool.convolution import dtypes
from convtool.convolution.candidates import Rate, divided
from convtool.convolution.engines import CANCELLING, entry, rank_tolerance
from convtool.convolution.planner import MOST_SUMMED, Calibration, Plan
from convtool.convolution.types import Array, DType
from convtool.convolution.volume_fft import butterflies
from convtool.convolution.volume_layout import Axes
from convtool.errors import EngineError
from convtool.kernels.factor import cheap_factors
from convtool.records import Record

RATES: dict[str, Rate] = {
    "numba": Rate(0.0001, 1.3, 0.032, 0.6),
    "numba-passes": Rate(0.0001, 2.4, 0.032, 0.8),
    "direct": Rate(0.0003, 4.0, 1.3, 0.0),
    "separable": Rate(0.0003, 4.0, 2.3, 0.0),
    "fft": Rate(0.001, 8.0, 3.5, 0.5),
    "scipy": Rate(0.0003, 10.0, 1.3, 0.0),
}
"""What the algorithms cost, as `~.planner.DEFAULT_RATES`: measured on two cores of an Intel Xeon
with AVX-512, on volumes of 256³ float32."""

ADDING = 40
"""Adding the answer of another part costs about as much as so many multiply-adds a voxel."""

TRANSFORM_FROM = 125
"""Fewer weights are never left to the transforms, whose rounding shows where sums are zero."""

MOST_PARTS = 4
"""Kernels of more parts are not done by them."""

REMEMBERED = 1 << 15
"""Factors and plans of kernels of at most so many weights are remembered."""


class Part(NamedTuple):
    """A line along depth times a plane: part of a kernel."""

    column: Array
    """The weights along depth, float64."""
    plane: Array
    """The weights along height and width, shape (KH, KW)."""
    rank: int
    """The plane's rank."""


class Separated(Record, eq=False):
    """A kernel as a sum of few parts.

    Attributes
    ----------
    parts : tuple of Part
        They sum to the kernel.
    lines : tuple of ndarray or None
        For a kernel of rank 1, its weights along depth, height and width.
    exact : bool
        Whether the lines are whole numbers, possibly times one common factor.
    cancels : bool
        Whether weights of parts cancel, so that their sums round much.
    """

    parts: tuple[Part, ...]
    lines: tuple[Array, Array, Array] | None
    exact: bool
    cancels: bool

    @property
    def rank(self) -> int:
        """The number of its products of lines."""
        return sum(part.rank for part in self.parts)

    @property
    def passes(self) -> int:
        """Multiply-adds for each voxel."""
        return sum(len(part.column) + part.rank * sum(part.plane.shape) for part in self.parts)


def _separate(kernel: Array, dtype: DType) -> Separated | None:
    """Return the parts of a kernel, or None if there are too many."""
    tolerance = rank_tolerance(dtype)
    depth = cheap_factors(kernel.reshape(len(kernel), -1), tolerance)
    if depth is None or len(depth.columns) > MOST_PARTS:
        return None
    parts, magnitudes, exact, lines = [], np.zeros(kernel.shape), depth.exact, None
    for column, row in zip(depth.columns, depth.rows, strict=True):
        plane = row.reshape(kernel.shape[1:])
        factors = cheap_factors(plane, tolerance)
        if factors is None:
            return None
        parts.append(Part(column, plane, len(factors.columns)))
        products = np.abs(factors.columns).T @ np.abs(factors.rows)
        magnitudes += np.abs(column)[:, None, None] * products
        exact, lines = exact and factors.exact, (column, factors.columns[0], factors.rows[0])
    single = len(parts) == 1 and parts[0].rank == 1
    cancels = not single and bool(np.any(magnitudes > CANCELLING * np.abs(kernel)))
    return Separated(tuple(parts), lines if single else None, exact, cancels)


@lru_cache(maxsize=32)
def _remembered(weights: bytes, shape: tuple[int, int, int], dtype: DType) -> Separated | None:
    return _separate(np.frombuffer(weights).reshape(shape), dtype)


def separated(kernel: Array, dtype: DType) -> Separated | None:
    """Return the few parts that a kernel is the sum of.

    Parameters
    ----------
    kernel : ndarray, shape (KD, KH, KW)
        Weights of float64.
    dtype : dtype
        The type that is computed in: what it cannot see counts as zero.

    Returns
    -------
    Separated or None
        None for a kernel of more than `MOST_PARTS` parts.

    Examples
    --------
    >>> kernel = np.ones((3, 1, 1)) * np.array([[1.0], [2], [1]]) * np.array([-1.0, 0, 1])
    >>> [line.tolist() for line in separated(kernel, np.dtype(np.float64)).lines]
    [[1.0, 1.0, 1.0], [1.0, 2.0, 1.0], [-1.0, 0.0, 1.0]]
    """
    if kernel.size <= REMEMBERED:
        depth, height, width = kernel.shape
        return _remembered(kernel.tobytes(), (depth, height, width), dtype)
    return _separate(kernel, dtype)


class Candidate(NamedTuple):
    """An engine, and how it would filter a volume."""

    engine: str
    rate: str
    steps: float
    """Multiply-adds for each voxel, or the transform's work in such."""
    factored: bool = False
    """Whether it goes by the kernel's parts."""
    work: str = ""
    """What it does, in words."""


def _parts_for(problem: "Problem") -> tuple[Separated | None, DType]:
    """Return the parts of a kernel, and the type that their sums round little enough in."""
    found = separated(problem.kernel, problem.working)
    if found is None or not (found.cancels and problem.image.kind == "f"):
        return found, problem.working
    double = np.dtype(np.float64)
    return separated(problem.kernel, double), double


def _candidates(problem: "Problem", parts: Separated | None, typed: DType) -> list[Candidate]:
    axes, kernel, itemsize = problem.axes, problem.kernel, problem.working.itemsize
    nonzeros = int(np.count_nonzero(kernel))
    weights = f"{nonzeros} multiply-adds a voxel"
    found = [
        Candidate("numba", "numba", kernel.size, work=weights),
        Candidate("direct", "direct", nonzeros, work=weights),
        Candidate(
            "fft",
            "fft",
            butterflies(axes) * 4 / itemsize,
            work="FFT tiles, whose cost hardly grows with the kernel",
        ),
        Candidate("scipy", "scipy", nonzeros, work=weights),
    ]
    if parts is not None:
        work = f"rank {parts.rank}: {parts.passes} multiply-adds a voxel, not {kernel.size}"
        steps = parts.passes + ADDING * (len(parts.parts) - 1)
        steps *= typed.itemsize // itemsize
        found.insert(0, Candidate("numba", "numba-passes", steps, True, work))
        if parts.lines is not None:
            found.insert(1, Candidate("separable", "separable", parts.passes, True, work))
    return found


class Problem(Record, eq=False):
    """The filtering of a volume, as far as plans depend on it.

    Attributes
    ----------
    axes : Axes
        Where the windows lie.
    channels : int
        Values of a voxel.
    kernel : ndarray, shape (KD, KH, KW)
        Its weights.
    image, working : dtype
        The types of the volume and of the arithmetic.
    """

    axes: Axes
    channels: int
    kernel: Array
    image: DType
    working: DType


class VolumePlan(NamedTuple):
    """A plan, and the kernel's parts where it is done by them."""

    plan: Plan
    separated: Separated | None
    working: DType
    """The type that is computed in: float64 for float32 volumes where parts cancel."""


def _seconds(candidate: Candidate, problem: Problem, threads: int) -> float:
    rate = RATES[candidate.rate]
    samples = math.prod(axis.dense for axis in problem.axes) * problem.channels
    work = samples * (rate.per_sample + rate.per_step * candidate.steps) * 1e-9
    return rate.fixed + work * problem.working.itemsize / 4 * divided(rate.parallel, threads)


def _may_choose(
    candidate: Candidate, problem: Problem, parts: Separated | None, nonzeros: int
) -> bool:
    """Return whether a candidate keeps exact sums, and rounds little where values lie far apart."""
    kernel, floats = problem.kernel, problem.image.kind == "f"
    if nonzeros == 1:
        return candidate.engine == "direct"
    exact = dtypes.sums_are_exact(problem.image, problem.working, kernel)
    if candidate.factored:
        assert parts is not None
        saves = candidate.steps < (kernel.size if candidate.engine == "numba" else nonzeros)
        far = floats and parts.cancels and problem.image.itemsize == 8
        return saves and not far and (not exact or (parts.exact and parts.lines is not None))
    if candidate.engine == "fft":
        return not exact and kernel.size >= TRANSFORM_FROM
    summed = math.prod(kernel.shape[1:]) + len(kernel)
    rounds = candidate.engine == "numba" and summed > MOST_SUMMED[problem.working.itemsize]
    return not (rounds and floats)


class _Asked(NamedTuple):
    """All that a plan depends on: an equal request is answered from memory."""

    weights: bytes
    shape: tuple[int, ...]
    axes: Axes
    channels: int
    image: DType
    working: DType
    calibration: Calibration
    threads: int
    engine: str


@lru_cache(maxsize=64)
def _answered(asked: _Asked) -> VolumePlan:
    kernel = np.frombuffer(asked.weights).reshape(asked.shape)
    problem = Problem(asked.axes, asked.channels, kernel, asked.image, asked.working)
    return _choose(problem, asked.calibration, asked.threads, asked.engine)


def choose(problem: Problem, calibration: Calibration, threads: int, engine: str) -> VolumePlan:
    """Choose the engine and algorithm that take the least time.

    Parameters
    ----------
    problem : Problem
        What is to be done.
    calibration : Calibration
        The engines that ``auto`` may take, and the threads they are compared on.
    threads : int
        The threads that the costs are for.
    engine : str
        An engine that must be taken, or ``auto``.

    Raises
    ------
    OptionError
        If no engine has that name.
    EngineError
        If it filters no volumes, or none by such a kernel.
    """
    kernel = problem.kernel
    if kernel.size > REMEMBERED:
        return _choose(problem, calibration, threads, engine)
    how = (problem.axes, problem.channels, problem.image, problem.working)
    return _answered(_Asked(kernel.tobytes(), kernel.shape, *how, calibration, threads, engine))


def _choose(problem: Problem, calibration: Calibration, threads: int, engine: str) -> VolumePlan:
    parts, typed = _parts_for(problem)
    every = _candidates(problem, parts, typed)
    costs: dict[str, float] = {}
    for one in every:
        seconds = _seconds(one, problem, threads)
        costs[one.engine] = min(seconds, costs.get(one.engine, seconds))
    nonzeros = int(np.count_nonzero(problem.kernel))
    if engine == "auto":
        able = [one for one in every if entry(one.engine).own]
        able = [one for one in able if _may_choose(one, problem, parts, nonzeros)]
        able = [one for one in able if one.engine in calibration.engines]
    else:
        entry(engine)
        able = [one for one in every if one.engine == engine]
        if not able:
            raise EngineError(_refusal(engine))
        able = [one for one in able if _may_choose(one, problem, parts, nonzeros)] or able
    best = min(able, key=lambda one: _seconds(one, problem, calibration.cores))
    took = f"about {_seconds(best, problem, threads) * 1e3:.3g} ms"
    reason = f"{best.work}; {took}" if engine == "auto" else f"asked for; {best.work}"
    used = parts if best.factored else None
    rank = None if used is None else used.rank
    working = typed if best.factored else problem.working
    return VolumePlan(Plan(best.engine, rank, costs, reason), used, working)


def _refusal(engine: str) -> str:
    if engine == "separable":
        return "engine 'separable' takes volume kernels of rank 1 only; use engine 'auto'"
    return (
        f"engine {engine!r} does not filter volumes; use 'auto', 'numba', 'direct', 'separable', "
        "'fft' or 'scipy'"
    )
