"""The ONNX project's own node test cases, for the layers that ONNX has too."""

import warnings

import numpy as np
import pytest

from convtool import nn

onnx = pytest.importorskip("onnx", reason="onnx is not installed: its test cases are not run")

ACTIVATIONS = {"Relu": nn.ReLU, "Sigmoid": nn.Sigmoid, "Tanh": nn.Tanh, "Identity": nn.Identity}

OPERATORS = {
    "Conv",
    "MaxPool",
    "AveragePool",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "BatchNormalization",
    "LeakyRelu",
    *ACTIVATIONS,
}


def _cases():
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the generators of other operators' cases warn
        cases = collect_testcases(None)
    return {case.name: case for case in cases if _layer(case) is not None}


def _sides(node, default="NOTSET"):
    if node.get("auto_pad", default) in (b"SAME_UPPER", "SAME_UPPER"):
        return "same"
    if node.get("auto_pad", default) not in (b"NOTSET", "NOTSET", b"VALID", "VALID"):
        return None
    return tuple(node.get("pads", (0, 0, 0, 0)))


def _layer(case):
    """Return the layer that does what a case asks, or None if it is beyond the project."""
    node = case.model.graph.node[0]
    if node.op_type not in OPERATORS:
        return None
    values = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    inputs = case.data_sets[0][0]
    x = inputs[0]
    if getattr(x, "dtype", None) != np.float32 or len(case.model.graph.node) != 1:
        return None
    if node.op_type in ACTIVATIONS:
        return ACTIVATIONS[node.op_type]()
    if node.op_type == "LeakyRelu":
        return nn.LeakyReLU(values.get("alpha", 0.01))
    if x.ndim != 4 or len(node.output) != 1:
        return None
    if node.op_type == "GlobalAveragePool":
        return nn.GlobalAvgPool2D()
    if node.op_type == "GlobalMaxPool":
        return nn.GlobalMaxPool2D()
    if node.op_type == "BatchNormalization":
        return _norm(values, inputs)
    padding = _sides(values)
    if padding is None:
        return None
    if node.op_type == "Conv":
        return _conv(values, inputs, padding)
    return _pool(node.op_type, values, padding)


def _norm(values, inputs):
    layer = nn.BatchNorm(len(inputs[1]), epsilon=values.get("epsilon", 1e-5))
    for place, name in enumerate(("gamma", "beta"), 1):
        layer.params[name][...] = inputs[place]
    for place, name in enumerate(("mean", "variance"), 3):
        layer.state[name][...] = inputs[place]
    return layer


def _conv(values, inputs, padding):
    groups = values.get("group", 1)
    outputs, channels = inputs[1].shape[:2]
    layer = nn.Conv2D(
        channels * groups,
        outputs,
        inputs[1].shape[2:],
        tuple(values.get("strides", (1, 1))),
        padding,
        tuple(values.get("dilations", (1, 1))),
        groups,
        len(inputs) > 2,
    )
    layer.params["weight"][...] = inputs[1]
    if len(inputs) > 2:
        layer.params["bias"][...] = inputs[2]
    return layer


def _pool(operator, values, padding):
    if padding == "same" or padding[:2] != padding[2:]:
        return None
    if tuple(values.get("dilations", (1, 1))) != (1, 1) or values.get("storage_order", 0):
        return None
    arguments = (
        tuple(values["kernel_shape"]),
        tuple(values.get("strides", (1, 1))),
        padding[:2],
        bool(values.get("ceil_mode", 0)),
    )
    if any(2 * p > k for p, k in zip(padding[:2], values["kernel_shape"], strict=True)):
        return None
    if operator == "MaxPool":
        return nn.MaxPool2D(*arguments)
    return nn.AvgPool2D(*arguments, bool(values.get("count_include_pad", 0)))


CASES = _cases()


def test_there_are_cases():
    assert len(CASES) >= 20


@pytest.mark.parametrize("name", CASES)
def test_case(name):
    case = CASES[name]
    layer = _layer(case)
    for inputs, outputs in case.data_sets:
        x = inputs[0] if inputs[0].ndim > 1 else inputs[0][None]
        y = layer.forward(x)
        np.testing.assert_allclose(
            y.reshape(outputs[0].shape), outputs[0], rtol=case.rtol, atol=1e-5
        )
