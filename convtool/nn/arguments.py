"""Argument validation, where each error message is one line, and the arguments of an object."""

from inspect import signature
from numbers import Integral, Real
from typing import Any

import numpy as np

from convtool.errors import OptionError


def whole(value: Any, name: str, least: int = 1) -> int:
    """Validate an integer, of Python or NumPy, and return it as an int.

    Parameters
    ----------
    value : int
    name : str
        The argument's name, for the message.
    least : int

    Raises
    ------
    OptionError
        If it is not an integer, or smaller than `least`.

    Examples
    --------
    >>> import numpy as np
    >>> whole(np.int64(3), "out_channels")
    3
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise OptionError(f"{name} {value!r}: a whole number of at least {least}")
    return int(value)


def real(
    value: Any,
    name: str,
    low: float = float("-inf"),
    high: float = float("inf"),
    *,
    low_open: bool = False,
    high_open: bool = False,
) -> float:
    """Validate a finite number within bounds, of Python or NumPy, and return it as a float.

    Parameters
    ----------
    value : float
    name : str
        The argument's name, for the message.
    low, high : float
    low_open, high_open : bool
        Whether the bound itself is excluded.

    Raises
    ------
    OptionError
        If it is not a finite number, or out of bounds.

    Examples
    --------
    >>> real(0.9, "momentum", 0, 1, high_open=True)
    0.9
    """
    is_real = isinstance(value, Real) and not isinstance(value, bool)
    inside = is_real and low <= value <= high and abs(value) < float("inf")
    if not inside or (low_open and value == low) or (high_open and value == high):
        raise OptionError(f"{name} {value!r}: {_range(low, high, low_open, high_open)}")
    return float(value)


def float_type(value: Any) -> str:
    """Validate a layer's dtype and return its name.

    Raises
    ------
    OptionError
        If it is neither float32 nor float64.

    Examples
    --------
    >>> float_type("float32")
    'float32'
    """
    try:
        name = str(np.dtype(value).name)
    except TypeError:
        name = ""
    if name not in ("float32", "float64"):
        raise OptionError(f"dtype {value!r}: float32 or float64")
    return name


def arguments_of(made: object) -> dict[str, Any]:
    """Return the arguments that rebuild an object, as JSON values.

    They are its attributes with the names of its constructor's parameters; a parameter without
    one (a random generator) is left out.
    """
    names = (name for name in signature(type(made)).parameters if hasattr(made, name))
    values = {name: getattr(made, name) for name in names}
    return {n: list(value) if isinstance(value, tuple) else value for n, value in values.items()}


def _range(low: float, high: float, low_open: bool, high_open: bool) -> str:
    """Return the text for a range of numbers.

    Examples
    --------
    >>> _range(0, 1, False, True), _range(0, float("inf"), True, False)
    ('from 0 to below 1', 'a number above 0')
    """
    if low == float("-inf"):
        return "a finite number"
    if high == float("inf"):
        return f"a number {'above' if low_open else 'of at least'} {low:g}"
    return f"{'above' if low_open else 'from'} {low:g} to {'below ' if high_open else ''}{high:g}"
