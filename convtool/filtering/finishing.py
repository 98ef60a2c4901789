"""Convert the last kernel's output to values for their range, and collect warnings."""

from collections.abc import Sequence

import numpy as np

from convtool.filtering.options import FilterOptions
from convtool.filtering.plan import FilterPlan
from convtool.images import light
from convtool.images.image import Pixels
from convtool.images.tone import Values
from convtool.records import Record


class FilteredPixels(Record, eq=False):
    """A filtered picture's pixels."""

    pixels: Pixels
    """All of them, alpha included."""
    seconds: Sequence[float]
    """What each kernel took."""
    clipped_share: float = 0.0
    """The share, 0 to 1, of filtered colour values that were outside the output's range."""
    remarks: Sequence[str] = ()
    """What a user should know."""


def prepared(values: Values, options: FilterOptions, peak: float) -> Values:
    """Return the last kernel's answer in the units of the picture, ready for its range.

    Angles become values, light is encoded, the bias is added; values may be changed.
    """
    if options.direction:
        values = _angles_as_values(values, peak)
    elif options.linear:
        values = light.to_encoded(values, peak)
    if options.bias:
        values += options.bias
    return values


def remarks(plan: FilterPlan, share: float, nans: int, holes: int = 0) -> list[str]:
    """Return the warnings about filtered pixels.

    Parameters
    ----------
    plan : FilterPlan
        How they were made.
    share : float
        The share of values that were clipped.
    nans, holes : int
        How many were NaN and became 0, and how many are NaN or infinite.
    """
    found = []
    if share > 0:
        from convtool.filtering.advice import clipping_warning

        warning = clipping_warning(plan, share)
        found += [warning] if warning else []
    if nans:
        found.append(f"{nans} values are not numbers (NaN) and became 0")
    if holes and plan.options.nan == "fill":
        found.append(
            f"{holes} values stay NaN: the kernel reaches no pixel there that is "
            "a number; a larger kernel does"
        )
    return found


def _angles_as_values(angles: Values, peak: float) -> Values:
    """Map angles onto 0 to peak: a full turn is peak, and both ends are the same direction."""
    turns: Values = angles / angles.dtype.type(2 * np.pi)
    np.mod(turns, 1, out=turns)
    turns *= angles.dtype.type(peak)
    return turns
