"""``convtool export``, ``predict`` on an ONNX file, and ``import``."""

import json
from pathlib import Path

import onnx
import pytest

from convtool.cli import run

NETWORK = Path(__file__).parents[2] / "sample_images" / "network"
MODEL, SEVEN = str(NETWORK / "digits.safetensors"), str(NETWORK / "seven.png")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "digits.onnx"
    assert run(["export", MODEL, str(path)]) == 0
    return path


def test_export_says_what_it_wrote_and_checked(exported, tmp_path, capsys):
    path = tmp_path / "again.onnx"
    assert run(["export", MODEL, str(path)]) == 0
    text = capsys.readouterr().out
    assert f"{path}: opset 17, 16 operators, {path.stat().st_size:,} bytes" in text
    assert "passed by onnx.checker" in text
    assert "on 1,000 random pictures" in text
    assert path.read_bytes() == exported.read_bytes()
    assert run(["export", MODEL, str(path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["schema"] == "convtool.export/1"
    assert (report["opset"], report["pictures"]) == (17, 1000)
    assert 0 < report["difference"] < 1e-5
    onnx.checker.check_model(str(path), full_check=True)


def test_predict_gives_the_same_output(exported, capsys):
    for options in ([], ["--csv"], ["--invert"]):
        answers = []
        for model in (MODEL, str(exported)):
            assert run(["predict", *options, model, SEVEN]) == 0
            answers.append(capsys.readouterr())
        if "--csv" not in options:
            assert answers[0] == answers[1]
        else:
            own, theirs = (answer.out.splitlines()[1].split(",") for answer in answers)
            assert own[:2] == theirs[:2]
            assert [float(n) for n in theirs[2:]] == pytest.approx(
                [float(n) for n in own[2:]], abs=1e-5
            )


def test_import_gives_back_a_model(exported, tmp_path, capsys):
    target = tmp_path / "digits.ct"
    assert run(["import", str(exported), str(target)]) == 0
    assert f"{target}: 15 layers, multiclass: conv1, batchnorm1" in capsys.readouterr().out
    answers = []
    for model in (MODEL, str(target)):
        assert run(["evaluate", model, "digits", "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0]["confusion_matrix"] == answers[1]["confusion_matrix"]
    assert answers[0]["loss"] == pytest.approx(answers[1]["loss"], abs=1e-6)
    assert run(["import", str(exported), str(target), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["classes"] == list("0123456789")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["export", "none.ct", "out.onnx"], 1, "none.ct: cannot be read"),
        (["export", SEVEN, "out.onnx"], 1, "not a model file"),
        (["export", MODEL, "out.txt"], 2, "out.txt: an ONNX file ends in .onnx"),
        (["export", MODEL, "no/such/out.onnx"], 1, "cannot be written"),
        (["import", "none.onnx", "out.ct"], 1, "none.onnx: cannot be read"),
        (["import", MODEL, "out.ct"], 1, "not an ONNX file, or damaged"),
        (["import", "--std", "0", "a.onnx", "out.ct"], 2, "--std 0"),
        (["predict", "none.onnx", SEVEN], 1, "none.onnx: cannot be read"),
    ],
)
def test_wrong_use_is_one_line(arguments, code, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == code
    error = capsys.readouterr().err
    assert error.startswith("convtool: error: ")
    assert says in error
    assert len(error.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_an_operator_that_is_not_covered_is_named(exported, tmp_path, capsys):
    proto = onnx.load(exported)
    proto.graph.node[2].op_type = "Softsign"
    other = tmp_path / "other.onnx"
    onnx.save(proto, other)
    assert run(["import", str(other), str(tmp_path / "out.ct")]) == 1
    assert "operator Softsign (relu1) not covered; covered are AveragePool" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "out.ct").exists()
    assert run(["predict", str(other), SEVEN]) == 0
