"""Import an ONNX file as a network of convtool's layers."""

from pathlib import Path
from typing import Any

import numpy as np

from convtool.errors import ConvtoolError, ModelError, ModelFileError
from convtool.nn._types import Arrays, Shape
from convtool.nn.about import About
from convtool.nn.model import Sequential
from convtool.nn.onnx.metadata import about
from convtool.nn.onnx.parse import read_proto
from convtool.nn.onnx.readers import READ_ALONG, READERS, TO_CHANNELS_FIRST, read_next
from convtool.nn.onnx.row import Row, attributes, label
from convtool.nn.preprocessing import Preprocessing
from convtool.records import replace

_STANDARD = ("", "ai.onnx")


def from_onnx(
    path: Path, *, classes: tuple[str, ...] = (), mean: float = 0.0, std: float = 1.0
) -> Sequential:
    """Import the network of an ONNX file.

    Files written by convtool contain classes and preprocessing. In other files, a final Softmax or
    LogSoftmax (or Sigmoid, for one output) determines the task, and `mean` and `std` the
    preprocessing. Channels-last files (Keras) become channels-first networks.

    Parameters
    ----------
    path : Path
    classes : tuple of str
        The class names for a file without class names.
    mean, std : float
        The mean to subtract from pixels scaled to 0 to 1, and the divisor, for such a file.

    Raises
    ------
    ModelFileError
        If the file is damaged, or an operator is not supported; the message names it.
    OptionError
        If ONNX is not installed.
    """
    proto = read_proto(path)
    _check_operators(proto, path)
    known = about({entry.key: entry.value for entry in proto.metadata_props}, str(path))
    constants = _constants(proto, path)
    name, shape = _input(proto, constants, path)
    nodes = [node for node in proto.graph.node if node.op_type != "Constant"]
    name, shape = _channels_first(nodes, constants, name, shape)
    regression = known is not None and known.task == "regression"
    implied_task = None if regression else _without_task(nodes, constants)
    opset = max(used.version for used in proto.opset_import if used.domain in _STANDARD)
    row = Row(nodes, constants, name, shape, opset)
    try:
        while row.nodes:
            read_next(row)
        if any(row.pads):
            raise ModelError("operator Pad at the end is not covered")
        if row.channels_last or row.laid_out is not None:
            raise ModelError("outputs whose channels come last are not covered")
    except (ConvtoolError, KeyError, ValueError, TypeError, IndexError) as error:
        raise ModelFileError(f"{path}: {error}") from error
    if not row.layers:
        raise ModelFileError(f"{path}: has no layers")
    for layer in row.layers:
        for name, array in layer.params.items():
            if not np.isfinite(array).all():
                raise ModelFileError(
                    f"{path}: {type(layer).__name__}: {name} has values that are not finite"
                )
    if known is None:
        known = _assumed(row.shape, implied_task, shape, classes, (mean, std))
    if implied_task is not None and known.task != implied_task:
        known = replace(known, task=implied_task)
    try:
        known.check_fit(shape, row.shape)
    except ModelError as error:
        raise ModelFileError(f"{path}: {error}") from error
    model = Sequential(
        row.layers, shape, task=known.task, classes=known.classes, preprocessing=known.preprocessing
    )
    model.record = known.record
    return model


def _check_operators(proto: Any, path: Path) -> None:
    """Raise an error that names unsupported operators."""
    strange = sorted(
        {
            label(node)
            for node in proto.graph.node
            if node.domain not in _STANDARD
            or (node.op_type not in READERS and node.op_type not in READ_ALONG)
        }
    )
    if strange:
        more = f" and {len(strange) - 3} more" if len(strange) > 3 else ""
        raise ModelFileError(
            f"{path}: {', '.join(strange[:3])}{more} not covered; covered are {', '.join(READERS)}"
        )


