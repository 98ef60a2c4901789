"""Convert ONNX operators to layers: the table of reader functions by operator.

A network is a sequence of layers, so each operator takes the previous output, and constants.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from convtool.errors import ModelError, ShapeError
from convtool.nn import layers as nn
from convtool.nn._types import Array, Pair, Sides
from convtool.nn.onnx.row import Row, attributes, label, refuse
from convtool.nn.operations.geometry import Padding, extent, padding_of, pair
from convtool.nn.operations.pooling import Windows
from convtool.records import replace

TO_CHANNELS_FIRST, _TO_LAST = [0, 3, 1, 2], [0, 2, 3, 1]
"""Axis permutations from (N, H, W, C) to (N, C, H, W), and back."""

_NO_PADS: Sides = (0, 0, 0, 0)


def _pair(values: Any) -> Pair:
    first, second = (int(value) for value in values)
    return pair((first, second), "a window's")


def _picture(row: Row, node: Any) -> tuple[int, int, int]:
    if len(row.shape) != 3:
        raise refuse(node, f"an input of shape {row.shape}")
    return row.shape[0], row.shape[1], row.shape[2]


def _window_pads(row: Row, node: Any, own: dict[str, Any], kernel: Pair, stride: Pair) -> Sides:
    """Return the padding in an operator's attributes as (top, left, bottom, right)."""
    sides = _claimed_pads(row, node, own, kernel, stride)
    padding_of(sides)
    return sides


