"""Least-squares estimation of the kernel that turns one picture into another."""

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convtool.arrays import adopt
from convtool.convolution import borders
from convtool.convolution.api import convolve
from convtool.convolution.geometry import pair as sides
from convtool.convolution.threads import count, for_each
from convtool.errors import OptionError, PixelTypeError, ShapeError
from convtool.learn.sums import Sums, lag_sums, slabs_of, window_sums
from convtool.records import Record

Pixels = NDArray[Any]

_MOST_WEIGHTS = 1024
_FEW = 1 / 16
_ENOUGH = 1 << 20
_RANK_TOLERANCE = 1e-13


class Learned(Record, eq=False):
    """A kernel estimated by least squares.

    Attributes
    ----------
    kernel : ndarray
        float64, shape (KH, KW): the kernel for convolution (it is flipped).
    bias : float
        The fitted constant, in pixel units; 0 unless requested.
    residual : float
        Root mean square of the residuals over the used windows.
    r2 : float
        The explained share of the variance: 1 - Σ residual² / Σ (y - mean)².
    rank : int
        The rank of the windows, at most `unknowns`; a smaller rank leaves the kernel undetermined.
    unknowns : int
        Number of weights, plus one with a bias.
    windows : int
        Number of used windows.
    clipped : int
        Number of excluded values at the ends of their range, which may be clipped.
    kernel_with_bias : ndarray
        The kernel of a fit with a bias, in the same shape: truncation to integers, which subtracts
        a half on average, does not distort it.
    better_bias : float
        The bias of that fit.
    residual_with_bias : float
        The residual of that fit, over the same windows.
    """

    kernel: NDArray[np.float64]
    bias: float
    residual: float
    r2: float
    rank: int
    unknowns: int
    windows: int
    clipped: int
    kernel_with_bias: NDArray[np.float64]
    better_bias: float
    residual_with_bias: float

    @property
    def decided(self) -> bool:
        """Whether the pictures determine the kernel uniquely."""
        return self.rank == self.unknowns


class Sample(Record, eq=False):
    """One channel of one pair: `before` contains the windows, `after` their target values."""

    before: Pixels
    after: Pixels
    kept: NDArray[np.bool_] | None


def fit(
    pairs: Sequence[tuple[ArrayLike, ArrayLike]],
    size: int | tuple[int, int],
    *,
    bias: bool = False,
    l2: float = 0.0,
    border: str | None = None,
) -> Learned:
    """Estimate the kernel whose convolution turns the first picture of each pair into the second.

    Parameters
    ----------
    pairs : sequence of (array_like, array_like)
        Before and after, each (H, W) or (H, W, C) of real, finite numbers in the same units. The
        channels share one kernel. After has the size of before, or is smaller by KH - 1 and KW - 1
        if the program omitted the border.
    size : int or (int, int)
        Rows and columns of the kernel; at most 1024 weights.
    bias : bool
        Whether to fit an additive constant, too.
    l2 : float
        The penalty on squared weights in the mean square error (ridge regression), in pixel units
        squared; the bias has no penalty.
    border : str, optional
        The border (see `convtool.convolve`). By default, only windows inside the picture are used.

    Returns
    -------
    Learned

    Raises
    ------
    ShapeError
        If the shapes of a pair do not match, or the picture is smaller than the kernel.
    OptionError
        If the size, l2 or border is invalid.
    PixelTypeError
        If a picture contains NaN or infinity.

    Notes
    -----
    The normal equations are accumulated without storing the windows: see `convtool.learn.sums`.
    They are solved by eigenvalues. For a deficient rank (`Learned.rank`) the result is the
    least-norm solution. Integers at 0 or at the maximum of their type are excluded as clipped. If
    there are many, about a million of the other values are used, evenly spaced.

    Examples
    --------
    >>> import convtool
    >>> before = np.random.default_rng(0).random((40, 50))
    >>> found = fit([(before, convtool.convolve(before, "emboss"))], 3)
    >>> found.kernel.round(6) + 0.0
    array([[-2., -1.,  0.],
           [-1.,  1.,  1.],
           [ 0.,  1.,  2.]])
    """
    side = sides(size, "size", 1)
    if side[0] * side[1] > _MOST_WEIGHTS:
        raise OptionError(
            f"a kernel of {side[0]}x{side[1]} has {side[0] * side[1]} weights; "
            f"at most {_MOST_WEIGHTS} can be learned, choose a smaller size"
        )
    if not (np.isfinite(l2) and l2 >= 0):
        raise OptionError(f"l2 must be a number of at least 0, not {l2!r}")
    samples = [one for pair in pairs for one in samples_of(*pair, side, border)]
    if not samples:
        raise OptionError("no pictures are given; give a pair of pictures")
    sums = reduce(add, (_sums(sample, side) for sample in samples))
    weights, rank = _solved(sums, bias, l2)
    other, _ = _solved(sums, True, l2)
    kernel = _kernel(weights, side)
    error = _square_error(samples, kernel, float(weights[-1]))
    spread = max(0.0, sums.square - float(sums.moment[-1]) ** 2 / sums.count)
    kept = sum(one.after.size if one.kept is None else int(one.kept.sum()) for one in samples)
    total = sum(one.after.size for one in samples)
    mean = error / kept
    return Learned(
        kernel=kernel,
        bias=float(weights[-1]),
        residual=float(np.sqrt(mean)),
        r2=_explained(mean, spread / sums.count),
        rank=rank,
        unknowns=kernel.size + bias,
        windows=sums.count,
        clipped=total - kept,
        kernel_with_bias=_kernel(other, side),
        better_bias=float(other[-1]),
        residual_with_bias=_summed_residual(sums, other),
    )


