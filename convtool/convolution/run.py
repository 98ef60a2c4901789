"""A convolution that is validated: plan it, make the engine ready, run it."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convtool.convolution import (
    calibration,
    dtypes,
    engines,
    flat,
    in_place,
    planner,
    threads,
    tiles,
)
from convtool.convolution.candidates import Problem
from convtool.convolution.combined import combined
from convtool.convolution.engines import Correlator, Job
from convtool.convolution.engines.uint16_sums import uint16_products, uint16_sums
from convtool.convolution.geometry import Geometry
from convtool.convolution.planner import Calibration, Chosen, Plan
from convtool.convolution.source import Source
from convtool.convolution.tiles import Store
from convtool.convolution.types import Array, DType
from convtool.errors import OptionError
from convtool.kernels.weights import Combination
from convtool.records import replace

Kernels = tuple[NDArray[np.float64], ...]
"""One kernel; or a group, whose answers are combined."""


def split_engine(engine: str) -> tuple[str, int | None]:
    """Split ``separable:rank=2`` into the engine's name and the rank asked for."""
    if not isinstance(engine, str):
        raise OptionError(f"engine must be a name, not {engine!r}")
    name, _, rest = engine.partition(":")
    if name != "auto":
        engines.entry(name)
    if not rest:
        return name, None
    key, _, value = rest.partition("=")
    if key != "rank" or not value.isdecimal() or int(value) < 1:
        raise OptionError(f"engine {engine!r}: after the colon comes rank=N with N at least 1")
    if name == "auto" or not engines.entry(name).takes_rank:
        *takers, last = (e.name for e in engines.ENGINES.values() if e.takes_rank)
        raise OptionError(f"engine {name!r} takes no rank; {', '.join(takers)} and {last} do")
    return name, int(value)


SHORT = 0.00017
"""Seconds that a convolution takes at least for more threads to be worth waking."""


class Kinds(NamedTuple):
    """The types of a convolution: of the image, of the arithmetic, of the answer."""

    image: DType
    working: DType
    answer: DType

    @classmethod
    def of(cls, image: DType, answer: DType, weights: NDArray[np.float64]) -> "Kinds":
        """Return the types for an image and an answer."""
        return cls(image, dtypes.working_type(image, answer, weights), answer)


def problem_for(
    image_shape: tuple[int, ...],
    kinds: Kinds,
    kernels: Kernels,
    layout: Geometry,
    workers: int,
    finite: bool = True,
) -> Problem:
    """Describe a convolution to the planner; a group counts as many times its costliest kernel.

    ``finite`` says that the value beyond the edge is neither NaN nor inf.
    """
    shape, working = (kernels[0].shape[0], kernels[0].shape[1]), kinds.working
    factorings = [engines.factoring(kernel, working) for kernel in kernels]
    uint8 = kinds.image == kinds.answer == np.uint8
    single = uint8 and len(kernels) == 1
    return Problem(
        outputs=(layout.rows.dense, layout.columns.dense),
        channels=image_shape[2] if len(image_shape) == 3 else 1,
        kernel_shape=shape,
        nonzeros=max(int(np.count_nonzero(kernel)) for kernel in kernels),
        rank=max(each.rank for each in factorings),
        itemsize=working.itemsize,
        threads=workers,
        stride=(layout.rows.stride, layout.columns.stride),
        uniform=all(bool(np.all(kernel == kernel[0, 0])) for kernel in kernels),
        kernels=len(kernels),
        uint8=uint8,
        uint16_sums=single and uint16_sums(kernels[0]) is not None,
        uint16_products=single and uint16_products(kernels[0]) is not None,
        exact=all(dtypes.sums_are_exact(kinds.image, working, kernel) for kernel in kernels),
        whole=any(each.whole for each in factorings),
        exact_factors=all(each.exact for each in factorings),
        floats=kinds.image.kind == "f" or not finite,
        cancels=any(each.cancels for each in factorings),
    )


class Request(NamedTuple):
    """All that a plan and a correlator depend on: an equal request is answered from memory."""

    kernels: tuple[bytes, ...]
    kernel_shape: tuple[int, int]
    image_shape: tuple[int, ...]
    image_type: DType
    out_type: DType
    layout: Geometry
    engine: str
    workers: int
    calibration: Calibration
    finite: bool
    chosen: Chosen | None
    combination: Combination


class Ready(NamedTuple):
    """A prepared engine and its job."""

    job: Job
    correlator: Correlator
    chosen: Chosen
    seconds: float
    """The time that a whole answer takes, by the planner's estimate."""


def _correlator(job: Job, engine: str) -> Correlator:
    prepare = engines.load(engine)
    is_pair = len(job.kernels) == 2 and job.combination == "magnitude"
    if len(job.kernels) == 1 or (is_pair and engines.entry(engine).takes_pairs):
        return prepare(job)
    return combined([prepare(replace(job, kernels=(kernel,))) for kernel in job.kernels], job)


def _weights(request: Request) -> Kernels:
    return tuple(
        np.frombuffer(weights).reshape(request.kernel_shape) for weights in request.kernels
    )


