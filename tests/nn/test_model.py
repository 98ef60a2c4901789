"""The network, its file, and how its pictures are prepared."""

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_files import joined, parts

from convtool import nn
from convtool.errors import DatasetError, ModelError, ModelFileError, OptionError, ShapeError
from convtool.nn.modelfile import describe
from convtool.nn.preprocessing import resize_weights


def _model(**options):
    layers = [
        nn.Conv2D(1, 4, 3, padding="same", rng=0),
        nn.BatchNorm(4),
        nn.ReLU(),
        nn.MaxPool2D(2),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Dense(64, 3, rng=1),
    ]
    preprocessing = nn.Preprocessing(8, 8, 1, 0.4, 0.3)
    return nn.Sequential(
        layers, (1, 8, 8), classes=("a", "b", "c"), preprocessing=preprocessing, **options
    )


def _trained(steps=3):
    model = _model()
    rng, optimizer = np.random.default_rng(0), nn.optimizers.Adam(0.01)
    for _ in range(steps):
        x = rng.standard_normal((16, 1, 8, 8)).astype("float32")
        model.train_step(x, rng.integers(0, 3, 16), nn.losses.CrossEntropy(), optimizer)
    return model


@pytest.mark.parametrize(
    ("layers", "says"),
    [
        ([], "at least one layer"),
        ([nn.Conv2D(1, 2, 3), nn.Conv2D(3, 2, 3)], r"layer 2 \(Conv2D\) on input \(2, 6, 6\)"),
        ([nn.Conv2D(1, 2, 9)], "larger than the input of 8"),
        ([nn.Conv2D(1, 2, 3), nn.Dense(72, 3)], "put flatten"),
        ([nn.Flatten(), nn.MaxPool2D(2)], r"layer 2 \(MaxPool2D\) on input \(64,\)"),
    ],
)
def test_layers_that_do_not_fit_are_named(layers, says):
    with pytest.raises(ModelError, match=says):
        nn.Sequential(layers, (1, 8, 8))


def test_unknown_words_are_refused():
    with pytest.raises(OptionError, match="task 'guess' is not known"):
        _model(task="guess")
    with pytest.raises(OptionError, match="engine 'gpu' is not known"):
        _model(engine="gpu")


def test_gradient_of_a_whole_network():
    layers = [
        nn.Conv2D(2, 3, 3, rng=0, dtype="float64"),
        nn.Tanh(),
        nn.AvgPool2D(2),
        nn.Flatten(),
        nn.Dense(12, 2, rng=1, dtype="float64"),
    ]
    model = nn.Sequential(layers, (2, 6, 6))
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((3, 2, 6, 6)), np.array([0, 1, 1])
    loss = nn.losses.CrossEntropy()
    model.backward(loss.evaluate(model.forward(x, training=True), y)[1])
    grads = {name: array.copy() for name, array in model.gradients().items()}
    for name, array in model.parameters().items():
        index = tuple(n // 2 for n in array.shape)
        value = array[index]
        array[index] = value + 1e-6
        up = loss(model.forward(x), y)
        array[index] = value - 1e-6
        down = loss(model.forward(x), y)
        array[index] = value
        assert grads[name][index] == pytest.approx((up - down) / 2e-6, abs=1e-8), name


def test_l2_is_of_weights_only_and_in_the_loss():
    model = _model(engine="numpy")
    assert model.decayed() == {"0.weight", "6.weight"}
    x, y = np.zeros((4, 1, 8, 8), "float32"), np.array([0, 1, 2, 0])
    squares = sum(float((model.parameters()[n] ** 2).sum()) for n in model.decayed())
    twin = _model(engine="numpy")
    plain = twin.train_step(x, y, nn.losses.CrossEntropy(), nn.optimizers.SGD())
    with_l2 = model.train_step(x, y, nn.losses.CrossEntropy(), nn.optimizers.SGD(), l2=0.1)
    assert with_l2 - plain == pytest.approx(0.05 * squares, rel=1e-5)


def test_a_file_gives_back_the_same_model(tmp_path):
    model = _trained()
    model.layers[0].frozen = {"weight"}
    model.record = {"note": "ünïcode", "history": [1.5]}
    nn.save(model, tmp_path / "m.safetensors")
    twin = nn.load(tmp_path / "m.safetensors")
    x = np.random.default_rng(1).standard_normal((5, 1, 8, 8)).astype("float32")
    np.testing.assert_array_equal(twin.forward(x), model.forward(x))
    assert twin.record == model.record
    assert twin.classes == model.classes
    assert twin.preprocessing == model.preprocessing
    assert twin.layers[0].frozen == {"weight"}
    assert [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]


def _damaged(content, how):
    header, about, data = parts(content)
    if how == "cut":
        return content[:-7]
    if how == "longer":
        return content + b"xx"
    if how == "text":
        return b"hello, this is no model at all"
    if how == "empty":
        return b""
    if how == "huge header":
        return struct.pack("<Q", 2**60) + content[8:]
    if how == "nan":
        data = b"\xff" * len(data)
    if how == "newer":
        about["version"] = 99
    if how == "no such format":
        about["version"] = 0
    if how == "foreign":
        header["__metadata__"]["format"] = "pt"
    if how == "kind":
        about["layers"][0]["kind"] = "Backdoor"
    if how == "huge layer":
        about["layers"][6]["arguments"]["out_features"] = 10**9
    if how == "shape":
        about["layers"][6]["arguments"]["in_features"] = 32
    if how == "missing":
        del header["0.bias"]
    if how == "offsets":
        header["0.bias"]["data_offsets"] = [0, 10**15]
    return joined(header, about, data)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("cut", "damaged"),
        ("longer", "damaged"),
        ("text", "not a model file"),
        ("empty", "not a model file"),
        ("huge header", "not a model file"),
        ("nan", "not finite"),
        ("newer", "newer convtool"),
        ("no such format", "there is no format 0"),
        ("foreign", "not a model of convtool"),
        ("kind", "damaged"),
        ("huge layer", "damaged"),
        ("shape", "damaged"),
        ("missing", "damaged|not a model"),
        ("offsets", "damaged|not a model"),
    ],
)
def test_damaged_files_get_one_clear_line(tmp_path, how, says):
    path = tmp_path / "m.safetensors"
    nn.save(_model(), path)
    path.write_bytes(_damaged(path.read_bytes(), how))
    with pytest.raises(ModelFileError, match=says) as caught:
        nn.load(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@settings(deadline=None, max_examples=150)
@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_a_changed_byte_anywhere_is_noticed(tmp_path_factory, place, change):
    """Blanks between the words of the header alone may be others."""
    path = tmp_path_factory.getbasetemp() / "flipped.safetensors"
    model = _model()
    nn.save(model, path)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= change
    path.write_bytes(bytes(content))
    with contextlib.suppress(ModelFileError):
        same = nn.load(path)
        assert describe(same) == describe(model)
        for name, array in (model.parameters() | model.states()).items():
            np.testing.assert_array_equal((same.parameters() | same.states())[name], array)


def test_a_changed_weight_is_noticed(tmp_path):
    path = tmp_path / "m.safetensors"
    nn.save(_model(), path)
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ModelFileError, match="its checksum is another"):
        nn.load(path)


