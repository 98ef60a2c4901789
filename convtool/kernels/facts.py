"""Properties of a kernel, and notes on pitfalls, as data."""

import numpy as np

from convtool.kernels import factor
from convtool.kernels.lines import Lines, lines_of, noise_gain
from convtool.kernels.weights import Combination, Weights
from convtool.records import Record, replace


class Facts(Record):
    """The properties of one kernel."""

    shape: tuple[int, int]
    """Rows and columns."""
    sum: float
    """The sum of all weights, which is the gain of flat areas; exactly 0 if it is only rounding."""
    rank: int
    """The number of separable terms; 0 for a kernel of zeros."""
    separable: bool
    """Whether it is the product of one column and one row."""
    factors: Lines | None
    """The column and the row."""
    noise_gain: float
    """The gain of the variance of white noise: the sum of squared weights."""
    symmetric: bool
    """Whether flipping leaves it unchanged, so that convolution and correlation agree (except for
    the shift of an even size)."""
    antisymmetric: bool
    """Whether flipping negates it, so that they differ only in sign."""
    even: tuple[bool, bool]
    """Whether the number of rows, and of columns, is even."""
    anchor: tuple[int, int]
    """The index of the entry at the output pixel: size // 2."""
    output: tuple[float, float]
    """The smallest and the largest possible output for an image from 0 to 1."""
    notes: tuple[str, ...]
    """Pitfalls, one sentence each."""


@np.errstate(over="ignore", invalid="ignore")  # sums beyond float64 are reported as inf
def facts(kernel: Weights) -> Facts:
    """Return the properties of a kernel.

    Parameters
    ----------
    kernel : ndarray
        float64, shape (KH, KW), finite.

    References
    ----------
    The anchor is that of ``scipy.ndimage.convolve`` and ``correlate``, for even sizes too.

    Examples
    --------
    >>> sobel = facts(np.array([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]]))
    >>> sobel.sum, sobel.rank, sobel.antisymmetric, sobel.output
    (0.0, 1, True, (-4.0, 4.0))
    """
    rows, columns = kernel.shape
    turned = kernel[::-1, ::-1]
    magnitude = float(np.abs(kernel).sum())
    rounding = kernel.size * float(np.finfo(np.float64).eps) * magnitude
    total = float(kernel.sum())
    rank = factor.rank(kernel)
    closeness = 4 * float(np.finfo(np.float64).eps) * float(np.abs(kernel).max())
    known = Facts(
        shape=(rows, columns),
        sum=0.0 if abs(total) <= rounding < np.inf else total,
        rank=rank,
        separable=rank <= 1,
        factors=lines_of(kernel) if rank <= 1 else None,
        noise_gain=noise_gain(kernel),
        symmetric=bool((np.abs(kernel - turned) <= closeness).all()),
        antisymmetric=bool((np.abs(kernel + turned) <= closeness).all()),
        even=(rows % 2 == 0, columns % 2 == 0),
        anchor=(rows // 2, columns // 2),
        output=(float(kernel.clip(max=0).sum()) + 0.0, float(kernel.clip(min=0).sum()) + 0.0),
        notes=(),
    )
    return replace(known, notes=tuple(_notes(known, rounding)))


def group_notes(kernels: Weights, combination: Combination) -> tuple[str, ...]:
    """Return notes on pitfalls in the combined output of a group of kernels.

    Parameters
    ----------
    kernels : ndarray
        float64, shape (N, KH, KW), finite.
    combination : {"magnitude", "maximum"}
        The combination of the outputs: the magnitude of a pair, or the maximum.
    """
    positive = kernels.clip(min=0).sum(axis=(1, 2))
    negative = -kernels.clip(max=0).sum(axis=(1, 2))
    if combination == "magnitude":
        notes = ["a pair: the output is the magnitude of the two, flat areas become 0"]
        reach = float(np.hypot(*np.maximum(positive, negative)))
    else:
        notes = [f"a group of {len(kernels)}: the output is the maximum of all"]
        reach = float(positive.max())
    if reach > 1:
        notes.append(
            f"it reaches at most {reach:.5g} for an image of 0 to 1: "
            "choose with `range=` how values above 1 are mapped"
        )
    return tuple(notes)


def _notes(known: Facts, rounding: float) -> list[str]:
    notes = []
    if not known.symmetric:
        other = "the negative" if known.antisymmetric else "another picture"
        notes.append(f"not symmetric: convolution flips it, `correlate=True` gives {other}")
    if any(known.even):
        row, column = known.anchor
        moved = " and ".join(
            way for way, even in zip(("up", "left"), known.even, strict=True) if even
        )
        back = moved.replace("up", "down").replace("left", "right")
        notes.append(
            f"even: the anchor is row {row}, column {column} (from 0), "
            f"so convolution moves the picture half a pixel {moved}, correlation {back}"
        )
    notes += _brightness(known, rounding)
    low, high = known.output
    if low < -rounding or high > 1 + rounding:
        notes.append(
            f"the output is from {low:.5g} to {high:.5g} for an image of 0 to 1: "
            "choose with `range=` how the others are mapped"
        )
    return notes


def _brightness(known: Facts, rounding: float) -> list[str]:
    if abs(known.sum - 1) <= max(rounding, 1e-12):
        return []
    if known.sum == 0:
        return ["the sum is 0: flat areas become 0, and only changes remain"]
    if known.sum < 0:
        return [f"the sum is {known.sum:.5g}: flat areas become negative"]
    effect = "darkens" if known.sum < 1 else "brightens"
    return [
        f"the sum is {known.sum:.5g}: it {effect} flat areas by that factor; "
        "normalize=sum keeps the brightness"
    ]
