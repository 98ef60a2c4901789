"""Model files that claim what cannot be, with the right checksum: one line, and no memory."""

import json

import numpy as np
import pytest
from model_files import changed, joined, parts

from convtool import nn
from convtool.errors import ModelError, ModelFileError, OptionError
from convtool.nn import architectures
from convtool.nn.architectures import build_layers
from convtool.nn.checkpoint import read as read_checkpoint


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """Return the bytes of a small classifier of pictures."""
    layers = [
        nn.Conv2D(1, 4, 3, padding="same", rng=0),
        nn.BatchNorm(4),
        nn.LeakyReLU(),
        nn.AvgPool2D(2),
        nn.Flatten(),
        nn.GaussianDropout(0.2),
        nn.Dense(64, 3, rng=1),
    ]
    model = nn.Sequential(
        layers, (1, 8, 8), classes=("a", "b", "c"), preprocessing=nn.Preprocessing(8, 8, 1)
    )
    path = tmp_path_factory.mktemp("models") / "m.safetensors"
    nn.save(model, path)
    return path.read_bytes()


def refusal(tmp_path, content):
    """Return the one line that refuses a file."""
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelFileError) as caught:
        nn.load(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert line.isprintable()
    assert len(line) < 400
    return line


HUGE = 10**400
ARGUMENTS = [
    (0, "in_channels", -1, "in_channels -1: a whole number of at least 1"),
    (0, "in_channels", 2, "0.weight is (4, 1, 3, 3), its layer needs (4, 2, 3, 3)"),
    (0, "out_channels", 2 * 10**9, "at most 268435456"),
    (0, "out_channels", HUGE, "out_channels a huge number"),
    (0, "out_channels", 1.5, "out_channels 1.5"),
    (0, "out_channels", True, "out_channels True"),
    (0, "kernel_size", [-3, -3], "kernel_size (-3, -3)"),
    (0, "kernel_size", [60_000, 60_000], "would hold 14400000004 numbers, more than 268435456"),
    (0, "kernel_size", [[3], [3]], "kernel_size"),
    (0, "stride", 0, "stride 0"),
    (0, "stride", 10**9, "from 1 to 65536"),
    (0, "dilation", 10**9, "from 1 to 65536"),
    (0, "dilation", 60_000, "windows of 9 values over 1 x 120008 x 120008 with padding"),
    (0, "padding", [10**9] * 4, "from 0 to 65536"),
    (0, "padding", [60_000] * 4, "windows of 9 values"),
    (0, "padding", -1, "padding -1"),
    (0, "padding", "sane", "padding 'sane'"),
    (0, "groups", 0, "groups 0"),
    (0, "groups", 3, "3 groups do not divide 1 input and 4 output channels"),
    (0, "bias", "yes", "bias 'yes': true or false"),
    (0, "initializer", "zeros", "initializer 'zeros' is not known"),
    (0, "rng", 1, "Conv2D has no argument 'rng'"),
    (0, "dtype", "float64", "Conv2D has no argument 'dtype'"),
    (1, "features", 2 * 10**9, "at most 268435456"),
    (1, "features", 2**27, "BatchNorm would hold 536870912 numbers"),
    (1, "features", -4, "at least 1"),
    (1, "momentum", HUGE, "momentum a huge number: from 0 to 1"),
    (1, "epsilon", -1, "epsilon -1"),
    (1, "epsilon", None, "epsilon None"),
    (2, "slope", "x", "slope 'x': a finite number"),
    (3, "kernel_size", 60_000, "larger than the input"),
    (3, "stride", -1, "stride -1"),
    (3, "dilation", 60_000, "larger than the input"),
    (3, "ceil_mode", "x", "ceil_mode 'x': true or false"),
    (3, "count_include_pad", 7, "count_include_pad 7: true or false"),
    (5, "rate", 1, "dropout rate 1"),
    (5, "seed", -1, "seed -1"),
    (5, "seed", HUGE, "seed a huge number"),
    (6, "in_features", 2**27, "Dense would hold"),
    (6, "out_features", [3], "out_features (3,)"),
]


@pytest.mark.parametrize(("layer", "name", "value", "says"), ARGUMENTS)
def test_each_argument_of_each_layer_is_checked(content, tmp_path, layer, name, value, says):
    def change(header, about):
        about["layers"][layer]["arguments"][name] = value

    assert says in refusal(tmp_path, changed(content, change))


def test_every_argument_has_a_case():
    """The table of arguments and the cases above name the same ones."""
    kinds = [
        nn.Conv2D,
        nn.BatchNorm,
        nn.LeakyReLU,
        nn.AvgPool2D,
        None,
        nn.GaussianDropout,
        nn.Dense,
    ]
    cases = {(kinds[layer], name) for layer, name, _, _ in ARGUMENTS}
    known = {(kind, name) for kind in kinds if kind for name in kind.ARGUMENTS}
    flags = {"bias", "initializer"}
    assert {(kind, name) for kind, name in known - cases if name not in flags} == {
        (nn.AvgPool2D, "padding")
    }


def _layers(about):
    return about["layers"]


DESCRIPTIONS = {
    "no layers": (lambda a: a.update(layers=[]), "layer"),
    "layers as text": (lambda a: a.update(layers="abc"), "layers: a list"),
    "too many layers": (
        lambda a: a.update(layers=[{"kind": "ReLU", "arguments": {}, "frozen": []}] * 10_001),
        "layers: a list of 10000 at most",
    ),
    "kind": (lambda a: _layers(a)[0].update(kind="Backdoor"), "Backdoor"),
    "kind is a list": (lambda a: _layers(a)[0].update(kind=[]), "damaged"),
    "no arguments": (lambda a: _layers(a)[0].pop("arguments"), "arguments"),
    "missing argument": (
        lambda a: _layers(a)[1]["arguments"].pop("features"),
        "BatchNorm: features is missing",
    ),
    "frozen": (lambda a: _layers(a)[0].update(frozen=["x"]), "layer 0 has no parameters ['x']"),
    "frozen is a number": (lambda a: _layers(a)[0].update(frozen=3), "damaged"),
    "input": (lambda a: a.update(input_shape=[1, 10**9, 10**9]), "layer 1 (Conv2D)"),
    "negative input": (lambda a: a.update(input_shape=[1, -8, -8]), "input_shape -8"),
    "input is text": (lambda a: a.update(input_shape="188"), "input_shape '1'"),
    "other input": (lambda a: a.update(input_shape=[1, 4, 4]), "layer 7 (Dense)"),
    "task": (lambda a: a.update(task="guess"), "task 'guess' is not known"),
    "task is a list": (lambda a: a.update(task=[1]), "task [1] is not known"),
    "classes": (lambda a: a.update(classes=["a"]), "3 outputs for 1 classes"),
    "classes is text": (lambda a: a.update(classes="abc"), "classes 'abc': a list of names"),
    "a class is a list": (lambda a: a.update(classes=[["a"], 1, 2]), "classes ['a']: a name"),
    "two outputs": (lambda a: a.update(task="binary", classes=["a", "b"]), "3 outputs for 2"),
    "std 0": (lambda a: a["preprocessing"].update(std=0), "std 0: from 1e-06 to 1e+06"),
    "std infinite": (lambda a: a["preprocessing"].update(std=HUGE), "std a huge number"),
    "mean x": (lambda a: a["preprocessing"].update(mean="x"), "mean 'x'"),
    "height": (lambda a: a["preprocessing"].update(height=10**9), "height 1000000000"),
    "size": (lambda a: a["preprocessing"].update(height=9999, width=9999), "a size of 9999x9999"),
    "other size": (lambda a: a["preprocessing"].update(height=9), "makes no input of shape"),
    "channels": (lambda a: a["preprocessing"].update(channels=2), "channels 2"),
    "background": (lambda a: a["preprocessing"].update(background=5), "background 5: a colour"),
    "unknown field": (lambda a: a["preprocessing"].update(depth=5), "depth"),
    "preprocessing": (lambda a: a.update(preprocessing=[1]), "damaged"),
    "record": (lambda a: a.update(record=[1]), "record [1]: an object"),
    "record's seed": (lambda a: a["record"].update(seed="x"), "seed 'x'"),
    "record's set": (lambda a: a["record"].update(dataset=3), "dataset 3: a text"),
    "record's classes": (lambda a: a["record"].update(only=5), "only 5: a list of names"),
    "version": (lambda a: a.update(version="1"), "cannot be read"),
}


@pytest.mark.parametrize("case", DESCRIPTIONS)
def test_descriptions_are_checked(content, tmp_path, case):
    change, says = DESCRIPTIONS[case]
    line = refusal(tmp_path, changed(content, lambda header, about: change(about)))
    assert says in line


def test_sizes_that_cancel_are_refused(content, tmp_path):
    """A layer of a negative size does not make room for one that is huge."""

    def change(header, about):
        about["layers"][0]["arguments"] |= {"in_channels": -(10**9), "out_channels": 10}
        about["layers"][6]["arguments"] |= {"in_features": 10**9, "out_features": 10}

    assert "in_channels -1000000000" in refusal(tmp_path, changed(content, change))


def test_arrays_lie_one_after_another(content, tmp_path):
    """Many arrays that share the bytes of one would take more memory than the file has."""

    def change(header, about):
        header["0.bias"]["data_offsets"] = header["1.beta"]["data_offsets"]

    assert "its header cannot be read" in refusal(tmp_path, changed(content, change))

    def without(header, about):
        del header["0.bias"]

    refusal(tmp_path, changed(content, without))


@pytest.mark.parametrize(
    "about",
    [
        "[" * 100_000 + "]" * 100_000,
        '{"version": ' + "1" * 100_000 + "}",
        '{"version": 1, "version": 1}',
        '{"version": NaN}',
        '{"version": 1e999}',
        '{"version": 1, "layers": ' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "}",
        "",
        "null",
    ],
)
def test_hostile_json_gets_one_line(content, tmp_path, about):
    header, _, data = parts(content)
    assert "header cannot be read" in refusal(tmp_path, joined(header, about, data))


def test_a_header_nested_without_end_gets_one_line(tmp_path):
    text = b'{"__metadata__":' + b"[" * 500_000
    refusal(tmp_path, len(text).to_bytes(8, "little") + text)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda state: state.update(epoch="x"), "contains no checkpoint"),
        (lambda state: state.update(history=[3]), "contains no checkpoint"),
        (lambda state: state.update(history=5), "contains no checkpoint"),
        (lambda state: state.update(best=[]), "contains no checkpoint"),
        (lambda state: state.update(since_best=10**400), "contains no checkpoint"),
    ],
)
def test_checkpoints_are_checked(content, tmp_path, change, says):
    state = {
        "epoch": 1,
        "batch": 0,
        "losses": 0.0,
        "hits": 0,
        "seen": 0,
        "best": None,
        "since_best": 0,
        "history": [],
        "seconds": 1.0,
    }
    about = {"recipe": {}, "pictures": 3, "steps": 2, "state": state}
    path = tmp_path / "m.safetensors"

    def add(header, description):
        description["training"] = about

    path.write_bytes(changed(content, add))
    assert read_checkpoint(path).state.epoch == 1
    change(state)
    path.write_bytes(changed(content, add))
    with pytest.raises(ModelFileError, match=says):
        read_checkpoint(path)