def _problem(request: Request) -> Problem:
    kernels = _weights(request)
    kinds = Kinds.of(request.image_type, request.out_type, kernels[0])
    return problem_for(
        request.image_shape, kinds, kernels, request.layout, request.workers, request.finite
    )


def _choose(request: Request, problem: Problem) -> Plan:
    """Plan a convolution."""
    name, rank = split_engine(request.engine)
    plan = planner.choose(problem, request.calibration, name)
    return plan if rank is None else replace(plan, rank=rank)


def workers_for(plan: Plan, workers: int) -> int:
    """Return how many of the threads are worth waking for a convolution."""
    return 1 if plan.costs[plan.engine] < SHORT else workers


def _level(request: Request, working: DType, kernels: Kernels, chosen: Chosen) -> flat.Level | None:
    """Return what flat windows are multiplied by, where the engine's sums of them would round."""
    if not engines.entry(chosen.engine).own:
        return None
    summed = chosen.rank is None and chosen.engine not in planner.TRANSFORMS
    exact = all(dtypes.sums_are_exact(request.image_type, working, kernel) for kernel in kernels)
    level = None if summed and exact else flat.level_for(kernels, working, summed)
    return None if level and level.gain and request.combination == "maximum" else level


def _plan_and_prepare(request: Request) -> Ready:
    """Plan a convolution, unless that is done, and make its engine ready."""
    problem, chosen, workers = _problem(request), request.chosen, request.workers
    if chosen is None:
        plan = _choose(request, problem)
        chosen, workers = plan.chosen, workers_for(plan, workers)
    seconds = planner.choose(problem, request.calibration, chosen.engine).costs[chosen.engine]
    kernels, shape = _weights(request), request.image_shape
    working = dtypes.working_type(request.image_type, request.out_type, kernels[0])
    channels = shape[2] if len(shape) == 3 else 1
    level = _level(request, working, kernels, chosen)
    job = Job(
        kernels,
        working,
        request.layout,
        channels,
        chosen.rank,
        workers,
        level,
        request.combination,
        problem.floats,
    )
    return Ready(job, _correlator(job, chosen.engine), chosen, seconds)


_remembered = lru_cache(maxsize=32)(_plan_and_prepare)

LARGEST_REMEMBERED = 128 * 128
"""Kernels of more weights than this are prepared for each call, and not cached."""


def make_ready(request: Request) -> Ready:
    """Plan a convolution and make its engine ready."""
    height, width = request.kernel_shape
    make = _remembered if height * width <= LARGEST_REMEMBERED else _plan_and_prepare
    return make(request)


def request_for(
    image_shape: tuple[int, ...],
    image_type: DType,
    out_type: DType,
    kernels: Kernels,
    layout: Geometry,
    engine: str,
    workers: int,
    *,
    rule: tuple[str, float] = ("reflect", 0.0),
    chosen: Chosen | None = None,
    combination: Combination = "magnitude",
) -> Request:
    """Describe a convolution of an image of a kind.

    Parameters are those of :func:`run`.
    """
    return Request(
        tuple(kernel.tobytes() for kernel in kernels),
        (kernels[0].shape[0], kernels[0].shape[1]),
        image_shape,
        image_type,
        out_type,
        layout,
        engine,
        workers,
        calibration.load(),
        rule[0] != "constant" or bool(np.isfinite(rule[1])),
        chosen,
        combination,
    )


def choose(request: Request) -> Plan:
    """Plan a convolution: what `run` does, and why."""
    return _choose(request, _problem(request))


def run(
    pixels: Array,
    kernels: Kernels,
    layout: Geometry,
    rule: tuple[str, float],
    out: Array,
    engine: str,
    workers: int,
    store: Store = dtypes.store,
    chosen: Chosen | None = None,
    combination: Combination = "magnitude",
) -> None:
    """Correlate ``pixels`` into ``out``.

    Parameters
    ----------
    pixels : ndarray, shape (H, W) or (H, W, C)
        The image.
    kernels : tuple of ndarray
        One, or a group of the same shape, not to be flipped any more.
    layout : Geometry
        Where the windows lie.
    rule : (str, float)
        The border's rule and the value beyond the edge.
    out : ndarray
        Where the answer goes; integers are rounded half to even and saturate. It may be ``pixels``,
        where they `.in_place.fits`.
    engine : str
        As for :func:`convtool.convolve`.
    workers : int
        Number of threads.
    store : callable
        What writes computed values into a piece of ``out``.
    combination : {"magnitude", "maximum"}
        What is taken of the answers of a group.
    chosen : Chosen, optional
        What was chosen for this image, or one of which it is a part; planned by default.
    """
    kind = (pixels.shape, pixels.dtype, out.dtype)
    overwritten = out is pixels
    answer = out.reshape(out.shape + (1,) * (3 - out.ndim))
    planes = pixels.reshape(pixels.shape + (1,) * (3 - pixels.ndim))

    how = (*kind, kernels, layout, engine, workers)
    request = request_for(*how, rule=rule, chosen=chosen, combination=combination)
    ready = make_ready(request)
    into = in_place.run if overwritten else tiles.run
    source = Source(planes, *rule, ready.job.dtype)
    threads.interruptible(
        lambda: into(ready.correlator, source, ready.job, answer, store), ready.seconds
    )
