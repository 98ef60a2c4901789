"""Outputs that exist: skipped, replaced and named, their modes and times."""

import json
import os
import stat
import subprocess
import sys

import numpy as np
import pytest

from convtool.cli import run
from convtool.images.read import read
from convtool.images.write import write

THEN = 981_173_106_123_456_789
BOX = ["filter", "-k", "box"]
NOTE = "note: replaced a file that was no input: "
POSIX = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


@pytest.fixture
def two(tmp_path, monkeypatch):
    """A working folder with two pictures in ``two/``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two").mkdir()
    for number, name in enumerate(("a.tif", "b.tif")):
        write(f"two/{name}", np.full((8, 9), number + 1, np.uint8))
        os.utime(f"two/{name}", ns=(THEN, THEN + number))
    return tmp_path


def mean(path):
    return read(path).pixels.mean()


def test_a_pattern_that_the_shell_expands_replaces_nothing_unsaid(two, capsys):
    assert run([*BOX, "two/a.tif", "two/b.tif", "--no-clobber"]) == 0
    assert capsys.readouterr().err == "convtool: skipped: two/b.tif exists\n"
    assert mean("two/b.tif") == 2
    assert run([*BOX, "two/a.tif", "two/b.tif"]) == 0
    assert f"{NOTE}two/b.tif; --no-clobber" in capsys.readouterr().err
    assert mean("two/b.tif") == 1


def test_an_input_that_is_its_own_output_is_no_surprise(two, capsys):
    os.symlink("a.tif", "two/link.tif")
    for target in ("two/a.tif", "two/link.tif"):
        assert run([*BOX, "two/a.tif", target]) == 0
        assert capsys.readouterr().err == ""


def test_nothing_is_said_of_new_files_and_stdout(two, capsysbinary):
    assert run([*BOX, "two/a.tif", "new.tif"]) == 0
    assert run([*BOX, "two/a.tif", "-"]) == 0
    assert capsysbinary.readouterr().err == b""


def test_a_batch_skips_what_is_there_and_reports_it(two, capsys):
    assert run([*BOX, "two", "out/"]) == 0
    assert "replaced" not in capsys.readouterr().err
    os.unlink("out/a.tif")
    assert run([*BOX, "two", "out/", "--no-clobber", "--json"]) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert (report["done"], report["skipped"], report["done_before"]) == (1, 1, 0)
    assert [one["status"] for one in report["each"]] == ["skipped", "done"]
    assert "convtool: skipped: out/b.tif exists" in err
    assert "2 pictures: 1 done, 1 skipped;" in err
    assert run([*BOX, "two", "out/"]) == 0
    assert "replaced files that were no inputs: out/a.tif, out/b.tif;" in capsys.readouterr().err


def test_a_dry_run_says_what_would_be_skipped(two, capsys):
    write("b.tif", np.zeros((8, 9), np.uint8))
    assert run([*BOX, "two", ".", "--no-clobber", "--dry-run", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [one["status"] for one in report["each"]] == ["planned", "skipped"]


def test_a_skipped_picture_has_a_report(two, capsys):
    assert run([*BOX, "two/a.tif", "two/b.tif", "--no-clobber", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["skipped"], report["output"]) == (True, {"path": "two/b.tif"})


@pytest.mark.parametrize("more", [[], ["--no-clobber"]])
def test_a_missing_input_is_named_before_the_output(two, more, capsys):
    assert run([*BOX, "photoz", "outdir", *more]) == 1
    assert capsys.readouterr().err == ("convtool: error: photoz: there is no such file or folder\n")
    assert not os.path.exists("outdir")


def test_deconvolve_skips_or_says(two, capsys):
    call = ["deconvolve", "-k", "gaussian", "two/a.tif", "two/b.tif"]
    assert run([*call, "--no-clobber"]) == 0
    assert capsys.readouterr() == ("", "convtool: skipped: two/b.tif exists\n")
    assert mean("two/b.tif") == 2
    assert run(call) == 0
    assert f"{NOTE}two/b.tif" in capsys.readouterr().err


def test_svd_skips_or_says_for_each_output(two, capsys):
    write("o.tif", np.zeros((8, 9), np.uint8))
    call = ["svd", "two/b.tif", "--k", "1", "-o", "o.tif", "--save", "o.ctsvd"]
    assert run([*call, "--no-clobber"]) == 0
    assert capsys.readouterr().err == "convtool: skipped: o.tif exists\n"
    assert mean("o.tif") == 0
    assert run(["svd", "o.ctsvd", "-o", "o.tif", "--no-clobber"]) == 0
    assert mean("o.tif") == 0
    assert run(call) == 0
    assert "replaced files that were no inputs: o.tif, o.ctsvd;" in capsys.readouterr().err
    assert mean("o.tif") == 2


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_replaced_files_keep_their_mode(two, mode):
    os.chmod("two/a.tif", mode)
    os.chmod("two/b.tif", mode)
    assert run([*BOX, "two/a.tif", "two/a.tif"]) == 0
    assert run([*BOX, "two/a.tif", "two/b.tif", "--pyramid"]) == 0
    for name in ("two/a.tif", "two/b.tif"):
        assert stat.S_IMODE(os.stat(name).st_mode) == mode


def test_outputs_take_the_time_of_their_input(two):
    os.mkdir("out")
    assert run([*BOX, "two/a.tif", "one.tif", "--keep-times"]) == 0
    assert run([*BOX, "two/a.tif", "strips.tif", "--pyramid", "--keep-times"]) == 0
    assert run([*BOX, "two/a.tif", "two/a.tif", "--keep-times"]) == 0
    assert run(["deconvolve", "-k", "gaussian", "two/a.tif", "d.tif", "--keep-times"]) == 0
    assert run(["svd", "two/a.tif", "-o", "s.tif", "--save", "s.ctsvd", "--keep-times"]) == 0
    for name in ("one.tif", "strips.tif", "two/a.tif", "d.tif", "s.tif", "s.ctsvd"):
        assert os.stat(name).st_mtime_ns == THEN, name


def test_a_batch_keeps_times_and_its_journal_knows_them(two):
    call = [sys.executable, "-m", "convtool", *BOX, "two", "out", "--keep-times", "--resume"]
    subprocess.run(call, check=True, capture_output=True)
    assert os.stat("out/a.tif").st_mtime_ns == THEN
    assert os.stat("out/b.tif").st_mtime_ns == THEN + 1
    again = subprocess.run(call, check=True, capture_output=True)
    assert b"2 done before;" in again.stderr


def test_without_the_option_times_are_the_present(two):
    assert run([*BOX, "two/a.tif", "two/a.tif"]) == 0
    assert os.stat("two/a.tif").st_mtime_ns > THEN


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([*BOX, "two/a.tif", "-"], "standard input and output have no time of change"),
        ([*BOX, "two/a.tif", "out.zarr"], "a Zarr store is a folder of many"),
        (["svd", "--k", "2", "-o", "out.png"], "give one"),
    ],
)
def test_times_that_cannot_be_kept_are_refused(two, arguments, says, capsys):
    assert run([*arguments, "--keep-times"]) == 2
    assert says in capsys.readouterr().err
