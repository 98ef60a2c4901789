"""The layers of a network by name, with the cost of each."""

import difflib
from collections import Counter
from math import prod

from convtool.errors import ModelError
from convtool.nn._types import Shape
from convtool.nn.layers import Conv2D
from convtool.nn.model import Sequential
from convtool.records import Record

_NUMBER_BYTES = 4


class LayerRow(Record):
    """One layer of a network."""

    number: int
    """Counted from 1."""
    name: str
    """The kind and its ordinal number: ``conv1``, ``conv2``, ``dense1``."""
    kind: str
    """The class."""
    output: Shape
    """The shape of one output."""
    trained: int
    fixed: int
    """Numbers of trained and of untrained values."""
    multiply_adds: int
    """For one picture."""
    memory: int
    """Bytes of one picture's output, as float32."""


def layer_names(model: Sequential) -> list[str]:
    """Return a name for each layer: its kind and its ordinal number.

    Examples
    --------
    >>> from convtool import nn
    >>> layer_names(nn.Sequential([nn.Conv2D(1, 2, 3), nn.ReLU(), nn.Conv2D(2, 1, 3)]))
    ['conv1', 'relu1', 'conv2']
    """
    seen: Counter[str] = Counter()
    names = []
    for layer in model.layers:
        kind = type(layer).__name__.lower().removesuffix("2d")
        seen[kind] += 1
        names.append(f"{kind}{seen[kind]}")
    return names


def find_layer(model: Sequential, name: str) -> int:
    """Return the index of the layer with a name or a number counted from 1.

    Raises
    ------
    ModelError
        If there is no such layer; the message lists the nearest names.
    """
    names = layer_names(model)
    wanted = name.strip().lower()
    if wanted in names:
        return names.index(wanted)
    if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= len(names):
        return int(wanted) - 1
    near = difflib.get_close_matches(wanted, names, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(names)}"
    raise ModelError(f"no layer {name!r} in this model; {hint}")


def find_convolution(model: Sequential, name: str | None = None) -> tuple[int, Conv2D]:
    """Return the index and the layer of a named convolution, or of the first.

    Raises
    ------
    ModelError
        If there is none, or the named layer is not a convolution.
    """
    names = layer_names(model)
    if name is not None:
        place = find_layer(model, name)
        layer = model.layers[place]
        if isinstance(layer, Conv2D):
            return place, layer
        own = [n for n, x in zip(names, model.layers, strict=True) if isinstance(x, Conv2D)]
        known = f"take {' or '.join(own)}" if own else "this model has no convolution"
        raise ModelError(f"{names[place]} has no filters, it is a {type(layer).__name__}; {known}")
    for place, layer in enumerate(model.layers):
        if isinstance(layer, Conv2D):
            return place, layer
    raise ModelError("this model has no convolution, and so no filters")


def layer_table(model: Sequential) -> list[LayerRow]:
    """Return the shape and cost of each layer of a network whose input shape is known.

    Raises
    ------
    ModelError
        If the input shape is not known.

    Examples
    --------
    >>> from convtool import nn
    >>> model = nn.Sequential([nn.Conv2D(1, 32, 3)], input_shape=(1, 28, 28))
    >>> row = layer_table(model)[0]
    >>> row.name, row.output, row.trained, row.multiply_adds, row.memory
    ('conv1', (32, 26, 26), 320, 194688, 86528)
    """
    if model.input_shape is None:
        raise ModelError("this model does not say what shape its inputs have")
    shapes = model.shapes(model.input_shape)
    rows = []
    before: Shape = model.input_shape
    for number, (name, layer, output) in enumerate(
        zip(layer_names(model), model.layers, shapes, strict=True), 1
    ):
        rows.append(
            LayerRow(
                number,
                name,
                type(layer).__name__,
                output,
                *layer.count(),
                layer.multiply_adds(before),
                prod(output) * _NUMBER_BYTES,
            )
        )
        before = output
    return rows
