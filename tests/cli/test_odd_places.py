"""Places that cannot be written to, and names that are hard to show: one line that says which."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from convtool.images.write import write

ROOT = Path(__file__).parents[2]
GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)
FULL = Path("/dev/full")
WITHOUT_POWERS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
"""Takes from root what lets it write to folders that are read-only."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a picture."""
    monkeypatch.chdir(tmp_path)
    write("in.png", GREY)
    return tmp_path


def process(*arguments, **options):
    command = [sys.executable, "-m", "convtool", "filter", "-k", "identity", *arguments]
    if options.pop("without_powers", False) and os.geteuid() == 0:
        command = [*WITHOUT_POWERS, *command]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.run(command, env=environment, check=False, timeout=60, **options)


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
def test_standard_output_that_is_full_is_named(folder):
    with FULL.open("wb") as full:
        done = process("--format", "png", "in.png", "-", stdout=full)
    assert done.returncode == 1
    assert done.stderr == (
        b"convtool: error: standard output: cannot be written: No space left on device\n"
    )


def test_a_folder_that_cannot_be_made_is_a_failure_and_no_wrong_usage(folder):
    Path("file").write_bytes(b"")
    done = process("in.png", "file/deep/")
    assert done.returncode == 1
    assert done.stderr == b"convtool: error: file/deep: cannot create the folder: Not a directory\n"


@pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which("setpriv") is None, reason="root may write everywhere"
)
def test_a_read_only_folder_keeps_its_old_file(folder):
    Path("closed").mkdir()
    Path("closed/old.png").write_bytes(b"old")
    Path("closed").chmod(0o555)
    try:
        for name in ("old.png", "new.png"):
            done = process("in.png", f"closed/{name}", without_powers=True)
            assert done.returncode == 1
            place = folder / "closed"
            said = f"convtool: error: closed/{name}: the folder {place} cannot be written to\n"
            assert done.stderr.decode() == said
    finally:
        Path("closed").chmod(0o755)
    assert os.listdir("closed") == ["old.png"]
    assert Path("closed/old.png").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("name", "said"),
    [("two\nlines.png", "two\\nlines.png"), ("\x1b[31mred.png", "\\x1b[31mred.png")],
)
def test_control_characters_of_names_do_not_reach_the_terminal(folder, name, said):
    Path(name).write_bytes(b"nothing")
    done = process(name, "out.png")
    assert done.returncode == 1
    assert done.stderr.decode().startswith(f"convtool: error: {said}: is of no format")
    os.replace("in.png", name)
    done = process("--dry-run", name, f"new{name}")
    assert done.returncode == 0
    assert done.stderr.decode().startswith(f"would write new{said}: PNG")
