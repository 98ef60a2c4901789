"""Model files: one ``.safetensors`` file with weights, architecture, preprocessing and record.

The file contains no code. It is written atomically. Its names, shapes, types and sizes are checked
against the architecture before memory is allocated.
"""

import hashlib
import json
import os
import struct
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from convtool.errors import ConvtoolError, ModelFileError
from convtool.files import replace_file
from convtool.nn._types import Array, Arrays, Shape
from convtool.nn.layers import LAYERS, Layer
from convtool.nn.model import Sequential
from convtool.nn.preprocessing import Preprocessing

FORMAT = "convtool.nn"
VERSION = 1
TRAINING = "training"
"""The prefix of the entries that contain a checkpoint."""

_MAX_HEADER = 16 * 2**20
_MAX_NUMBERS = 2**31
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
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
            if not 2 <= length <= min(_MAX_HEADER, size - 8):
                raise ModelFileError(f"{path}: not a model file, or damaged: its header is missing")
            header = json.loads(file.read(length).decode("utf-8"))
            metadata = header["__metadata__"]
            if metadata["format"] != FORMAT:
                raise ModelFileError(f"{path}: a safetensors file, but not a model of convtool")
            about = json.loads(metadata["convtool"])
            _check_version(path, about["version"])
            entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
            claims = {name: _claim(entry) for name, entry in entries.items()}
            ends = [entry["data_offsets"][1] for entry in entries.values()]
            if size != 8 + length + max(ends, default=0):
                raise ModelFileError(f"{path}: damaged: it is {size} bytes long, not as it says")
            content = path.read_bytes()
            digest = metadata.get("sha256")
            if digest is not None and digest != _digest(header, memoryview(content)[8 + length :]):
                raise ModelFileError(
                    f"{path}: damaged: its checksum is another; take a copy that is whole"
                )
            return about, claims, content
    except ModelFileError:
        raise
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
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


def _claim(entry: dict[str, Any]) -> tuple[str, Shape]:
    shape = tuple(entry["shape"])
    begin, end = entry["data_offsets"]
    dtype = _DTYPES[entry["dtype"]]
    if any(not isinstance(n, int) or n < 0 for n in (*shape, begin)):
        raise ValueError("sizes")
    if prod(shape) > _MAX_NUMBERS or end - begin != prod(shape) * dtype.itemsize:
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


def build(about: dict[str, Any]) -> Sequential:
    """Build the model that :func:`describe` described, with newly initialised weights.

    Raises
    ------
    KeyError, TypeError, ValueError
        If the description is invalid.
    """
    layers = [_layer(entry) for entry in about["layers"]]
    shape = about["input_shape"]
    model = Sequential(
        layers,
        None if shape is None else tuple(shape),
        task=about["task"],
        classes=[str(name) for name in about["classes"]],
        preprocessing=Preprocessing(**about["preprocessing"]) if about["preprocessing"] else None,
    )
    model.record = dict(about["record"])
    return model


def _layer(entry: dict[str, Any]) -> Layer:
    arguments = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in entry["arguments"].items()
    }
    layer = LAYERS[entry["kind"]](**arguments)
    layer.frozen = set(entry["frozen"])
    return layer


def _layer_size(entry: dict[str, Any]) -> int:
    """Estimate the number of values in the layer that an entry describes."""
    arguments = entry["arguments"]
    widths = [
        value if isinstance(value, int) else prod(value)
        for name, value in arguments.items()
        if name in ("in_channels", "out_channels", "in_features", "out_features", "kernel_size")
    ]
    return prod(widths)


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
    try:
        stored = sum(prod(shape) for _, shape in claims.values())
        if sum(_layer_size(entry) for entry in about["layers"]) > 64 * (stored + 1024):
            raise ModelFileError(f"{path}: damaged: its layers are larger than its arrays")
        model = build(about)
    except ModelFileError:
        raise
    except (ConvtoolError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(f"{path}: damaged: its description of the layers: {error}") from error
    targets = model.parameters() | model.states()
    own = {name: claim for name, claim in claims.items() if not name.startswith(f"{TRAINING}.")}
    _check_claims(path, targets, own)
    arrays = arrays_of(path, content)
    for name in own:
        targets[name][...] = arrays[name]
    return model


def _check_claims(path: Path, targets: Arrays, claims: dict[str, tuple[str, Shape]]) -> None:
    missing = sorted(targets.keys() ^ claims.keys())
    if missing:
        raise ModelFileError(f"{path}: damaged: its layers and arrays disagree about {missing[0]}")
    for name, target in targets.items():
        dtype, shape = claims[name]
        if shape != target.shape or _DTYPES[dtype].kind != target.dtype.kind:
            raise ModelFileError(
                f"{path}: damaged: {name} is {dtype} {shape}, its layer needs {_short(target)}"
            )


def _short(array: Array) -> str:
    return f"{array.dtype} {array.shape}"
