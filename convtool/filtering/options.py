"""How a picture is filtered: plain values, and what can be checked without a picture."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from convtool.convolution.prepared import default_border
from convtool.errors import OptionError, check_choice
from convtool.filtering import alpha_rules, nonfinite
from convtool.images import tone
from convtool.kernels.spec import KernelSpec
from convtool.records import Record

if TYPE_CHECKING:
    from convtool.filtering.mask import Mask
    from convtool.filtering.where import Region


class FilterOptions(Record):
    """How a picture is filtered.

    Parameters
    ----------
    mode, border, cval, padding, engine, threads
        As for `convtool.convolve`, for each kernel.
    stride : int or (int, int)
        Every S-th row and column of the last kernel's answer is kept.
    bias : float
        Added after the last kernel, in the units of the input's pixels.
    correlate : bool
        Do not flip the kernels.
    gray : bool
        Filter the luma of a colour picture.
    direction : bool
        Give the angle of the last kernel's gradient instead of its magnitude, of the luma.
    range : str
        How values reach the output's range, see `tone.RANGES`.
    depth : str
        The output's depth, see `tone.OUTPUT_DEPTHS`.
    alpha : str
        ``premultiply`` or ``keep``, see `alpha.RULES`.
    linear : bool
        Filter light: undo the transfer function of sRGB first and redo it last, but for formats
        whose values are light already.
    region : (int, int, int, int), optional
        Left, top, width and height of the part to filter; the rest stays as it is.
    mask : Mask, optional
        How much of the filter each pixel gets; of the picture's size.
    channels : str, optional
        Which channels to filter, as in ``"R,G"``, ``"L"`` or ``"A"``; the others stay.
    nan : str
        What becomes of NaN and infinity, see `nonfinite.RULES`.
    nodata : float, optional
        The value of pixels that are missing, as ``nan="fill"`` takes NaN; that of the file unless
        given, and none where it is NaN.
    """

    mode: str = "same"
    border: str | None = None
    cval: float = 0.0
    padding: int | tuple[int, int] | None = None
    stride: int | tuple[int, int] = 1
    engine: str = "auto"
    threads: int | None = None
    bias: float = 0.0
    correlate: bool = False
    gray: bool = False
    direction: bool = False
    range: str = "clip"
    depth: str = "keep"
    alpha: str = "premultiply"
    linear: bool = False
    region: "Region | None" = None
    mask: "Mask | None" = None
    channels: str | None = None
    nan: str = nonfinite.RULES[0]
    nodata: float | None = None

    @property
    def is_partial(self) -> bool:
        """Whether only some pixels or channels are filtered."""
        return not (self.region is None and self.mask is None and self.channels is None)

    @property
    def border_name(self) -> str:
        """The border that `convtool.convolve` takes."""
        return default_border(self.border, self.mode, self.padding)


def check_options(kernels: Sequence[KernelSpec], options: FilterOptions) -> None:
    """Check what can be without a picture.

    Raises
    ------
    OptionError
        If an option cannot be so, or not with these kernels.
    """
    check_choice("range", options.range, tone.RANGES)
    check_choice("alpha", options.alpha, alpha_rules.RULES)
    check_choice("nan", options.nan, nonfinite.RULES)
    for name, value in (("bias", options.bias), ("cval", options.cval)):
        if not math.isfinite(value):
            raise OptionError(f"{name} must be a finite number, not {value}")
    if not kernels:
        raise OptionError("no kernel was given; name at least one")
    if options.direction and not kernels[-1].has_direction:
        raise OptionError(
            "direction needs a gradient along rows and columns as its last kernel, not "
            f"'{kernels[-1].text}'; use sobel, prewitt or scharr"
        )
    if options.is_partial:
        _check_partial(kernels, options)


def _check_partial(kernels: Sequence[KernelSpec], options: FilterOptions) -> None:
    """Check options that leave part of a picture as it is."""
    from convtool.filtering import channels
    from convtool.filtering.where import check_region

    if options.region is not None:
        check_region(options.region)
    named = [name for name in ("region", "mask", "channels") if getattr(options, name) is not None]
    sizes = {
        f"mode {options.mode}": options.mode != "same",
        "padding": options.padding is not None,
        "a stride": options.stride not in (1, (1, 1)),
    }
    for what, changes in sizes.items():
        if changes:
            raise OptionError(
                f"{what} changes the picture's size, and {named[0]} leaves pixels where they are; "
                "use one of the two"
            )
    if options.channels is None:
        return
    letters = channels.letters(options.channels)
    if options.gray or options.direction:
        option = "direction" if options.direction else "gray"
        raise OptionError(f"{option} makes one channel of all; leave channels out")
    if letters == channels.ALPHA:
        if options.alpha == "keep":
            raise OptionError("channels A filters alpha, alpha keep leaves it alone; use one")
        if not any(not k.is_group and alpha_rules.smooths(k.weights) for k in kernels):
            raise OptionError(
                f"channels A: '{kernels[0].text}' leaves alpha alone, as its sum is not positive"
            )
