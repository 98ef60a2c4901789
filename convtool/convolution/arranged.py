"""A convolution of an array of any dimensions: its axes are moved, and pictures convolved."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from convtool.convolution import axes, borders, calibration, dtypes
from convtool.convolution.batch import Batch
from convtool.convolution.geometry import Axis, Geometry, numbers
from convtool.convolution.planner import Plan
from convtool.convolution.prepared import Options, check_out, default_border, layout_for, turned
from convtool.convolution.threads import count as thread_count
from convtool.convolution.types import Array, DType
from convtool.errors import OptionError, ShapeError

Rule = tuple[str, float]
"""A border's rule, and the value beyond the edge."""


def rules_for(options: Options, dims: int) -> tuple[Rule, ...]:
    """Return the border's rule along each axis of the kernel.

    Raises
    ------
    OptionError
        If a border is not known, or there is one for each axis of another kernel.
    """
    border = default_border(options.border, options.mode, options.padding)
    names = border if isinstance(border, list | tuple) else (border,) * dims
    if len(names) != dims:
        raise OptionError(f"border {border!r} names {len(names)}, the kernel has {dims} dimensions")
    return tuple(borders.resolve(name, options.cval) for name in names)


class _Rows:
    """Rows beyond the edges of pictures, for borders that differ between rows and columns."""

    def __init__(self, rows: Axis, rule: Rule, working: DType) -> None:
        self._rule, self._working = rule, working
        self._table = borders.table(
            rows.size, rows.start, rows.start + rows.dense + rows.taps - 1, rule[0]
        )
        self.windows = Axis(len(self._table), rows.taps, 0, rows.dense, rows.stride)

    def dtype(self, image: DType) -> DType:
        """Return the type of padded pictures, which holds the border's value."""
        return self._working if self._rule[0] == "constant" else image

    def __call__(self, images: Array) -> Array:
        """Return pictures with the rows beyond their edges."""
        padded = images.take(self._table, axis=1)
        if self._rule[0] == "constant":
            padded = padded.astype(self._working)
            padded[:, self._table == borders.OUTSIDE] = self._rule[1]
        return padded


class Arranged:
    """A convolution for arrays of one shape and dtype.

    Parameters
    ----------
    shape : tuple of int
        Their shape.
    dtype : dtype
        Their type.
    kernel : ndarray, shape (K,) or (KH, KW)
        Its weights, float64.
    kernel_axes : tuple of int
        The axis of the array that each axis of the kernel lies on.
    options : Options
        The options.

    Attributes
    ----------
    shape : tuple of int
        The answer's shape.
    dtype : dtype
        The answer's type.

    Raises
    ------
    ShapeError, PixelTypeError, OptionError, EngineError
        As :func:`convtool.convolve` does.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: DType,
        kernel: Array,
        kernel_axes: tuple[int, ...],
        options: Options,
    ) -> None:
        dtypes.check_image_type(dtype)
        if 0 in shape:
            raise ShapeError(f"the image is empty: its shape is {shape}")
        ascending = np.argsort(kernel_axes)
        self._placement = axes.placed(shape, tuple(sorted(kernel_axes)))
        self._form = self._placement.form(shape)

        def spread(values: Sequence[Any], other: Any) -> tuple[Any, Any]:
            """Return what is given for the kernel's axes for rows and columns of a picture."""
            if len(values) == 2:
                first, second = (values[place] for place in ascending)
                return first, second
            only = values[0]
            return (other, only) if self._placement.along_rows else (only, other)

        dims = kernel.ndim
        weights = kernel.transpose(ascending).reshape(spread(kernel.shape, 1))
        padding = options.padding
        layout = layout_for(
            self._form[1:],
            weights,
            mode=options.mode,
            padding=None if padding is None else spread(numbers(padding, "padding", dims, 0), 0),
            stride=spread(numbers(options.stride, "stride", dims, 1), 1),
            flipped=options.flipped,
            origin=spread(numbers(options.origin, "origin", dims), 0),
        )
        rules = rules_for(options, dims)
        down, across = spread(rules, rules[0])
        self.dtype = dtypes.output_type(dtype, options.dtype)
        self._threads, self._workers = options.threads, thread_count(options.threads)
        self._calibration = calibration.load()
        self._rows = None
        counts = layout.shape
        if down != across:
            working = dtypes.working_type(dtype, self.dtype, kernel)
            self._rows = _Rows(layout.rows, down, working)
            layout, dtype = Geometry(self._rows.windows, layout.columns), self._rows.dtype(dtype)
        pictures, _, _, channels = self._form
        self._batch = Batch(
            (pictures, layout.rows.size, layout.columns.size, channels),
            dtype,
            self.dtype,
            turned((np.ascontiguousarray(weights),), options.flipped),
            layout,
            across,
            options.engine,
            self._workers,
            _store(options.delta),
        )
        sizes = counts if dims == 2 else counts[1 if self._placement.along_rows else 0 :]
        answer = dict(zip(self._placement.kernel_axes, sizes, strict=False))
        self.shape = tuple(answer.get(axis, size) for axis, size in enumerate(shape))

    @property
    def plan(self) -> Plan:
        """What was planned for each picture of shape (H, W, C)."""
        return self._batch.plan

    def fits(self) -> bool:
        """Return whether what was planned still holds: the calibration, the number of threads."""
        return self._calibration is calibration.load() and (
            self._batch.short or thread_count(self._threads) == self._workers
        )

    def __call__(self, image: Array, out: Array | None = None) -> Array:
        """Return the answer for an array of that shape and dtype."""
        if out is None:
            out = np.empty(self.shape, self.dtype)
        else:
            check_out(out, self.shape, self.dtype)
            if np.may_share_memory(out, image):
                np.copyto(out, self(image))
                return out
        order = self._placement.order
        seen = out.transpose(order)
        answers = seen.reshape(self._placement.form(out.shape))
        images = image.transpose(order).reshape(self._form)
        self._batch(images if self._rows is None else self._rows(images), answers)
        if not np.may_share_memory(answers, out):
            seen[...] = answers.reshape(seen.shape)
        return out


def _store(delta: object) -> Any:
    """Return what writes computed values, with a number added."""
    try:
        number = float(delta)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise OptionError(f"delta must be a number, not {delta!r}") from error
    return dtypes.store if number == 0 else dtypes.ShiftedStore(number)
