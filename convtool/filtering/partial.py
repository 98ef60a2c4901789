"""Filtering some pixels or channels of a picture: the others come back bit for bit."""

from collections.abc import Sequence

from convtool.convolution.planner import Plan
from convtool.filtering import channels, finishing, nonfinite, pipeline
from convtool.filtering.canvas import Canvas, Computed
from convtool.filtering.channels import Selection
from convtool.filtering.finishing import Made
from convtool.filtering.options import FilterOptions
from convtool.filtering.where import Place, Region, place
from convtool.images import tone
from convtool.images.image import Image, Pixels
from convtool.images.tone import Values
from convtool.kernels.spec import KernelSpec
from convtool.records import Record, replace


class Part(Record):
    """Which part of a picture is filtered.

    Parameters
    ----------
    region : Region
        Left, top, width and height of what changes.
    mask : str or None
        The mask's name.
    channels : str or None
        The letters of the channels; None for all.
    read : (int, int)
        Height and width of what is read for it: with the neighbours that the windows reach.
    planes : int
        How many planes are convolved.
    notes : tuple of str
        What a user should know.
    """

    region: Region
    mask: str | None
    channels: str | None
    read: tuple[int, int]
    planes: int
    notes: tuple[str, ...] = ()


def plan_part(
    shape: tuple[int, ...], has_alpha: bool, specs: Sequence[KernelSpec], options: FilterOptions
) -> Part:
    """Say which part of a picture of a shape is filtered.

    Raises
    ------
    OptionError, ShapeError
        If the picture has no such channel or region, or the mask is of another size.
    """
    chosen = _selected(shape, has_alpha, options)
    spot = _placed(shape, specs, options)
    rows, columns = spot.box
    height, width = (rows.stop - rows.start, columns.stop - columns.start)
    one = options.gray or options.direction or chosen.luminance
    return Part(
        (columns.start, rows.start, width, height),
        None if options.mask is None else options.mask.name,
        None if options.channels is None else channels.letters(options.channels),
        spot.size,
        1 if one else max(1, len(chosen.planes)),
        spot.notes,
    )


def given(image: Image, options: FilterOptions) -> Pixels:
    """Return the values that the first kernel is given: of some channels, or of alpha alone."""
    chosen = _selected(image.pixels.shape, image.has_alpha, options)
    colours, alpha = _separated(image, chosen, options)
    return alpha if alpha is not None and not chosen.planes else colours


def _separated(
    image: Image, chosen: Selection, options: FilterOptions
) -> tuple[Pixels, Values | None]:
    """Separate the colours that are filtered, and alpha as floats."""
    how = replace(options, gray=options.gray or chosen.luminance)
    colours, alpha = pipeline.separate(image, how)
    if colours.ndim == 3 and len(chosen.planes) < colours.shape[2]:
        colours = colours[:, :, list(chosen.planes)]
    return colours, alpha


def filter_part(
    image: Image, specs: Sequence[KernelSpec], options: FilterOptions, plans: Sequence[Plan]
) -> Made:
    """Filter the pixels and channels that the options choose.

    Parameters
    ----------
    image : Image
        The picture; it is not changed.
    specs : sequence of KernelSpec
        The kernels.
    options : FilterOptions
        How, and where; a constant border's value is light already if light is filtered.
    plans : sequence of Plan
        The kernels' plans.

    Returns
    -------
    Made
        The whole picture.

    Notes
    -----
    A mask's grey mixes finished pixels: in light where light is filtered, and weighted with alpha
    where alpha is filtered with the colours, so that transparent pixels bleed none. The luminance
    is that of ``gray``; its change is added to all three colours, so that their differences (Cb
    and Cr) stay.
    """
    chosen = _selected(image.pixels.shape, image.has_alpha, options)
    spot = _placed(image.pixels.shape, specs, options)
    whole = _in_depth(image.pixels, options)
    if spot.is_empty:
        return Made(whole, [0.0] * len(specs), remarks=spot.notes)
    part = replace(image, pixels=spot.read(image.pixels))
    if options.nan == "refuse":
        nonfinite.refuse(part.pixels, *spot.positions(image.height, image.width))
    colours, alpha = _separated(part, chosen, options)
    how = replace(options, gray=options.gray or chosen.luminance)
    values, opacity, seconds = _computed(part, colours, alpha, chosen, specs, how, plans)
    canvas = Canvas(whole, spot, chosen, options, image.pixels.dtype)
    tally = canvas.paint(Computed(part.pixels, colours, values, alpha, opacity))
    share = tally.clipped / max(1, tally.count)
    remarks = finishing.remarks(share, tally.nans, tally.holes, options)
    return Made(whole, seconds, share, [*spot.notes, *remarks])


def _selected(shape: tuple[int, ...], has_alpha: bool, options: FilterOptions) -> Selection:
    count = shape[2] if len(shape) == 3 else 1
    return channels.select(options.channels, count, has_alpha=has_alpha)


def _placed(shape: tuple[int, ...], specs: Sequence[KernelSpec], options: FilterOptions) -> Place:
    return place(
        (shape[0], shape[1]),
        options.region,
        options.mask,
        pipeline.reach(specs, options),
        wraps=options.border_name == "wrap",
    )


def _in_depth(pixels: Pixels, options: FilterOptions) -> Pixels:
    """Return a copy of pixels in the output's depth."""
    if tone.output_dtype(options.depth, pixels.dtype) == pixels.dtype:
        return pixels.copy()
    return tone.finish(
        tone.to_working(pixels), source=pixels.dtype, depth=options.depth, threads=options.threads
    ).pixels


def _computed(
    part: Image,
    colours: Pixels,
    alpha: Values | None,
    chosen: Selection,
    specs: Sequence[KernelSpec],
    options: FilterOptions,
    plans: Sequence[Plan],
) -> tuple[Values, Values | None, Sequence[float]]:
    """Run the kernels; return colours and alpha, as large as what is read, and the seconds."""
    source, peak = part.pixels.dtype, part.peak
    if alpha is not None and not chosen.planes:
        return colours, *pipeline.run_alpha(alpha, specs, options, peak, plans)
    if alpha is None and pipeline.stays_in_range(specs, options, source, colours.dtype):
        values, taken = pipeline.timed(colours, specs[0], options, True, plans[0], source)
        return values, None, [taken]
    bleeds = alpha is not None and pipeline.colours_bleed(alpha, specs, options, peak)
    return pipeline.run(colours, alpha, specs, options, peak, bleeds, None, plans)
