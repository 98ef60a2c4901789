"""The table of types: which type each image type computes in, and its output type."""

from functools import lru_cache

import numpy as np
from numpy.typing import DTypeLike, NDArray

from convtool import arrays
from convtool.convolution.types import DType
from convtool.errors import OptionError, PixelTypeError

EXACT_IN_FLOAT32 = 1 << 24
"""Whole numbers up to here are exact in float32."""


def _is_double(dtype: DType) -> bool:
    return dtype.kind == "f" and dtype.itemsize == 8


def check_image_type(dtype: DType) -> None:
    """Refuse pixels that are not real numbers of at most 64 bits.

    Raises
    ------
    PixelTypeError
        For complex, object, text and extended-precision arrays.
    """
    arrays.check_type(dtype)
    if dtype.kind == "c":
        raise PixelTypeError(
            f"pixels of type {dtype} cannot be filtered; convert them to real numbers, such as "
            "image.real and image.imag"
        )


def output_type(image_dtype: DType, asked: DTypeLike | None) -> DType:
    """Resolve the output type: float64 for float64, else float32, unless one is given.

    Raises
    ------
    OptionError
        If ``asked`` is neither an integer nor a real floating type of at most 64 bits.

    Examples
    --------
    >>> output_type(np.dtype(np.uint8), None)
    dtype('float32')
    """
    if asked is None:
        return np.dtype(np.float64 if _is_double(image_dtype) else np.float32)
    try:
        dtype = np.dtype(asked)
    except TypeError as error:
        raise OptionError(f"dtype {asked!r} is not a NumPy type") from error
    if dtype.kind not in "uif" or dtype.itemsize > 8:
        raise OptionError(f"dtype must be a real number type of at most 64 bits, not {dtype}")
    return dtype.newbyteorder("=")


def working_type(image_dtype: DType, out_dtype: DType, kernel: NDArray[np.float64]) -> DType:
    """Return the type that is computed in: float32 or float64.

    float32 serves float32 and integers of up to 16 bits; float64 serves float64, longer integers,
    float64 answers, integer images whose kernel is made of whole numbers so large that their sums
    would not be exact in float32, and kernels whose largest weight float32 cannot hold.

    Examples
    --------
    >>> working_type(np.dtype(np.uint8), np.dtype(np.float32), np.ones((3, 3)))
    dtype('float32')
    """
    double = np.dtype(np.float64)
    whole = image_dtype.kind in "ui"
    if _is_double(image_dtype) or _is_double(out_dtype) or (whole and image_dtype.itemsize > 2):
        return double
    weights = np.abs(kernel[kernel != 0])
    single = np.finfo(np.float32)
    if weights.size and not single.tiny <= weights.max() <= single.max:
        return double
    if whole and bool(np.all(weights == np.rint(weights))):
        largest = float(weights.sum()) * (1 << 8 * image_dtype.itemsize)
        if largest > EXACT_IN_FLOAT32:
            return double
    return np.dtype(np.float32)


def sums_are_exact(image_dtype: DType, working: DType, kernel: NDArray[np.float64]) -> bool:
    """Return whether sums of pixels times weights are exact in the working type, in any order.

    They are where pixels are integers and weights are integers over a power of two, none too large.

    Examples
    --------
    >>> whole = np.array([[1.0, 2.0, 1.0]]) / 4
    >>> sums_are_exact(np.dtype(np.uint8), np.dtype(np.float32), whole)
    True
    >>> sums_are_exact(np.dtype(np.uint8), np.dtype(np.float32), whole / 3)
    False
    """
    if image_dtype.kind not in "ui":
        return False
    weights = np.abs(kernel[kernel != 0])
    if not weights.size:
        return True
    bits = np.finfo(working).nmant + 1
    unit = np.ldexp(1.0, int(np.frexp(weights.max())[1]) - bits)
    if np.any(weights % unit):
        return False
    whole = (weights / unit).astype(np.int64)
    divisor = int(np.min(whole & -whole))
    largest = float(whole.sum()) / divisor * 2.0 ** (8 * image_dtype.itemsize)
    return largest <= 2.0**bits


@lru_cache(maxsize=16)
def _limits(dtype: DType) -> np.iinfo:
    return np.iinfo(dtype)


def store(values: NDArray[np.floating], out: NDArray[np.generic]) -> None:
    """Write computed values into ``out``; integers are rounded half to even and saturate.

    NaN becomes 0 in an integer type. ``values`` may be overwritten.
    """
    if out.dtype.kind == "f":
        np.copyto(out, values, casting="same_kind")
        return
    limits = _limits(out.dtype)
    np.rint(values, out=values)
    if values.size and limits.min <= float(values.min()) and float(values.max()) <= limits.max:
        np.copyto(out, values, casting="unsafe")
        return
    np.copyto(values, 0, where=np.isnan(values))
    if int(values.dtype.type(limits.max)) == limits.max:
        np.clip(values, limits.min, limits.max, out=values)
        np.copyto(out, values, casting="unsafe")
        return
    low, high = values <= limits.min, values >= limits.max
    np.copyto(out, np.where(low | high, 0, values), casting="unsafe")
    out[low] = limits.min
    out[high] = limits.max
