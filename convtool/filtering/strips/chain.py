"""All that happens to a picture's rows: kernels in order, alpha, tone; as `filter_image` does it.

What depends on the whole picture is assumed first: that it is opaque where it has alpha, and that
what an engine which would spread NaN is given holds none. A row that shows otherwise raises
`Broken`, and the work begins anew with what is known then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from convtool.convolution.gradient import angles
from convtool.convolution.source import Spans
from convtool.filtering import finishing, pipeline
from convtool.filtering.memory import Outline
from convtool.filtering.options import FilterOptions
from convtool.filtering.strips.rows import Kept, Take
from convtool.filtering.strips.steps import Broken, Convolved, alpha_step, rows_after
from convtool.images import tone
from convtool.images.alpha import divide, premultiply
from convtool.images.formats import Header
from convtool.images.image import Image, Pixels, peak_of
from convtool.images.stores.picture import Span
from convtool.images.tone import Extent, Finisher, Fit, Values
from convtool.kernels.spec import KernelSpec


@dataclass(frozen=True)
class Assumptions:
    """What is taken to be true of a picture until a row shows otherwise."""

    opaque: bool = True

    def without(self, broken: Broken) -> "Assumptions":
        """Return what is left of them."""
        return replace(self, **{broken.what: False})


def consumers_of(header: Header, specs: Sequence[KernelSpec], options: FilterOptions) -> int:
    """Return how many ask for the rows of the picture in turn."""
    return (2 if options.direction and len(specs) == 1 else 1) + int(header.has_alpha)


class Chain:
    """The rows of a filtered picture.

    Parameters
    ----------
    raw : Kept
        The rows of the picture as it is stored.
    header : Header
        What they are.
    format : str
        The name of its file's format.
    specs : sequence of KernelSpec
        The kernels.
    options : FilterOptions
        How they are applied.
    plan : Outline
        What `outline` says of the picture: it is what is done.
    assumptions : Assumptions
        What is known of the picture.
    shared : bool
        Whether other chains compute rows at the edges of those that this one is asked for: values
        are counted when they are asked for then, not when they are made, which takes a little
        longer. The rows of one that is not shared are asked for from the first on.

    Attributes
    ----------
    has_alpha : bool
        Whether the last channel of the answer is alpha.
    height : int
        Rows of the answer.
    extent : Extent
        What `measure` has seen.
    values : int
        How many values of colours were made so far.
    """

    def __init__(
        self,
        raw: Kept,
        header: Header,
        format: str,
        specs: Sequence[KernelSpec],
        options: FilterOptions,
        plan: Outline,
        assumptions: Assumptions,
        shared: bool = False,
    ) -> None:
        self._raw, self.has_alpha, self._format = raw, header.has_alpha, format
        self._source = header.pixel_type
        self._peak = peak_of(self._source)
        if options.linear:
            options = pipeline.in_light(options, format, self._peak)
        self._options = options
        meets = header.has_alpha and pipeline.pixels_meet(specs, options)
        self._bleeds = meets and not assumptions.opaque
        self._must_be_opaque = meets and assumptions.opaque
        self.dtype = tone.output_dtype(options.depth, self._source)
        sample = np.zeros((1, 1, *header.shape[2:]), self._source)
        like = pipeline.separate(Image(sample, self.has_alpha, format), options)[0]
        like = tone.to_working(like) if self._bleeds else like
        stays = not header.has_alpha and pipeline.stays_in_range(
            specs, options, self._source, like.dtype
        )
        self._early: Finisher | None = None
        if not self._bleeds and not stays and not shared:
            self._early = finishing.finisher(options, self._source)
        self._is_done = stays or self._early is not None
        fixed = tone.FIXED_RANGES.get(options.range)
        self._late = self._finisher(fixed(self._peak)) if fixed else None
        self.extent, self.values = Extent(), 0
        self._add_steps(header.shape, like, specs, plan, stays)

    def _finisher(self, fit: Fit) -> Finisher:
        return Finisher(self._source, self.dtype, fit)

    def _add_steps(
        self,
        shape: tuple[int, ...],
        like: Pixels,
        specs: Sequence[KernelSpec],
        plan: Outline,
        stays: bool,
    ) -> None:
        """Build the way of colours and of alpha."""
        size: tuple[int, ...] = shape[:2] + like.shape[2:]
        dtype, alpha_type = like.dtype, tone.to_working(np.zeros(1, self._source)).dtype
        take: Take = self._colours
        take_alpha: Take = self._alpha
        self.steps: list[Convolved] = []
        for number, spec in enumerate(specs):
            last = number == len(specs) - 1
            if self.has_alpha:
                step = alpha_step(
                    (size[0], size[1]),
                    alpha_type,
                    spec,
                    self._options,
                    last=last,
                    peak=self._peak,
                )
                take_alpha = rows_after(step, take_alpha, 1).take
            how: dict[str, Any] = {
                "last": last,
                "plan": plan.plans[number],
            }
            if last and self._options.direction:
                take = self._angles(size, dtype, spec, take, how)
                break
            if last and stays:
                how["out_dtype"] = self._source
            elif last and self._early is not None:
                how |= {"out_dtype": self._early.dtype, "store": self._early}
            consumers = 2 if number == len(specs) - 2 and self._options.direction else 1
            made = Convolved(size, dtype, spec, self._options, **how)
            self.steps.append(made)
            take = rows_after(made, take, consumers).take
            size, dtype = made.shape, made.dtype
        self._answer, self._opacity = take, take_alpha
        self.height, self.width = self.steps[-1].shape[:2]

    def _angles(
        self,
        size: tuple[int, ...],
        dtype: np.dtype[Any],
        spec: KernelSpec,
        take: Take,
        how: dict[str, Any],
    ) -> Take:
        """Return the rows of the angles of a gradient, made of both its derivatives."""
        parts = [
            Convolved(size, dtype, spec, self._options, matrices=(kernel,), **how)
            for kernel in pipeline.matrices(spec)
        ]
        self.steps.append(parts[0])
        down, right = (rows_after(part, take, 1).take for part in parts)
        return lambda spans: angles(down(spans).copy(), right(spans))

    def _check_opaque(self, alpha: Values) -> None:
        if not pipeline.is_opaque(alpha, self._peak):
            raise Broken("opaque")

    def _colours(self, spans: Spans) -> Pixels:
        image = Image(self._raw.take(spans), self.has_alpha, self._format)
        colours, alpha = pipeline.separate(image, self._options)
        if alpha is None:
            return colours
        if self._must_be_opaque:
            self._check_opaque(alpha)
        if not self._bleeds:
            return colours
        cube = tone.to_working(colours).reshape(*alpha.shape, -1)
        return premultiply(cube, alpha, self._peak).reshape(colours.shape)

    def _alpha(self, spans: Spans) -> Values:
        alpha = tone.to_working(self._raw.take(spans)[:, :, -1])
        if self._must_be_opaque:
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
        if self._bleeds and not self._options.direction:
            alpha = self._opacity((rows,))
            cube = values.reshape(*alpha.shape, -1)
            values = divide(cube, alpha, self._peak).reshape(values.shape)
        return finishing.prepared(values, self._options, self._peak)

    def pixels(self, rows: Span) -> Pixels:
        """Return rows of the answer; each is to be asked for once, from the top on."""
        if self._is_done:
            pixels = self._answer((rows,))
        else:
            assert self._late is not None
            values = self._values(rows)
            pixels = np.empty(values.shape, self.dtype)
            self._late(values, pixels)
        self.values += pixels.size
        if not self.has_alpha:
            return pixels
        alpha = self._opacity((rows,))
        opacity = tone.finish(
            alpha, source=self._source, depth=self._options.depth, threads=self._options.threads
        )
        return np.dstack([pixels, opacity.pixels])

    @property
    def clipped(self) -> int:
        """How many values lay outside the output's range so far."""
        return sum(one.clipped for one in (self._early, self._late) if one is not None)

    @property
    def nans(self) -> int:
        """How many were not numbers."""
        return sum(one.nans for one in (self._early, self._late) if one is not None)
