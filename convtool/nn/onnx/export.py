"""Export a network to an ONNX file, after comparing it with onnxruntime."""

from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from convtool._version import __version__
from convtool.errors import ModelError
from convtool.extras import need
from convtool.nn._types import Shape
from convtool.nn.inspection.layers import layer_names
from convtool.nn.layers import Sigmoid, Softmax
from convtool.nn.model import Sequential
from convtool.nn.modelfile import write_whole
from convtool.nn.onnx.metadata import entries
from convtool.nn.onnx.session import OnnxNetwork
from convtool.nn.onnx.writers import DILATED_MEANS, OPSET, WRITERS, GraphWriter
from convtool.progress import Advance, Progress, silent
from convtool.records import Record

IR_VERSIONS = {OPSET: 8, DILATED_MEANS: 9}
"""The ONNX IR version that came with each opset version."""

TOLERANCE = 1e-5
"""Largest accepted difference between the probabilities of onnxruntime and convtool."""

INPUT = "input"
OUTPUTS = {"multiclass": "probabilities", "binary": "probabilities", "regression": "values"}
_BLOCK_NUMBERS = 2**22


class Exported(Record):
    """Facts about an exported file and its verification."""

    nodes: int
    """Number of operators in the file."""
    size: int
    """Size of the file in bytes."""
    inputs: int
    """Number of random inputs that were compared."""
    difference: float
    """The largest difference of any two probabilities. For a regression, relative to the largest
    value where that is above 1."""
    opset: int
    """The ONNX opset version."""


def to_onnx(model: Sequential) -> Any:
    """Return a network as an ``onnx.ModelProto``, validated by `onnx.checker`.

    The graph takes preprocessed pictures, float32 of shape (N, C, H, W), and returns probabilities
    (N, K), or the values of a regression. Preprocessing and class names are metadata.

    Raises
    ------
    ModelError
        If the model does not say what shape its inputs have.
    OptionError
        If ONNX is not installed.
    """
    need("onnx", "onnx")
    from onnx import TensorProto, checker, helper

    if model.input_shape is None:
        raise ModelError("this model does not say what shape its inputs have; give it input_shape")
    graph = GraphWriter(INPUT)
    shapes = [model.input_shape, *model.shapes(model.input_shape)]
    for name, layer, shape in zip(layer_names(model), model.layers, shapes[:-1], strict=True):
        WRITERS[type(layer).__name__](layer, name, shape, graph)
    shape = _write_task(model, shapes[-1], graph)
    made = helper.make_graph(
        graph.nodes,
        "convtool",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", *model.input_shape])],
        [helper.make_tensor_value_info(graph.last, TensorProto.FLOAT, ["N", *shape])],
        graph.constants,
    )
    proto = helper.make_model(
        made,
        ir_version=IR_VERSIONS[graph.opset],
        opset_imports=[helper.make_opsetid("", graph.opset)],
        producer_name="convtool",
        producer_version=__version__,
    )
    helper.set_model_props(proto, entries(model))
    checker.check_model(proto, full_check=True)
    return proto


def _write_task(model: Sequential, shape: Shape, graph: GraphWriter) -> Shape:
    """Append the operators from logits to probabilities; return the shape of the output."""
    last = model.layers[-1]
    if model.task == "multiclass" and not isinstance(last, Softmax):
        graph.add("Softmax", "task.softmax", axis=1)
    elif model.task == "binary" and not isinstance(last, Softmax):
        if prod(shape) != 1:
            raise ModelError(f"a network for two classes has one output, this one puts out {shape}")
        if len(shape) > 1:
            graph.add("Flatten", "task.flatten", axis=1)
        if not isinstance(last, Sigmoid):
            graph.add("Sigmoid", "task.sigmoid")
        positive = graph.last
        one = graph.constant("task.one", np.array(1, np.float32))
        negative = graph.join("Sub", "task.negative", (one, positive))
        graph.join("Concat", "task.both", (negative, positive), axis=1)
        shape = (2,)
    graph.nodes[-1].output[0] = graph.last = OUTPUTS[model.task]
    return shape


def export(
    model: Sequential, path: Path, *, inputs: int = 1000, progress: Progress = silent
) -> Exported:
    """Write a network as an ONNX file if onnxruntime computes the same probabilities.

    Parameters
    ----------
    model : Sequential
    path : Path
    inputs : int
        Number of random inputs to compare.
    progress : Progress, optional
        Shows how far it is.

    Raises
    ------
    ModelError
        If the probabilities differ by more than `TOLERANCE`; nothing is written.
    ModelFileError
        If the file cannot be written.
    OptionError
        If ONNX or onnxruntime is not installed.
    """
    need("onnx", "onnx", "onnxruntime")
    proto = to_onnx(model)
    content = proto.SerializeToString()
    difference = _difference(model, OnnxNetwork(content, str(path)), inputs, progress(inputs))
    if not difference <= TOLERANCE:
        raise ModelError(
            f"{path}: not written: onnxruntime's probabilities are {difference:.2g} from convtool's"
        )
    write_whole(path, content)
    opset = proto.opset_import[0].version
    return Exported(len(proto.graph.node), len(content), inputs, difference, opset)


def _difference(model: Sequential, network: OnnxNetwork, inputs: int, advance: Advance) -> float:
    shape = model.input_shape or ()
    block = max(1, min(inputs, _BLOCK_NUMBERS // prod(shape)))
    rng = np.random.default_rng(0)
    largest, scale = 0.0, 1.0
    for start in range(0, inputs, block):
        size = (min(block, inputs - start), *shape)
        x = rng.standard_normal(size, np.float32)
        if model.preprocessing is not None:
            gain, offset = model.preprocessing.line
            x = (rng.integers(0, 256, size) * gain + offset).astype(np.float32)
        own = model.predict_proba(x)
        largest = max(largest, float(np.abs(network.predict_proba(x) - own).max()))
        scale = max(scale, float(np.abs(own).max()))
        advance(len(x))
    return largest / scale
