"""Networks as ONNX files: written, run by onnxruntime, read back; every layer the project has."""

import numpy as np
import onnx
import onnxruntime
import pytest

from convtool import nn
from convtool.errors import ModelError, ModelFileError
from convtool.nn.layers import LAYERS
from convtool.nn.onnx.export import TOLERANCE, export, to_onnx
from convtool.nn.onnx.importing import from_onnx
from convtool.nn.onnx.session import OnnxNetwork, open_network
from convtool.nn.onnx.writers import OPSET, WRITERS

CLASSES = ("a", "b", "c")
PICTURES = 1000
HEIGHT, WIDTH, CHANNELS = 11, 9, 3

CASES = {
    "Conv2D": [
        lambda: nn.Conv2D(3, 4, 3, rng=0),
        lambda: nn.Conv2D(3, 6, (3, 2), (2, 3), (1, 2), rng=1),
        lambda: nn.Conv2D(3, 6, (2, 4), (1, 2), "same", rng=2),
        lambda: nn.Conv2D(3, 6, (2, 3), (1, 2), (0, 1, 2, 3), (2, 1), 3, False, rng=3),
    ],
    "MaxPool2D": [
        lambda: nn.MaxPool2D(2),
        lambda: nn.MaxPool2D((3, 2), (2, 1), (1, 1), True),
        lambda: nn.MaxPool2D(4, 3, 2, True),
        lambda: nn.MaxPool2D(3, 2, "same"),
        lambda: nn.MaxPool2D(3, 1, (2, 0, 0, 1)),
        lambda: nn.MaxPool2D((3, 2), 2, (0, 1, 2, 1), False, (2, 3)),
    ],
    "AvgPool2D": [
        lambda: nn.AvgPool2D(2),
        lambda: nn.AvgPool2D(4, 3, 2, True),
        lambda: nn.AvgPool2D((3, 2), 2, 1, True, False),
        lambda: nn.AvgPool2D(3, 3, 1, False, False),
        lambda: nn.AvgPool2D(2, 2, 0, True),
        lambda: nn.AvgPool2D(2, 2, "same"),
        lambda: nn.AvgPool2D(4, 3, "same", False, False),
        lambda: nn.AvgPool2D(3, 2, (2, 1, 0, 1)),
        lambda: nn.AvgPool2D(3, 2, (2, 0, 1, 0), False, False),
        lambda: nn.AvgPool2D(4, 3, (1, 2, 0, 1), True),
        lambda: nn.AvgPool2D((3, 2), 2, (0, 1, 1, 0), False, False, (2, 3)),
        lambda: nn.AvgPool2D(2, 1, (1, 0), False, True, 3),
    ],
    "GlobalAvgPool2D": [nn.GlobalAvgPool2D],
    "GlobalMaxPool2D": [nn.GlobalMaxPool2D],
    "Flatten": [nn.Flatten],
    "Dense": [lambda: nn.Dense(297, 5, rng=4), lambda: nn.Dense(297, 5, False, rng=5)],
    "BatchNorm": [lambda: nn.BatchNorm(3, 0.2, 1e-3)],
    "Dropout": [lambda: nn.Dropout(0.4)],
    "GaussianDropout": [lambda: nn.GaussianDropout(0.4)],
    "ReLU": [nn.ReLU],
    "LeakyReLU": [lambda: nn.LeakyReLU(0.2)],
    "Sigmoid": [nn.Sigmoid],
    "Tanh": [nn.Tanh],
    "Softmax": [nn.Softmax],
    "Identity": [nn.Identity],
}
NUMBERED = [(kind, number) for kind, made in CASES.items() for number in range(len(made))]


def network(layer, task="multiclass", classes=CLASSES):
    """Return a network around one layer."""
    shape = (CHANNELS, HEIGHT, WIDTH)
    layers = [nn.Flatten(), layer] if isinstance(layer, nn.Dense) else [layer]
    for item in layers:
        shape = item.output_shape(shape)
    if len(shape) == 3:
        layers.append(nn.Flatten())
    outputs = 1 if task == "binary" else len(classes) or 2
    layers.append(nn.Dense(int(np.prod(shape)), outputs, initializer="glorot", rng=9))
    preprocessing = nn.Preprocessing(HEIGHT, WIDTH, CHANNELS, 0.4, 0.3)
    model = nn.Sequential(
        layers,
        (CHANNELS, HEIGHT, WIDTH),
        task=task,
        classes=classes,
        preprocessing=preprocessing,
        threads=1,
    )
    model.record = {"dataset": "none"}
    rng = np.random.default_rng(6)
    for array in (model.parameters() | model.states()).values():
        if array.dtype.kind == "f" and array.ndim == 1:
            array[...] = rng.uniform(0.2, 0.9, array.shape)
    return model


def pictures(model, count=PICTURES):
    images = np.random.default_rng(7).integers(0, 256, (count, HEIGHT, WIDTH, CHANNELS), "uint8")
    return model.preprocessing.tensor(images)


