"""JSON from files that nobody vouches for: each value once, finite, and of the expected type."""

from collections.abc import Sequence
from types import UnionType
from typing import Any, NoReturn, TypeVar, get_args, get_origin, get_type_hints

_T = TypeVar("_T")


def parse(text: str | bytes, *, finite: bool = True) -> Any:
    """Parse JSON.

    Parameters
    ----------
    text : str or bytes
        Bytes are UTF-8.
    finite : bool
        Whether numbers must be finite; otherwise the caller says which is not.

    Raises
    ------
    ValueError
        If it is no JSON, is nested too deeply, names a key of an object twice, or holds a number
        that is not finite or has thousands of digits.

    Examples
    --------
    >>> parse('{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    >>> parse('{"a": 1, "a": 2}')
    Traceback (most recent call last):
        ...
    ValueError: the key 'a' is there twice
    """
    import json

    if isinstance(text, bytes):
        text = text.decode("utf-8")
    try:
        if not finite:
            return json.loads(text, object_pairs_hook=_object)
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_refuse, parse_float=_float
        )
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def record_of(kind: type[_T], values: object) -> _T:
    """Make a record or dataclass of an object's values.

    Parameters
    ----------
    kind : type
        Its annotations are numbers, text, None, dictionaries and lists, and unions of these.
    values : object
        A dictionary with a value for each field, or for each without a default.

    Raises
    ------
    TypeError
        If a field is missing, unknown, or has a value of another type.

    Examples
    --------
    >>> from convtool.records import Record
    >>> class Size(Record):
    ...     width: int
    ...     scale: float | None = None
    >>> record_of(Size, {"width": 3, "scale": 2})
    Size(width=3, scale=2)
    """
    if not isinstance(values, dict):
        raise TypeError(f"{kind.__name__}: no object")
    hints = get_type_hints(kind)
    for name, value in values.items():
        if name in hints and not _is_a(value, hints[name]):
            raise TypeError(f"{kind.__name__}: {name} is a {type(value).__name__}")
    return kind(**values)


def _is_a(value: object, hint: Any) -> bool:
    if isinstance(hint, UnionType):
        return any(_is_a(value, one) for one in get_args(hint))
    wanted = get_origin(hint) or hint
    if isinstance(value, bool):
        return wanted is bool
    if wanted is float:
        return isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**63)
    if wanted is int:
        return isinstance(value, int) and abs(value) < 2**63
    return isinstance(value, wanted)


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for twice, _ in pairs:
            if twice in seen:
                break
            seen.add(twice)
        raise ValueError(f"the key {twice[:80]!r} is there twice")
    return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which is no number of JSON")


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text[:80]} is too large")
    return number