SPECIFICATIONS = [
    ("conv inf 3x3", "inf is not a whole number"),
    ("conv nan 3x3", "nan is not a whole number"),
    ("conv 1e400 3x3", "1e400 is not a whole number"),
    ("conv 1000000000 3x3", "at most 268435456"),
    ("conv 100000 200x200", "would hold"),
    ("conv 4 0x3", "from 1 to 65536"),
    ("conv 4 3x3 same dilation 1000000000", "from 1 to 65536"),
    ("conv 4 3x3 same dilation 60000", "windows of 9 values"),
    ("conv 4 3x3 pad 60000", "windows of 9 values"),
    ("conv 4 3x3 stride -1", "stride -1"),
    ("conv 4 3x3 groups 1x2", "groups 0"),
    ("pool 60000 same", "windows of 3600000000 values"),
    ("dense 268435456, dense 268435456", "would hold"),
    ("dropout nan", "dropout rate"),
    ("leaky inf", "slope"),
]


@pytest.mark.parametrize(("arch", "says"), SPECIFICATIONS)
def test_specifications_without_bound_are_refused(arch, says):
    with pytest.raises((OptionError, ModelError)) as caught:
        build_layers(arch, (1, 8, 8), 2, 0)
    assert says in str(caught.value)


def test_layers_that_are_too_large_together_are_refused(monkeypatch):
    monkeypatch.setattr(architectures, "MOST_VALUES", 1000)
    with pytest.raises(ModelError, match=r"layer 4 \(dense 30\) .* more than 1000 numbers"):
        build_layers("dense 9, dense 9, dense 30", (1, 8, 10), 2, 0)


def test_arguments_come_from_the_table():
    """A planned layer knows the arrays of the real one and has none."""
    for layer in (nn.Conv2D(2, 4, 3, groups=2), nn.Dense(3, 2, bias=False), nn.BatchNorm(3)):
        given = {n: tuple(v) if isinstance(v, list) else v for n, v in layer.config().items()}
        planned = type(layer).planned(given)
        arrays = layer.params | layer.state
        assert planned.array_shapes() == {name: array.shape for name, array in arrays.items()}
        assert planned.params == {}
        assert json.dumps(planned.config()) == json.dumps(layer.config())
    assert np.dtype(nn.Conv2D(1, 1, 1).params["weight"].dtype) == np.float32