def test_a_file_without_a_checksum_is_refused(tmp_path):
    path = tmp_path / "m.safetensors"
    nn.save(_model(), path)
    content = path.read_bytes()
    path.write_bytes(joined(*parts(content)))
    assert describe(nn.load(path)) == describe(_model())
    path.write_bytes(joined(*parts(content), sealed=False))
    with pytest.raises(ModelFileError, match="damaged: its checksum is missing"):
        nn.load(path)


def test_files_that_cannot_be(tmp_path):
    with pytest.raises(ModelFileError, match="No such file"):
        nn.load(tmp_path / "none.safetensors")
    with pytest.raises(ModelFileError, match="cannot be written"):
        nn.save(_model(), tmp_path / "none" / "m.safetensors")


def test_predict_images_goes_through_the_models_own_preprocessing():
    model = _trained()
    rng = np.random.default_rng(4)
    small = rng.integers(0, 256, (6, 8, 8)).astype("uint8")
    large = small.repeat(3, axis=1).repeat(3, axis=2)
    colour = np.repeat(small[..., None], 3, axis=3)
    tensor = (small[:, None] / 255 - 0.4) / 0.3
    expected = np.array(["a", "b", "c"])[model.predict(tensor.astype("float32"))]
    assert model.predict_images(small).tolist() == expected.tolist()
    assert model.predict_images(colour).tolist() == expected.tolist()
    assert model.predict_images(large).shape == (6,)
    with pytest.raises(DatasetError, match="uint8"):
        model.predict_images(small.astype("float32"))
    with pytest.raises(ShapeError, match="8 rows of 8"):
        model.preprocessing.tensor(large)


def test_preprocessing_of_one_picture():
    prepare = nn.Preprocessing(4, 4, 1).picture
    grey = np.full((4, 4), 200, "uint8")
    assert (prepare(grey) == 200).all()
    assert (prepare(grey, invert=True) == 55).all()
    assert (prepare(np.full((4, 4), 0.5)) == 128).all()
    assert (prepare(np.full((9, 5), 51400, "uint16")) == 200).all()
    red = np.zeros((4, 4, 3), "uint8")
    red[..., 0] = 255
    assert (prepare(red) == 76).all()
    clear = np.stack([grey, np.zeros_like(grey)], axis=2)
    assert (prepare(clear) == 255).all()
    on_black = nn.Preprocessing(4, 4, 1, background="black").picture
    assert (on_black(clear) == 0).all()
    with pytest.raises(DatasetError, match="not finite"):
        prepare(np.full((4, 4), np.nan))
    with pytest.raises(DatasetError, match="no picture"):
        prepare(np.zeros(4))


@given(st.integers(1, 40), st.integers(1, 40))
@settings(deadline=None, max_examples=50)
def test_resizing_keeps_a_flat_picture_flat(size, new):
    np.testing.assert_allclose(resize_weights(size, new).sum(axis=1), 1, atol=1e-9)


def test_summary_and_probabilities():
    model = _model()
    text = model.summary()
    assert "Conv2D" in text
    assert "4 x 8 x 8" in text
    assert text.endswith("243 trained, 8 not")
    x = np.zeros((2, 1, 8, 8), "float32")
    np.testing.assert_allclose(model.predict_proba(x).sum(axis=1), 1, rtol=1e-6)
    binary = nn.Sequential([nn.Flatten(), nn.Dense(64, 1, rng=0)], (1, 8, 8), task="binary")
    assert binary.predict_proba(x).tolist() == [[0.5, 0.5], [0.5, 0.5]]
    values = nn.Sequential([nn.Flatten(), nn.Dense(64, 2, rng=0)], task="regression")
    assert values.predict(x).tolist() == [[0.0, 0.0], [0.0, 0.0]]
