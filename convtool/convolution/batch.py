"""Pictures of one kind in one array, convolved by one kernel: planned once, shared by threads."""

from collections.abc import Callable

from convtool.convolution import dtypes, threads, tiles
from convtool.convolution.geometry import Geometry
from convtool.convolution.planner import Plan
from convtool.convolution.prepared import bind
from convtool.convolution.run import SHORT, Kernels, choose, make_ready, request_for, workers_for
from convtool.convolution.source import Source
from convtool.convolution.tiles import Store
from convtool.convolution.types import Array, DType

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
        request = request_for(
            form[1:], dtype, out_dtype, kernels, layout, engine, 1 if many else workers, rule=rule
        )
        self.plan: Plan = choose(request)
        self._ready = make_ready(request)
        self._workers = 1
        if many and self.plan.costs[self.plan.engine] * form[0] >= SHORT:
            self._workers = workers
        self.short = self._workers == 1 and workers_for(self.plan, workers) == 1
        self._bound: tuple[object, Callable[[Array, Array], None]] | None = None

    def __call__(self, images: Array, out: Array) -> None:
        """Make the answers, shape (N, H', W', C); they share no memory with the pictures."""
        one = self._one(images, out)
        if len(images) == 1:
            one(images[0], out[0])
            return
        threads.for_each(lambda n: one(images[n], out[n]), range(len(images)), self._workers)

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
        ready, (rule, cval), store = self._ready, self._rule, self._store

        def run(image: Array, answer: Array) -> None:
            source = Source(image, rule, cval, ready.job.dtype)
            tiles.run(ready.correlator, source, ready.job, answer, store)

        return run
