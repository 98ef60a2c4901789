"""``convtool gridsearch``: many trainings, resumable, drawn."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from convtool.cli import run
from convtool.images.read import read

ROOT = Path(__file__).parents[2]
QUICK = ["--arch", "dense 8, relu", "--augment", "none", "--optimizer", "sgd"]


def search(*arguments):
    return run(["gridsearch", "digits", *QUICK, *map(str, arguments)])


def test_report_best_and_drawing(tmp_path, capsys):
    out, target = tmp_path / "g.png", tmp_path / "r.json"
    grid = ["--grid", "lr=1e-6,0.1,1e30", "--grid", "l2=0,1e6"]
    assert search("--epochs", 2, *grid, "--jobs", 2, "--out", out, "--json", target) == 0
    report = json.loads(target.read_text())
    assert report["schema"] == "convtool.gridsearch/1"
    assert report["axes"] == {"lr": [1e-6, 0.1, 1e30], "l2": [0.0, 1e6]}
    choices = [(o["choice"]["lr"], o["choice"]["l2"]) for o in report["outcomes"]]
    assert choices == [(lr, l2) for lr in (1e-6, 0.1, 1e30) for l2 in (0.0, 1e6)]
    best = report["best"]
    assert best["choice"] == {"lr": 0.1, "l2": 0.0}
    assert best["validation_accuracy"] > 0.2
    assert best == max(
        (o for o in report["outcomes"] if not o["diverged"]),
        key=lambda o: o["validation_accuracy"],
    )
    diverged = [o for o in report["outcomes"] if o["diverged"]]
    assert diverged
    assert all(o["train_accuracy"] is None and o["epochs"] < 2 for o in diverged)
    assert read(out).pixels.std() > 5
    captured = capsys.readouterr()
    assert captured.err == "6 trainings, 2 at a time\n"
    assert f"{len(diverged)} of them diverged" in captured.out
    again = captured.out.partition("train it: convtool ")[2].split("\n")[0]
    assert shlex.split(again) == [
        *["train", "digits", *QUICK],
        *["--epochs", "2", "--lr", "0.1", "--l2", "0"],
    ]


def test_one_axis_and_three(tmp_path, capsys):
    for name, grid in {
        "one": ["seed=0,1"],
        "three": ["lr=0.1,0.01", "batch-size=32,64", "momentum=0,0.5"],
    }.items():
        axes = [word for axis in grid for word in ("--grid", axis)]
        out = tmp_path / f"{name}.png"
        assert search("--epochs", 1, "--jobs", 1, *axes, "--out", out) == 0
        assert read(out).pixels.std() > 5
    assert "the best:" in capsys.readouterr().out


def test_all_may_diverge(tmp_path, capsys):
    out = tmp_path / "g.png"
    assert search("--epochs", 3, "--jobs", 1, "--grid", "lr=1e30", "--l2", 1e6, "--out", out) == 0
    text = capsys.readouterr().out
    assert "1 trainings" in text
    assert "1 of them diverged" in text
    assert "the best" not in text


def test_resume_trains_only_what_is_missing(tmp_path, capsys):
    out = tmp_path / "g.png"
    common = ["--epochs", 1, "--jobs", 1, "--out", out, "--json"]
    assert search("--grid", "lr=0.1,0.01", *common) == 0
    first = json.loads(capsys.readouterr().out)
    assert search("--grid", "lr=0.1,0.01,0.001", "--resume", *common) == 0
    captured = capsys.readouterr()
    assert captured.err == "3 trainings, 2 of them known, 1 at a time\n"
    second = json.loads(captured.out)
    assert second["outcomes"][:2] == first["outcomes"]
    assert search("--grid", "lr=0.1", "--resume", *common[:-1], "--batch-size", 32) == 1
    assert "of a search with another recipe" in capsys.readouterr().err


def test_interrupted_it_keeps_what_it_has_and_ends_its_processes(tmp_path):
    out = tmp_path / "g.png"
    arguments = ["gridsearch", "digits", *QUICK, "--epochs", "1000000", "--jobs", "2"]
    arguments += ["--grid", "lr=1e30,0.1,0.01,0.2", "--l2", "1e-3", "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "convtool", *arguments],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    journal = out.with_suffix(".jsonl")
    for _ in range(600):
        if journal.exists() and len(journal.read_text().splitlines()) > 1:
            break
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted: 3 of 4 are left; --resume continues" in error
    assert "Traceback" not in error
    assert len(journal.read_text().splitlines()) == 2
    assert not out.exists()
    assert left_alone(process.pid)


@pytest.mark.skipif(os.name != "posix", reason="locks are POSIX's")
@pytest.mark.parametrize("more", [[], ["--resume"]])
def test_a_second_search_to_the_same_journal_is_refused(tmp_path, more):
    out = tmp_path / "g.png"
    command = [sys.executable, "-m", "convtool", "gridsearch", "digits", *QUICK, "--jobs", "1"]
    command += ["--epochs", "1000000", "--grid", "lr=1e30,0.1", "--l2", "1e-3", "--out", str(out)]
    first = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    journal = out.with_suffix(".jsonl")
    try:
        for _ in range(600):
            if journal.exists() and len(journal.read_text().splitlines()) > 1:
                break
            time.sleep(0.1)
        before = journal.read_bytes()
        second = subprocess.run(
            [*command, *more], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert first.poll() is None
    finally:
        first.kill()
        first.wait()
    assert second.returncode == 1
    assert second.stderr == f"convtool: error: {journal}: another run is writing it\n"
    assert journal.read_bytes() == before
    assert len(before.splitlines()) == 2


def left_alone(group):
    """Wait until no process of a group is there."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "an empty grid: give --grid"),
        (["--grid", "lr="], 2, "the grid would be empty"),
        (["--grid", "lr=1e-3:1:0log"], 2, "0 values"),
        (["--grid", "rate=1"], 2, "'rate' is none of"),
        (["--grid", "lr=0.1,0.2", "--grid", "lr=1"], 2, "an axis is there twice"),
        (["--grid", "epochs=1:1001:1001lin"], 2, "takes 1,001 trainings; --yes starts them"),
        (["--grid", "lr=1:9:9999lin", "--grid", "l2=1:9:9999lin"], 2, "99,980,001 trainings"),
        (["--grid", "momentum=0.5,1.5"], 2, "momentum 1.5"),
        (["--grid", "lr=0.1", "--validation", "0"], 2, "needs a validation set"),
        (["--grid", "lr=0.1", "--out", "a.txt"], 2, "a drawing ends in"),
        (["--grid", "lr=0.1", "--out", "no/a.png"], 1, "no such folder"),
        (["--grid", "lr=0.1", "--classes", "0,x"], 1, "no class 'x'"),
        (["--grid", "lr=0.1", "--classes", "0"], 1, "one class alone"),
    ],
)
def test_wrong_use_is_one_line(arguments, code, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert search(*arguments) == code
    error = capsys.readouterr().err
    assert error.startswith("convtool: error: ")
    assert says in error
    assert len(error.splitlines()) == 1


def test_more_than_a_thousand_begin_with_yes(tmp_path, monkeypatch, capsys):
    trained = []
    monkeypatch.setattr(
        "convtool.cli.gridsearch.train_all",
        lambda search, choices, jobs, done: trained.append(len(choices)) or stop(),
    )

    def stop():
        raise KeyboardInterrupt

    out = tmp_path / "g.png"
    assert search("--grid", "epochs=1:1001:1001lin", "--yes", "--out", out) == 130
    assert trained == [1001]
    assert "1,001 trainings" in capsys.readouterr().err
