"""The operators of an ONNX file in sequence, and the layers converted from them."""

from dataclasses import dataclass, field
from typing import Any

from convtool.errors import ModelError
from convtool.nn._types import Array, Arrays, Shape, Sides
from convtool.nn.layers import Layer
from convtool.nn.layers.base import output_of


@dataclass
class Row:
    """The remaining operators of a file, and the layers converted so far."""

    nodes: list[Any]
    """The operators that are not converted yet."""
    constants: Arrays
    last: str
    """The name of the last operator's output."""
    shape: Shape
    """Its shape, without the batch."""
    opset: int
    layers: list[Layer] = field(default_factory=list)
    pads: Sides = (0, 0, 0, 0)
    """Zero padding (top, left, bottom, right) that the next operator has to take."""
    channels_last: bool = False
    """Whether the file's layout is channels-last here; `shape` always is channels-first."""
    laid_out: tuple[int, int, int] | None = None
    """The shape of the channels-last picture that the current row was flattened from."""

    def append(self, layer: Layer) -> None:
        """Append a layer and update the shape."""
        self.shape = output_of(layer, self.shape)
        self.layers.append(layer)

    def follower(self, operator: str) -> Any | None:
        """Remove and return the next operator if it is of this kind and takes `last`."""
        if self.nodes and self.nodes[0].op_type == operator and self.last in self.nodes[0].input:
            return self.nodes.pop(0)
        return None

    def constant(self, node: Any, place: int) -> Array | None:
        """Return an operator's constant input at an index, or None."""
        name = node.input[place] if len(node.input) > place else ""
        return self.constants[name] if name else None


def label(node: Any) -> str:
    """Return the name of an operator for error messages."""
    kind = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
    return f"operator {kind} ({node.name or ', '.join(node.output)})"


def attributes(node: Any) -> dict[str, Any]:
    """Return an operator's attributes, bytes decoded to str."""
    from onnx import helper

    values = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    return {
        k: v.decode("utf-8", "replace") if isinstance(v, bytes) else v for k, v in values.items()
    }


def refuse(node: Any, what: str) -> ModelError:
    """Return the error for an unsupported use of an operator."""
    return ModelError(f"{label(node)}: {what} is not covered")
