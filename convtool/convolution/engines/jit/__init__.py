"""The engine ``numba``: compiled vector code, released from the GIL so that strips run on threads.

:mod:`convtool.compiled.emitter` writes vector instructions, :mod:`~.simd` the inner loops,
:mod:`~.line_simd` loops over lines; :mod:`~.vectors` makes functions of them, :mod:`~.plane` cuts a
plane into blocks, :mod:`~.strip` brings an image's border and types to it. These, and the modules
whose names end in ``_code``, are compiled when convtool is built, see :mod:`convtool.compiled`; the
others prepare what the compiled functions are given and import no compiler.
"""

import math
from collections.abc import Callable

import numpy as np

from convtool import compiled
from convtool.compiled import threadpool
from convtool.convolution.engines import Job, StripCorrelator
from convtool.convolution.engines.jit.canvas import Canvas, group_of
from convtool.convolution.engines.jit.fixed import fixed_strips
from convtool.convolution.engines.jit.job import (
    ALWAYS,
    JOB,
    NEVER,
    WHERE_NOT_EXACT,
    WHERE_NOT_FINITE,
    Call,
    address_of,
    describe_call,
    describe_layout,
    offset_of,
    run,
)
from convtool.convolution.engines.jit.means import mean_strips
from convtool.convolution.engines.jit.patches import (
    ROWS_TOGETHER,
    Patches,
    Together,
    at_once,
    holds,
    lanes_of,
)
from convtool.convolution.engines.jit.small import small_strips
from convtool.convolution.engines.jit.uint8 import Uint8Strips
from convtool.convolution.engines.jit.weights import describe_kernel, is_summed, weights_of
from convtool.convolution.engines.jit.whole import whole_strips
from convtool.convolution.source import Source
from convtool.convolution.types import Array, DType, Span
from convtool.records import replace

TILES = 8
"""An image is cut into about so many strips, for threads to share; blocks need no smaller."""

LEAST_ROWS = 48
"""A strip has at least so many rows."""

MOST_SCALARS = 1 << 23
"""And no more scalars than these, if it has more rows: of a huge image strips are held, not all."""

MOST_PRODUCTS = 1 << 31
"""And so many products, if it has more rows: a thread sums them in a tenth of a second or two, and
an interrupted call ends between strips."""

LEAST_GROUPS = 8
"""Small pictures are cut into so many groups at least, for threads to share."""

WIDEST = 1 << 14
"""Scalars of a strip's row at the most: scratch stays in L2."""

WRITES: frozenset[DType] = frozenset({np.dtype(np.uint8), np.dtype(np.uint16)})
"""Types, beside the working one, that are written by the compiled code."""


def _uint8_strips(job: Job) -> Uint8Strips | None:
    """Return kernels made ready for 8-bit images.

    Two passes in 16 bits come first, then 3×3 at once, and for larger ones two passes in 32 bits.
    """
    if len(job.kernels) > 1:
        return small_strips(job)
    whole = whole_strips(job)
    if whole is not None:
        return whole
    if job.rank is None and is_summed(job.kernel, job.channels):
        return mean_strips(job)
    if job.kernel.size <= 9:
        return small_strips(job) or fixed_strips(job)
    return fixed_strips(job) or small_strips(job)


