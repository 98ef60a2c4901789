"""The suites' command line: what it prints, writes and refuses."""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from convtool.bench.results import SCHEMA
from suites import command, duels, scaling

FOLDER = Path(__file__).parents[2] / "benchmarks"
QUICK = ["--sizes", "24x32", "--kernels", "3,5", "--repeats", "1", "--threads", "1"]


@pytest.mark.parametrize(("suite", "run"), [("peers", duels.run_peers), ("auto", duels.run_auto)])
def test_suites_judge(suite, run, capsys, monkeypatch):
    monkeypatch.setattr(duels, "Machine", FixedMachine)
    assert command.main(suite, run, None, [*QUICK, "--works", "dense,box", "--json", "-"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["schema"] == SCHEMA
    assert report["suite"] == suite
    names = [one["name"] for one in report["verdicts"]]
    assert any(name.startswith("dense: " if suite == "peers" else "auto: ") for name in names)
    assert all(isinstance(one["met"], bool) for one in report["verdicts"])
    assert {row["contender"] for row in report["entries"]} >= {"auto"}
    assert all(row["roofline"] == 1e-3 for row in report["entries"])


class FixedMachine:
    """Limits that need no measuring."""

    def bound(self, cell):
        return 1e-3

    def as_dict(self):
        return {}


def test_suite_prints_ratios_and_verdicts(capsys, monkeypatch):
    monkeypatch.setattr(duels, "Machine", FixedMachine)
    assert command.main("peers", duels.run_peers, None, [*QUICK, "--works", "sobel"]) == 0
    out = capsys.readouterr().out
    assert "sobel, 24×32 float32, 3×3" in out
    assert re.search(r"sobel: geometric mean +2 +\S+ +0\.5 +(met|MISSED)", out)


def test_table_for_programs_and_comparison_with_an_earlier_run(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(duels, "Machine", FixedMachine)
    quick = [*QUICK, "--works", "sobel"]
    old, table = tmp_path / "old.json", tmp_path / "old.csv"
    arguments = [*quick, "--json", str(old), "--csv", str(table)]
    assert command.main("peers", duels.run_peers, None, arguments) == 0
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["contender"] for row in rows] == ["auto", "cv2.Sobel+magnitude"] * 2
    report = json.loads(old.read_text())
    for row in report["entries"]:
        row["median"] *= 1e-6
    old.write_text(json.dumps(report))
    capsys.readouterr()
    assert command.main("peers", duels.run_peers, None, [*quick, "--compare", str(old)]) == 1
    assert f"since {old}:\nslower:\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--works", "nix"], 2, "work 'nix' is not known; one of dense"),
        (["--dtypes", "int7"], 2, "type 'int7' is not measured; one of uint8"),
        (["--kernels", "0"], 2, "kernels are sides from 1 to"),
        (["--engines", "fft"], 2, "No such option '--engines'"),
        (["--compare", "none.json"], 1, "none.json: cannot be read"),
        (["--json", "nowhere/x.json"], 1, "nowhere/x.json: there is no folder"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(arguments, code, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command.main("peers", duels.run_peers, None, arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("convtool: error: ")
    assert err.count("\n") == 1
    assert words in err


def test_scaling_has_its_own_cells(capsys):
    arguments = ["--kernels", "3"]
    assert command.main("scaling", scaling.run_scaling, None, arguments, cells=False) == 2
    assert "No such option '--kernels'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["peers", "auto", "scaling"])
def test_scripts_say_how_they_are_run(name):
    done = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py"), "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(f"Usage: {name}.py [OPTIONS]")
    assert f"python benchmarks/{name}.py" in " ".join(done.stdout.split())
    assert "--repeats" in done.stdout
    assert ("--works" in done.stdout) == (name != "scaling")
