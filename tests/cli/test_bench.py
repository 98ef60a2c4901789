"""``convtool bench``: what it prints, writes and refuses."""

import csv
import io
import json
import re

import pytest

import convtool
from convtool.bench import calibrate
from convtool.bench.calibrate import TARGETS
from convtool.bench.results import SCHEMA
from convtool.cli import run
from convtool.cli.bench import command
from convtool.convolution import calibration
from convtool.convolution.planner import DEFAULT_RATES

QUICK = ["bench", "--sizes", "24x32", "--kernels", "3,5", "--repeats", "1", "--threads", "1"]


def test_table_has_every_engine_and_peer(capsys):
    assert run([*QUICK, "--works", "dense"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert lines[0].startswith("dense, 24×32 float32: milliseconds")
    assert lines[1].split() == ["3×3", "5×5"]
    names = [line.split()[0] for line in lines[2:14]]
    assert names == [
        *("auto", *convtool.engines(), "cv2.filter2D"),
        *("scipy.signal.oaconvolve", "scipy.ndimage.convolve", "scipy.signal.fftconvolve"),
    ]
    assert sum("*" in line for line in lines[2:14]) >= 1
    assert lines[-3].endswith("1 threads")


def test_options_choose_what_is_measured(capsys):
    arguments = [*QUICK, "--engines", "direct,separable:rank=5", "--dtypes", "uint8,float64"]
    assert run([*arguments, "--json", "-"]) == 0
    report = json.loads(capsys.readouterr().out)
    own = [row for row in report["entries"] if row["own"]]
    assert {row["contender"] for row in own} == {"direct", "separable:rank=5"}
    assert [row["dtype"] for row in own] == ["uint8"] * 4 + ["float64"] * 4


def test_report_holds_schema_machine_and_every_measurement(capsys):
    assert run([*QUICK, "--engines", "direct", "--json", "-"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["schema"] == SCHEMA
    assert report["suite"] is None
    machine = report["machine"]
    assert machine["threads"] == 1
    assert {"numpy", "scipy", "numba"} <= set(machine["packages"])
    assert machine["cpu"]
    assert machine["blas"]
    assert "Intel IPP" in machine["opencv"]
    for row in report["entries"]:
        assert row["median"] > 0
        assert row["lower"] <= row["median"] <= row["upper"]
        assert row["error"] < 1e-5
        assert row["rounds"] == 1


def test_an_engine_that_cannot_says_so(capsys):
    assert run([*QUICK, "--engines", "separable:rank=1"]) == 0
    out = capsys.readouterr().out
    row = next(line for line in out.splitlines() if line.startswith("separable"))
    assert row.split() == ["separable:rank=1", "cannot", "cannot"]
    assert "separable:rank=1, 5×5: cannot: the kernel has rank 5" in out


def test_files(tmp_path, capsys):
    names = {ending: tmp_path / f"times.{ending}" for ending in ("json", "csv", "html")}
    arguments = ["--json", str(names["json"]), "--csv", str(names["csv"])]
    assert run([*QUICK, "--engines", "direct", *arguments, "--plot", str(names["html"])]) == 0
    assert capsys.readouterr().out.startswith("dense, ")
    rows = list(csv.DictReader(io.StringIO(names["csv"].read_text())))
    entries = json.loads(names["json"].read_text())["entries"]
    assert [row["contender"] for row in rows] == [entry["contender"] for entry in entries]
    assert [float(row["median"]) for row in rows] == [entry["median"] for entry in entries]
    page = names["html"].read_text()
    assert "<svg" in page
    assert "cv2.filter2D" in page
    links = set(re.findall(r"""(?:href|src)=["']([^"']*)""", page))
    assert all(link.startswith("#") or link == "data:," for link in links)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        path.name for path in names.values()
    )


@pytest.mark.parametrize("target", ["csv", "json"])
def test_a_table_for_programs_is_alone_on_stdout(target, capsys):
    assert run([*QUICK, "--engines", "direct", f"--{target}", "-"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("work,height,width" if target == "csv" else "{")


def test_picture_in_place_of_noise(tmp_path, capsys):
    picture = tmp_path / "picture.pgm"
    picture.write_bytes(b"P5 20 10 255\n" + bytes(range(200)))
    arguments = ["bench", "--input", str(picture), "--kernels", "3", "--repeats", "1"]
    assert run([*arguments, "--engines", "direct"]) == 0
    assert capsys.readouterr().out.startswith("dense, 10×20 uint8: ")


def test_comparison_exits_1_where_convtool_became_slower(tmp_path, capsys):
    old = tmp_path / "old.json"
    arguments = [*QUICK, "--engines", "direct"]
    assert run([*arguments, "--json", str(old)]) == 0
    report = json.loads(old.read_text())
    capsys.readouterr()

    def scaled(factor):
        entries = [{**row, "median": row["median"] * factor} for row in report["entries"]]
        old.write_text(json.dumps({**report, "entries": entries}))

    scaled(1e6)
    assert run([*arguments, "--compare", str(old)]) == 0
    assert "faster:\n" in capsys.readouterr().out
    scaled(1e-6)
    assert run([*arguments, "--compare", str(old)]) == 1
    out = capsys.readouterr().out
    assert f"since {old}:\nslower:\n" in out
    assert run([*arguments, "--compare", str(old), "--tolerance", "1e9"]) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--engines", "nix"], 2, "engine 'nix' is not known; one of auto, direct"),
        (["--works", "nix"], 2, "work 'nix' is not known; one of dense"),
        (["--dtypes", "int7"], 2, "type 'int7' is not measured; one of uint8"),
        (["--kernels", "3,x"], 2, "kernels are sides from 1 to"),
        (["--kernels", "0"], 2, "kernels are sides from 1 to"),
        (["--sizes", "100"], 2, "sizes are HEIGHTxWIDTH"),
        (["--sizes", "0x10"], 2, "sizes are HEIGHTxWIDTH"),
        (["--repeats", "0"], 2, "--repeats"),
        (["--plot", "x.gif"], 2, "x.gif: a chart ends in .png, .svg, .html"),
        (["--compare", "none.json"], 1, "none.json: cannot be read"),
        (["--json", "nowhere/x.json"], 1, "nowhere/x.json: there is no folder"),
        (["--suite", "peers"], 2, "No such option '--suite'"),
        (["--input", "none.png", "--sizes", "3x3"], 2, "leave out --sizes"),
        (["--input", "none.png"], 1, "none.png"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(arguments, code, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["bench", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("convtool: error: ")
    assert err.count("\n") == 1
    assert words in err


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "convtool.filter/1"}'])
def test_other_files_are_no_earlier_report(text, tmp_path, capsys):
    old = tmp_path / "old.json"
    old.write_text(text)
    assert run(["bench", "--compare", str(old)]) == 2
    assert f"{old}: is no" in capsys.readouterr().err


@pytest.fixture
def calibration_file(tmp_path, monkeypatch):
    file = tmp_path / "calibration.json"
    monkeypatch.setenv(calibration.VARIABLE, str(file))
    monkeypatch.setattr(calibrate, "SIZES", ((24, 32),))
    monkeypatch.setattr(
        calibrate, "TARGETS", tuple(target for target in TARGETS if target.rate != "scipy")
    )
    monkeypatch.setattr(
        calibrate, "samples", lambda target, threads: list(map(exact, target.kernels[:1]))
    )
    calibration.forget()
    yield file
    calibration.forget()


def exact(kernel):
    """Return a sample that took a second."""
    problem = calibrate.Problem((24, 32), 1, (kernel[0], kernel[0]), kernel[0] ** 2, 1)
    return calibrate.Sample(problem, calibrate.candidates(problem)[0], 1.0)


def test_calibration_is_kept_or_only_printed(calibration_file, capsys):
    assert run(["bench", "--calibrate", "--threads", "1", "--json", "-"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["schema"] == calibration.SCHEMA
    assert set(report["rates"]) == set(DEFAULT_RATES) - {"scipy"}
    assert not calibration_file.exists()
    assert run(["bench", "--calibrate", "--threads", "1"]) == 0
    out, err = capsys.readouterr()
    assert err == f"kept in {calibration_file}\n"
    assert out.splitlines()[0].split()[0] == "RATE"
    assert json.loads(calibration_file.read_text()) == report


def test_damaged_calibration_is_a_warning_of_the_command(calibration_file, tmp_path, capsys):
    calibration_file.write_text("{")
    picture = tmp_path / "picture.pgm"
    picture.write_bytes(b"P5 4 4 255\n" + bytes(range(16)))
    assert run(["filter", "-k", "box", str(picture), str(tmp_path / "out.pgm")]) == 0
    err = capsys.readouterr().err
    assert err.startswith(f"convtool: warning: the calibration {calibration_file} is damaged")
    assert err.count("\n") == 1


def test_help_gives_examples(capsys):
    assert run(["bench", "--help"]) == 0
    out = capsys.readouterr().out
    examples = [line.strip() for line in command.epilog.splitlines()[2:]]
    assert len(examples) == 6
    assert [line.strip() for line in out.splitlines()[-6:]] == examples
    assert "--calibrate" in out
