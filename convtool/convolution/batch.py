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
        self._bound: tuple[object, Callable[[Array, Array], None]] | None = None

    def __call__(self, images: Array, out: Array) -> None:
        """Make the answers, shape (N, H', W', C); they share no memory with the pictures."""
        threads.interruptible(lambda: self._run(images, out), self._seconds)

    def _run(self, images: Array, out: Array) -> None:
        run_patches = self._of_patches(images, out)
        if run_patches is not None:
            run_patches(self._source(images[0]), images, out, self._workers)
            return
        one = self._one(images, out)
        if len(images) == 1:
            one(images[0], out[0])
            return
        threads.for_each(lambda n: one(images[n], out[n]), range(len(images)), self._workers)

    def _of_patches(
        self, images: Array, out: Array
    ) -> Callable[[Source, Array, Array, int], None] | None:
        """Return what makes all answers in one compiled call, if these pictures allow it."""
        correlator = self._ready.correlator
        if not isinstance(correlator, StripCorrelator) or self._store is not dtypes.store:
            return None
        small = len(images) > 1 and images[0].size <= LARGEST_PATCH
        aligned = images.flags.aligned and out.flags.aligned
        fits = small and aligned and can_bind(self._ready, images[0], out[0])
        return correlator.run_patches if fits else None

    def _source(self, image: Array) -> Source:
        return Source(image, *self._rule, self._ready.job.dtype)

    def _one(self, images: Array, out: Array) -> Callable[[Array, Array], None]:
        """Return what makes the answer of one of these pictures."""
        if self._store is dtypes.store and images.flags.aligned and out.flags.aligned:
            kind = (images.strides, out.strides)
            if self._bound is not None and self._bound[0] == kind:
                return self._bound[1]
            bound = bind(self._ready, self._rule, images[0], out[0])
            if bound is not None:
                self._bound = (kind, bound)
                return bound
        ready, store = self._ready, self._store
        return lambda image, answer: tiles.run(
            ready.correlator, self._source(image), ready.job, answer, store
        )


def _joined(form: Form) -> tuple[int, int, int]:
    """Return the shape of one picture of as many pixels."""
    pictures, height, width, channels = form
    return pictures * height, width, channels


def _joined_layout(layout: Geometry, form: Form) -> Geometry:
    """Return the windows of the pictures, as those of one."""
    rows = layout.rows
    many = Axis(rows.size * form[0], rows.taps, rows.start, rows.dense * form[0], rows.stride)
    return Geometry(many, layout.columns)
