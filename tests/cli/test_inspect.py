"""``convtool inspect``: what a network is made of, and an argument about what it does."""

import json
from pathlib import Path

import numpy as np
import pytest

import convtool
from convtool import nn
from convtool.cli import run
from convtool.images.write import write
from convtool.nn.architectures import build_layers

NETWORK = Path(__file__).parents[2] / "sample_images" / "network"
MODEL, SEVEN = str(NETWORK / "digits.safetensors"), str(NETWORK / "seven.png")


def saved(path, arch, shape, classes):
    layers = build_layers(arch, shape, 1 if len(classes) == 2 else len(classes), 0)
    model = nn.Sequential(
        layers,
        shape,
        task="binary" if len(classes) == 2 else "multiclass",
        classes=classes,
        preprocessing=nn.Preprocessing(*shape[1:], shape[0]),
    )
    nn.save(model, path)
    return str(path)


def inspected(capsys, *arguments):
    assert run(["inspect", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_table_and_hand_counts(tmp_path, capsys):
    model = saved(tmp_path / "m.ct", "catdog", (1, 96, 96), ("cat", "dog"))
    report = inspected(capsys, model)
    assert report["schema"] == "convtool.inspect/1"
    counts = {row["name"]: (row["trained"], row["fixed"]) for row in report["layers"]}
    assert counts["conv1"] == (320, 0)
    assert counts["conv2"] == (18_496, 0)
    assert counts["conv3"] == (73_856, 0)
    assert counts["dense1"] == (1_179_712, 0)
    assert counts["batchnorm1"] == (128, 128)
    assert report["trained"] == sum(trained for trained, _ in counts.values())
    assert report["layers"][0]["output"] == [32, 96, 96]
    assert report["multiply_adds"] == sum(row["multiply_adds"] for row in report["layers"])
    assert report["layers"][0]["multiply_adds"] == 32 * 96 * 96 * 9
    colour = saved(tmp_path / "c.ct", "conv 10 5x5", (3, 12, 12), ("a", "b", "c"))
    assert inspected(capsys, colour)["layers"][0]["trained"] == 760
    assert run(["inspect", model]) == 0
    text = capsys.readouterr().out
    for number in ("320", "18,496", "73,856", "1,179,712", "128 × 24 × 24"):
        assert f" {number} " in text
    assert text.splitlines()[-2].endswith(" 4 B")


@pytest.mark.slow
def test_filters(tmp_path, capsys):
    report = inspected(capsys, MODEL, "--probe", "--nearest", "--kernels", tmp_path / "k.png")
    layer = nn.load(MODEL).layers[0]
    weight = layer.params["weight"][:, 0].astype(float)
    for answer, own in zip(report["probe"], weight, strict=True):
        assert answer["responses"]["vertical line at the left"] == pytest.approx(own[:, 0].sum())
        assert answer["responses"]["rising diagonal"] == pytest.approx(np.trace(own[::-1]))
        assert len(answer["responses"]) == 8
    for found in report["nearest"]:
        assert len(found["presets"]) == 3
        assert 0 < found["presets"][0]["cosine"] <= 1
    assert report["kernels"] == {"layer": "conv1", "drawing": str(tmp_path / "k.png")}
    assert (tmp_path / "k.png").stat().st_size > 1000
    deeper = inspected(capsys, MODEL, "--layer", "conv2", "--nearest")
    assert len(deeper["nearest"]) == 32


@pytest.mark.slow
def test_drawings_of_a_picture(tmp_path, capsys):
    asked = ["--feature-maps", SEVEN, "--occlusion", SEVEN, "--saliency", SEVEN]
    arguments = [MODEL, *asked, "--invert", "--out", tmp_path]
    assert run(["inspect", *map(str, arguments)]) == 0
    captured = capsys.readouterr()
    assert captured.err == f"convtool: resized to the model's 8×8 pixels: {SEVEN} (88×96)\n"
    assert captured.out.count("predicted 7") == 3
    assert captured.out.count("multiply-adds") == captured.out.count("dense1") == 1
    report = inspected(capsys, *arguments)
    for kind in ("feature_maps", "occlusion", "saliency"):
        assert report[kind]["class"] == "7"
        drawing = Path(report[kind]["drawing"])
        assert drawing == tmp_path / f"seven.{kind.replace('_', '-')}.png"
        assert convtool.read(drawing).pixels.std() > 5
    assert np.shape(report["occlusion"]["map"]) == np.shape(report["saliency"]["map"]) == (8, 8)
    names = [layer["name"] for layer in report["feature_maps"]["layers"]]
    assert names == [row["name"] for row in report["layers"]]


@pytest.fixture(scope="module")
def zeros_and_ones(tmp_path_factory):
    """Return a network of one 3×3 filter and sigmoids, trained to tell 0 from 1."""
    model = tmp_path_factory.mktemp("argument") / "model.ct"
    arguments = ["--classes", "0,1", "--arch", "conv 1 3x3, sigmoid", "--augment", "none"]
    arguments += ["--epochs", "60", "--lr", "0.02", "--seed", "2", "--out", str(model)]
    assert run(["train", "digits", *arguments]) == 0
    return model


@pytest.mark.slow
class TestArgument:
    """What does a network of one filter look at, to tell 0 from 1? At an upright line."""

    def test_it_is_the_network_that_was_meant(self, zeros_and_ones, capsys):
        capsys.readouterr()
        report = inspected(capsys, zeros_and_ones)
        assert report["classes"] == ["0", "1"]
        kinds = [row["kind"] for row in report["layers"]]
        assert kinds == ["Conv2D", "Sigmoid", "Flatten", "Dense"]
        assert [row["trained"] for row in report["layers"]] == [10, 0, 0, 37]

    def test_it_tells_pictures_apart_that_it_has_not_seen(self, zeros_and_ones, capsys):
        capsys.readouterr()
        assert run(["evaluate", str(zeros_and_ones), "digits", "--json"]) == 0
        report = json.loads(capsys.readouterr().out)
        assert report["pictures"] == 73
        assert report["accuracy"] > 0.95

    def test_its_filter_answers_to_an_upright_line_in_the_middle(self, zeros_and_ones, capsys):
        capsys.readouterr()
        answer = inspected(capsys, zeros_and_ones, "--probe")["probe"][0]
        strongest = max(answer["seen"], key=lambda name: abs(answer["seen"][name]))
        assert strongest == "vertical line in the middle"
        assert answer["seen"][strongest] < 0
        assert f"least to a {strongest}" in answer["words"]

    def test_of_all_presets_it_resembles_the_detector_of_upright_lines(
        self, zeros_and_ones, capsys
    ):
        capsys.readouterr()
        nearest = inspected(capsys, zeros_and_ones, "--nearest")["nearest"][0]["presets"][0]
        assert nearest["preset"] in ("line-vertical", "line-horizontal")
        upright = (nearest["preset"] == "line-vertical") == (nearest["turn"] % 180 == 0)
        assert upright
        assert nearest["negated"]
        assert nearest["cosine"] > 0.6

    def test_the_detector_in_its_place_does_the_same_work(self, zeros_and_ones, capsys):
        capsys.readouterr()
        found = inspected(
            capsys, zeros_and_ones, "--replace", "conv1=line-vertical:scale=-1,bias=0"
        )["replace"]
        assert found["dataset"] == "digits"
        assert found["pictures"] == 73
        assert found["before"]["accuracy"] > 0.95
        assert found["after"]["accuracy"] > 0.9

    @pytest.mark.parametrize("kernel", ["line-vertical", "line-horizontal:scale=-1", "identity"])
    def test_another_kernel_does_not(self, kernel, zeros_and_ones, capsys):
        capsys.readouterr()
        found = inspected(capsys, zeros_and_ones, "--replace", f"conv1={kernel},bias=0")["replace"]
        assert found["after"]["accuracy"] < 0.8
        assert found["after"]["loss"] > 5 * found["before"]["loss"]

    def test_it_is_said_in_words(self, zeros_and_ones, capsys):
        capsys.readouterr()
        assert run(["inspect", str(zeros_and_ones), "--probe", "--replace", "conv1=box"]) == 0
        text = capsys.readouterr().out
        assert "filter 1 answers most to a " in text
        assert "73 pictures of digits, with conv1=box" in text
        assert "before" in text


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--layer", "cnov1", "--nearest", MODEL], 2, "did you mean conv1 or conv2"),
        (["--layer", "relu1", "--nearest", MODEL], 2, "relu1 has no filters, it is a ReLU"),
        (["--replace", "conv3.1=box", MODEL], 2, "no layer 'conv3' in this model; did you mean"),
        (["--replace", "conv1", MODEL], 2, "is not LAYER=SPEC"),
        (["--replace", "conv1=box", MODEL], 2, "has 16 filters: say which"),
        (["--replace", "conv1.1=no-such", MODEL], 2, "unknown preset"),
        (["--kernels", "k.bmp", MODEL], 2, "a drawing ends in .png"),
        (["--occlusion", "none.png", MODEL], 1, "none.png"),
        (["--occlusion", SEVEN, "--out", "no/such", MODEL], 1, "no such folder"),
        ([], 2, "it takes a MODEL, or --arch with --input"),
        (["--arch", "catdog"], 2, "--arch with --input"),
        (["--arch", "catdog", "--input", "28x28"], 2, "is not channels x height x width"),
        (
            ["--arch", "catdog", "--input", "1x8x8", "--nearest"],
            2,
            "--nearest needs a trained",
        ),
        (["--arch", "catdog", "--input", "1x8x8", MODEL], 2, "leave out MODEL or them"),
        (["--filter", "box", MODEL], 2, "gives a kernel to --probe"),
        (["--probe", "--filter", "box,bias=x"], 2, "bias"),
        (["none.safetensors"], 1, "none.safetensors: cannot be read: No such file"),
        ([SEVEN], 1, "not a model file, or damaged"),
        (["model.onnx"], 1, "an ONNX file; convtool import makes a model of it"),
    ],
)
def test_wrong_use_is_one_line(arguments, code, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["inspect", *arguments]) == code
    error = capsys.readouterr().err
    assert error.startswith("convtool: error: ")
    assert says in error
    assert len(error.splitlines()) == 1


