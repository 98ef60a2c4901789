"""``convtool filter`` on many pictures: names, failures, journals, interrupts."""

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from processes import finished, started

from convtool.cli import run
from convtool.images.read import read
from convtool.images.write import write

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)
BATCH = ["filter", "-k", "identity"]


def made(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_tree_is_kept_and_one_failure_costs_one_picture(folder):
    Path("in/bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    done = finished(*BATCH, "-r", "--jobs", "2", "in", "out")
    assert done.returncode == 1
    assert done.stderr.count(b"convtool: error: in/bad.png") == 1
    assert b"4 pictures: 3 done, 1 failed" in done.stderr
    assert made(folder / "out") == ["a.png", "b.png", "deep/c.png"]
    np.testing.assert_array_equal(read("out/deep/c.png").pixels, GREY + 2)


def test_a_list_from_stdin_a_suffix_and_a_format(folder):
    names = b"in/a.png\0./in/deep/c.png\0"
    done = finished(
        *BATCH, "--from-file", "-", "--suffix", "-x", "--format", "bmp", "out/", stdin=names
    )
    assert done.returncode == 0, done.stderr
    assert made(folder / "out") == ["in/a-x.bmp", "in/deep/c-x.bmp"]


@pytest.mark.slow
def test_a_journal_leaves_out_what_is_done_unless_it_changed(folder):
    arguments = [*BATCH, "--journal", "journal", "in", "out"]
    assert b"2 done;" in finished(*arguments).stderr
    assert b"2 done before;" in finished(*arguments).stderr
    write("in/a.png", GREY + 9)
    assert b"1 done, 1 done before;" in finished(*arguments).stderr
    Path("out/b.png").unlink()
    assert b"1 done, 1 done before;" in finished(*arguments).stderr
    assert b"2 done;" in finished(*arguments, "--gray", "--bias", "1").stderr
    with open("journal", "ab") as journal:
        journal.write(b'{"source": "half')
    assert b"2 done;" in finished(*arguments).stderr
    for line in Path("journal").read_text().splitlines():
        assert json.loads(line)


REFUSED = {
    "collision": (["in/a.png", "in/deep/../a.png", "in/deep/a.png", "out/"], "would both become"),
    "over an input": (["in", "in/"], "would be written over an input"),
    "no match": (["in/*.jpg", "out/"], "no file matches"),
    "a file": (["in/a.png", "in/b.png", "in/b.png"], "several pictures need an output folder"),
    "a picture": (["in/a.png", "in/b.png", "out.png"], "with a / at its end"),
    "stdin": (["-", "in/a.png", "out/"], "standard input is one picture"),
    "explain": (["--explain", "in", "out/"], "--explain is for one picture"),
    "jobs": (["--jobs", "2", "in/a.png", "out.png"], "--jobs is for many pictures"),
    "suffix": (["--suffix", "/x", "in", "out/"], "cannot be part of a file name"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_before_anything_is_written(folder, capsys, case):
    write("in/deep/a.png", GREY)
    before = made(folder)
    arguments, message = REFUSED[case]
    assert run([*BATCH, *arguments]) == 2
    assert message in capsys.readouterr().err
    assert made(folder) == before


def test_fail_fast_and_a_dry_run(folder, capsys):
    Path("in/0.png").write_bytes(b"no picture")
    assert run([*BATCH, "--dry-run", "in", "out/"]) == 1
    assert "would write out/a.png" in capsys.readouterr().err
    assert not Path("out").exists()
    done = finished(*BATCH, "--fail-fast", "--jobs", "1", "in", "out/")
    assert done.returncode == 1
    assert b"1 failed" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("many", [False, True])
@pytest.mark.slow
def test_an_interrupt_ends_it_and_leaves_no_stray_file(folder, number, many):
    big = np.zeros((1500, 1500), np.uint8)
    for name in range(12):
        write(f"in/big{name}.png", big)
    Path("out").mkdir()
    places = ["in", "out"] if many else ["in/big0.png", "out/big0.png"]
    options = ["-k", "disk:radius=40", "--engine", "direct"]
    running = started("filter", *options, *places)
    time.sleep(1.5)
    running.send_signal(number)
    _, complaint = running.communicate(timeout=20)
    assert running.returncode == 130, complaint
    assert b"interrupted" in complaint
    assert not [name for name in os.listdir("out") if name.startswith(".")]


@pytest.mark.slow
def test_a_picture_that_takes_too_long_fails_alone(folder):
    write("in/big.png", np.zeros((1500, 1500), np.uint8))
    slow = ["filter", "-k", "disk:radius=40", "--engine", "direct", "--timeout", "2"]
    one = finished(*slow, "in/big.png", "one.png")
    assert one.returncode == 1
    assert b"in/big.png: took longer than 2 s" in one.stderr
    many = finished(*slow, "in", "out/")
    assert many.returncode == 1
    assert b"3 pictures: 2 done, 1 failed" in many.stderr
    assert made(folder / "out") == ["a.png", "b.png"]
