"""Pictures of one kind in one array, convolved by one kernel: planned once, shared by threads."""

from collections.abc import Callable

from convtool.convolution import dtypes, threads, tiles
from convtool.convolution.engines import StripCorrelator
from convtool.convolution.geometry import Axis, Geometry
from convtool.convolution.planner import Plan
from convtool.convolution.prepared import bind, can_bind
from convtool.convolution.run import SHORT, Kernels, choose, make_ready, request_for
from convtool.convolution.source import Source
from convtool.convolution.tiles import Store
from convtool.convolution.types import Array, DType

LARGEST_PATCH = 1 << 15
"""Scalars of the largest picture that is copied into a core's cache with what lies around it."""

_Call = Callable[[Array, Array, int], None]
"""Makes the answers of pictures, shape (N, H, W, C), on so many threads."""

Form = tuple[int, int, int, int]
"""(N, H, W, C): pictures, and the shape of each."""


class Batch:
    """A convolution of N pictures, shape (N, H, W, C).

    Threads share the pictures where there are enough, and the rows of each where not.

    Parameters
    ----------
    form : tuple of int
        (N, H, W, C).
    dtype, out_dtype : dtype
        The pictures' type, and that of the answers.
    kernels, layout, rule, engine, workers
        As for :func:`.run.run`.
    store : callable
        What writes computed values into a piece of an answer.
    """

    def __init__(
        self,
        form: Form,
        dtype: DType,
        out_dtype: DType,
        kernels: Kernels,
        layout: Geometry,
        rule: tuple[str, float],
        engine: str,
        workers: int,
        store: Store = dtypes.store,
    ) -> None:
        self._rule, self._store = rule, store
        many = form[0] >= max(workers, 2)
        how = (dtype, out_dtype, kernels)
        self.plan: Plan = choose(
            request_for(
                _joined(form), *how, _joined_layout(layout, form), engine, workers, rule=rule
            )
        )
        chosen = self.plan.chosen
        self._seconds = self.plan.costs[chosen.engine]
        self._workers = 1 if self._seconds < SHORT else workers
        each = 1 if many else self._workers
        self._ready = make_ready(
            request_for(form[1:], *how, layout, engine, each, rule=rule, chosen=chosen)
        )
        self.short = self._workers == 1
        self._bound: tuple[object, _Call] | None = None

    def __call__(self, images: Array, out: Array) -> None:
        """Make the answers, shape (N, H', W', C); they share no memory with the pictures."""
        threads.interruptible(lambda: self._run(images, out), self._seconds)

    def _run(self, images: Array, out: Array) -> None:
        kind = (images.strides, out.strides, images.flags.aligned and out.flags.aligned)
        if self._bound is None or self._bound[0] != kind:
            self._bound = (kind, self._bind(images, out))
        self._bound[1](images, out, self._workers)

    def _bind(self, images: Array, out: Array) -> _Call:
        """Return what makes answers of pictures that lie in memory as these do."""
        ready, rule = self._ready, self._rule
        known = images.flags.aligned and out.flags.aligned and self._store is dtypes.store
        if known and can_bind(ready, images[0], out[0]):
            made = self._bind_patches(images, out)
            if made is not None:
                return made
            one = bind(ready, rule, images[0], out[0])
            if one is not None:
                return _each(one)
        return _each(
            lambda image, answer: tiles.run(
                ready.correlator,
                Source(image, *rule, ready.job.dtype),
                ready.job,
                answer,
                self._store,
            )
        )

    def _bind_patches(self, images: Array, out: Array) -> _Call | None:
        """Return what makes all answers in one compiled call, if these pictures allow it."""
        correlator = self._ready.correlator
        if not isinstance(correlator, StripCorrelator) or correlator.bind_patches is None:
            return None
        small = len(images) > 1 and images[0].size <= LARGEST_PATCH
        return correlator.bind_patches(self._rule, images, out) if small else None


def _each(one: Callable[[Array, Array], None]) -> _Call:
    """Return what makes the answers of pictures one by one."""

    def run(images: Array, out: Array, workers: int) -> None:
        if len(images) == 1:
            one(images[0], out[0])
            return
        threads.for_each(lambda n: one(images[n], out[n]), range(len(images)), workers)

    return run


def _joined(form: Form) -> tuple[int, int, int]:
    """Return the shape of one picture of as many pixels."""
    pictures, height, width, channels = form
    return pictures * height, width, channels


def _joined_layout(layout: Geometry, form: Form) -> Geometry:
    """Return the windows of the pictures, as those of one."""
    rows = layout.rows
    many = Axis(rows.size * form[0], rows.taps, rows.start, rows.dense * form[0], rows.stride)
    return Geometry(many, layout.columns)
