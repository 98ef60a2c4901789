"""ONNX files of other programs, and files that mean no good."""

import contextlib

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from convtool import nn
from convtool.errors import ConvtoolError, ModelFileError
from convtool.nn.onnx.export import to_onnx
from convtool.nn.onnx.importing import from_onnx
from convtool.nn.onnx.parse import read_proto
from convtool.nn.onnx.readers import READ_ALONG, READERS
from convtool.nn.onnx.session import open_network

RNG = np.random.default_rng(3)


def numbers(*shape):
    return RNG.standard_normal(shape).astype("float32")


def proto(nodes, shape=(2, 9, 8), opset=17, **constants):
    """Return a model: ``nodes`` are (operator, more inputs, attributes), one after another."""
    last, made = "x", []
    for number, (operator, inputs, attributes) in enumerate(nodes):
        output = f"t{number}"
        made.append(
            helper.make_node(operator, [last, *inputs], [output], f"n{number}", **attributes)
        )
        last = output
    tensors = [numpy_helper.from_array(np.asarray(a), name) for name, a in constants.items()]
    return finished(made, last, tensors, shape, opset)


def finished(nodes, last, tensors, shape=(2, 9, 8), opset=17):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *shape])
    y = helper.make_tensor_value_info(last, TensorProto.FLOAT, ["N", "K"])
    graph = helper.make_graph(nodes, "g", [x], [y], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def write(tmp_path, made):
    path = tmp_path / "model.onnx"
    path.write_bytes(made if isinstance(made, bytes) else made.SerializeToString())
    return path


def agree(path, shape=(2, 9, 8)):
    """Return the imported model after comparing it with onnxruntime."""
    model = from_onnx(path)
    x = numbers(5, *shape)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    theirs = session.run(None, {"x": x})[0]
    own = model.outputs(x) if model.task == "regression" else model.predict_proba(x)
    np.testing.assert_allclose(own.reshape(theirs.shape), theirs, atol=1e-5)
    return model


FLAT = ("Flatten", [], {})
LAST = ("Softmax", [], {})
AROUND = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
DENSE = {"w": numbers(144, 3), "b": numbers(3)}


@pytest.mark.parametrize(
    "nodes",
    [
        [FLAT, ("Gemm", ["w", "b"], {}), ("Softmax", [], {})],
        [("Reshape", ["rows"], {}), ("MatMul", ["w"], {}), ("Add", ["b"], {}), LAST],
        [FLAT, ("MatMul", ["w"], {}), ("Softmax", [], {"axis": -1})],
        [
            FLAT,
            ("Gemm", ["wt", "b"], {"transB": 1, "alpha": 0.5, "beta": 2.0}),
            ("Softmax", [], {}),
        ],
        [FLAT, ("Gemm", ["w", "one"], {}), ("Relu", [], {}), ("Softmax", [], {})],
    ],
)
def test_ways_to_write_a_dense_layer(nodes, tmp_path):
    constants = DENSE | {
        "wt": DENSE["w"].T.copy(),
        "one": np.float32([0.5]),
        "rows": np.array([-1, 144]),
    }
    used = {name for _, inputs, _ in nodes for name in inputs}
    made = proto(nodes, **{name: constants[name] for name in used})
    model = agree(write(tmp_path, made))
    assert model.task == "multiclass"
    assert model.classes == ("0", "1", "2")
    assert isinstance(model.layers[-1], nn.Dense | nn.ReLU)


@pytest.mark.parametrize(
    "nodes",
    [
        [("Conv", ["k"], {"auto_pad": "SAME_UPPER", "strides": [2, 3]})],
        [("Conv", ["k", "c"], {"auto_pad": "SAME_LOWER"})],
        [("Conv", ["k", "c"], {"auto_pad": "VALID", "dilations": [2, 1]})],
        [("Pad", ["around"], {}), ("Conv", ["k"], {"pads": [1, 0, 0, 1]})],
        [("MaxPool", [], {"kernel_shape": [2, 3], "strides": [2, 2], "ceil_mode": 1})],
        [("MaxPool", [], {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"})],
        [("AveragePool", [], {"kernel_shape": [2, 2], "strides": [2, 2]})],
        [
            (
                "AveragePool",
                [],
                {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1},
            )
        ],
        [("AveragePool", [], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})],
        *(
            [(kind, [], {"kernel_shape": [3, 4], "pads": pads, "strides": strides} | more)]
            for pads in ([1, 0, 0, 2], [0, 3, 2, 1], [2, 1, 1, 2])
            for strides in ([1, 1], [2, 3])
            for kind, more in (
                ("MaxPool", {}),
                ("MaxPool", {"ceil_mode": 1}),
                ("MaxPool", {"dilations": [2, 1]}),
                ("AveragePool", {}),
                ("AveragePool", {"count_include_pad": 1}),
            )
        ),
        [("AveragePool", [], {"kernel_shape": [3, 2], "auto_pad": "SAME_LOWER"})],
        [("Pad", ["around"], {}), ("AveragePool", [], {"kernel_shape": [2, 3]})],
        [
            ("Pad", ["around"], {}),
            ("AveragePool", [], {"kernel_shape": [4, 4], "pads": [1] * 4, "count_include_pad": 1}),
        ],
        [("Identity", [], {}), ("LeakyRelu", [], {"alpha": 0.3}), ("Tanh", [], {})],
        [("BatchNormalization", ["s", "s", "c2", "s"], {"epsilon": 0.01})],
        [("Dropout", [], {}), ("Sigmoid", [], {})],
        [("GlobalAveragePool", [], {}), ("Squeeze", ["axes"], {})],
        [("GlobalMaxPool", [], {}), ("Reshape", ["rows"], {})],
    ],
)
def test_operators_of_pictures(nodes, tmp_path):
    constants = {
        "k": numbers(4, 2, 3, 2),
        "c": numbers(4),
        "c2": numbers(2),
        "s": np.float32([0.5, 1.5]),
        "around": np.array([0, 0, 1, 2, 0, 0, 0, 1]),
        "axes": np.array([2, 3]),
        "rows": np.array([0, -1]),
    }
    used = {name for _, inputs, _ in nodes for name in inputs}
    nodes = nodes if nodes[-1][0] in ("Squeeze", "Reshape") else [*nodes, FLAT]
    made = proto([*nodes, ("Softmax", [], {})], **{name: constants[name] for name in used})
    agree(write(tmp_path, made))


def keras(*middle, shape=(9, 8, 2)):
    """Return a file whose pictures have the channels last, as Keras' have."""
    first = ("Transpose", [], {"perm": [0, 3, 1, 2]})
    last = [("Reshape", ["rows"], {}), ("MatMul", ["w"], {}), ("Add", ["b"], {}), LAST]
    arrays = {"k": numbers(4, shape[2], 3, 3), "rows": np.array([-1, 168]), "b": numbers(3)}
    return proto([first, *middle, *last], shape, w=numbers(168, 3), **arrays)


@pytest.mark.parametrize("back", [True, False])
def test_channels_that_come_last_come_first(back, tmp_path):
    conv = ("Conv", ["k"], {})
    turn = [("Transpose", [], {"perm": [0, 2, 3, 1]}), ("Relu", [], {})] if back else []
    made = write(tmp_path, keras(conv, *turn))
    model = from_onnx(made)
    assert model.input_shape == (2, 9, 8)
    x = numbers(5, 9, 8, 2)
    session = onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"])
    theirs = session.run(None, {"x": x})[0]
    found = model.predict_proba(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
    np.testing.assert_allclose(found, theirs, atol=1e-5)


def test_one_channel_last_may_come_first_by_a_new_shape(tmp_path):
    nodes = [
        ("Reshape", ["first"], {}),
        ("Conv", ["k"], {}),
        ("Transpose", [], {"perm": [0, 2, 3, 1]}),
        ("Transpose", [], {"perm": [0, 3, 1, 2]}),
        FLAT,
        ("Gemm", ["w"], {}),
        LAST,
    ]
    arrays = {"first": np.array([-1, 1, 6, 5]), "k": numbers(4, 1, 3, 3), "w": numbers(48, 3)}
    made = write(tmp_path, proto(nodes, (6, 5, 1), **arrays))
    model = from_onnx(made)
    assert model.input_shape == (1, 6, 5)
    x = numbers(5, 6, 5, 1)
    session = onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"])
    theirs = session.run(None, {"x": x})[0]
    np.testing.assert_allclose(model.predict_proba(x.reshape(5, 1, 6, 5)), theirs, atol=1e-5)


def test_a_last_log_softmax_is_a_softmax(tmp_path):
    made = write(tmp_path, proto([FLAT, ("Gemm", ["w", "b"], {}), ("LogSoftmax", [], {})], **DENSE))
    model = from_onnx(made)
    assert model.task == "multiclass"
    x = numbers(5, 2, 9, 8)
    session = onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"])
    theirs = np.exp(session.run(None, {"x": x})[0])
    np.testing.assert_allclose(model.predict_proba(x), theirs, atol=1e-5)


def test_constants_as_operators_and_one_output(tmp_path):
    weight = numpy_helper.from_array(numbers(144, 1), "value")
    nodes = [
        helper.make_node("Constant", [], ["w"], "c", value=weight),
        helper.make_node("Flatten", ["x"], ["f"]),
        helper.make_node("MatMul", ["f", "w"], ["y"]),
    ]
    assert agree(write(tmp_path, finished(nodes, "y", []))).task == "regression"
    nodes.append(helper.make_node("Sigmoid", ["y"], ["p"]))
    model = from_onnx(write(tmp_path, finished(nodes, "p", [])), classes=("no", "yes"))
    assert (model.task, model.classes) == ("binary", ("no", "yes"))


def test_pictures_of_other_files_are_scaled_as_told(tmp_path):
    made = proto([FLAT, ("Gemm", ["w"], {}), ("Softmax", [], {})], (3, 4, 5), w=numbers(60, 2))
    model = from_onnx(write(tmp_path, made), classes=("a", "b"), mean=0.5, std=0.25)
    assert model.preprocessing == nn.Preprocessing(4, 5, 3, 0.5, 0.25)
    assert model.classes == ("a", "b")


class TestWhatIsNotCovered:
    @pytest.mark.parametrize(
        ("nodes", "says"),
        [
            ([("Gelu", [], {})], r"operator Gelu \(n0\)"),
            ([("Softplus", [], {}), ("Erf", [], {})], r"Erf \(n1\), operator Softplus \(n0\)"),
            ([("GlobalAveragePool", [], {}), ("Relu", [], {})], "not flattened at once"),
            ([("Pad", ["around"], {}), ("MaxPool", [], {"kernel_shape": [2, 2]})], "after Pad"),
            ([("Pad", ["around"], {})], "Pad at the end"),
            ([("Pad", ["around"], {"mode": "reflect"})], "anything but zeros"),
            ([("Flatten", [], {"axis": 2})], "a Reshape to anything but one row"),
            ([("Softmax", [], {"axis": 3}), ("Relu", [], {})], "softmax along axis 3"),
            ([("Add", ["c"], {})], "Add"),
            (
                [("MaxPool", [], {"kernel_shape": [2, 2], "storage_order": 1})],
                "pooling column by column",
            ),
            ([("Transpose", [], {"perm": [0, 3, 2, 1]})], r"the order \[0, 3, 2, 1\]"),
            ([("Transpose", [], {"perm": [0, 2, 3, 1]})], "channels come last"),
            (
                [
                    ("Transpose", [], {"perm": [0, 2, 3, 1]}),
                    ("BatchNormalization", ["c", "c", "c", "c"], {}),
                ],
                "it on channels that come last",
            ),
            ([("Transpose", [], {"perm": [0, 2, 3, 1]}), FLAT], "channels come last"),
            ([("LogSoftmax", [], {}), ("Relu", [], {})], "LogSoftmax"),
        ],
    )
    def test_is_named(self, nodes, says, tmp_path):
        constants = {"around": np.array([0, 0, 1, 1, 0, 0, 1, 1]), "c": np.float32([1])}
        used = {name for _, inputs, _ in nodes for name in inputs}
        opset = 20 if nodes[0][0] == "Gelu" else 17
        made = proto(nodes, opset=opset, **{name: constants[name] for name in used})
        with pytest.raises(ModelFileError, match=says):
            from_onnx(write(tmp_path, made))

    def test_branches(self, tmp_path):
        nodes = [
            helper.make_node("Relu", ["x"], ["a"], "left"),
            helper.make_node("Tanh", ["x"], ["b"], "right"),
        ]
        with pytest.raises(ModelFileError, match=r"operator Tanh \(right\) does not follow"):
            from_onnx(write(tmp_path, finished(nodes, "b", [])))

    def test_operators_of_others(self, tmp_path):
        nodes = [helper.make_node("Relu", ["x"], ["a"], "r", domain="com.example")]
        made = finished(nodes, "a", [])
        made.opset_import.append(helper.make_opsetid("com.example", 1))
        with pytest.raises(ModelFileError, match=r"operator com.example.Relu \(r\)"):
            from_onnx(write(tmp_path, made))

    def test_sizes_left_open(self, tmp_path):
        made = proto([("Relu", [], {})], ("C", "H", "W"))
        with pytest.raises(ModelFileError, match="no fixed shape"):
            from_onnx(write(tmp_path, made))


def model():
    layers = [nn.Conv2D(1, 2, 3, rng=0), nn.ReLU(), nn.Flatten(), nn.Dense(72, 2, rng=1)]
    preprocessing = nn.Preprocessing(8, 8, 1)
    return nn.Sequential(layers, (1, 8, 8), classes=("a", "b"), preprocessing=preprocessing)


class TestFilesThatMeanNoGood:
    @pytest.mark.parametrize("opening", [from_onnx, open_network])
    def test_numbers_in_other_files_are_not_read(self, opening, tmp_path):
        (tmp_path / "secret.bin").write_bytes(bytes(1000))
        made = to_onnx(model())
        tensor = made.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", "secret.bin"), ("offset", "0"), ("length", "72")):
            tensor.external_data.add(key=key, value=value)
        with pytest.raises(ModelFileError, match="kept in another file, which is not read"):
            opening(write(tmp_path, made))

    def test_nor_in_constants_within_operators(self, tmp_path):
        weight = numpy_helper.from_array(numbers(3), "value")
        weight.external_data.add(key="location", value="/etc/passwd")
        inner = helper.make_node("Constant", [], ["w"], "c", value=weight)
        nodes = [inner, helper.make_node("Add", ["x", "w"], ["y"])]
        with pytest.raises(ModelFileError, match="another file"):
            read_proto(write(tmp_path, finished(nodes, "y", [])))
        branch = helper.make_graph([inner], "b", [], [])
        nodes = [helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)]
        with pytest.raises(ModelFileError, match="another file"):
            read_proto(write(tmp_path, finished(nodes, "y", [])))

    @pytest.mark.parametrize(
        "dims", [[2**40, 2**40], [2**62], [3, 3, 1, 2**31], [-1, 18], [1] * 20, [19], []]
    )
    def test_sizes_that_are_not_there(self, dims, tmp_path):
        made = to_onnx(model())
        del made.graph.initializer[0].dims[:]
        made.graph.initializer[0].dims.extend(dims)
        with pytest.raises(ModelFileError, match="damaged"):
            from_onnx(write(tmp_path, made))

    def test_outputs_without_bound(self, tmp_path):
        pads = [2**15, 2**15, 2**15, 2**15]
        made = proto([("Conv", ["k"], {"pads": pads})], k=numbers(1, 2, 3, 3))
        with pytest.raises(ModelFileError, match="too much"):
            from_onnx(write(tmp_path, made))

    @pytest.mark.parametrize(
        ("operator", "own"),
        [
            ("Conv", {"pads": [2**20] * 4}),
            ("Conv", {"dilations": [10**9, 10**9]}),
            ("Conv", {"strides": [0, 1]}),
            ("Conv", {"group": -1}),
            ("MaxPool", {"kernel_shape": [10**12, 10**12], "auto_pad": "SAME_UPPER"}),
            ("MaxPool", {"kernel_shape": [2, 2], "pads": [10**15] * 4}),
            ("MaxPool", {"kernel_shape": [2, 2], "dilations": [10**9, 1], "ceil_mode": 1}),
            ("AveragePool", {"kernel_shape": [-2, -2]}),
        ],
    )
    def test_windows_without_bound(self, operator, own, tmp_path):
        constants = ["k"] if operator == "Conv" else []
        made = proto([(operator, constants, own)], k=numbers(1, 2, 3, 3))
        with pytest.raises(ModelFileError, match=r"from [01] to 65536|at least 1"):
            from_onnx(write(tmp_path, made))

    def test_a_factor_that_is_no_number(self, tmp_path):
        made = proto(
            [("Flatten", [], {}), ("Gemm", ["w"], {"alpha": float("nan")})], w=numbers(144, 3)
        )
        with pytest.raises(ModelFileError, match="weight has values that are not finite"):
            from_onnx(write(tmp_path, made))

    def test_nor_when_judging(self, tmp_path):
        made = to_onnx(model())
        shape = numpy_helper.from_array(np.array([2**30, 1, 2]), "shape")
        grow = helper.make_node("Expand", ["probabilities", "shape"], ["huge"], "grow")
        made.graph.initializer.append(shape)
        made.graph.node.append(grow)
        made.graph.output[0].CopyFrom(
            helper.make_tensor_value_info("huge", TensorProto.FLOAT, ["A", "B", "C"])
        )
        with pytest.raises(ModelFileError, match="huge has 1073741824 x"):
            open_network(write(tmp_path, made))

    def test_sizes_that_contradict_each_other(self, tmp_path):
        made = to_onnx(model())
        made.graph.node[0].attribute[1].ints[:] = [0, 0]
        for opening in (from_onnx, open_network):
            with pytest.raises(ModelFileError):
                opening(write(tmp_path, made))

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_weights_that_are_no_numbers(self, value, tmp_path):
        weights = numbers(144, 2)
        weights[3, 1] = value
        made = proto([FLAT, ("Gemm", ["w"], {})], w=weights)
        with pytest.raises(ModelFileError, match="not finite"):
            from_onnx(write(tmp_path, made))

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("preprocessing", '{"height": 9, "width": 8, "channels": 1, "mean": 0, "std": 1}'),
            ("preprocessing", '{"height": 8}'),
            ("preprocessing", '{"height": 1e9, "width": 8, "channels": 1, "mean": 0, "std": 1}'),
            ("preprocessing", '{"height": 8, "width": 8, "channels": 1, "mean": 0, "std": 0}'),
            ("classes", '["a", "b", "c"]'),
            ("classes", "7"),
            ("task", '"guess"'),
            ("record", "["),
            ("version", "null"),
        ],
    )
    def test_metadata_that_does_not_fit(self, key, value, tmp_path):
        made = to_onnx(model())
        for entry in made.metadata_props:
            if entry.key == f"convtool.{key}":
                entry.value = value
        path = write(tmp_path, made)
        with pytest.raises(ModelFileError):
            from_onnx(path)
        with pytest.raises(ModelFileError):
            open_network(path).predict_proba(np.zeros((1, 1, 8, 8), "float32"))

    def test_what_is_no_onnx_at_all(self, tmp_path):
        for content in (b"", b"\x00", b"not an ONNX file", bytes(100), b"\x08\x08"):
            for opening in (from_onnx, open_network):
                with pytest.raises(ModelFileError, match="not an ONNX file, or damaged"):
                    opening(write(tmp_path, content))
        with pytest.raises(ModelFileError, match="cannot be read: No such file"):
            from_onnx(tmp_path / "none.onnx")

    def test_newer_operators(self, tmp_path):
        made = to_onnx(model())
        made.opset_import[0].version = 999
        with pytest.raises(ModelFileError, match="version 999, the installed ONNX reads up to"):
            from_onnx(write(tmp_path, made))

    def test_a_foreign_file_is_not_judged_with(self, tmp_path):
        made = proto([FLAT, ("Softmax", [], {})])
        with pytest.raises(ModelFileError, match="without convtool's preprocessing"):
            open_network(write(tmp_path, made))

    @settings(max_examples=150)
    @given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), cut=st.booleans())
    def test_damage_anywhere_is_found_or_harmless(self, place, byte, cut, tmp_path_factory):
        content = bytearray(to_onnx(model()).SerializeToString())
        where = int(place * len(content))
        content[where] = byte
        content = content[:where] if cut else content
        path = write(tmp_path_factory.mktemp("damaged"), bytes(content))
        with contextlib.suppress(ConvtoolError):
            made = from_onnx(path)
            assert np.isfinite(made.forward(np.zeros((1, *made.input_shape), "float32"))).all()


def test_every_reader_is_a_real_operator():
    known = {schema.name for schema in onnx.defs.get_all_schemas()}
    assert READERS.keys() | set(READ_ALONG) <= known