class _Strips:
    """A kernel made ready; it holds the arrays whose addresses stand in its record."""

    def __init__(self, job: Job) -> None:
        self.job, self.dtype, self.layout = job, job.dtype, job.layout
        self.uint8 = _uint8_strips(job)
        phases = job.layout.rows.stride
        self.weights = [
            weights_of(kernel, job.dtype, job.rank, phases, job.channels) for kernel in job.kernels
        ]
        if len(job.kernels) == 1:
            self.weights.append(weights_of(np.empty((0, 1)), job.dtype, None, 1, 1))
        zeros = not all(np.all(kernel) for kernel in job.kernels)
        self.guarded = WHERE_NOT_FINITE if zeros else NEVER
        if self.weights[0].uniform:
            self.guarded = WHERE_NOT_EXACT
        self.in_one_go = job.layout.columns.stride == 1 and len(job.kernels) == 1
        self.function = compiled.address("strips", job.dtype.name)
        self.template = np.zeros(JOB.itemsize, np.uint8)
        record = self.template.view(JOB)
        record["plane"] = compiled.address("plane", job.dtype.name)
        record["channels"] = job.channels
        describe_layout(record, job.layout)
        for name, kernel in zip(("first", "second"), self.weights, strict=True):
            describe_kernel(record[name], kernel)

    def _describe(
        self, source: Source, out: Array, origin: Span, strips: Array
    ) -> tuple[Array, tuple[Array, ...]]:
        """Return a job and arrays that must live as long as it is at work."""
        image, working = source.pixels.dtype, self.dtype.name
        memory = self.template.copy()
        _, kept = describe_call(
            memory,
            self.layout,
            source,
            out,
            origin,
            strips,
            read=compiled.address("read_line", image.name, working),
            write=compiled.address("write_line", working, out.dtype.name),
            in_place=image == self.dtype,
            direct=self.in_one_go and out.dtype == self.dtype,
            guarded=self._guarded(source),
        )
        return memory, kept

    def _guarded(self, source: Source) -> int:
        """Return where an image needs sums that keep values in their windows."""
        if self.guarded != NEVER and not math.isfinite(source.outside):
            return ALWAYS
        return self.guarded if source.pixels.dtype.kind == "f" else NEVER

    def run(self, source: Source, out: Array, origin: Span, strips: Array, workers: int) -> None:
        """Make strips of the answer: see :class:`~..StripCorrelator`."""
        if self.uint8 is not None and self.uint8.takes(source, out):
            self.uint8.run(source, out, origin, strips, workers)
            return
        memory, kept = self._describe(source, out, origin, strips)
        run(self.function, memory, min(workers, len(strips)))
        del kept

    def bind(self, source: Source, out: Array, strips: Array, workers: int) -> Call:
        """Return what makes whole answers: see :class:`~..StripCorrelator`."""
        if self.uint8 is not None and self.uint8.takes(source, out):
            return self.uint8.bind(source, out, strips, workers)
        memory, kept = self._describe(source, out, (0, 0), strips)
        kept, workers = (*kept, strips), min(workers, len(strips))
        return Call(memory, self.function, workers, (*kept, self), offset_of(JOB, "counter"))

    def bind_patches(
        self, rule: tuple[str, float], images: Array, out: Array
    ) -> Callable[[Array, Array, int], None]:
        """Return what makes answers of small pictures: see :class:`~..StripCorrelator`."""
        own, channels = self.layout, images.shape[3]
        source = Source(images[0], *rule, self.dtype)
        is_together = self._is_together(source, out)
        most = len(images) // LEAST_GROUPS
        group = at_once() if is_together else group_of(own, channels, most)
        canvas = Canvas(own, channels, group)
        keeps = not is_together and holds(images.dtype, rule)
        dtype = images.dtype if keeps else self.dtype
        pixels = np.empty(canvas.shape, dtype)
        made = np.empty((*canvas.layout.shape, channels), out.dtype)
        strips = np.array([(0, canvas.layout.rows.count, 0, canvas.layout.columns.dense)])
        wide = _Strips(replace(self.job, layout=canvas.layout))
        call = wide.bind(Source(pixels, *rule, self.dtype), made, strips, 1)
        together = None
        if is_together:
            kernel = wide.template.view(JOB)["first"]
            guarded = self._guarded(source) != NEVER
            together = Together(address_of(kernel), int(kernel["parts"][0]), guarded)
        return Patches(canvas, dtype, call, together, rule, images, out)

    def _is_together(self, source: Source, out: Array) -> bool:
        """Return whether several pictures are correlated at once."""
        columns, rows = self.layout.columns, self.layout.rows
        plain = len(self.job.kernels) == 1 and (rows.stride, columns.stride) == (1, 1)
        integer = self.uint8 is not None and self.uint8.takes(source, out)
        summed = self.weights[0].uniform or self._guarded(source) == ALWAYS
        wide = columns.dense * self.job.channels >= lanes_of(self.dtype)
        enough = len(out) >= at_once() and rows.dense >= ROWS_TOGETHER
        return plain and wide and enough and not (integer or summed)


def _effort(job: Job) -> int:
    """Return about how many products are summed for a pixel of the answer."""
    if job.rank is not None:
        return job.rank * sum(job.kernel.shape)
    if is_summed(job.kernel, job.channels):
        return sum(job.kernel.shape)
    return int(np.count_nonzero(job.kernel)) + 1


def prepare(job: Job) -> StripCorrelator:
    """Make a correlator: dense where the plan's rank is None, else by that many factors.

    Raises
    ------
    EngineError
        If a rank is given and the kernel has a higher one.
    """
    height, width, channels = job.shape
    most = MOST_SCALARS // (width * channels)
    most = min(most, MOST_PRODUCTS // (width * channels * _effort(job)))
    tallest = max(LEAST_ROWS, min(-(-height // TILES), most))
    tile = tallest, min(width, max(1, WIDEST // channels))
    made = _Strips(job)
    return StripCorrelator(made.run, tile, WRITES, threadpool.wake, made.bind, made.bind_patches)
