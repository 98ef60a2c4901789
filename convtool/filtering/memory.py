"""Filtering a picture that is in memory: kernels in order, alpha, tone."""

from collections.abc import Sequence

import numpy as np

from convtool.filtering import finishing, nonfinite, pipeline
from convtool.filtering.alpha import separate
from convtool.filtering.finishing import FilteredPixels
from convtool.filtering.options import FilterOptions
from convtool.filtering.plan import DIRECT, FilterPlan, PictureKind, Step, plan_filter
from convtool.images import tone
from convtool.images.image import Image
from convtool.images.kernels import kernel_spec
from convtool.kernels.spec import KernelSpec
from convtool.records import Record, replace


class FilterResult(Record, eq=False):
    """A filtered picture and its notes.

    Parameters
    ----------
    image : Image
        The result; format and metadata are the input's.
    steps : tuple of Step
        How it was made.
    clipped_share : float
        The share, 0 to 1, of colour values that were outside the output's range.
    warnings : tuple of str
        What a user should know: clipped values, NaN, remarks of the reader.
    """

    image: Image
    steps: tuple[Step, ...]
    clipped_share: float
    warnings: tuple[str, ...]


def filter_image(
    image: Image,
    kernels: Sequence[KernelSpec | str],
    options: FilterOptions | None = None,
    plan: FilterPlan | None = None,
    *,
    overwrite: bool = False,
) -> FilterResult:
    """Filter a picture with kernels, one after the other, and bring the result to its depth.

    Between kernels values stay floats, however negative or large. Alpha is filtered premultiplied
    unless told otherwise.

    Parameters
    ----------
    image : Image
        The picture; it is not changed unless ``overwrite`` says so.
    kernels : sequence of KernelSpec or str
        The kernels; a gradient pair gives the gradient's magnitude, a group such as ``kirsch`` the
        largest of its answers.
    options : FilterOptions, optional
        How.
    plan : FilterPlan, optional
        What `plan_filter` says of such a picture, if that is known: it is what is done.
    overwrite : bool
        Whether the result may take the memory of the picture's pixels, where it fits: that halves
        what is needed.

    Returns
    -------
    FilterResult
        The picture, with the report.

    Raises
    ------
    OptionError, ShapeError, KernelError, EngineError
        If picture, kernels and options cannot be combined.

    Notes
    -----
    Alpha is divided by the kernel's sum, so that an opaque picture stays opaque; a kernel whose sum
    is not positive, such as a gradient, leaves alpha as it is. Outside the picture everything is
    opaque where the border is a constant. The direction of a gradient is angle / 2π, modulo 1,
    times white: 0 to the right, a quarter of white downwards.

    Examples
    --------
    >>> picture = Image(np.full((8, 8), 100, np.uint8))
    >>> filter_image(picture, ["sharpen-5"]).image.pixels[0, :3]
    array([100, 100, 100], dtype=uint8)
    """
    if plan is None:
        specs = [kernel_spec(kernel) if isinstance(kernel, str) else kernel for kernel in kernels]
        plan = plan_filter(PictureKind.of_image(image), specs, options or FilterOptions())
    if plan.part is not None:
        from convtool.filtering.partial import filter_part

        found = filter_part(plan, image)
    else:
        found = _filter_whole(plan, image, overwrite)
    about = image.metadata
    if plan.options.nodata is not None:
        about = replace(about, nodata=plan.missing)
    filtered = replace(image, pixels=found.pixels, bits=plan.type.bits, metadata=about)
    warnings = (*image.notes, *found.remarks)
    return FilterResult(filtered, plan.timed(found.seconds), found.clipped_share, warnings)


def _filter_whole(plan: FilterPlan, image: Image, overwrite: bool) -> FilteredPixels:
    """Filter all pixels and channels of a picture."""
    options, source = plan.options, plan.kind.type
    if options.nan == "refuse":
        nonfinite.refuse(nonfinite.marked(image.pixels, options.nodata))
    colours, alpha = separate(image, options)
    if not plan.holds(alpha):
        plan = plan.for_transparency()
    finisher = plan.finisher()
    values, alpha, seconds = pipeline.run(plan, colours, alpha, finisher, overwrite=overwrite)
    if plan.tone == DIRECT:
        return FilteredPixels(values, seconds)
    if finisher is not None:
        toned = tone.Toned(values, finisher.clipped, finisher.nans)
    else:
        toned = tone.finish(
            finishing.prepared(values, options, image.peak),
            source=source,
            depth=options.depth,
            range=options.range,
            missing=plan.missing,
            threads=options.threads,
        )
    share = toned.clipped / toned.pixels.size
    holes = nonfinite.missing(toned.pixels) if options.nan == "fill" else None
    left = 0 if holes is None else int(np.count_nonzero(holes))
    remarks = finishing.remarks(plan, share, toned.nans, left)
    if alpha is None:
        return FilteredPixels(toned.pixels, seconds, share, remarks)
    opacity = tone.finish(alpha, source=source, depth=options.depth).pixels
    return FilteredPixels(np.dstack([toned.pixels, opacity]), seconds, share, remarks)
