"""Turn what programs hold pixels in into NumPy arrays, or refuse it with one sentence.

Libraries are recognised by their protocols, and Pillow by the module that its user has imported:
nothing is imported here but NumPy.
"""

import os
import sys
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convtool.errors import PixelTypeError, ShapeError

_ARRAY_PROTOCOLS = ("__array__", "__array_interface__", "__array_struct__")

_HOST_DEVICES = frozenset({1, 3, 11, 13})
"""DLPack's device types whose memory the processor reads: kDLCPU, kDLCUDAHost, kDLROCMHost,
kDLCUDAManaged."""

_TO_HOST = MappingProxyType(
    {
        "cupy": "{0}.get()",
        "jax": "jax.device_get({0})",
        "jaxlib": "jax.device_get({0})",
        "numba": "{0}.copy_to_host()",
        "torch": "{0}.detach().cpu()",
    }
)
"""The expression that copies an array of a library to main memory."""

_PILLOW_MODES = MappingProxyType(
    {"P": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB"}
)
"""Modes of Pillow whose stored numbers are no pixel values, and the mode they are converted to:
palettes, premultiplied alpha, padding."""

_ADVICE = MappingProxyType(
    {
        "O": "to numbers: np.array({0}, dtype=float)",
        "U": "from text to numbers: {0}.astype(float)",
        "S": "from text to numbers: {0}.astype(float)",
        "T": "from text to numbers: {0}.astype(float)",
        "M": "from dates to numbers: {0}.astype('int64')",
        "m": "from durations to numbers: {0}.astype('int64')",
        "V": "to float32 or to the type that the bytes stand for: {0}.astype('float32')",
        "f": "to float64: {0}.astype('float64')",
        "c": "to complex128: {0}.astype('complex128')",
    }
)
"""What to do with arrays of each kind of type that is refused."""

_WIDEST = MappingProxyType({"b": 1, "u": 8, "i": 8, "f": 8, "c": 16})
"""The most bytes that a value of each kind of type may have."""


def adopt(value: ArrayLike | Any, name: str = "image", task: str = "filtered") -> NDArray[Any]:
    """Return pixels as a NumPy array, without a copy where the memory can be shared.

    Parameters
    ----------
    value : array_like
        An array, memory map, `convtool.Image`, Pillow image, xarray, PyTorch or JAX array, anything
        with ``__array__``, ``__array_interface__`` or ``__dlpack__`` in main memory, or nested
        lists of numbers. Pillow's palette images become RGB, or RGBA if they have transparency; its
        1-bit images become bool.
    name : str
        The name of the caller's parameter, for messages.
    task : str
        What the caller does with it, as a participle, for messages.

    Returns
    -------
    ndarray
        Of a bool, integer, real or complex type of at most 64 bits a number, in either byte order.

    Raises
    ------
    PixelTypeError
        If the array is masked, lies on a device, requires a gradient, or is of objects, text,
        dates, fields or extended precision.
    ShapeError
        If nested lists are not rectangular.

    Examples
    --------
    >>> adopt([[1, 2], [3, 4]]).shape
    (2, 2)
    >>> adopt([[1, 2], [3]])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    convtool.errors.ShapeError: the image is not a rectangular array: ...
    """
    pixels = as_array(value, name, task)
    check_type(pixels.dtype, name, task)
    return pixels


def as_array(value: ArrayLike | Any, name: str, task: str) -> NDArray[Any]:
    """Return what `adopt` does, of any type of numbers or objects.

    Parameters and errors are those of `adopt`, but for the type of the numbers.

    Examples
    --------
    >>> as_array(["cat", "dog"], "y", "learned").tolist()
    ['cat', 'dog']
    """
    return value if type(value) is np.ndarray else _converted(value, name, task)


def check_type(dtype: np.dtype[Any], name: str = "image", task: str = "filtered") -> None:
    """Check that an array's type is bool, integer, real or complex, of at most 64 bits a number.

    Raises
    ------
    PixelTypeError
        If it is not; the message says how to convert the array.

    Examples
    --------
    >>> check_type(np.dtype("datetime64[s]"))
    Traceback (most recent call last):
        ...
    convtool.errors.PixelTypeError: pixels of type datetime64[s] cannot be filtered; convert them \
from dates to numbers: image.astype('int64')
    """
    if dtype.itemsize <= _WIDEST.get(dtype.kind, -1):
        return
    if dtype.names:
        advice = f"to one array for each field: {name}[{dtype.names[0]!r}]"
    else:
        advice = _ADVICE[dtype.kind].format(name)
    raise PixelTypeError(f"pixels of type {dtype} cannot be {task}; convert them {advice}")


def _converted(value: Any, name: str, task: str) -> NDArray[Any]:
    """Convert what is not exactly an ndarray."""
    if isinstance(value, np.ndarray):
        # numpy.ma takes time to import; a value can be of it only if somebody has.
        if "numpy.ma" in sys.modules and isinstance(value, np.ma.MaskedArray):
            raise PixelTypeError(
                f"a masked array cannot be {task}; fill it first: {name}.filled(0)"
            )
        return np.asarray(value)
    if isinstance(value, str | os.PathLike):
        place = os.fspath(value)
        raise PixelTypeError(
            f"{name} is a name, not pixels; read the file first: convtool.read({place!r})"
        )
    _refuse_unreadable(value, name, task)
    pillow = sys.modules.get("PIL.Image")
    if pillow is not None and isinstance(value, pillow.Image):
        value = _with_pixel_values(value)
    foreign = any(hasattr(value, protocol) for protocol in _ARRAY_PROTOCOLS)
    try:
        if not foreign and hasattr(value, "__dlpack__"):
            return np.from_dlpack(value)
        return np.asarray(value)
    except (ValueError, TypeError, RuntimeError, BufferError) as error:
        if isinstance(error, ValueError) and not foreign:
            raise ShapeError(f"the {name} is not a rectangular array: {error}") from error
        reason = " ".join(str(error).split())
        kind = type(value)
        raise PixelTypeError(
            f"{name} of type {kind.__module__}.{kind.__qualname__} cannot be converted to a NumPy "
            f"array: {reason}"
        ) from error


def _refuse_unreadable(value: Any, name: str, task: str) -> None:
    """Refuse arrays that are not in main memory, require a gradient, or are sparse."""
    library = type(value).__module__.partition(".")[0]
    if _is_on_device(value):
        way = _TO_HOST.get(library, "").format(name)
        hint = f": {way}" if way else ""
        raise PixelTypeError(
            f"an array on a device cannot be {task}; copy it to main memory first{hint}"
        )
    if getattr(value, "requires_grad", False) is True:
        raise PixelTypeError(
            f"a tensor that requires a gradient cannot be {task}, which records none; "
            f"give {_TO_HOST['torch'].format(name)}"
        )
    if hasattr(value, "toarray"):
        raise PixelTypeError(f"a sparse array cannot be {task}; give {name}.toarray()")


def _is_on_device(value: Any) -> bool:
    """Return whether the processor cannot read an array's memory, by what its protocols say."""
    if hasattr(value, "__cuda_array_interface__"):
        return True
    if not hasattr(value, "__dlpack_device__"):
        return False
    try:
        kind = int(value.__dlpack_device__()[0])
    except (BufferError, RuntimeError, TypeError, ValueError):  # of arrays on several devices
        return False
    return kind not in _HOST_DEVICES


def _with_pixel_values(picture: Any) -> Any:
    """Return a Pillow image whose stored numbers are pixel values."""
    mode = _PILLOW_MODES.get(picture.mode)
    if mode == "RGB" and picture.has_transparency_data:
        mode = "RGBA"
    return picture if mode is None else picture.convert(mode)
