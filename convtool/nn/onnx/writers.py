"""Each layer as ONNX operators: a table from the kind of layer to what writes it.

Sizes are known when a network is written, so that padding stands in the file as numbers, and the
windows that ``ceil_mode`` lets hang over the edge as padding that a maximum or mean does not count.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from convtool.nn._types import Array, Shape
from convtool.nn.layers import AvgPool2D, BatchNorm, Conv2D, Dense, Dropout, LeakyReLU, MaxPool2D
from convtool.nn.operations.pooling import pooled_size


class GraphWriter:
    """Collects operators that follow one another.

    Attributes
    ----------
    nodes, constants : list
        Of ``NodeProto`` and ``TensorProto``.
    last : str
        The name of what the last operator puts out.
    """

    def __init__(self, first: str) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.last = first

    def constant(self, name: str, values: Array) -> str:
        """Store numbers; return their name."""
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def add(self, operator: str, name: str, *more: str, **attributes: Any) -> str:
        """Append an operator on the last one's output and further inputs; return its output."""
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


def _overhang(layer: MaxPool2D | AvgPool2D, shape: Shape) -> tuple[int, int]:
    """Return how far the last windows reach beyond the padding, below and to the right."""
    result = []
    for n, k, s, p in zip(shape[1:], layer.kernel_size, layer.stride, layer.padding, strict=True):
        count = pooled_size(n, k, s, p, layer.ceil_mode)
        result.append(max((count - 1) * s + k - n - 2 * p, 0))
    return result[0], result[1]


def _max_pool(layer: MaxPool2D, name: str, shape: Shape, graph: GraphWriter) -> None:
    (py, px), (below, right) = layer.padding, _overhang(layer, shape)
    graph.add(
        "MaxPool",
        name,
        kernel_shape=layer.kernel_size,
        strides=layer.stride,
        pads=(py, px, py + below, px + right),
    )


def _avg_pool(layer: AvgPool2D, name: str, shape: Shape, graph: GraphWriter) -> None:
    (py, px), (below, right) = layer.padding, _overhang(layer, shape)
    pads = (py, px, py + below, px + right)
    counted = layer.count_include_pad
    if counted and (below or right):
        # the padding counts and the overhang does not: the padding becomes part of the picture
        around = np.array([0, 0, py, px, 0, 0, py, px], np.int64)
        graph.add("Pad", f"{name}.pad", graph.constant(f"{name}.pads", around))
        pads, counted = (0, 0, below, right), False
    graph.add(
        "AveragePool",
        name,
        kernel_shape=layer.kernel_size,
        strides=layer.stride,
        pads=pads,
        count_include_pad=int(counted),
    )


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
"""What writes each kind of layer, as it is in inference."""
