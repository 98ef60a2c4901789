"""Filtering some pixels or channels of a picture: the others come back bit for bit."""

from collections.abc import Sequence

from convtool.filtering import finishing, nonfinite, pipeline
from convtool.filtering.canvas import Canvas, Computed
from convtool.filtering.finishing import FilteredPixels
from convtool.filtering.part import Part, separate_chosen
from convtool.filtering.plan import FilterPlan
from convtool.images import tone
from convtool.images.image import Image, Pixels
from convtool.images.tone import Values
from convtool.records import replace


def filter_part(plan: FilterPlan, image: Image) -> FilteredPixels:
    """Filter the pixels and channels that a plan chooses.

    Parameters
    ----------
    plan : FilterPlan
        A plan that has a part.
    image : Image
        The picture; it is not changed.

    Returns
    -------
    FilteredPixels
        The whole picture.

    Notes
    -----
    A mask's grey mixes finished pixels: in light where light is filtered, and weighted with alpha
    where alpha is filtered with the colours, so that the colour of transparent pixels does not
    show. The luminance is that of ``gray``; its change is added to all three colours, so that their
    differences (Cb and Cr) stay.
    """
    options, part, place = plan.options, plan.part, plan.place
    assert part is not None
    assert place is not None
    whole = _in_depth(plan, image.pixels)
    if place.is_empty:
        return FilteredPixels(whole, [0.0] * len(plan.steps), remarks=place.notes)
    near = replace(image, pixels=place.read(image.pixels))
    if options.nan == "refuse":
        marked = nonfinite.marked(near.pixels, options.nodata)
        nonfinite.refuse(marked, *place.positions(image.height, image.width))
    colours, alpha = separate_chosen(near, part.chosen, options)
    values, opacity, seconds = _computed(plan, part, colours, alpha)
    canvas = Canvas(whole, place, part.chosen, plan)
    tally = canvas.paint(Computed(near.pixels, colours, values, alpha, opacity))
    share = tally.clipped / max(1, tally.count)
    remarks = finishing.remarks(plan, share, tally.nans, tally.holes)
    return FilteredPixels(whole, seconds, share, [*place.notes, *remarks])


def _in_depth(plan: FilterPlan, pixels: Pixels) -> Pixels:
    """Return a copy of pixels in the output's depth."""
    if plan.type == plan.kind.type:
        return pixels.copy()
    depth, threads = plan.options.depth, plan.options.threads
    values = tone.to_working(pixels)
    return tone.finish(values, source=plan.kind.type, depth=depth, threads=threads).pixels


def _computed(
    plan: FilterPlan, part: Part, colours: Pixels, alpha: Values | None
) -> tuple[Values, Values | None, Sequence[float]]:
    """Run the kernels; return colours and alpha, as large as what is read, and the seconds."""
    if alpha is not None and not part.chosen.planes:
        return colours, *pipeline.run_alpha(plan, alpha)
    if not plan.holds(alpha):
        plan = plan.for_transparency()
    return pipeline.run(plan, colours, alpha)
