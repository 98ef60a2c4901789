"""Does a call by compiled code if it can, else by SciPy itself, and notes how it was done."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from convtool.ndimage.record import (
    COMPILED,
    NOT_UNDERSTOOD,
    SCIPY,
    Explanation,
    OtherwiseError,
    note,
)


def run(name: str, *arguments: Any, **options: Any) -> Any:
    """Call a filter.

    Parameters
    ----------
    name : str
        The name of the function, in SciPy and in :mod:`~.ways`.
    *arguments, **options
        What SciPy's function takes. Options that are None are as if they were not given.
    """
    # "from convtool.ndimage import ways" would look for the name in SciPy first.
    import convtool.ndimage.ways as ways  # noqa: PLR0402

    options = {key: value for key, value in options.items() if value is not None}
    try:
        answer, steps = getattr(ways, name)(*arguments, **options)
    except OtherwiseError as error:
        reason = str(error)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        reason = NOT_UNDERSTOOD
    else:
        note(Explanation(name, COMPILED, tuple(steps)))
        return answer
    return by_scipy(name, reason)(*arguments, **options)


def by_scipy(name: str, reason: str) -> Callable[..., Any]:
    """Return SciPy's function, which notes that it was called and why."""
    from scipy import ndimage

    function: Callable[..., Any] = getattr(ndimage, name)

    @wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        note(Explanation(name, SCIPY, reason=reason))
        return function(*arguments, **options)

    return call
