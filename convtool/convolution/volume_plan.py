"""The choice of the engine for a volume: factors of three-dimensional kernels, costs, a decision.

All is a pure function of sizes, types, the kernel and what is installed, as for images.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from convtool.convolution import dtypes
from convtool.convolution.candidates import Rate, divided
from convtool.convolution.engines import entry, rank_tolerance
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

TRANSFORM_FROM = 125
"""Fewer weights are never left to the transforms, whose rounding shows where sums are zero."""

REMEMBERED = 1 << 15
"""Factors of kernels of at most so many weights are remembered."""


class Separated(Record, eq=False):
    """A kernel of rank 1: the outer product of three lines of weights.

    Attributes
    ----------
    lines : tuple of ndarray
        The weights along depth, height and width, float64.
    exact : bool
        Whether they are whole numbers, possibly times one common factor.
    """

    lines: tuple[Array, Array, Array]
    exact: bool

    @property
    def plane(self) -> Array:
        """The plane of weights that the lines along height and width make, shape (KH, KW)."""
        return self.lines[1][:, None] * self.lines[2]


def _separate(kernel: Array, dtype: DType) -> Separated | None:
    """Return the lines of a kernel, or None if it has none."""
    tolerance = rank_tolerance(dtype)
    depth = cheap_factors(kernel.reshape(len(kernel), -1), tolerance)
    if depth is None or len(depth.columns) != 1:
        return None
    plane = cheap_factors(depth.rows[0].reshape(kernel.shape[1:]), tolerance)
    if plane is None or len(plane.columns) != 1:
        return None
    lines = (depth.columns[0], plane.columns[0], plane.rows[0])
    return Separated(lines, depth.exact and plane.exact)


@lru_cache(maxsize=32)
def _remembered(weights: bytes, shape: tuple[int, int, int], dtype: DType) -> Separated | None:
    return _separate(np.frombuffer(weights).reshape(shape), dtype)


def separated(kernel: Array, dtype: DType) -> Separated | None:
    """Return the lines whose outer product a kernel is.

    Parameters
    ----------
    kernel : ndarray, shape (KD, KH, KW)
        Weights of float64.
    dtype : dtype
        The type that is computed in: what it cannot see counts as zero.

    Returns
    -------
    Separated or None
        None for a kernel that is not of rank 1.

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
    lines: bool = False
    """Whether it goes by the kernel's lines."""
    work: str = ""
    """What it does, in words."""


def _candidates(
    axes: Axes, kernel: Array, lines: Separated | None, itemsize: int
) -> list[Candidate]:
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
    if lines is not None:
        passes = sum(kernel.shape)
        work = f"rank 1: {passes} multiply-adds a voxel, not {kernel.size}"
        found.insert(0, Candidate("numba", "numba-passes", passes, True, work))
        found.insert(1, Candidate("separable", "separable", passes, True, work))
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
    """A plan, and the kernel's lines where it is done by them."""

    plan: Plan
    lines: Separated | None


def _seconds(candidate: Candidate, problem: Problem, threads: int) -> float:
    rate = RATES[candidate.rate]
    samples = math.prod(axis.dense for axis in problem.axes) * problem.channels
    work = samples * (rate.per_sample + rate.per_step * candidate.steps) * 1e-9
    return rate.fixed + work * problem.working.itemsize / 4 * divided(rate.parallel, threads)


def _may_choose(
    candidate: Candidate, problem: Problem, lines: Separated | None, nonzeros: int
) -> bool:
    """Return whether a candidate keeps exact sums, and rounds little where values lie far apart."""
    kernel = problem.kernel
    if nonzeros == 1:
        return candidate.engine == "direct"
    exact = dtypes.sums_are_exact(problem.image, problem.working, kernel)
    if candidate.lines:
        assert lines is not None
        saves = candidate.steps < (kernel.size if candidate.engine == "numba" else nonzeros)
        return saves and (lines.exact or not exact)
    if candidate.engine == "fft":
        return not exact and kernel.size >= TRANSFORM_FROM
    summed = math.prod(kernel.shape[1:]) + len(kernel)
    rounds = candidate.engine == "numba" and summed > MOST_SUMMED[problem.working.itemsize]
    return not (rounds and problem.image.kind == "f")


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
    lines = separated(problem.kernel, problem.working)
    every = _candidates(problem.axes, problem.kernel, lines, problem.working.itemsize)
    costs: dict[str, float] = {}
    for one in every:
        seconds = _seconds(one, problem, threads)
        costs[one.engine] = min(seconds, costs.get(one.engine, seconds))
    nonzeros = int(np.count_nonzero(problem.kernel))
    if engine == "auto":
        own = [one for one in every if entry(one.engine).own]
        allowed = [one for one in own if _may_choose(one, problem, lines, nonzeros)]
        able = [one for one in allowed if one.engine in calibration.engines]
    else:
        entry(engine)
        able = [one for one in every if one.engine == engine]
        if not able:
            raise EngineError(_refusal(engine))
    best = min(able, key=lambda one: _seconds(one, problem, calibration.cores))
    took = f"about {_seconds(best, problem, threads) * 1e3:.3g} ms"
    reason = f"{best.work}; {took}" if engine == "auto" else f"asked for; {best.work}"
    rank = 1 if best.lines else None
    return VolumePlan(Plan(best.engine, rank, costs, reason), lines if best.lines else None)


def _refusal(engine: str) -> str:
    if engine == "separable":
        return "engine 'separable' takes volume kernels of rank 1 only; use engine 'auto'"
    return (
        f"engine {engine!r} does not filter volumes; use 'auto', 'numba', 'direct', 'separable', "
        "'fft' or 'scipy'"
    )
