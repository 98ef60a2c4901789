"""Model files: one ``.safetensors`` file with weights, architecture, preprocessing and record.

The file contains no code. It is written atomically. Its names, shapes, types and sizes are checked
against the architecture before memory is allocated.
"""

import hashlib
import json
import os
import struct
from collections.abc import Iterable, Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from convtool.errors import ConvtoolError, ModelError, ModelFileError
from convtool.files import replace_file
from convtool.jsontext import parse
from convtool.nn._types import Arrays, Shape
from convtool.nn.about import About, about_of
from convtool.nn.arguments import short
from convtool.nn.layers import LAYERS, Layer
from convtool.nn.model import Sequential
from convtool.reading import open_regular

FORMAT = "convtool.nn"
VERSION = 1
TRAINING = "training"
"""The prefix of the entries that contain a checkpoint."""

_MAX_HEADER = 16 * 2**20
_MAX_AXES = 8
_MAX_LAYERS = 10_000
_DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
    "I64": np.dtype("<i8"),
}


def write_whole(path: Path, content: bytes, *, flushed: bool = True) -> None:
    """Write a file atomically: to a temporary file that is flushed and renamed.

    Parameters
    ----------
    path : Path
    content : bytes
    flushed : bool
        Whether to wait until the file is on disk; otherwise a power failure may lose it.

    Raises
    ------
    ModelFileError
        If the folder is missing, full or not writable. The temporary file is removed.
    """
    try:
        replace_file(path, content, flushed=flushed)
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be written: {error.strerror or error}") from error


def write_arrays(
    path: Path, arrays: Arrays, about: dict[str, Any], *, flushed: bool = True
) -> None:
    """Write named arrays and a JSON object as one safetensors file."""
    from safetensors.numpy import save as to_bytes

    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    metadata = {"format": FORMAT, "convtool": json.dumps(about)}
    plain = to_bytes(whole, metadata)
    length = struct.unpack("<Q", plain[:8])[0]
    claims = json.loads(plain[8 : 8 + length])
    content = memoryview(plain)[8 + length :]
    claims["__metadata__"]["sha256"] = _digest(claims, content)
    header = json.dumps(claims).encode()
    header += b" " * (-len(header) % 8)
    write_whole(path, b"".join([struct.pack("<Q", len(header)), header, content]), flushed=flushed)


def _digest(header: dict[str, Any], content: memoryview) -> str:
    """Return the checksum of a file's header (without the checksum's entry) and arrays."""
    metadata = {n: v for n, v in header["__metadata__"].items() if n != "sha256"}
    found = hashlib.sha256(json.dumps(header | {"__metadata__": metadata}, sort_keys=True).encode())
    found.update(content)
    return found.hexdigest()


def read_arrays(path: Path) -> tuple[dict[str, Any], dict[str, tuple[str, Shape]], bytes]:
    """Read a safetensors file: the JSON object, dtype and shape of each array, and the bytes.

    Raises
    ------
    ModelFileError
        If the file cannot be read, is damaged, is not one of convtool's, or is newer.
    """
    try:
        with open_regular(path, "model file") as file:
            size = os.fstat(file.fileno()).st_size
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
            if not 2 <= length <= min(_MAX_HEADER, size - 8):
                raise ModelFileError(f"{path}: not a model file, or damaged: its header is missing")
            header = parse(file.read(length))
            metadata = header["__metadata__"]
            if metadata["format"] != FORMAT:
                raise ModelFileError(f"{path}: a safetensors file, but not a model of convtool")
            about = parse(metadata["convtool"])
            _check_version(path, about["version"])
            entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
            claims = {name: _claim(entry) for name, entry in entries.items()}
            if size != 8 + length + _total(entries.values()):
                raise ModelFileError(f"{path}: damaged: it is {size} bytes long, not as it says")
            file.seek(0)
            content = file.read(size)
        digest = metadata.get("sha256")
        if digest != _digest(header, memoryview(content)[8 + length :]):
            what = "is missing" if digest is None else "is another"
            raise ModelFileError(f"{path}: damaged: its checksum {what}; take a copy that is whole")
        return about, claims, content
    except ModelFileError:
        raise
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(
            f"{path}: not a model file, or damaged: its header cannot be read"
        ) from error


def _check_version(path: Path, version: int) -> None:
    if version > VERSION:
        raise ModelFileError(
            f"{path}: written by a newer convtool (format {version}, this one reads {VERSION}):"
            " update convtool"
        )
    if version != VERSION:
        raise ModelFileError(f"{path}: damaged: there is no format {version}")


def _total(entries: Iterable[dict[str, Any]]) -> int:
    """Return the length of all arrays, which follow each other without gap or overlap."""
    total = 0
    for begin, end in sorted(entry["data_offsets"] for entry in entries):
        if begin != total:
            raise ValueError("offsets")
        total = end
    return total


