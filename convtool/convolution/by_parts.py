"""Complex images and kernels: real convolutions of their real and imaginary parts."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from convtool.convolution import dtypes
from convtool.convolution.prepared import Options, check_out
from convtool.convolution.types import Array, DType
from convtool.errors import OptionError, PixelTypeError

Run = Callable[[Array], Array]
"""A convolution of an array of one shape and dtype."""

Make = Callable[[tuple[int, ...], DType, Array, Options], Any]
"""``make(shape, dtype, kernel, options)`` returns a convolution by a real kernel."""


def _real_type(dtype: DType) -> DType:
    """Return the type of the parts of a complex type; other types as they are."""
    return dtype if dtype.kind != "c" else np.dtype(f"f{dtype.itemsize // 2}")


def _complex_type(dtype: DType, asked: DTypeLike | None) -> DType:
    """Return the answer's type: complex128 for doubles, else complex64, unless one is given."""
    if asked is None:
        double = dtypes.output_type(_real_type(dtype), None) == np.float64
        return np.dtype(np.complex128 if double else np.complex64)
    try:
        found = np.dtype(asked)
    except TypeError as error:
        raise OptionError(f"dtype {asked!r} is not a NumPy type") from error
    if found.kind != "c" or found.itemsize > 16:
        raise OptionError(
            f"dtype must be complex64 or complex128 for a complex image or kernel, not {found}; "
            "take answer.real for its real part"
        )
    return found.newbyteorder("=")


def _number(value: object, name: str) -> complex:
    try:
        return complex(value)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError) as error:
        raise OptionError(f"{name} must be a number, not {value!r}") from error


class ByParts:
    """A convolution of complex arrays of one shape and dtype, or of real ones by a complex kernel.

    Parameters
    ----------
    make : callable
        What makes a real convolution.
    shape, dtype
        The arrays' shape and type.
    kernel : ndarray
        Weights, float64 or complex128; correlation takes their conjugate, as SciPy does.
    options : Options
        The options. ``cval`` and ``delta`` may be complex, ``cval`` where the image is.

    Attributes
    ----------
    shape : tuple of int
        The answer's shape.
    dtype : dtype
        The answer's type.
    """

    def __init__(
        self, make: Make, shape: tuple[int, ...], dtype: DType, kernel: Array, options: Options
    ) -> None:
        if dtype.kind == "c" and dtype.itemsize > 16:
            raise PixelTypeError(
                f"pixels of type {dtype} cannot be filtered; convert them to complex128"
            )
        self.dtype = _complex_type(dtype, options.dtype)
        self._delta = _number(options.delta, "delta")
        self._complex_image = dtype.kind == "c"
        weights = [kernel.real, kernel.imag] if kernel.dtype.kind == "c" else [kernel]
        if len(weights) == 2 and not options.flipped:
            weights[1] = -weights[1]
        cvals: list[Any] = [options.cval]
        if self._complex_image:
            outside = _number(options.cval, "cval")
            cvals = [outside.real, outside.imag]
        part_type = np.dtype(f"f{self.dtype.itemsize // 2}")
        self._parts = [
            [
                make(
                    shape,
                    _real_type(dtype),
                    np.ascontiguousarray(one),
                    options._replace(cval=cval, delta=0.0, dtype=part_type),
                )
                for one in weights
            ]
            for cval in cvals
        ]
        self.shape: tuple[int, ...] = self._parts[0][0].shape

    def fits(self) -> bool:
        """Return whether what was planned still holds."""
        return all(one.fits() for row in self._parts for one in row)

    def __call__(self, image: Array, out: Array | None = None) -> Array:
        """Return the answer for an array of that shape and dtype."""
        answer = np.zeros(self.shape, self.dtype)
        planes = (image.real, image.imag) if self._complex_image else (image,)
        with np.errstate(all="ignore"):
            for part, (plane, row) in enumerate(zip(planes, self._parts, strict=True)):
                for kernel_part, run in enumerate(row):
                    made = run(plane)
                    target = answer.imag if (part + kernel_part) % 2 else answer.real
                    if part and kernel_part:
                        np.subtract(target, made, out=target)
                    else:
                        np.add(target, made, out=target)
            if self._delta:
                answer += self._delta
        if out is None:
            return answer
        check_out(out, self.shape, self.dtype)
        np.copyto(out, answer)
        return out
