"""Immutable records whose definition costs little import time.

A frozen class of the standard library's ``dataclasses`` has six methods compiled for it, which
takes most of a millisecond, and a run defines dozens. Records share theirs.
"""

from collections.abc import Callable, Mapping
from functools import partial
from inspect import get_annotations, signature
from operator import attrgetter
from typing import Any, ClassVar, TypeVar, dataclass_transform

_R = TypeVar("_R", bound="Record")


def _default_of(name: str, defaults: Mapping[str, Any]) -> Any:
    """Return a dataclass's field; it takes a default that has no hash by a factory alone."""
    from dataclasses import field

    if name not in defaults:
        return field()
    if defaults[name].__hash__ is None:
        return field(default_factory=partial(defaults.get, name))
    return field(default=defaults[name])


class _OnUse:
    """An attribute of a class that is made when somebody looks, of a dataclass with its fields."""

    def __init__(self, make: Callable[[type], Any]) -> None:
        self._make = make

    def __get__(self, instance: object, owner: "type[Record]") -> Any:
        from dataclasses import make_dataclass

        kinds, defaults = get_annotations(owner), owner._defaults
        members = [(name, kinds[name], _default_of(name, defaults)) for name in owner._names]
        return self._make(make_dataclass(owner.__name__, members, frozen=True))


@dataclass_transform(frozen_default=True)
class Record:
    """The base of records: the annotated names of a class are its fields, in their order.

    A field with a default may be left out. Two records of one class are equal if their fields are;
    with ``eq=False`` each equals itself alone. A method ``__post_init__`` can check the values. The
    functions of ``dataclasses`` take records, too.

    Raises
    ------
    TypeError
        If a record is made with a field too many, twice, unknown or missing.
    AttributeError
        If a field is to be changed; `replace` makes another record.

    Examples
    --------
    >>> class Size(Record):
    ...     width: int
    ...     height: int = 1
    >>> Size(3), Size(3) == Size(width=3, height=1)
    (Size(width=3, height=1), True)
    """

    _names: ClassVar[tuple[str, ...]] = ()
    __dataclass_fields__: ClassVar = _OnUse(attrgetter("__dataclass_fields__"))
    __dataclass_params__: ClassVar = _OnUse(attrgetter("__dataclass_params__"))
    __signature__: ClassVar = _OnUse(signature)
    _defaults: ClassVar[dict[str, Any]] = {}
    _needed: ClassVar[int] = 0
    _known: ClassVar[frozenset[str]] = frozenset()
    _by_value: ClassVar[bool] = True

    def __init_subclass__(cls, *, eq: bool = True) -> None:
        names = tuple(get_annotations(cls))
        cls._names, cls._by_value = names, eq
        cls._known = frozenset(names)
        cls._defaults = {name: cls.__dict__[name] for name in names if name in cls.__dict__}
        cls._needed = len(names) - len(cls._defaults)
        if any(name in cls._defaults for name in names[: cls._needed]):
            raise TypeError(f"{cls.__name__}: fields without a default come first")

    def __init__(self, *values: Any, **named: Any) -> None:
        fields, names = self.__dict__, self._names
        if named or len(values) != len(names):
            self._check(len(values), named)
            fields.update(self._defaults)
            fields.update(named)
        fields.update(zip(names, values, strict=False))
        self.__post_init__()

    def _check(self, count: int, named: Mapping[str, object]) -> None:
        """Raise an error if fields are too many, twice, unknown or missing."""
        kind, names = type(self).__name__, self._names
        if count > len(names):
            raise TypeError(f"{kind} has {len(names)} fields, {count} were given")
        for name in named:
            if name not in names[count:]:
                what = "was given twice" if name in names else "is unknown"
                raise TypeError(f"{kind}: the field {name!r} {what}")
        for name in names[count : self._needed]:
            if name not in named:
                raise TypeError(f"{kind}: the field {name!r} is missing")

    def __post_init__(self) -> None:
        """Check the values; there is nothing to check unless a class says so."""

    def _values(self) -> tuple[Any, ...]:
        fields = self.__dict__
        return tuple([fields[name] for name in self._names])

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not self._by_value or not isinstance(other, Record) or type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values()) if self._by_value else object.__hash__(self)

    def __repr__(self) -> str:
        pairs = zip(self._names, self._values(), strict=True)
        return f"{type(self).__qualname__}({', '.join(f'{n}={v!r}' for n, v in pairs)})"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed; replace makes another")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed; replace makes another")


def names_of(kind: type[Record]) -> tuple[str, ...]:
    """Return the names of a class's fields, in their order."""
    return kind._names


def replace(record: _R, **changes: Any) -> _R:
    """Return a record with some fields changed.

    Parameters
    ----------
    record : Record
        The record.
    **changes
        The new values of fields.

    Raises
    ------
    TypeError
        If it has no such field.
    """
    kind, fields = type(record), record.__dict__
    if not changes.keys() <= kind._known:
        record._check(0, changes)
    other = object.__new__(kind)
    own = other.__dict__
    if len(fields) == len(kind._names):
        own.update(fields)
    else:
        own.update([(name, fields[name]) for name in kind._names])
    own.update(changes)
    other.__post_init__()
    return other
