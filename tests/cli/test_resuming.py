"""Going on with a batch, whatever its first run has left."""

import json
import os
import shlex
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from processes import finished, started
from terminals import Terminal

from convtool.cli import run
from convtool.images.read import read
from convtool.images.write import write

BOX = ["filter", "-k", "box", "--jobs", "1"]
BLUR = ["filter", "-k", "gaussian", "--jobs", "1"]


def count(capsys, arguments):
    """Run a batch; return its code and what it says of numbers."""
    code = run(arguments)
    said = capsys.readouterr().err
    return code, said.rpartition("pictures: ")[2].partition(";")[0]


def made_before(folder, *names):
    """Make a folder of outputs which no journal tells of; those of `names` have another look."""
    assert run([*BOX, "in", "out/"]) == 0
    for name in names:
        write(f"out/{name}", np.zeros((6, 8), np.uint8))


def test_without_a_terminal_it_is_refused_in_one_sentence(folder, capsys):
    made_before(folder)
    done = finished(*BOX, "--resume", "in", "out/")
    assert done.returncode == 2
    assert done.stderr.decode().splitlines() == [
        "convtool: error: out/: 2 outputs are newer than their inputs, but neither a journal nor "
        "the report that --json names says with which options; --no-clobber keeps them, and "
        "without --resume all are made again"
    ]
    assert not Path("out/.convtool-journal").exists()


@pytest.mark.parametrize(("answer", "kept"), [("y\n", True), ("n\n", False)])
def test_on_a_terminal_it_is_asked(folder, answer, kept):
    made_before(folder, "a.png")
    terminal = Terminal(*BOX, "--resume", "in", "out/")
    terminal.until("Keep them? [y/N]: ")
    assert "out/: 2 outputs are newer than their inputs" in terminal.said
    terminal.type(answer)
    assert terminal.end() == 0
    assert ("2 done before" in terminal.said) == kept
    assert (read("out/a.png").pixels.max() == 0) == kept
    again = finished(*BOX, "--resume", "in", "out/")  # by then a journal tells
    assert b"2 pictures: 2 done before" in again.stderr


def test_what_is_older_than_its_input_is_made_anew(folder, capsys):
    made_before(folder, "a.png", "b.png")
    for name in ("a.png", "b.png"):
        os.utime(f"out/{name}", (1, 1))
    assert count(capsys, [*BOX, "--resume", "in", "out/"]) == (0, "2 done")
    assert read("out/a.png").pixels.max() > 0


def test_no_clobber_keeps_what_is_there(folder, capsys):
    made_before(folder, "a.png")
    code, said = count(capsys, [*BOX, "--resume", "--no-clobber", "-r", "in", "out/"])
    assert (code, said) == (0, "1 done, 2 done before")
    assert read("out/a.png").pixels.max() == 0


def test_a_report_with_the_same_options_is_believed(folder, capsys):
    assert run([*BOX, "--json", "r.json", "in", "out/"]) == 0
    capsys.readouterr()
    again = [*BOX, "--json", "r.json", "--resume", "-r", "in", "out/"]
    assert count(capsys, again) == (0, "1 done, 2 done before")
    assert json.loads(Path("r.json").read_text())["done_before"] == 2


def test_a_report_with_other_options_is_not(folder):
    assert run([*BOX, "--json", "r.json", "in", "out/"]) == 0
    done = finished(*BLUR, "--json", "r.json", "--resume", "in", "out/")
    assert done.returncode == 2
    assert b"2 outputs are newer than their inputs" in done.stderr


@pytest.mark.parametrize("text", ["", "[", "[]", "{}", '{"schema": "convtool.bench/1"}'])
def test_another_file_is_no_report(folder, text):
    made_before(folder)
    Path("r.json").write_text(text)
    done = finished(*BOX, "--json", "r.json", "--resume", "in", "out/")
    assert done.returncode == 2
    assert Path("r.json").read_text() == text


def test_a_changed_input_is_made_anew_though_a_report_tells_of_it(folder, capsys):
    assert run([*BOX, "--json", "r.json", "in", "out/"]) == 0
    os.utime("in/a.png", (2**33, 2**33))
    capsys.readouterr()
    again = [*BOX, "--json", "r.json", "--resume", "in", "out/"]
    assert count(capsys, again) == (0, "1 done, 1 done before")


def test_a_first_run_asks_nothing(folder, capsys):
    Path("out").mkdir()
    write("out/other.png", np.zeros((6, 8), np.uint8))
    assert count(capsys, [*BOX, "--resume", "in", "out/"]) == (0, "2 done")


SLOW = ["filter", "-k", "disk:radius=40", "--engine", "direct"]


def interrupted(folder, *options, places=("my pictures", "out/")):
    """Interrupt a batch of one small and five large pictures after the first output."""
    if not Path("my pictures").exists():
        os.rename("in", "my pictures")
        for number in range(5):
            write(f"my pictures/big{number}.png", np.zeros((900, 900), np.uint8))
    running = started(*SLOW, *options, "--jobs", "1", *places)
    target = Path(places[-1]) / "a.png"
    before = target.stat().st_mtime_ns if target.exists() else 0
    while not (target.exists() and target.stat().st_mtime_ns != before):
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    lines = said.decode().splitlines()
    assert lines[-1] == "convtool: error: interrupted"
    return lines


def advised(lines):
    (line,) = [line for line in lines if "go on with: " in line]
    return shlex.split(line.partition("go on with: ")[2])


@pytest.mark.slow
def test_the_message_of_an_interrupt_is_the_command_that_goes_on(folder):
    words = advised(interrupted(folder, "--json", "r.json"))
    assert words[:3] == ["convtool", "filter", "--resume"]
    assert words[3:] == [*SLOW[1:], "--json", "r.json", "--jobs", "1", "my pictures", "out/"]
    report = json.loads(Path("r.json").read_text())
    assert 1 <= report["done"] < 8
    assert sum(one["status"] == "done" for one in report["each"]) == report["done"]
    for path in Path("my pictures").glob("big*"):  # smaller, so that the rest is done at once
        write(path, np.zeros((5, 5), np.uint8))
    done = finished(*words[1:])
    assert done.returncode == 0
    assert b"done before" in done.stderr
    assert len(list(Path("out").glob("*.png"))) == 7


@pytest.mark.slow
@pytest.mark.parametrize("options", [["--resume"], ["--journal", "j"]])
def test_a_run_with_a_journal_goes_on_with_its_own_command(folder, options):
    words = advised(interrupted(folder, *options))
    assert words == ["convtool", *SLOW, *options, "--jobs", "1", "my pictures", "out/"]
