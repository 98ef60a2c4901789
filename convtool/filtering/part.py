"""The part of a picture that is filtered: pixels and channels."""

from collections.abc import Sequence

from convtool.filtering import channels
from convtool.filtering.alpha import separate
from convtool.filtering.channels import Selection
from convtool.filtering.kernels import reach
from convtool.filtering.options import FilterOptions
from convtool.filtering.where import Place, Region, place
from convtool.images.image import Image, Pixels
from convtool.images.tone import Values
from convtool.kernels.spec import KernelSpec
from convtool.records import Record, replace


class Part(Record):
    """Which part of a picture is filtered."""

    region: Region
    """Left, top, width and height of what changes."""
    mask: str | None
    """The mask's name."""
    channels: str | None
    """The letters of the channels; None for all."""
    read: tuple[int, int]
    """Height and width of what is read for it: with the neighbours that the windows reach."""
    planes: int
    """How many planes are convolved."""
    chosen: Selection
    """Which channels are filtered."""
    notes: tuple[str, ...] = ()
    """What a user should know."""


def plan_part(
    shape: tuple[int, ...], has_alpha: bool, specs: Sequence[KernelSpec], options: FilterOptions
) -> tuple[Part, Place]:
    """Return which part of a picture of a shape is filtered, and where it lies.

    Raises
    ------
    OptionError, ShapeError
        If the picture has no such channel or region, or the mask is of another size.
    """
    chosen = _selected(shape, has_alpha, options)
    spot = place(
        (shape[0], shape[1]),
        options.region,
        options.mask,
        reach(specs, options),
        wraps=options.border_name == "wrap",
    )
    rows, columns = spot.box
    height, width = (rows.stop - rows.start, columns.stop - columns.start)
    one = options.gray or options.direction or chosen.luminance
    part = Part(
        (columns.start, rows.start, width, height),
        None if options.mask is None else options.mask.name,
        None if options.channels is None else channels.letters(options.channels),
        spot.size,
        1 if one else max(1, len(chosen.planes)),
        chosen,
        spot.notes,
    )
    return part, spot


def given(image: Image, options: FilterOptions) -> Pixels:
    """Return the values that the first kernel is given: of some channels, or of alpha alone."""
    chosen = _selected(image.pixels.shape, image.has_alpha, options)
    colours, alpha = separate_chosen(image, chosen, options)
    return alpha if alpha is not None and not chosen.planes else colours


def separate_chosen(
    image: Image, chosen: Selection, options: FilterOptions
) -> tuple[Pixels, Values | None]:
    """Separate the colours that are filtered, and alpha as floats."""
    how = replace(options, gray=options.gray or chosen.luminance)
    colours, alpha = separate(image, how)
    if colours.ndim == 3 and len(chosen.planes) < colours.shape[2]:
        colours = colours[:, :, list(chosen.planes)]
    return colours, alpha


def _selected(shape: tuple[int, ...], has_alpha: bool, options: FilterOptions) -> Selection:
    count = shape[2] if len(shape) == 3 else 1
    return channels.select(options.channels, count, has_alpha=has_alpha)