def test_every_layer_has_a_writer_and_a_case():
    assert LAYERS.keys() == WRITERS.keys() == CASES.keys()


@pytest.mark.parametrize(("kind", "number"), NUMBERED)
def test_onnxruntime_gives_the_same_probabilities_and_so_does_what_is_read_back(
    kind, number, tmp_path
):
    model = network(CASES[kind][number]())
    path = tmp_path / "model.onnx"
    done = export(model, path, inputs=10)
    assert done.difference <= TOLERANCE
    x = pictures(model)
    own = model.predict_proba(x)
    theirs = open_network(path).predict_proba(x)
    assert theirs.shape == own.shape == (PICTURES, 3)
    np.testing.assert_allclose(theirs, own, rtol=0, atol=1e-5)
    back = from_onnx(path)
    np.testing.assert_allclose(back.predict_proba(x), own, rtol=0, atol=1e-5)
    assert (back.classes, back.task, back.preprocessing) == (
        model.classes,
        model.task,
        model.preprocessing,
    )
    assert back.record == model.record


@pytest.mark.parametrize(("kind", "number"), NUMBERED)
def test_layers_come_back_as_they_were(kind, number, tmp_path):
    model = network(CASES[kind][number]())
    export(model, tmp_path / "model.onnx", inputs=1)
    back = from_onnx(tmp_path / "model.onnx")
    x = pictures(model, 3)
    for old, new in zip(kept(model), kept(back), strict=True):
        assert type(old) is type(new)
        assert old.count() == new.count()
    shapes = (model.shapes(model.input_shape), back.shapes(back.input_shape))
    assert shapes[0][-1] == shapes[1][-1]
    np.testing.assert_allclose(back.forward(x), model.forward(x), atol=1e-5)


def kept(model):
    """Return the layers that are more than names: noise is an identity elsewhere."""
    return [
        layer
        for layer in model.layers
        if not isinstance(layer, nn.Flatten | nn.Identity | nn.GaussianDropout)
    ]


@pytest.mark.parametrize("last", [None, nn.Sigmoid])
def test_two_classes(last, tmp_path):
    model = network(nn.Tanh(), "binary", ("no", "yes"))
    if last:
        model.layers.append(last())
    path = tmp_path / "model.onnx"
    export(model, path, inputs=10)
    x = pictures(model)
    own = model.predict_proba(x)
    np.testing.assert_allclose(open_network(path).predict_proba(x), own, atol=1e-5)
    back = from_onnx(path)
    assert back.task == "binary"
    np.testing.assert_allclose(back.predict_proba(x), own, atol=1e-5)


def test_a_softmax_of_its_own_and_a_regression(tmp_path):
    for task, last, classes in (
        ("multiclass", nn.Softmax, CLASSES),
        ("regression", nn.Sigmoid, ()),
    ):
        model = network(nn.ReLU(), task, classes)
        model.layers.append(last())
        path = tmp_path / f"{task}.onnx"
        export(model, path, inputs=10)
        x = pictures(model, 50)
        own = model.predict_proba(x)
        np.testing.assert_allclose(open_network(path).predict_proba(x), own, atol=1e-5)
        np.testing.assert_allclose(from_onnx(path).predict_proba(x), own, atol=1e-5)
        assert from_onnx(path).task == task


def test_the_file_names_its_opset_and_passes_the_checker(tmp_path):
    path = tmp_path / "model.onnx"
    export(network(nn.ReLU()), path, inputs=1)
    proto = onnx.load(path)
    onnx.checker.check_model(proto, full_check=True)
    assert [(used.domain, used.version) for used in proto.opset_import] == [("", OPSET)]
    entries = {entry.key: entry.value for entry in proto.metadata_props}
    assert entries["convtool.classes"] == '["a", "b", "c"]'
    assert '"height": 11' in entries["convtool.preprocessing"]
    batch = proto.graph.input[0].type.tensor_type.shape.dim[0]
    assert batch.dim_param == "N"
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map["convtool.task"] == '"multiclass"'


def test_a_model_without_a_shape_is_refused():
    with pytest.raises(ModelError, match="input_shape"):
        to_onnx(nn.Sequential([nn.ReLU()]))


def test_nothing_is_written_where_the_answers_differ(tmp_path, monkeypatch):
    monkeypatch.setattr(OnnxNetwork, "predict_proba", lambda self, x: np.zeros((len(x), 3)))
    with pytest.raises(ModelError, match="not written"):
        export(network(nn.ReLU()), tmp_path / "model.onnx", inputs=10)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr("convtool.extras.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"onnx and onnxruntime; install: pip install 'convtool"):
        export(network(nn.ReLU()), tmp_path / "model.onnx")


def test_a_newer_file_says_so(tmp_path):
    proto = to_onnx(network(nn.ReLU()))
    for entry in proto.metadata_props:
        if entry.key == "convtool.version":
            entry.value = "2"
    path = tmp_path / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(ModelFileError, match="newer convtool"):
        open_network(path)
    with pytest.raises(ModelFileError, match="newer convtool"):
        from_onnx(path)
