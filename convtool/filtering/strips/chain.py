"""The pipeline of a picture's rows: kernels in order, alpha, tone; as `filter_image` does it.

A plan assumes that a picture is opaque. A row that shows otherwise raises `AssumptionViolated`, and
the work starts again with `FilterPlan.for_transparency`.
"""

from itertools import zip_longest

import numpy as np

from convtool.convolution.gradient import angles
from convtool.convolution.source import Spans
from convtool.filtering import finishing
from convtool.filtering.alpha import separate
from convtool.filtering.kernels import matrices
from convtool.filtering.plan import DIRECT, FilterPlan
from convtool.filtering.strips.rows import Kept, Take
from convtool.filtering.strips.steps import AssumptionViolated, Convolved, alpha_step, rows_after
from convtool.images import tone
from convtool.images.alpha import divide, premultiply
from convtool.images.image import Image, Pixels
from convtool.images.stores.picture import Span
from convtool.images.tone import Extent, Finisher, Fit, Values
from convtool.records import Record


class Counts(Record):
    """What was counted while rows were made."""

    clipped: int = 0
    nans: int = 0
    """How many values lay outside the output's range, and how many were NaN and became 0."""
    values: int = 0
    """How many values of colours there were."""
    seconds: tuple[float, ...] = ()
    """What each kernel took."""

    def __add__(self, other: "Counts") -> "Counts":
        pairs = zip_longest(self.seconds, other.seconds, fillvalue=0.0)
        return Counts(
            self.clipped + other.clipped,
            self.nans + other.nans,
            self.values + other.values,
            tuple(one + more for one, more in pairs),
        )


def consumers_of(plan: FilterPlan) -> int:
    """Return how many ask for the rows of the picture in turn."""
    two = plan.options.direction and len(plan.kernels) == 1
    return (2 if two else 1) + int(plan.kind.has_alpha)


class Chain:
    """The rows of a filtered picture.

    Parameters
    ----------
    raw : Kept
        The rows of the picture as it is stored.
    plan : FilterPlan
        What is done. Where other chains compute rows at the edges of those that this one is asked
        for, it is `FilterPlan.toned_afterwards`: values are counted when they are asked for then,
        not when they are computed. Else rows are asked for from the first on.

    Attributes
    ----------
    has_alpha : bool
        Whether the last channel of the answer is alpha.
    height, width : int
        Rows and columns of the answer.
    extent : Extent
        What `measure` has seen.
    """

    def __init__(self, raw: Kept, plan: FilterPlan) -> None:
        self._raw, self._plan, self._options = raw, plan, plan.options
        self.has_alpha, self._peak = plan.kind.has_alpha, plan.kind.peak
        self._early = plan.finisher()
        self._is_done = plan.tone == DIRECT or self._early is not None
        fixed = tone.FIXED_RANGES.get(plan.options.range)
        self._late = self._finisher(fixed(self._peak)) if fixed else None
        self.extent, self._values_made = Extent(), 0
        self._add_steps()

    def _finisher(self, fit: Fit) -> Finisher:
        return Finisher(self._plan.kind.type, self._plan.type, fit)

    def _add_steps(self) -> None:
        """Build the steps of colours and of alpha."""
        plan, options = self._plan, self._options
        size, dtype = plan.given_shape, plan.given_dtype
        take: Take = self._colours
        take_alpha: Take = self._alpha
        self.steps: list[Convolved] = []
        for number, spec in enumerate(plan.kernels):
            last = number == len(plan.kernels) - 1
            chosen = plan.steps[number].plan
            if self.has_alpha:
                step = alpha_step(plan, number, (size[0], size[1]))
                take_alpha = rows_after(step, take_alpha, 1).take
            if last and options.direction:
                parts = [
                    Convolved(size, dtype, spec, options, chosen, last=True, matrices=(kernel,))
                    for kernel in matrices(spec)
                ]
                self.steps.append(parts[0])
                take = _angles(*(rows_after(part, take, 1).take for part in parts))
                break
            made = Convolved(
                size,
                dtype,
                spec,
                options,
                chosen,
                last=last,
                out_dtype=plan.dtype if last and self._is_done else None,
                store=self._early if last else None,
            )
            consumers = 2 if number == len(plan.kernels) - 2 and options.direction else 1
            self.steps.append(made)
            take = rows_after(made, take, consumers).take
            size, dtype = made.shape, made.dtype
        self._answer, self._opacity = take, take_alpha
        self.height, self.width = self.steps[-1].shape[:2]

    def _check_opaque(self, alpha: Values) -> None:
        if not self._plan.holds(alpha):
            raise AssumptionViolated

    def _colours(self, spans: Spans) -> Pixels:
        image = Image(
            self._raw.take(spans),
            self.has_alpha,
            self._plan.kind.format,
            bits=self._plan.kind.bits,
        )
        colours, alpha = separate(image, self._options)
        if alpha is None:
            return colours
        self._check_opaque(alpha)
        if not self._plan.premultiplies:
            return colours
        cube = tone.to_working(colours).reshape(*alpha.shape, -1)
        return premultiply(cube, alpha, self._peak).reshape(colours.shape)

    def _alpha(self, spans: Spans) -> Values:
        alpha = tone.to_working(self._raw.take(spans)[:, :, -1])
        self._check_opaque(alpha)
        return alpha

    def rows_from(self, first: int, count: int) -> Span:
        """Return rows that can be computed: about so many, beginning at or before ``first``."""
        return self.steps[-1].covering((first, min(first + count, self.height)))

    @property
    def must_be_measured(self) -> bool:
        """Whether all rows have to be seen before one can be brought to the output's range."""
        return self._late is None

    def measure(self, rows: Span) -> None:
        """See how small and large the values of rows are."""
        self.extent.add(self._values(rows))

    def stretch(self, extent: Extent) -> None:
        """Take what all rows were measured to be."""
        self._late = self._finisher(extent.stretched(self._peak))

    def _values(self, rows: Span) -> Values:
        values = self._answer((rows,))
        if self._options.bias:
            values = values.copy()  # it is added to them, and they may be asked for again
        if self._plan.premultiplies and not self._options.direction:
            alpha = self._opacity((rows,))
            cube = values.reshape(*alpha.shape, -1)
            values = divide(cube, alpha, self._peak).reshape(values.shape)
        return finishing.prepared(values, self._options, self._peak)

    def pixels(self, rows: Span) -> Pixels:
        """Return rows of the output; request each once, from the top down."""
        if self._is_done:
            pixels = self._answer((rows,))
        else:
            assert self._late is not None
            values = self._values(rows)
            pixels = np.empty(values.shape, self._plan.dtype)
            self._late(values, pixels)
        self._values_made += pixels.size
        if not self.has_alpha:
            return pixels
        alpha = self._opacity((rows,))
        source, how = self._plan.kind.type, self._options
        opacity = tone.finish(alpha, source=source, depth=how.depth, threads=how.threads)
        return np.dstack([pixels, opacity.pixels])

    @property
    def counts(self) -> Counts:
        """What was counted so far."""
        finishers = [one for one in (self._early, self._late) if one is not None]
        return Counts(
            sum(one.clipped for one in finishers),
            sum(one.nans for one in finishers),
            self._values_made,
            tuple(step.seconds for step in self.steps),
        )


def _angles(down: Take, right: Take) -> Take:
    """Return the rows of the angles of a gradient, made of both its derivatives."""
    return lambda spans: angles(down(spans).copy(), right(spans))
