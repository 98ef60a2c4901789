"""Measure the rates of the planner's cost model on this machine."""

import os
from collections.abc import Iterator, Sequence

import numpy as np

from convtool.bench.cells import Cell, Kernel
from convtool.bench.contenders import engine
from convtool.bench.task import Task, task
from convtool.bench.timing import interleave
from convtool.convolution import calibration
from convtool.convolution.candidates import Candidate, Problem, Rate, candidates, cost
from convtool.convolution.engines.uint16_sums import uint16_products, uint16_sums
from convtool.convolution.planner import BUILT_IN
from convtool.errors import ReportWriteError
from convtool.progress import Progress, silent, tracked
from convtool.records import Record
from convtool.report.json_report import write_report

SIZES = ((256, 384), (1080, 1920), (2000, 3000))
"""Shapes of the test images: from call overhead to memory bandwidth."""

LONGEST = 0.4
"""Convolutions with a longer expected time in seconds are skipped, as they add no information."""

BUDGET = 0.05
"""Time budget in seconds for the rounds of each convolution."""

PARALLEL = tuple(step / 50 for step in range(51))
"""Candidate parallel fractions."""

DEFAULT_PARALLEL = 0.95
"""The parallel fraction on a single core, where it cannot be measured."""


class Target(Record):
    """The measurement of one rate."""

    rate: str
    """The rate's name."""
    engine: str
    """The engine option; ``{rank}`` stands for the rank."""
    kernels: tuple[tuple[int, int | None], ...]
    """Sizes and ranks of kernels; None for full rank."""
    work: str = "dense"
    """The work without a rank."""
    dtype: str = "float32"
    """Type of image and output."""


def _full(*sizes: int) -> tuple[tuple[int, None], ...]:
    return tuple((size, None) for size in sizes)


TARGETS = (
    Target("direct", "direct", _full(3, 5, 7, 11)),
    Target(
        "separable", "separable:rank={rank}", ((3, 1), (7, 1), (15, 1), (31, 1), (7, 2), (15, 3))
    ),
    Target("fft", "fft", _full(9, 15, 21, 31, 47, 63)),
    Target("numba", "numba", _full(3, 5, 7, 9, 11, 15, 21, 31)),
    Target(
        "numba-factored",
        "numba:rank={rank}",
        ((3, 1), (5, 1), (7, 1), (15, 1), (31, 1), (63, 1), (7, 2), (9, 3), (15, 3), (31, 4)),
    ),
    Target("numba-fixed", "numba", _full(7, 11, 15, 31, 63), "gaussian", "uint8"),
    Target("numba-fft", "numba-fft", _full(9, 11, 15, 21, 31, 47, 63)),
    Target("numba-running", "numba", _full(5, 9, 15, 31, 63), "box"),
    Target("numba-small", "numba", _full(3, 5), "dense-uint8", "uint8"),
    Target("numba-means", "numba", _full(17, 31, 63), "box", "uint8"),
    Target("numba-whole", "numba", _full(3, 5, 7, 11, 15), "box", "uint8"),
    Target("numba-rounded", "numba", _full(3, 5), "gaussian", "uint8"),
    Target("opencv", "opencv", _full(3, 5, 7, 9, 11)),
    Target("opencv-dft", "opencv", _full(15, 21, 31, 63)),
    Target(
        "opencv-factored", "opencv:rank={rank}", ((5, 1), (7, 1), (15, 1), (31, 1), (7, 2), (15, 3))
    ),
    Target("scipy", "scipy", _full(3, 5, 7)),
)
"""The measurement of each of the planner's rates."""


class Sample(Record):
    """A timed convolution."""

    problem: Problem
    candidate: Candidate
    seconds: float


def _problem(job: Task, rank: int | None) -> Problem:
    cell, uint8 = job.cell, job.cell.dtype == "uint8"
    return Problem(
        (cell.height, cell.width),
        cell.channels,
        (cell.kernel, cell.kernel),
        cell.kernel**2,
        rank or (cell.kernel if cell.work == "dense" else 1),
        threads=cell.threads,
        uniform=cell.work == "box",
        uint8=uint8,
        uint16_sums=uint8 and uint16_sums(job.kernel) is not None,
        uint16_products=uint8 and uint16_products(job.kernel) is not None,
    )