def _claim(entry: dict[str, Any]) -> tuple[str, Shape]:
    shape = tuple(entry["shape"])
    begin, end = entry["data_offsets"]
    dtype = _DTYPES[entry["dtype"]]
    if any(type(n) is not int or n < 0 for n in (*shape, begin, end)) or len(shape) > _MAX_AXES:
        raise ValueError("sizes")
    if end - begin != prod(shape) * dtype.itemsize:
        raise ValueError("sizes")
    return entry["dtype"], shape


def arrays_of(path: Path, content: bytes) -> Arrays:
    """Return the arrays of a validated safetensors file."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    try:
        arrays: Arrays = from_bytes(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise ModelFileError(f"{path}: damaged: {error}") from error
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ModelFileError(f"{path}: damaged: {name} has values that are not finite")
    return arrays


def describe(model: Sequential) -> dict[str, Any]:
    """Return a model's architecture and other facts, without its arrays, as JSON values."""
    return {
        "version": VERSION,
        "layers": [
            {
                "kind": type(layer).__name__,
                "arguments": layer.config(),
                "frozen": sorted(layer.frozen),
            }
            for layer in model.layers
        ],
        "input_shape": model.input_shape,
        "task": model.task,
        "classes": list(model.classes),
        "preprocessing": model.preprocessing.config() if model.preprocessing else None,
        "record": model.record,
    }


def save(
    model: Sequential,
    path: str | os.PathLike[str],
    training: tuple[Arrays, dict[str, Any]] | None = None,
) -> None:
    """Write a model to a ``.safetensors`` file, atomically.

    Parameters
    ----------
    model : Sequential
    path : path-like
    training : (dict of str to ndarray, dict), optional
        A checkpoint's arrays and JSON values; :func:`load` ignores them.

    Raises
    ------
    ModelFileError
        If it cannot be written.
    """
    arrays, about = model.parameters() | model.states(), describe(model)
    if training is not None:
        arrays |= {f"{TRAINING}.{name}": array for name, array in training[0].items()}
        about[TRAINING] = training[1]
    write_arrays(Path(path), arrays, about)


def _layers(about: dict[str, Any], claims: Mapping[str, tuple[str, Shape]]) -> list[Layer]:
    """Build the layers that :func:`describe` described, if their arrays are those of the file.

    Their arguments and the sizes of their arrays are checked before any array is made.
    """
    entries = about["layers"]
    if not isinstance(entries, list) or len(entries) > _MAX_LAYERS:
        raise TypeError(f"layers: a list of {_MAX_LAYERS} at most")
    kinds, arguments = [], []
    shapes: dict[str, Shape] = {}
    for number, entry in enumerate(entries):
        kind, given = LAYERS[entry["kind"]], entry["arguments"]
        given = {
            n: tuple(value) if isinstance(value, list) else value for n, value in given.items()
        }
        planned = kind.planned(given).array_shapes()
        shapes |= {f"{number}.{name}": shape for name, shape in planned.items()}
        if not set(entry["frozen"]) <= planned.keys():
            raise ValueError(f"layer {number} has no parameters {short(entry['frozen'])}")
        kinds.append(kind)
        arguments.append(given)
    for name in sorted(shapes.keys() ^ claims.keys()):
        raise ModelError(f"its layers and arrays disagree about {name}")
    for name, shape in shapes.items():
        if claims[name][1] != shape:
            raise ModelError(f"{name} is {claims[name][1]}, its layer needs {shape}")
    layers = [kind(**given) for kind, given in zip(kinds, arguments, strict=True)]
    for layer, entry in zip(layers, entries, strict=True):
        layer.frozen = set(entry["frozen"])
    return layers


def load(path: str | os.PathLike[str]) -> Sequential:
    """Read a model that :func:`save` wrote.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, foreign or newer, or its arrays do not fit its layers.
    """
    path = Path(path)
    if path.suffix.lower() == ".onnx":
        raise ModelFileError(
            f"{path}: an ONNX file; convtool import makes a model of it (predict takes it as it is)"
        )
    about, claims, content = read_arrays(path)
    own = {name: claim for name, claim in claims.items() if not name.startswith(f"{TRAINING}.")}
    try:
        known, shape = about_of(about), about["input_shape"]
        model = Sequential(
            _layers(about, own),
            None if shape is None else tuple(shape),
            task=known.task,
            classes=known.classes,
            preprocessing=known.preprocessing,
        )
        _check_fit(model, known)
    except (ConvtoolError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(f"{path}: damaged: its description of the layers: {error}") from error
    model.record = known.record
    targets, arrays = model.parameters() | model.states(), arrays_of(path, content)
    for name in own:
        if arrays[name].dtype.kind != targets[name].dtype.kind:
            raise ModelFileError(
                f"{path}: damaged: {name} is {claims[name][0]}, its layer needs"
                f" {targets[name].dtype}"
            )
        targets[name][...] = arrays[name]
    return model


def _check_fit(model: Sequential, known: About) -> None:
    """Check that the metadata match the layers, where the size of the input is known."""
    p, shape = known.preprocessing, model.input_shape
    if shape is None and p is not None:
        shape = (p.channels, p.height, p.width)
    known.check_fit(shape, None if shape is None else model.shapes(shape)[-1])