def _constants(proto: Any, path: Path) -> Arrays:
    """Return all constant tensors; floating types as finite float32."""
    from onnx import numpy_helper

    tensors = {tensor.name: tensor for tensor in proto.graph.initializer}
    for node in proto.graph.node:
        if node.op_type == "Constant":
            values = [a.t for a in node.attribute if a.name == "value"]
            if not values:
                raise ModelFileError(f"{path}: {label(node)}: only a constant tensor is covered")
            tensors[node.output[0]] = values[0]
    constants: Arrays = {}
    for name, tensor in tensors.items():
        array = np.asarray(numpy_helper.to_array(tensor))
        if array.dtype.kind == "f":
            with np.errstate(over="ignore"):
                array = array.astype(np.float32)
            if not np.isfinite(array).all():
                raise ModelFileError(f"{path}: {name} has values that are not finite in float32")
        constants[name] = array
    return constants


def _input(proto: Any, constants: Arrays, path: Path) -> tuple[str, Shape]:
    """Return the name of the network's input, and its shape without the batch."""
    inputs = [value for value in proto.graph.input if value.name not in constants]
    if len(inputs) != 1 or len(proto.graph.output) != 1:
        raise ModelFileError(
            f"{path}: {len(inputs)} inputs and {len(proto.graph.output)} outputs: only networks"
            " with one of each are covered"
        )
    kind = inputs[0].type.tensor_type
    shape = tuple(int(dim.dim_value) for dim in kind.shape.dim)[1:]
    if len(shape) not in (1, 3) or min(shape) < 1 or max(shape) > 2**16:
        raise ModelFileError(
            f"{path}: its input has no fixed shape (N, C, H, W), (N, H, W, C) or (N, F): export it"
            " with one"
        )
    return inputs[0].name, shape


def _channels_first(
    nodes: list[Any], constants: Arrays, name: str, shape: Shape
) -> tuple[str, Shape]:
    """Remove an initial transposition to (N, C, H, W); return its output and that shape.

    Keras files take (N, H, W, C). With one channel, a Reshape is equivalent to a Transpose.
    """
    if not nodes or len(shape) != 3 or nodes[0].input[0] != name:
        return name, shape
    height, width, channels = shape
    first, turned = nodes[0], False
    if first.op_type == "Transpose":
        turned = list(attributes(first).get("perm", ())) == TO_CHANNELS_FIRST
    elif first.op_type == "Reshape" and channels == 1:
        target = constants.get(first.input[1])
        turned = target is not None and target.tolist()[1:] == [1, height, width]
    if not turned:
        return name, shape
    del nodes[0]
    return first.output[0], (channels, height, width)


def _without_task(nodes: list[Any], constants: Arrays) -> str | None:
    """Remove the final operators from logits to probabilities; return the task they imply."""
    if len(nodes) >= 3 and [n.op_type for n in nodes[-3:]] == ["Sigmoid", "Sub", "Concat"]:
        sigmoid, negative, both = nodes[-3:]
        one = constants.get(negative.input[0])
        positive = sigmoid.output[0]
        if (
            one is not None
            and np.all(one == 1)
            and negative.input[1] == positive
            and list(both.input) == [negative.output[0], positive]
        ):
            del nodes[-3:]
            return "binary"
    if nodes and nodes[-1].op_type in ("Softmax", "LogSoftmax"):
        nodes.pop()
        return "multiclass"
    if nodes and nodes[-1].op_type == "Sigmoid":
        nodes.pop()
        return "binary"
    return None


def _assumed(
    outputs: Shape,
    implied_task: str | None,
    shape: Shape,
    classes: tuple[str, ...],
    scale: tuple[float, float],
) -> About:
    """Return the assumed task, classes and preprocessing of a file without metadata."""
    count = int(np.prod(outputs))
    task = implied_task or ("multiclass" if count > 1 else "regression")
    preprocessing = None
    if len(shape) == 3 and shape[0] in (1, 3):
        preprocessing = Preprocessing(shape[1], shape[2], shape[0], *scale)
    names = classes or tuple(str(n) for n in range(2 if task == "binary" else count))
    return About(task, () if task == "regression" else names, preprocessing, {})