def _candidate(problem: Problem, target: Target) -> Candidate:
    return next(candidate for candidate in candidates(problem) if candidate.rate == target.rate)


def _tasks(target: Target, threads: int) -> Iterator[tuple[Sample, Task, str]]:
    """Yield the convolutions that measure a rate, with their expected times."""
    for height, width in SIZES:
        for size, rank in target.kernels:
            work = target.work if rank is None else "rank"
            cell = Cell(work, height, width, 1, target.dtype, size, rank, threads=threads)
            job = task(cell)
            problem = _problem(job, rank)
            candidate = _candidate(problem, target)
            expected = cost(problem, candidate, BUILT_IN.rates[target.rate])
            if expected <= LONGEST:
                yield Sample(problem, candidate, expected), job, target.engine.format(rank=rank)


def samples(target: Target, threads: int, rounds: int | None = None) -> list[Sample]:
    """Time the convolutions that measure a rate, on one thread and on several.

    Parameters
    ----------
    target : Target
        The rate.
    threads : int
        The largest number of threads.
    rounds : int, optional
        Rounds of each convolution, of which the median is used; by default as many as `BUDGET`
        allows.
    """
    found = []
    with calibration.held(BUILT_IN):
        for count in sorted({1, threads}):
            for sample, job, name in _tasks(target, count):
                call = engine(name).prepare(job)
                seconds = interleave({name: call}, rounds=rounds, budget=BUDGET)[name].median
                found.append(Sample(sample.problem, sample.candidate, seconds))
    return found


def fit(found: Sequence[Sample]) -> Rate:
    """Fit a rate to samples by least squares of the relative errors.

    All coefficients are non-negative. The parallel fraction is the best of `PARALLEL`.

    Parameters
    ----------
    found : sequence of Sample
        At least one.

    References
    ----------
    C. L. Lawson, R. J. Hanson, Solving Least Squares Problems (1974), chapter 23.
    """
    from scipy.optimize import nnls

    shares = PARALLEL if len({one.problem.threads for one in found}) > 1 else (DEFAULT_PARALLEL,)
    best: tuple[float, Rate] | None = None
    for share in shares:
        rows = [_terms(one, share) / one.seconds for one in found]
        (fixed, per_sample, per_step), residual = nnls(np.array(rows), np.ones(len(rows)))
        rate = Rate(float(fixed), float(per_sample), float(per_step), share)
        if best is None or residual < best[0]:
            best = float(residual), rate
    assert best is not None
    return best[1]


def _terms(one: Sample, share: float) -> Kernel:
    """Return the factors of a rate's three coefficients."""
    problem, candidate = one.problem, one.candidate
    return np.array(
        [
            cost(problem, candidate, Rate(*unit, share))
            for unit in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
        ]
    )


def measured_rates(threads: int, progress: Progress = silent) -> dict[str, Rate]:
    """Measure every rate.

    Parameters
    ----------
    threads : int
        The largest number of threads.
    progress : callable, optional
        Told of the rates that are measured.
    """
    targets = tracked(progress, "calibrate", TARGETS)
    return {target.rate: _rounded(fit(samples(target, threads))) for target in targets}


def _rounded(rate: Rate) -> Rate:
    """Round a rate to three significant digits."""
    return Rate(*(float(f"{number:.3g}") for number in rate))


def save(rates: dict[str, Rate]) -> str:
    """Save rates for this user and activate them.

    Returns
    -------
    str
        The path of the file.

    Raises
    ------
    ReportWriteError
        If it cannot be written.
    """
    file = calibration.path()
    folder = os.path.dirname(os.path.abspath(file))
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise ReportWriteError(
            f"{folder}: cannot be created ({error.strerror}); "
            f"set {calibration.VARIABLE} to another place"
        ) from error
    write_report(calibration.as_report(rates), file)
    calibration.forget()
    return file
