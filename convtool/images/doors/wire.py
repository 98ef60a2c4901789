"""Messages between this process and the one that calls libraries: JSON, then arrays and bytes.

A library that a hostile file has taken over can send what it likes; so nothing is unpickled, and
only the kinds of values below can arrive.
"""

import json
import struct
from typing import IO, Any

import numpy as np

from convtool.images.codec import Decoded, Format, Header
from convtool.images.image import Coding, Document, Image, Metadata
from convtool.images.options import ReadOptions, WriteOptions
from convtool.records import names_of

KINDS = {
    kind.__name__: kind
    for kind in (
        *(Coding, Decoded, Document, Format, Header),
        *(Image, Metadata, ReadOptions, WriteOptions),
    )
}
"""The records that can be sent."""

_HEAD, _PART = struct.Struct("<QQ"), struct.Struct("<Q")
_LONGEST_TEXT = 1 << 28


def send(stream: IO[bytes], value: Any) -> None:
    """Send a value: numbers, texts, bytes, arrays, `KINDS`, and tuples and lists of these."""
    parts: list[memoryview] = []
    text = json.dumps(_plain(value, parts)).encode()
    stream.write(_HEAD.pack(len(text), len(parts)))
    stream.write(text)
    for part in parts:
        stream.write(_PART.pack(part.nbytes))
        stream.write(part)
    stream.flush()


def receive(stream: IO[bytes], most: int | None = None) -> Any:
    """Receive a value.

    Parameters
    ----------
    stream : binary file
        Where it comes from.
    most : int, optional
        The most bytes that arrays and bytes may have together.

    Raises
    ------
    EOFError
        If the stream ends.
    ValueError
        If the message is none, or longer.

    Examples
    --------
    >>> import io
    >>> pipe = io.BytesIO()
    >>> send(pipe, ("done", [Decoded(np.zeros((1, 2), np.uint8), ("dark",))]))
    >>> _ = pipe.seek(0)
    >>> receive(pipe)[1][0].notes
    ('dark',)
    """
    length, count = _HEAD.unpack(_exactly(stream, _HEAD.size))
    if length > _LONGEST_TEXT:
        raise ValueError("a message is too long")
    text, parts = bytes(_exactly(stream, length)), []
    for _ in range(count):
        (size,) = _PART.unpack(_exactly(stream, _PART.size))
        if most is not None:
            most -= size
            if most < 0:
                raise ValueError("a message is too long")
        parts.append(_exactly(stream, size))
    return _value(json.loads(text), parts)


def _exactly(stream: IO[bytes], count: int) -> bytearray:
    data = bytearray(count)
    view, filled = memoryview(data), 0
    while filled < count:
        piece = stream.readinto(view[filled:])  # type: ignore[attr-defined]
        if not piece:
            raise EOFError
        filled += piece
    return data


def _plain(value: Any, parts: list[memoryview]) -> Any:
    """Return a value for JSON; bytes and arrays become parts."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, bytes | bytearray):
        parts.append(memoryview(value))
        return {"bytes": len(parts) - 1}
    if isinstance(value, np.ndarray):
        whole = np.ascontiguousarray(value)
        parts.append(whole.reshape(-1).view(np.uint8).data)
        return {"array": len(parts) - 1, "type": whole.dtype.str, "shape": list(whole.shape)}
    if isinstance(value, tuple | list):
        return {type(value).__name__: [_plain(one, parts) for one in value]}
    name = type(value).__name__
    fields = {field: _plain(getattr(value, field), parts) for field in names_of(KINDS[name])}
    return {"record": name, "fields": fields}


def _value(plain: Any, parts: list[bytearray]) -> Any:
    if not isinstance(plain, dict):
        return plain
    if "bytes" in plain:
        return bytes(parts[plain["bytes"]])
    if "array" in plain:
        dtype = np.dtype(plain["type"])
        if dtype.kind not in "biuf":
            raise ValueError(f"an array of {dtype} was sent")
        return np.frombuffer(parts[plain["array"]], dtype).reshape(plain["shape"])
    if "record" in plain:
        fields = {name: _value(one, parts) for name, one in plain["fields"].items()}
        return KINDS[plain["record"]](**fields)
    if "tuple" in plain:
        return tuple(_value(one, parts) for one in plain["tuple"])
    return [_value(one, parts) for one in plain["list"]]
