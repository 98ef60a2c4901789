"""Convert layers to ONNX operators: the table of writer functions by layer class.

Sizes are known at export, so the file contains padding as numbers, and windows that ``ceil_mode``
lets extend beyond the edge as padding that is excluded from maximum and mean.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from convtool.nn._types import Array, Pair, Shape, Sides
from convtool.nn.layers import AvgPool2D, BatchNorm, Conv2D, Dense, Dropout, LeakyReLU, MaxPool2D

OPSET = 17
"""The opset version of written files (ONNX 1.12, June 2022)."""

DILATED_MEANS = 19
"""The first opset version with dilated average pooling (ONNX 1.14, May 2023)."""


class GraphWriter:
    """Collects the operators of a sequential graph.

    Attributes
    ----------
    nodes, constants : list
        Lists of ``NodeProto`` and ``TensorProto``.
    last : str
        The name of the last operator's output.
    opset : int
        The opset version that they need.
    """

    def __init__(self, first: str) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.last = first
        self.opset = OPSET

    def constant(self, name: str, values: Array) -> str:
        """Add a constant tensor; return its name."""
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def add(self, operator: str, name: str, *more: str, **attributes: Any) -> str:
        """Append an operator on the last output and further inputs; return its output."""
        return self.join(operator, name, (self.last, *more), **attributes)

    def join(self, operator: str, name: str, inputs: tuple[str, ...], **attributes: Any) -> str:
        """Append an operator on named inputs; return its output."""
        from onnx import helper

        output = f"{name}.out"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name, **attributes))
        self.last = output
        return output


Writer = Callable[[Any, str, Shape, GraphWriter], None]


def _conv(layer: Conv2D, name: str, shape: Shape, graph: GraphWriter) -> None:
    params = layer.params
    inputs = [graph.constant(f"{name}.{key}", _float32(params[key])) for key in params]
    graph.add(
        "Conv",
        name,
        *inputs,
        kernel_shape=layer.kernel_size,
        strides=layer.stride,
        pads=layer.sides(shape[1], shape[2]),
        dilations=layer.dilation,
        group=layer.groups,
    )


def _pads(layer: MaxPool2D | AvgPool2D, shape: Shape) -> tuple[Sides, Pair]:
    """Return the padding, and the overhang of the last windows below and to the right."""
    windows = layer.windows(shape[1], shape[2])
    top, left, bottom, right = windows.padding
    height, width = windows.framed
    beyond = height - shape[1] - top - bottom, width - shape[2] - left - right
    return windows.padding, beyond


def _window(layer: MaxPool2D | AvgPool2D) -> dict[str, Any]:
    """Return the attributes of a pool's windows."""
    attributes = {"kernel_shape": layer.kernel_size, "strides": layer.stride}
    return attributes if layer.dilation == (1, 1) else attributes | {"dilations": layer.dilation}


def _max_pool(layer: MaxPool2D, name: str, shape: Shape, graph: GraphWriter) -> None:
    (top, left, bottom, right), (below, beside) = _pads(layer, shape)
    pads = (top, left, bottom + below, right + beside)
    graph.add("MaxPool", name, **_window(layer), pads=pads)


def _avg_pool(layer: AvgPool2D, name: str, shape: Shape, graph: GraphWriter) -> None:
    (top, left, bottom, right), (below, beside) = _pads(layer, shape)
    pads = (top, left, bottom + below, right + beside)
    counted = layer.count_include_pad
    if counted and (below or beside):
        # the mean includes the padding but not the overhang: a Pad operator adds the padding
        around = np.array([0, 0, top, left, 0, 0, bottom, right], np.int64)
        graph.add("Pad", f"{name}.pad", graph.constant(f"{name}.pads", around))
        pads, counted = (0, 0, below, beside), False
    if layer.dilation != (1, 1):
        graph.opset = max(graph.opset, DILATED_MEANS)
    graph.add("AveragePool", name, **_window(layer), pads=pads, count_include_pad=int(counted))


def _global(operator: str) -> Writer:
    def write(layer: Any, name: str, shape: Shape, graph: GraphWriter) -> None:
        graph.add(operator, name)
        graph.add("Flatten", f"{name}.flatten", axis=1)

    return write


def _dense(layer: Dense, name: str, shape: Shape, graph: GraphWriter) -> None:
    params = layer.params
    inputs = [graph.constant(f"{name}.{key}", _float32(params[key])) for key in params]
    graph.add("Gemm", name, *inputs)


def _batch_norm(layer: BatchNorm, name: str, shape: Shape, graph: GraphWriter) -> None:
    arrays = layer.params | layer.state
    inputs = [
        graph.constant(f"{name}.{key}", _float32(arrays[key]))
        for key in ("gamma", "beta", "mean", "variance")
    ]
    momentum = 1 - layer.momentum
    graph.add("BatchNormalization", name, *inputs, epsilon=layer.epsilon, momentum=momentum)


def _dropout(layer: Dropout, name: str, shape: Shape, graph: GraphWriter) -> None:
    rate = graph.constant(f"{name}.rate", np.array(layer.rate, np.float32))
    graph.add("Dropout", name, rate)


def _leaky(layer: LeakyReLU, name: str, shape: Shape, graph: GraphWriter) -> None:
    graph.add("LeakyRelu", name, alpha=float(layer.slope))


def _plain(operator: str, **attributes: Any) -> Writer:
    def write(layer: Any, name: str, shape: Shape, graph: GraphWriter) -> None:
        graph.add(operator, name, **attributes)

    return write


def _float32(values: Array) -> Array:
    return values.astype(np.float32)


WRITERS: dict[str, Writer] = {
    "Conv2D": _conv,
    "MaxPool2D": _max_pool,
    "AvgPool2D": _avg_pool,
    "GlobalAvgPool2D": _global("GlobalAveragePool"),
    "GlobalMaxPool2D": _global("GlobalMaxPool"),
    "Flatten": _plain("Flatten", axis=1),
    "Dense": _dense,
    "BatchNorm": _batch_norm,
    "Dropout": _dropout,
    "GaussianDropout": _plain("Identity"),
    "ReLU": _plain("Relu"),
    "LeakyReLU": _leaky,
    "Sigmoid": _plain("Sigmoid"),
    "Tanh": _plain("Tanh"),
    "Softmax": _plain("Softmax", axis=1),
    "Identity": _plain("Identity"),
}
"""The writer of each layer class, for inference."""
