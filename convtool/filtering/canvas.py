"""Painting filtered values onto a picture: piece by piece, so that little memory is needed."""

from collections.abc import Sequence

import numpy as np

from convtool.convolution.threads import count, for_each
from convtool.filtering import finishing, nonfinite
from convtool.filtering.blend import Shares, mixed, shares_of_colour
from convtool.filtering.channels import Selection
from convtool.filtering.plan import FilterPlan
from convtool.filtering.where import Place
from convtool.images import light, tone
from convtool.images.image import Pixels
from convtool.images.tone import Fit, Values
from convtool.records import Record

_STRIP_VALUES = 1 << 18


class Computed(Record, eq=False):
    """What the kernels made; all arrays are as large as what is read."""

    pixels: Pixels
    """The picture's own pixels."""
    colours: Pixels
    """What was filtered: chosen colours, grey or luminance; light where light is filtered."""
    values: Values
    """The last kernel's answer."""
    alpha: Values | None
    opacity: Values | None
    """Alpha before and after."""


class Tally(Record):
    """How many colour values were painted, clipped, NaN that became 0, and holes not filled."""

    count: int = 0
    clipped: int = 0
    nans: int = 0
    holes: int = 0


class Canvas:
    """A picture on which filtered values are painted.

    Parameters
    ----------
    whole : ndarray
        The picture in the output's depth; it is painted on.
    spot : Place
        Where.
    chosen : Selection
        Which channels.
    plan : FilterPlan
        How, and from and to which types of pixels.
    """

    def __init__(
        self,
        whole: Pixels,
        spot: Place,
        chosen: Selection,
        plan: FilterPlan,
    ) -> None:
        self._planes = whole if whole.ndim == 3 else whole[:, :, np.newaxis]
        self._chosen, self._options = chosen, plan.options
        self._type, self._source, self._missing = plan.type, plan.kind.type, plan.missing
        width = spot.box[1].stop - spot.box[1].start
        rows = max(1, _STRIP_VALUES // (width * self._planes.shape[2]))
        self._strips = spot.strips(rows)
        self._workers = min(count(plan.options.threads), len(self._strips))

    def paint(self, computed: Computed) -> Tally:
        """Paint colours and alpha, as far as they are chosen."""
        fit = self._fit(computed)
        found: list[Tally] = []

        @np.errstate(all="ignore")
        def work(number: int) -> None:
            strip = self._strips[number]
            if self._chosen.planes:
                found.append(self._colours(strip, computed, fit))
            if self._chosen.alpha and computed.opacity is not None:
                opacity = strip.picked(computed.opacity)[..., np.newaxis]
                last = (self._planes.shape[2] - 1,)
                self._put(strip, last, opacity, Fit(), strip.weights, linear=False)

        for_each(work, range(len(self._strips)), self._workers)
        return Tally(
            sum(one.count for one in found),
            sum(one.clipped for one in found),
            sum(one.nans for one in found),
            sum(one.holes for one in found),
        )

    def _fit(self, computed: Computed) -> Fit:
        """Return how the range moves values; it may have to see all of them first."""
        name = self._options.range
        if name in tone.FIXED_RANGES or not self._chosen.planes:
            return tone.fit_for(name, np.zeros(1), self._source.peak)
        extremes: list[tuple[float, float]] = []

        @np.errstate(all="ignore")
        def work(number: int) -> None:
            answer = self._answer(self._strips[number], computed)
            finite = answer[np.isfinite(answer)]
            if finite.size:
                extremes.append((float(finite.min()), float(finite.max())))

        for_each(work, range(len(self._strips)), self._workers)
        return tone.fit_for(name, np.array(extremes or [(0.0, 0.0)]), self._source.peak)

    def _answer(self, strip: Place, computed: Computed) -> Values:
        """Return a strip of the last kernel's answer, shape (..., C), ready for its range.

        Grey counts for each of the planes, luminance once.
        """
        picked = tone.to_working(strip.picked(computed.values))
        if computed.values.ndim == 2:
            picked = picked[..., np.newaxis]
        wanted = 1 if self._chosen.luminance else len(self._chosen.planes)
        answer = np.repeat(picked, wanted // picked.shape[-1], axis=-1)
        return finishing.prepared(answer, self._options, self._source.peak)

    def _colours(self, strip: Place, computed: Computed, fit: Fit) -> Tally:
        answer = self._answer(strip, computed)
        if self._chosen.luminance:
            before = strip.picked(computed.colours)
            if self._options.linear:
                before = light.to_encoded(before, self._source.peak)
            change = tone.moved(answer, fit) - before[..., np.newaxis]
            answer = tone.to_working(strip.picked(computed.pixels)[..., :3]) + change
            fit = Fit()
        shares, alpha, opacity = strip.weights, computed.alpha, computed.opacity
        if shares is not None and self._chosen.alpha and alpha is not None and opacity is not None:
            shares = shares_of_colour(shares, strip.picked(alpha), strip.picked(opacity))
        linear = self._options.linear
        toned = self._put(strip, self._chosen.planes, answer, fit, shares, linear=linear)
        holes = nonfinite.missing(toned.pixels) if self._options.nan == "fill" else None
        left = 0 if holes is None else int(np.count_nonzero(holes))
        return Tally(toned.pixels.size, toned.clipped, toned.nans, left)

    def _put(
        self,
        strip: Place,
        planes: Sequence[int],
        values: Values,
        fit: Fit,
        shares: Shares | None,
        *,
        linear: bool,
    ) -> tone.Toned:
        """Paint planes with values, shape (..., planes), mixed by shares with what is there."""
        toned = tone.finish(
            values,
            source=self._source,
            depth=self._options.depth,
            fit=fit,
            missing=self._missing,
            threads=1,
        )
        target = self._planes[strip.box]
        every = len(planes) == target.shape[2]
        if shares is not None and bool((soft := shares < 1).any()):
            there = target[strip.inside]
            before = there if every else there[:, list(planes)]
            old = tone.to_working(nonfinite.marked(before, self._missing))
            new = self._stored(tone.moved(values, fit, self._type.peak / self._source.peak))
            mixture = self._mixed(old, new, shares, linear)
            if self._type.is_integer:
                np.rint(mixture, out=mixture)
            np.copyto(toned.pixels, mixture, where=soft[:, np.newaxis], casting="unsafe")
        if every:
            target[strip.inside] = toned.pixels
            return toned
        for number, plane in enumerate(planes):
            target[:, :, plane][strip.inside] = toned.pixels[..., number]
        return toned

    def _stored(self, new: Values) -> Values:
        """Return values as they are stored, but for their rounding."""
        if not self._type.is_integer:
            return new
        clipped: Values = np.clip(new, self._type.low, self._type.peak, out=new)
        if not self._source.is_integer:
            clipped[np.isnan(clipped)] = 0
        return clipped

    def _mixed(self, old: Values, new: Values, shares: Shares, linear: bool) -> Values:
        if self._options.nan == "fill":
            old = np.where(np.isfinite(old), old, new)
        return mixed(old, new, shares, self._type.peak, linear=linear)
