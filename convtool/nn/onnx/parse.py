"""Read ONNX files from untrusted sources, and validate them before use.

A file may claim sizes that it does not contain, or refer to other files for its tensors. No other
file is opened, and no more memory is allocated than the file's size justifies.
"""

from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

from convtool.errors import ModelFileError
from convtool.extras import need
from convtool.nn.arguments import MOST_VALUES
from convtool.reading import load

_MOST_NODES = 10_000
_BYTES = {
    "FLOAT": 4,
    "DOUBLE": 8,
    "FLOAT16": 2,
    "BOOL": 1,
    "UINT8": 1,
    "INT8": 1,
    "UINT16": 2,
    "INT16": 2,
    "UINT32": 4,
    "INT32": 4,
    "UINT64": 8,
    "INT64": 8,
}


def read_proto(path: Path) -> Any:
    """Return the ``onnx.ModelProto`` of a file.

    Raises
    ------
    ModelFileError
        If it cannot be read, is damaged, is not ONNX, is newer than the installed ONNX, or stores
        tensors in other files.
    OptionError
        If ONNX is not installed.
    """
    try:
        content = load(path, "model file")
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    return checked_proto(content, str(path))


def checked_proto(content: bytes, place: str) -> Any:
    """Return the ``onnx.ModelProto`` of a file's bytes; see :func:`read_proto`."""
    need("onnx", "onnx")
    import onnx
    from google.protobuf.message import DecodeError

    try:
        proto = onnx.load_model_from_string(content)
    except (DecodeError, ValueError) as error:
        raise ModelFileError(f"{place}: not an ONNX file, or damaged") from error
    if not proto.graph.node or not proto.opset_import:
        raise ModelFileError(f"{place}: not an ONNX file, or damaged: it has no operators")
    newest = onnx.defs.onnx_opset_version()
    for used in proto.opset_import:
        if used.domain in ("", "ai.onnx") and used.version > newest:
            raise ModelFileError(
                f"{place}: written with operators of version {used.version}, the installed ONNX"
                f" reads up to {newest}: update onnx"
            )
    if len(proto.graph.node) > _MOST_NODES:
        raise ModelFileError(f"{place}: {len(proto.graph.node)} operators; {_MOST_NODES} at most")
    for tensor in _tensors(proto):
        _check_tensor(tensor, place)
    try:
        onnx.checker.check_model(proto)
    except (onnx.checker.ValidationError, ValueError, TypeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ModelFileError(f"{place}: damaged, or no valid ONNX: {reason}") from error
    return proto


def check_sizes(proto: Any, place: str) -> None:
    """Refuse a graph in which an operator outputs too many values for one picture.

    Raises
    ------
    ModelFileError
        If an operator does, or the sizes contradict each other.
    """
    import onnx

    try:
        inferred = onnx.shape_inference.infer_shapes(proto, data_prop=True)
    except (onnx.shape_inference.InferenceError, ValueError) as error:
        raise ModelFileError(f"{place}: damaged: its sizes contradict each other") from error
    for value in (*inferred.graph.value_info, *inferred.graph.output, *inferred.graph.input):
        dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim if dim.dim_value > 0]
        if prod(dims) > MOST_VALUES:
            raise ModelFileError(
                f"{place}: {value.name} has {' x '.join(map(str, dims))} values for each picture,"
                " which is too much"
            )


def _tensors(proto: Any) -> Iterator[Any]:
    """Yield every tensor of a file, including those in attributes and inner graphs."""
    yield from _of_graph(proto.graph)
    for function in proto.functions:
        for node in function.node:
            yield from _of_node(node)


def _of_graph(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        yield from _of_node(node)


def _of_node(node: Any) -> Iterator[Any]:
    for attribute in node.attribute:
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
        sparse = [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
        for part in (*sparse, *attribute.sparse_tensors):
            yield from (part.values, part.indices)
        inner = [attribute.g] if attribute.HasField("g") else []
        for graph in (*inner, *attribute.graphs):
            yield from _of_graph(graph)


def _check_tensor(tensor: Any, place: str) -> None:
    import onnx

    name = tensor.name or "a constant"
    if tensor.external_data or tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise ModelFileError(
            f"{place}: {name} is kept in another file, which is not read: save it in one piece"
        )
    if any(n < 0 for n in tensor.dims) or len(tensor.dims) > 16:
        raise ModelFileError(f"{place}: damaged: the shape of {name}")
    types = {onnx.TensorProto.DataType.Value(kind): size for kind, size in _BYTES.items()}
    if tensor.data_type not in types:
        raise ModelFileError(f"{place}: {name}: its numbers are none of {', '.join(_BYTES)}")
    count = prod(tensor.dims)
    if tensor.HasField("raw_data"):
        held, claimed = len(tensor.raw_data), count * types[tensor.data_type]
    else:
        held, claimed = max(map(len, _fields(tensor))), count
    if held != claimed:
        raise ModelFileError(f"{place}: damaged: {name} claims {claimed} and holds {held}")


def _fields(tensor: Any) -> tuple[Any, ...]:
    return (
        tensor.float_data,
        tensor.int32_data,
        tensor.int64_data,
        tensor.double_data,
        tensor.uint64_data,
    )