def test_files_of_other_versions_and_other_programs(tmp_path, capsys):
    from safetensors.numpy import save_file

    other = tmp_path / "other.safetensors"
    save_file({"a": np.zeros(3, "float32")}, other, {"format": "pt"})
    assert run(["inspect", str(other)]) == 1
    assert "not a model of convtool" in capsys.readouterr().err
    newer = tmp_path / "newer.safetensors"
    about = json.dumps({"version": 2})
    save_file({"a": np.zeros(3, "float32")}, newer, {"format": "convtool.nn", "convtool": about})
    assert run(["inspect", str(newer)]) == 1
    assert "written by a newer convtool" in capsys.readouterr().err
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(Path(MODEL).read_bytes()[:-100])
    assert run(["inspect", str(damaged)]) == 1
    assert "damaged" in capsys.readouterr().err


def test_predict_says_what_it_resized(tmp_path, capsys):
    for number in range(3):
        write(tmp_path / f"{number}.png", np.zeros((20, 10 + number), np.uint8))
    write(tmp_path / "fits.png", np.zeros((8, 8), np.uint8))
    assert run(["predict", MODEL, str(tmp_path)]) == 0
    first = tmp_path / "0.png"
    expected = f"convtool: resized to the model's 8×8 pixels: {first} (10×20) and 2 more\n"
    assert capsys.readouterr().err == expected
    assert run(["predict", MODEL, str(tmp_path / "fits.png")]) == 0
    assert capsys.readouterr().err == ""
