"""A convolution as data: each window, its products and its sum, and the sizes."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convtool.arrays import as_array
from convtool.convolution import borders
from convtool.convolution.geometry import Axis, Geometry
from convtool.convolution.prepared import default_border, layout_for
from convtool.convolution.toeplitz import matrix_for
from convtool.errors import OptionError, PixelTypeError, ShapeError
from convtool.kernels.argument import as_kernel
from convtool.kernels.weights import Weights
from convtool.records import Record, replace

Plane = NDArray[np.float64]


class Formula(Record):
    """The output's size along one axis: floor((size + before + after - taps) / stride) + 1.

    Attributes
    ----------
    size, taps, stride : int
        Pixels of the image, taps of the kernel, step between windows.
    before, after : int
        Padding on both sides: P, where they are equal.
    result : int
        Pixels of the output.
    """

    size: int
    taps: int
    stride: int
    before: int
    after: int
    result: int

    @property
    def text(self) -> str:
        """The formula with its numbers.

        Examples
        --------
        >>> Formula(6, 3, 2, 1, 1, 3).text
        'floor((6 + 2·1 − 3) / 2) + 1 = 3'
        """
        added = f"2·{self.before}" if self.before == self.after else f"{self.before} + {self.after}"
        return f"floor(({self.size} + {added} − {self.taps}) / {self.stride}) + 1 = {self.result}"


class Step(Record, eq=False):
    """One position of the window.

    Attributes
    ----------
    row, column : int
        The output pixel, counted from 0.
    top, left : int
        The window's first row and column in the padded image.
    window : ndarray
        The pixels in the window, float64, shape (KH, KW).
    products : ndarray
        The pixels multiplied by their weights.
    sum : float
        The sum of the products, which is the output pixel.
    """

    row: int
    column: int
    top: int
    left: int
    window: Plane
    products: Plane
    sum: float


class Walk(Record, eq=False):
    """A convolution or correlation, as steps to iterate over.

    Attributes
    ----------
    image : ndarray
        float64, shape (H, W).
    kernel : ndarray
        The given kernel, shape (KH, KW).
    flipped : bool
        Whether the kernel is flipped: convolution, not correlation.
    border : str
        The border's rule.
    cval : float
        The value beyond the edge for ``constant``.
    layout : Geometry
        The positions of the windows.
    """

    image: Plane
    kernel: Weights
    flipped: bool
    border: str
    cval: float
    layout: Geometry

    @property
    def laid(self) -> Weights:
        """The kernel to correlate with: flipped for a convolution."""
        return self.kernel[::-1, ::-1] + 0.0 if self.flipped else self.kernel

    @property
    def shape(self) -> tuple[int, int]:
        """The output's height and width."""
        return self.layout.shape

    @property
    def added(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The padding: above and below, left and right."""
        return _added(self.layout.rows), _added(self.layout.columns)

    @property
    def formulas(self) -> tuple[Formula, Formula]:
        """The formulas of the output's height and width."""
        return _formula(self.layout.rows), _formula(self.layout.columns)

    @property
    def reads(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The image's row and column for each of the padded image, or OUTSIDE."""
        rows, columns = (
            borders.table(axis.size, axis.start, _stop(axis), self.border)
            for axis in (self.layout.rows, self.layout.columns)
        )
        return rows, columns

    @property
    def padded(self) -> Plane:
        """The padded image."""
        reads = self.reads
        values = self.image[np.ix_(*(np.maximum(one, 0) for one in reads))]
        outside = np.logical_or.outer(*(one == borders.OUTSIDE for one in reads))
        return np.where(outside, self.cval, values)

    def step(self, row: int, column: int) -> Step:
        """Return the step of one output pixel.

        Raises
        ------
        OptionError
            If the pixel is outside of the output.
        """
        rows, columns = self.shape
        if not (0 <= row < rows and 0 <= column < columns):
            raise OptionError(
                f"the output has no pixel {row},{column}: its rows are 0 to {rows - 1}, "
                f"its columns 0 to {columns - 1}"
            )
        top, left = row * self.layout.rows.stride, column * self.layout.columns.stride
        high, wide = self.kernel.shape
        window = self.padded[top : top + high, left : left + wide]
        products = window * self.laid
        return Step(row, column, top, left, window, products, float(products.sum()))

    def steps(self) -> Iterator[Step]:
        """Yield every step, row by row."""
        for row in range(self.shape[0]):
            for column in range(self.shape[1]):
                yield self.step(row, column)

    @cached_property
    def output(self) -> Plane:
        """All sums, float64."""
        views = np.lib.stride_tricks.sliding_window_view(self.padded, self.kernel.shape)
        rows, columns = self.layout.rows, self.layout.columns
        kept = views[: rows.dense : rows.stride, : columns.dense : columns.stride]
        sums = np.empty(kept.shape[:2])
        for row, windows in zip(sums, kept, strict=True):  # the products of one row at a time
            (windows * self.laid).sum(axis=(1, 2), out=row)
        return sums

    @property
    def matrix(self) -> Any:
        """The matrix T with output = T image + `constant`, as scipy.sparse.csr_array."""
        return matrix_for(self.laid, self.layout, self.border)

    @property
    def constant(self) -> Plane:
        """What windows get from beyond the edge: 0 unless ``constant`` has another value."""
        return replace(self, image=np.zeros_like(self.image)).output


def _stop(axis: Axis) -> int:
    return axis.start + axis.dense + axis.taps - 1


def _added(axis: Axis) -> tuple[int, int]:
    return -axis.start, _stop(axis) - axis.size


def _formula(axis: Axis) -> Formula:
    before, after = _added(axis)
    return Formula(axis.size, axis.taps, axis.stride, before, after, axis.count)


def walk(
    image: ArrayLike,
    kernel: ArrayLike | str,
    *,
    correlate: bool = False,
    mode: str = "same",
    border: str | None = None,
    cval: float = 0.0,
    padding: int | tuple[int, int] | None = None,
    stride: int | tuple[int, int] = 1,
) -> Walk:
    """Compute a convolution as steps to iterate over.

    Parameters
    ----------
    image : array_like, shape (H, W) or (W,)
        Real, finite numbers; a signal is an image of one row.
    kernel, mode, border, cval, padding, stride
        As for `convtool.convolve`.
    correlate : bool
        Whether to correlate (not flip the kernel), like `convtool.correlate`.

    Returns
    -------
    Walk

    Raises
    ------
    KernelError, OptionError, ShapeError
        As `convtool.convolve` does.
    PixelTypeError
        If the image is not real and finite.

    Examples
    --------
    >>> image = [[94, 50, 221], [98, 109, 50], [49, 213, 91]]
    >>> shown = walk(image, [[2, 2, 1], [1, 0, -2], [-2, 2, 2]])
    >>> shown.step(1, 1).sum
    357.0
    >>> shown.formulas[0].text
    'floor((3 + 2·1 − 3) / 1) + 1 = 3'
    """
    pixels = as_array(image, "image", "explained")
    if pixels.dtype.kind not in "buif" or not np.isfinite(pixels).all():
        raise PixelTypeError("an image to explain must be real, finite numbers")
    pixels = np.atleast_2d(pixels).astype(np.float64)
    if pixels.ndim != 2 or pixels.size == 0:
        raise ShapeError(f"an image to explain has one channel, (H, W), not {pixels.shape}")
    weights = as_kernel(kernel)
    rule, value = borders.resolve(default_border(border or None, mode, padding), cval)
    with np.errstate(over="ignore"):
        reach = max(np.abs(pixels).max(), abs(value)) * np.abs(weights).sum()
    if not np.isfinite(reach):
        raise PixelTypeError("the image times the kernel is beyond the range of float64")
    layout = layout_for(
        pixels.shape, weights, mode=mode, padding=padding, stride=stride, flipped=not correlate
    )
    return Walk(pixels, weights, not correlate, rule, value, layout)
