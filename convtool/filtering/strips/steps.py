"""Apply a kernel to rows: of colours, of smoothed alpha, of moved alpha.

Each computes rows of its answer from the rows of its input that they reach, and the same values as
:mod:`~..pipeline` does from the whole.
"""

import time
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from convtool.convolution.dtypes import store as stored
from convtool.convolution.geometry import Axis, Geometry
from convtool.convolution.planner import Plan
from convtool.convolution.source import Held, Spans, runs_of
from convtool.convolution.tiles import Store
from convtool.convolution.windows import Windows
from convtool.filtering import alpha as transparency
from convtool.filtering import kernels as facts
from convtool.filtering.options import FilterOptions
from convtool.filtering.pipeline import alpha_without
from convtool.filtering.plan import FilterPlan
from convtool.filtering.strips.rows import Kept, Take
from convtool.images.image import Pixels
from convtool.images.stores.picture import Span
from convtool.images.tone import Values, working_dtype
from convtool.kernels.spec import KernelSpec


class AssumptionViolated(Exception):  # noqa: N818 - it is no error
    """A picture that was taken to be opaque is not; filtering starts again, knowing that."""


class RowStep(Protocol):
    """A step over rows of a plane or of colours."""

    shape: tuple[int, ...]

    def covering(self, rows: Span) -> Span:
        """Return the fewest rows of the answer that can be computed and hold those asked for."""

    def reach(self, rows: Span) -> Spans:
        """Return which rows of the input those rows of the answer need."""

    def compute(self, rows: Span, pixels: Pixels, held: Spans) -> Pixels:
        """Compute rows of the answer from rows of the input."""


class Convolved:
    """A convolution of colours.

    Parameters
    ----------
    shape, dtype
        Of the input.
    spec : KernelSpec
        The kernel.
    options : FilterOptions
        How.
    plan : Plan
        How the kernel is applied.
    last : bool
        Whether it is the last.
    matrices : sequence of ndarray, optional
        Its weights, if not those of the kernel.
    out_dtype, store : optional
        As for `Windows`.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        spec: KernelSpec,
        options: FilterOptions,
        plan: Plan,
        *,
        last: bool,
        matrices: Sequence[NDArray[np.float64]] | None = None,
        out_dtype: np.dtype[Any] | None = None,
        store: Store | None = None,
    ) -> None:
        self._windows = Windows(
            shape,
            dtype,
            tuple(matrices or facts.matrices(spec)),
            facts.is_flipped(spec, options),
            facts.layout_of(shape, spec, options, last),
            border=options.border_name,
            cval=options.cval,
            engine=options.engine,
            threads=options.threads,
            out_dtype=out_dtype,
            store=store or stored,
            chosen=plan.chosen,
            combination=spec.combination or "magnitude",
        )
        self.shape, self.dtype = self._windows.shape, self._windows.dtype
        self.covering, self.reach = self._windows.covering, self._windows.reach
        self.seconds = 0.0

    def compute(self, rows: Span, pixels: Pixels, held: Spans) -> Pixels:
        """Compute rows; see `RowStep`."""
        start = time.perf_counter()
        answer = self._windows.compute(rows, pixels, held)
        self.seconds += time.perf_counter() - start
        return answer


class Smoothed:
    """Alpha after a kernel that smooths: what is missing to opaque is filtered."""

    def __init__(
        self, plan: FilterPlan, number: int, shape: tuple[int, int], layout: Geometry
    ) -> None:
        options = plan.options
        self._spec, self._peak = plan.kernels[number], plan.kind.peak
        self._windows = Windows(
            shape,
            working_dtype(plan.kind.dtype),
            facts.matrices(self._spec),
            facts.is_flipped(self._spec, options),
            layout,
            border=options.border_name,
            cval=0.0,
            engine=options.engine,
            threads=options.threads,
        )
        self.shape = self._windows.shape
        self.covering, self.reach = self._windows.covering, self._windows.reach

    def compute(self, rows: Span, pixels: Values, held: Spans) -> Values:
        """Compute rows; see `RowStep`."""
        missing = self._windows.compute(rows, self._peak - pixels, held)
        return alpha_without(missing, self._spec, self._peak)


class Carried:
    """Alpha after a kernel that leaves it alone: cut, padded and strided like the colours."""

    def __init__(self, layout: Geometry, flipped: bool, border: str, peak: float) -> None:
        self._layout, self._flipped, self._border, self._peak = layout, flipped, border, peak
        self.shape: tuple[int, ...] = layout.shape
        size = layout.rows.size
        rows = np.arange(size)[:, np.newaxis]
        self._sources = transparency.carried(rows, _one_column(layout), flipped, border, -1)[:, 0]

    def covering(self, rows: Span) -> Span:
        """Return the rows themselves; see `RowStep`."""
        return rows

    def reach(self, rows: Span) -> Spans:
        """Return the rows that are read; see `RowStep`."""
        return runs_of(self._sources[rows[0] : rows[1]])

    def compute(self, rows: Span, pixels: Values, held: Spans) -> Values:
        """Compute rows; see `RowStep`."""
        return transparency.carried(
            pixels,
            self._layout,
            self._flipped,
            self._border,
            self._peak,
            slice(*rows),
            Held(self._layout.rows.size, held),
        )


def _one_column(layout: Geometry) -> Geometry:
    """Return the same rows for an image of one column that a kernel of one column meets."""
    return Geometry(layout.rows, Axis(1, 1, 0, 1, 1))


def alpha_step(plan: FilterPlan, number: int, shape: tuple[int, int]) -> RowStep:
    """Return what a kernel, by its number, does to alpha of a shape."""
    spec, options = plan.kernels[number], plan.options
    layout = facts.layout_of(shape, spec, options, number == len(plan.kernels) - 1)
    if facts.smooths_alpha(spec, options):
        return Smoothed(plan, number, shape, layout)
    return Carried(layout, facts.is_flipped(spec, options), options.border_name, plan.kind.peak)


def rows_after(step: RowStep, take: Take, consumers: int) -> Kept:
    """Return the rows of a step's answer; those of its input are taken as they are needed."""

    def make(rows: Span) -> tuple[Span, Pixels]:
        """Compute the step's output rows from the input rows in its reach."""
        rows = step.covering(rows)
        held = step.reach(rows)
        return rows, step.compute(rows, take(held), held)

    return Kept(make, consumers)
