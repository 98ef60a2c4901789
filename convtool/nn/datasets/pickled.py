"""A strict parser of pickled dictionaries of numbers, strings and uint8 arrays; it runs no code.

A pickle is a program. This parser knows the few opcodes that such dictionaries need, and four
global names that it never resolves; any other opcode or name is an error. It imports, looks up and
calls nothing on behalf of the file.

References
----------
Python's ``pickletools``: the opcodes. Krizhevsky (2009): CIFAR-10's Python version, pickled by
Python 2 with protocol 2.
"""

import struct
from dataclasses import dataclass
from math import prod
from types import UnionType
from typing import Any

import numpy as np

from convtool.errors import DatasetError
from convtool.nn._types import Array
from convtool.records import Record

_NAMES = {
    "numpy.core.multiarray _reconstruct": "empty array",
    "numpy._core.multiarray _reconstruct": "empty array",
    "numpy ndarray": "array type",
    "numpy dtype": "number type",
}
_UINT8 = {"u1", b"u1"}


@dataclass
class _Array:
    """An array whose shape and bytes have not been read yet."""

    value: Array | None = None


class _Mark:
    """Marks the start of a group of values on the stack."""


_NUMBERS = {0x4B: "<B", 0x4D: "<H", 0x4A: "<i"}
_TEXTS = {0x55: "<B", 0x54: "<i", 0x43: "<B", 0x42: "<I", 0x8C: "<B", 0x58: "<I"}
_UNICODE = {0x8C, 0x58}
_CONSTANTS = {0x4E: None, 0x88: True, 0x89: False}
_KEEPS = {0x71: "<B", 0x72: "<I"}
_RECALLS = {0x68: "<B", 0x6A: "<I"}
_SKIPS = {0x80: 1, 0x95: 8}
_TUPLES = {0x85: 1, 0x86: 2, 0x87: 3}


class _Reader:
    """The pickle machine: stack and memo of one file."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0
        self._stack: list[Any] = []
        self._kept: dict[int, Any] = {}

    def _take(self, count: int) -> bytes:
        """Read the next bytes of the file."""
        part = self._data[self._at : self._at + count]
        if count < 0 or len(part) < count:
            raise DatasetError("cut off")
        self._at += count
        return part

    def _number(self, layout: str) -> int:
        return int(struct.unpack(layout, self._take(struct.calcsize(layout)))[0])

    def _line(self) -> str:
        end = self._data.index(b"\n", self._at)
        return (self._take(end - self._at) + self._take(1)).decode("ascii")[:-1]

    def _group(self) -> list[Any]:
        """Pop the values above the last mark, and the mark."""
        group: list[Any] = []
        while not isinstance(value := self._stack.pop(), _Mark):
            group.append(value)
        return group[::-1]

    def read(self) -> Any:
        """Return the value that the file describes."""
        while (code := self._take(1)[0]) != ord("."):
            self._do(code)
        (value,) = self._stack
        return value

    def _do(self, code: int) -> None:
        push = self._stack.append
        if code in _NUMBERS:
            push(self._number(_NUMBERS[code]))
        elif code in _TEXTS:
            text = self._take(self._number(_TEXTS[code]))
            push(text.decode("utf-8") if code in _UNICODE else text)
        elif code in _CONSTANTS:
            push(_CONSTANTS[code])
        elif code in _KEEPS:
            self._kept[self._number(_KEEPS[code])] = self._stack[-1]
        elif code in _RECALLS:
            push(self._kept[self._number(_RECALLS[code])])
        elif code in _SKIPS:
            self._take(_SKIPS[code])
        elif code in _TUPLES:
            group = [self._stack.pop() for _ in range(_TUPLES[code])]
            push(tuple(group[::-1]))
        else:
            self._structure(chr(code))

    def _structure(self, code: str) -> None:
        push, pop = self._stack.append, self._stack.pop
        if code == "(":
            push(_Mark())
        elif code in "])}":
            push({"]": list, ")": tuple, "}": dict}[code]())
        elif code == "\x94":
            self._kept[len(self._kept)] = self._stack[-1]
        elif code == "t":
            push(tuple(self._group()))
        elif code in "ea":
            values = self._group() if code == "e" else [pop()]
            _expect(self._stack[-1], list).extend(values)
        elif code in "us":
            values = self._group() if code == "u" else [pop(), pop()][::-1]
            for key, value in zip(values[::2], values[1::2], strict=True):
                _expect(self._stack[-1], dict)[_expect(key, str | bytes)] = value
        elif code in "c\x93":
            name, module = (pop(), pop()) if code == "\x93" else (self._line(), self._line())[::-1]
            push(_known(f"{module} {name}"))
        elif code == "R":
            given, word = pop(), pop()
            push(_made(word, given))
        elif code == "b":
            _complete(self._stack[-2], pop())
        else:
            raise DatasetError(f"has the instruction {code!r}, which data does not need")


def _expect(value: Any, kind: type | UnionType) -> Any:
    """Return a value of a kind; only text is hashed, since tuples of tuples may never end."""
    if not isinstance(value, kind):
        raise DatasetError("contradicts itself")
    return value


def _known(name: str) -> "_Word":
    if name not in _NAMES:
        raise DatasetError(f"wants to call {name.replace(' ', '.')}, which is not data: not read")
    return _Word(_NAMES[name])


class _Word(Record):
    """A permitted global name."""

    meaning: str


def _made(word: Any, given: Any) -> Any:
    """Return the placeholder for a call's result: an array to be filled, or a dtype."""
    meaning = _expect(word, _Word).meaning
    if meaning == "empty array" and isinstance(given, tuple):
        return _Array()
    if meaning == "number type" and isinstance(given, tuple) and given[:1]:
        if _expect(given[0], str | bytes) not in _UINT8:
            raise DatasetError("holds an array that is not of bytes (uint8)")
        return _Word("uint8")
    raise DatasetError("contradicts itself")


def _complete(target: Any, state: Any) -> None:
    """Set the shape and bytes of an array; ignore the state of a dtype."""
    if target == _Word("uint8"):
        return
    _, shape, kind, by_columns, content = _expect(state, tuple)
    if kind != _Word("uint8") or not isinstance(content, bytes) or len(content) != prod(shape):
        raise DatasetError("holds an array whose bytes do not match its shape")
    flat = np.frombuffer(content, np.uint8)
    _expect(target, _Array).value = flat.reshape(shape, order="F" if by_columns else "C")


def read_pickled(data: bytes) -> dict[str, Any]:
    r"""Parse a pickled dictionary of numbers, strings, lists and uint8 arrays.

    Parameters
    ----------
    data : bytes
        As written by Python 2 or 3 with a binary protocol.

    Returns
    -------
    dict
        Keys as str; strings of Python 2 as bytes.

    Raises
    ------
    DatasetError
        If it is damaged, contains anything else, or would run code.

    Examples
    --------
    >>> read_pickled(b"\x80\x02}U\x06labels]K\x07as.")
    {'labels': [7]}
    """
    try:
        found = _expect(_Reader(data).read(), dict)
        return {
            key.decode("ascii") if isinstance(key, bytes) else key: (
                value.value if isinstance(value, _Array) else value
            )
            for key, value in found.items()
        }
    except DatasetError:
        raise
    except (ValueError, KeyError, IndexError, TypeError, struct.error) as error:
        raise DatasetError("damaged, or no pickled dictionary") from error
