"""The operators of an ONNX file one after another, on their way to layers."""

from dataclasses import dataclass, field
from math import prod
from typing import Any

from convtool.errors import ModelError
from convtool.nn._types import Array, Arrays, Shape, Sides
from convtool.nn.layers import Layer
from convtool.nn.onnx.parse import MOST_OUTPUTS


@dataclass
class Row:
    """The operators of a file, one after another, and the layers made of them so far.

    Attributes
    ----------
    nodes : list of NodeProto
        Those that are still to be read.
    constants : dict of str to ndarray
    last : str
        The name of what the last operator put out.
    shape : tuple of int
        Its shape, without the batch.
    opset : int
    layers : list of Layer
    pads : (top, left, bottom, right)
        Zeros around the picture that the next operator meets.
    channels_last : bool
        Whether the file has the channels last now; `shape` has them first all the same.
    laid_out : (C, H, W) or None
        The picture whose numbers, channels last, are the row that comes next.
    """

    nodes: list[Any]
    constants: Arrays
    last: str
    shape: Shape
    opset: int
    layers: list[Layer] = field(default_factory=list)
    pads: Sides = (0, 0, 0, 0)
    channels_last: bool = False
    laid_out: tuple[int, int, int] | None = None

    def append(self, layer: Layer) -> None:
        """Add a layer that fits on what is before it."""
        shape = layer.output_shape(self.shape)
        if prod(shape) > MOST_OUTPUTS:
            raise ModelError(
                f"it puts out {' x '.join(map(str, shape))} numbers, which is too much"
            )
        self.layers.append(layer)
        self.shape = shape

    def follower(self, operator: str) -> Any | None:
        """Take the next operator if it is of this kind and follows `last`."""
        if self.nodes and self.nodes[0].op_type == operator and self.last in self.nodes[0].input:
            return self.nodes.pop(0)
        return None

    def constant(self, node: Any, place: int) -> Array | None:
        """Return an operator's constant input, None where it has none there."""
        name = node.input[place] if len(node.input) > place else ""
        return self.constants[name] if name else None


def label(node: Any) -> str:
    """Return how an operator is named in errors."""
    kind = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
    return f"operator {kind} ({node.name or ', '.join(node.output)})"


def attributes(node: Any) -> dict[str, Any]:
    """Return an operator's attributes, words as str."""
    from onnx import helper

    found = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    return {
        k: v.decode("utf-8", "replace") if isinstance(v, bytes) else v for k, v in found.items()
    }


def refuse(node: Any, what: str) -> ModelError:
    """Return the error that says what of an operator is not covered."""
    return ModelError(f"{label(node)}: {what} is not covered")