def _claimed_pads(row: Row, node: Any, own: dict[str, Any], kernel: Pair, stride: Pair) -> Sides:
    auto = own.get("auto_pad", "NOTSET")
    if auto == "NOTSET":
        top, left, bottom, right = (int(value) for value in own.get("pads", (0, 0, 0, 0)))
        return top, left, bottom, right
    if auto == "VALID":
        return 0, 0, 0, 0
    _, height, width = _picture(row, node)
    total = [
        max((-(-n // s) - 1) * s + k - n, 0)
        for n, k, s in zip((height, width), kernel, stride, strict=True)
    ]
    less, more = [t // 2 for t in total], [t - t // 2 for t in total]
    before, after = (less, more) if auto == "SAME_UPPER" else (more, less)
    return before[0], before[1], after[0], after[1]


def _conv(row: Row, node: Any) -> None:
    own = attributes(node)
    weight, bias = row.constant(node, 1), row.constant(node, 2)
    if weight is None or weight.ndim != 4:
        raise refuse(node, "a convolution that is not of pictures")
    kernel = _pair(weight.shape[2:])
    stride, dilation = _pair(own.get("strides", (1, 1))), _pair(own.get("dilations", (1, 1)))
    groups = int(own.get("group", 1))
    extent = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    pads = _window_pads(row, node, own, (extent[0], extent[1]), stride)
    top, left, bottom, right = (a + b for a, b in zip(pads, row.pads, strict=True))
    row.pads = (0, 0, 0, 0)
    padding: Padding = (top, left, bottom, right)
    if (top, left) == (bottom, right):
        padding = (top, left)
    channels = weight.shape[1] * groups
    layer = nn.Conv2D(
        channels, len(weight), kernel, stride, padding, dilation, groups, bias is not None, rng=0
    )
    layer.params["weight"][...] = weight
    if bias is not None:
        layer.params["bias"][...] = bias
    row.append(layer)


def _pool(row: Row, node: Any, own: dict[str, Any], around: Sides) -> Windows:
    """Return an operator's windows over the picture with `around` as its padding.

    A last window that extends beyond the edge is equivalent to padding below and to the right that
    is excluded from the result. The form is chosen that a layer can express.
    """
    if own.get("storage_order", 0):
        raise refuse(node, "pooling column by column")
    kernel = _pair(own["kernel_shape"])
    stride, dilation = _pair(own.get("strides", (1, 1))), _pair(own.get("dilations", (1, 1)))
    pads = _window_pads(row, node, own, extent(kernel, dilation), stride)
    _, height, width = _picture(row, node)
    pads = (around[0] + pads[0], around[1] + pads[1], around[2] + pads[2], around[3] + pads[3])
    windows = Windows(
        (height, width), kernel, stride, dilation, pads, bool(own.get("ceil_mode", 0))
    )
    rounded = replace(windows, ceil_mode=False)
    return rounded if _has_windows(rounded) and rounded.counts == windows.counts else windows


def _has_windows(windows: Windows) -> bool:
    try:
        return min(windows.counts) > 0
    except ShapeError:
        return False


def _without_tail(windows: Windows) -> tuple[Padding, bool]:
    """Return padding and ``ceil_mode`` of windows whose padding is excluded from the result.

    Padding on all four sides is the last choice, because PyTorch cannot express it.
    """
    top, left = windows.padding[:2]
    for ceil in (False, True):
        even = replace(windows, padding=(top, left, top, left), ceil_mode=ceil)
        half = extent(windows.kernel, windows.dilation)
        fits = 2 * top <= half[0] and 2 * left <= half[1]
        if fits and _has_windows(even) and even.counts == windows.counts:
            return (top, left), ceil
    return windows.padding, windows.ceil_mode


def _max_pool(row: Row, node: Any) -> None:
    if len(node.output) > 1:
        raise refuse(node, "the places of the maxima")
    windows = _pool(row, node, attributes(node), _NO_PADS)
    padding, ceil = _without_tail(windows)
    row.append(nn.MaxPool2D(windows.kernel, windows.stride, padding, ceil, windows.dilation))


def _avg_pool(row: Row, node: Any) -> None:
    own = attributes(node)
    counted = bool(own.get("count_include_pad", 0))
    around, row.pads = row.pads, _NO_PADS
    if any(around) and not counted:
        # the mean includes the zeros of Pad, but not the operator's own padding below and right
        outer = _pool(row, node, own, around)
        inner = replace(outer, padding=around, ceil_mode=True)
        plain = replace(outer, padding=around, ceil_mode=False)
        matching = [w for w in (plain, inner) if _has_windows(w) and w.counts == outer.counts]
        if outer.padding[:2] != around[:2] or not matching:
            raise refuse(node, f"padding of {outer.padding} after Pad")
        windows, counted = matching[0], True
        padding, ceil = _even(windows.padding), windows.ceil_mode
    else:
        windows = _pool(row, node, own, around)
        padding, ceil = _even(windows.padding), windows.ceil_mode
        if not counted:
            padding, ceil = _without_tail(windows)
            counted = not any(padding if isinstance(padding, tuple) else ())
    row.append(
        nn.AvgPool2D(windows.kernel, windows.stride, padding, ceil, counted, windows.dilation)
    )


def _even(pads: Sides) -> Padding:
    """Return symmetric padding as two numbers, other padding unchanged."""
    return pads[:2] if pads[:2] == pads[2:] else pads


def _pad(row: Row, node: Any) -> None:
    pads, value = row.constant(node, 1), row.constant(node, 2)
    if (
        attributes(node).get("mode", "constant") != "constant"
        or pads is None
        or pads.shape != (8,)
        or row.constant(node, 3) is not None
        or (value is not None and np.any(value))
        or any(pads[index] for index in (0, 1, 4, 5))
        or (pads < 0).any()
    ):
        raise refuse(node, "padding with anything but zeros around a picture")
    top, left, bottom, right = (int(pads[index]) for index in (2, 3, 6, 7))
    row.pads = (top, left, bottom, right)


def _flattening(row: Row, node: Any) -> bool:
    """Return whether an operator only flattens each picture to a row."""
    if node.op_type == "Flatten":
        return int(attributes(node).get("axis", 1)) == 1
    if node.op_type == "Reshape":
        shape = row.constant(node, 1)
        return shape is not None and len(shape) == 2 and int(shape[1]) in (-1, prod(row.shape))
    return node.op_type == "Squeeze" and all(n == 1 for n in row.shape[1:])


def _flatten(row: Row, node: Any) -> None:
    if not _flattening(row, node):
        raise refuse(node, "a Reshape to anything but one row for each picture")
    if row.channels_last:
        row.channels_last, row.laid_out = False, _picture(row, node)
    row.append(nn.Flatten())


def _transpose(row: Row, node: Any) -> None:
    """Record a change between channels-last and channels-first within the network."""
    order = [int(index) for index in attributes(node).get("perm", ())]
    if len(row.shape) != 3 or order != (TO_CHANNELS_FIRST if row.channels_last else _TO_LAST):
        raise refuse(node, f"the order {order}")
    row.channels_last = not row.channels_last


def _global(layer: type[nn.Layer]) -> Callable[[Row, Any], None]:
    def read(row: Row, node: Any) -> None:
        row.append(layer())
        row.last = node.output[0]
        for operator in ("Flatten", "Reshape", "Squeeze"):
            after = row.follower(operator)
            if after is not None and _flattening(row, after):
                node.output[0] = after.output[0]
                return
        raise refuse(node, "global pooling that is not flattened at once")

    return read


def _dense(row: Row, weight: Array, bias: Array | None) -> None:
    if row.laid_out is not None:
        # rows are ordered (height, width, channel), the layer's (channel, height, width)
        channels, height, width = row.laid_out
        weight = weight.reshape(height, width, channels, -1).transpose(2, 0, 1, 3)
        weight, row.laid_out = weight.reshape(channels * height * width, -1), None
    inputs, outputs = weight.shape
    layer = nn.Dense(inputs, outputs, bias is not None, rng=0)
    layer.params["weight"][...] = weight
    if bias is not None:
        layer.params["bias"][...] = bias.reshape(-1) if bias.size > 1 else bias.reshape(())
    row.append(layer)


def _gemm(row: Row, node: Any) -> None:
    own = attributes(node)
    weight, bias = row.constant(node, 1), row.constant(node, 2)
    if weight is None or weight.ndim != 2 or own.get("transA", 0):
        raise refuse(node, "a product of anything but rows and constant weights")
    weight = (weight.T if own.get("transB", 0) else weight) * np.float32(own.get("alpha", 1.0))
    if bias is not None:
        bias = bias * np.float32(own.get("beta", 1.0))
    _dense(row, weight, bias)


def _matmul(row: Row, node: Any) -> None:
    weight = row.constant(node, 1)
    if weight is None or weight.ndim != 2:
        raise refuse(node, "a product of anything but rows and constant weights")
    row.last = node.output[0]
    after = row.follower("Add")
    bias = None
    if after is not None:
        bias = next((row.constants[n] for n in after.input if n in row.constants), None)
        if bias is None or bias.size not in (1, weight.shape[1]):
            raise refuse(after, "an addition that is no bias")
        node.output[0] = after.output[0]
    _dense(row, weight, bias)


def _batch_norm(row: Row, node: Any) -> None:
    own = attributes(node)
    constants = [row.constant(node, index) for index in range(1, 5)]
    arrays = [array for array in constants if array is not None]
    if own.get("training_mode", 0) or len(arrays) < 4:
        raise refuse(node, "batch normalisation in training")
    if np.any(arrays[3] < 0):
        raise ModelError(f"{label(node)}: damaged: a variance below 0")
    momentum = round(1 - float(own.get("momentum", 0.9)), 7)
    layer = nn.BatchNorm(arrays[0].size, momentum, float(f"{own.get('epsilon', 1e-5):.7g}"))
    targets = {**layer.params, **layer.state}
    for name, array in zip(("gamma", "beta", "mean", "variance"), arrays, strict=True):
        targets[name][...] = array
    row.append(layer)


def _dropout(row: Row, node: Any) -> None:
    rate = row.constant(node, 1)
    share = attributes(node).get("ratio", 0.5) if rate is None else float(rate.reshape(-1)[0])
    mode = row.constant(node, 2)
    if mode is not None and np.any(mode):
        raise refuse(node, "dropout in training")
    row.append(nn.Dropout(round(float(share), 6)))


def _softmax(row: Row, node: Any) -> None:
    axis = int(attributes(node).get("axis", 1 if row.opset < 13 else -1))
    if axis % (len(row.shape) + 1) != 1 or (row.opset < 13 and len(row.shape) > 1):
        raise refuse(node, f"a softmax along axis {axis}")
    row.append(nn.Softmax())


def _leaky(row: Row, node: Any) -> None:
    row.append(nn.LeakyReLU(round(float(attributes(node).get("alpha", 0.01)), 7)))


def _plain(layer: type[nn.Layer]) -> Callable[[Row, Any], None]:
    return lambda row, node: row.append(layer())


READERS: dict[str, Callable[[Row, Any], None]] = {
    "AveragePool": _avg_pool,
    "BatchNormalization": _batch_norm,
    "Conv": _conv,
    "Dropout": _dropout,
    "Flatten": _flatten,
    "Gemm": _gemm,
    "GlobalAveragePool": _global(nn.GlobalAvgPool2D),
    "GlobalMaxPool": _global(nn.GlobalMaxPool2D),
    "Identity": _plain(nn.Identity),
    "LeakyRelu": _leaky,
    "MatMul": _matmul,
    "MaxPool": _max_pool,
    "Pad": _pad,
    "Relu": _plain(nn.ReLU),
    "Reshape": _flatten,
    "Sigmoid": _plain(nn.Sigmoid),
    "Softmax": _softmax,
    "Squeeze": _flatten,
    "Tanh": _plain(nn.Tanh),
    "Transpose": _transpose,
}
"""The reader of each operator; constants and the bias after a MatMul belong to another operator."""

READ_ALONG = ("Constant", "Add", "Sub", "Concat", "LogSoftmax")
"""Operators that are supported as part of others: constants, biases, final activations."""

_ANY_LAYOUT = ("Dropout", "Identity", "LeakyRelu", "Relu", "Sigmoid", "Tanh")
"""Element-wise operators."""
_ENDS_LAYOUT = {True: ("Flatten", "Reshape", "Transpose"), False: ("Gemm", "MatMul")}
"""Operators that accept channels-last pictures, and rows flattened from them."""


def read_next(row: Row) -> None:
    """Convert the next operator of a row to a layer.

    Raises
    ------
    ModelError
        If it is not supported, or its input is not the previous output.
    """
    node = row.nodes.pop(0)
    own = [name for name in node.input if name and name not in row.constants]
    if own != [row.last]:
        raise ModelError(f"{label(node)} does not follow what is before it: only layers in a row")
    if any(row.pads) and node.op_type not in ("Conv", "AveragePool"):
        raise ModelError(f"{label(node)} after Pad is not covered")
    other_layout = row.channels_last or row.laid_out is not None
    if other_layout and node.op_type not in (*_ANY_LAYOUT, *_ENDS_LAYOUT[row.channels_last]):
        raise refuse(node, "it on channels that come last")
    if node.op_type not in READERS:
        raise refuse(node, "it where it stands")
    READERS[node.op_type](row, node)
    row.last = node.output[0]
