"""Argument validation, where each error message is one line, and the arguments of an object."""

from collections.abc import Callable
from inspect import signature
from math import inf, nan
from numbers import Integral, Real
from typing import Any

import numpy as np

from convtool.errors import OptionError

Check = Callable[[Any, str], Any]
"""Validates an argument, given its name for messages, and returns it in one form."""

MOST_WHOLE = 2**63 - 1
MOST_VALUES = 2**28
"""The most values that the arrays of a layer may hold, and its output for one picture."""

MOST_COLUMNS = 2**31
"""The most values that a layer may gather for one picture."""


def whole(value: Any, name: str, least: int = 1, most: int = MOST_WHOLE) -> int:
    """Validate an integer, of Python or NumPy, and return it as an int.

    Parameters
    ----------
    value : int
    name : str
        The argument's name, for the message.
    least, most : int

    Raises
    ------
    OptionError
        If it is not an integer, or out of bounds.

    Examples
    --------
    >>> import numpy as np
    >>> whole(np.int64(3), "out_channels")
    3
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < least:
        raise OptionError(f"{name} {short(value)}: a whole number of at least {least}")
    if int(value) > most:
        raise OptionError(f"{name} {short(value)}: a whole number of at most {most}")
    return int(value)


def size(value: Any, name: str) -> int:
    """Validate a number of channels, features or groups; see `whole`."""
    return whole(value, name, 1, MOST_VALUES)


def seed(value: Any, name: str) -> int:
    """Validate the seed of a random generator; see `whole`."""
    return whole(value, name, 0)


def flag(value: Any, name: str) -> bool:
    """Validate a yes or no and return it as a bool.

    Raises
    ------
    OptionError
        If it is neither True nor False.

    Examples
    --------
    >>> flag(1, "bias")
    True
    """
    if not isinstance(value, bool | np.bool_ | Integral) or value not in (0, 1):
        raise OptionError(f"{name} {short(value)}: true or false")
    return bool(value)


def short(value: object) -> str:
    """Return a value's text for a message, shortened.

    Examples
    --------
    >>> short(10**50), short("same")
    ('a huge number', "'same'")
    """
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**40 else "a huge number"
    return text if len(text) <= 80 else f"{text[:77]}..."


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
    try:
        number = float(value) if is_real else nan
    except OverflowError:  # of an integer
        number = nan
    inside = low <= number <= high and abs(number) < inf
    if not inside or (low_open and number == low) or (high_open and number == high):
        raise OptionError(f"{name} {short(value)}: {_range(low, high, low_open, high_open)}")
    return number


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
        raise OptionError(f"dtype {short(value)}: float32 or float64")
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