def _kernel(weights: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    return np.ascontiguousarray(weights[:-1].reshape(size)[::-1, ::-1])


def samples_of(
    before: ArrayLike, after: ArrayLike, size: tuple[int, int], border: str | None
) -> list[Sample]:
    """Return the channels of a pair, cropped or padded to one value per window.

    Raises
    ------
    ShapeError, OptionError, PixelTypeError
        As `fit` does.
    """
    first = adopt(before, "before", "learned from")
    second = adopt(after, "after", "learned from")
    for name, values in (("before", first), ("after", second)):
        if values.ndim not in (2, 3) or values.dtype.kind not in "buif":
            raise ShapeError(
                f"{name}: a picture is an array of real numbers, (H, W) or (H, W, C), "
                f"not {values.dtype} {values.shape}"
            )
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise PixelTypeError(f"{name}: the picture holds NaN or infinity; fill them first")
    if _has_border(first.shape, second.shape, size):
        if border is not None:
            first = framed(first, size, borders.resolve(border, 0.0)[0])
        else:
            edges = [(side - 1) // 2 for side in size]
            stops = [room - side // 2 for room, side in zip(first.shape, size, strict=False)]
            second = second[edges[0] : stops[0], edges[1] : stops[1]]
    channels = 1 if first.ndim == 2 else first.shape[2]
    samples: dict[int, Sample] = {}

    def take(channel: int) -> None:
        before, after = (
            np.ascontiguousarray(one if one.ndim == 2 else one[:, :, channel])
            for one in (first, second)
        )
        samples[channel] = Sample(before, after, _unclipped(after, size))

    for_each(take, range(channels), min(channels, count()))
    return [samples[channel] for channel in range(channels)]


def _has_border(before: tuple[int, ...], after: tuple[int, ...], size: tuple[int, int]) -> bool:
    """Return whether `after` has values for windows beyond the edge."""
    if before[2:] != after[2:]:
        raise ShapeError(
            f"before has the shape {before}, after {after}; give both the same channels"
        )
    if any(side > total for side, total in zip(size, before, strict=False)):
        raise ShapeError(
            f"a kernel of {size[0]}x{size[1]} does not fit into {before[0]}×{before[1]} pixels; "
            "choose a smaller size or a larger picture"
        )
    if before == after:
        return True
    left = before[0] - size[0] + 1, before[1] - size[1] + 1
    if after[:2] == left:
        return False
    raise ShapeError(
        f"before has {before[0]}×{before[1]} pixels, after {after[0]}×{after[1]}; "
        f"they must be alike, or after {left[0]}×{left[1]} where the border was left out"
    )


def framed(pixels: Pixels, size: tuple[int, int], rule: str, cval: float = 0.0) -> Pixels:
    """Pad a picture for the windows at its edge."""
    for axis, side in enumerate(size):
        start = -((side - 1) // 2)
        n = pixels.shape[axis]
        reads = borders.table(n, start, start + n + side - 1, rule)
        outside = reads == borders.OUTSIDE
        pixels = np.take(pixels, np.where(outside, 0, reads), axis)
        np.moveaxis(pixels, axis, 0)[outside] = cval
    return pixels


def _unclipped(after: Pixels, size: tuple[int, int]) -> NDArray[np.bool_] | None:
    """Return the mask of values that cannot be clipped; None if all are used."""
    if after.dtype.kind not in "ui":
        return None
    limits = np.iinfo(after.dtype)
    kept: NDArray[np.bool_] = (after > limits.min) & (after < limits.max)
    count = int(np.count_nonzero(kept))
    return None if count == kept.size or count < 4 * size[0] * size[1] else kept


def _sums(sample: Sample, size: tuple[int, int]) -> Sums:
    before, after, kept = sample.before, sample.after, sample.kept
    roomy = all(total >= 2 * side for total, side in zip(before.shape, size, strict=True))
    if kept is None:
        return (lag_sums if roomy else window_sums)(before, after, size)
    count = int(np.count_nonzero(kept))
    if roomy and kept.size - count <= _FEW * kept.size:
        return lag_sums(before, after, size) - window_sums(before, after, size, ~kept)
    if count > _ENOUGH:
        thin = np.zeros_like(kept)
        thin.ravel()[np.flatnonzero(kept)[:: count // _ENOUGH + 1]] = True
        kept = thin
    return window_sums(before, after, size, kept)


def _solved(sums: Sums, bias: bool, l2: float) -> tuple[NDArray[np.float64], int]:
    """Solve the normal equations; return the weights, with the bias last, and the rank."""
    n = len(sums.moment) - 1 + bias
    gram, moment = sums.gram[:n, :n] / sums.count, sums.moment[:n] / sums.count
    gram = gram + l2 * np.diag([1.0] * (n - bias) + [0.0] * bias)
    # Normalise the columns, so that the bias's 1 and 16-bit pixels have the same scale.
    length = np.sqrt(np.diag(gram))
    length[length == 0] = 1.0
    values, vectors = np.linalg.eigh(gram / length / length[:, None])
    kept = values > _RANK_TOLERANCE * n * max(float(values[-1]), np.finfo(float).tiny)
    turned = vectors[:, kept]
    answer = turned @ ((turned.T @ (moment / length)) / values[kept]) / length
    return np.append(answer, [] if bias else [0.0]), int(kept.sum())


def _square_error(samples: Sequence[Sample], kernel: NDArray[np.float64], bias: float) -> float:
    return sum(_sample_error(sample, kernel, bias) for sample in samples)


def _sample_error(sample: Sample, kernel: NDArray[np.float64], bias: float) -> float:
    left = convolve(sample.before, kernel, mode="valid")
    slabs = slabs_of(0, len(left))
    totals = np.zeros(len(slabs))

    def add(i: int) -> None:
        rows = slice(*slabs[i])
        part = left[rows]
        np.subtract(sample.after[rows], part, out=part, casting="same_kind")
        part -= part.dtype.type(bias)
        values = part.ravel() if sample.kept is None else part[sample.kept[rows]]
        totals[i] = np.sum(np.square(values, out=values), dtype=np.float64)

    for_each(add, range(len(slabs)), min(len(slabs), count()))
    return float(totals.sum())


def _summed_residual(sums: Sums, weights: NDArray[np.float64]) -> float:
    """Return the residual from the sums, accurate to eight digits of the values' magnitude."""
    square = sums.square - 2 * weights @ sums.moment + weights @ sums.gram @ weights
    return float(np.sqrt(max(0.0, float(square)) / sums.count))


def _explained(error: float, spread: float) -> float:
    """Return 1 - error / spread; for a spread of 0, 1 if the error is 0, else 0."""
    if spread > 0:
        return 1.0 - error / spread
    return 1.0 if error <= 1e-12 else 0.0
