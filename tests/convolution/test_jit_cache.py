"""Compiled code is kept where that is safe, and nothing breaks where it cannot be."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from convtool.convolution.engines import jit_cache
from convtool.images.read import read
from convtool.images.write import write

CONVOLVE = """
import numpy as np, convtool
image = np.arange(35.0).reshape(5, 7)
answer = convtool.convolve(image, [[1, 2, 1]], engine="numba")
assert answer[2, 3] == 4 * image[2, 3], answer
"""
POSIX = pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A private place for caches."""
    monkeypatch.delenv(jit_cache.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    jit_cache.forget()
    yield tmp_path
    jit_cache.forget()


def environment(**variables):
    kept = {k: v for k, v in os.environ.items() if k != jit_cache.VARIABLE}
    path = os.pathsep.join(p for p in (str(Path.cwd()), kept.get("PYTHONPATH")) if p)
    return kept | {"PYTHONPATH": path, "CONVTOOL_NUM_THREADS": "1"} | variables


def start(**variables):
    command = [sys.executable, "-W", "error", "-c", CONVOLVE]
    return subprocess.Popen(
        command, env=environment(**variables), stderr=subprocess.PIPE, text=True
    )


def finish(process):
    _, complaint = process.communicate(timeout=300)
    assert process.returncode == 0, complaint
    assert complaint == ""


TWICE = """
import sys
from convtool.convolution.engines.jit.compile import compiled

@compiled
def twice(number):
    return 2 * number

@compiled
def once_more(number):
    return twice(number) + number

print(once_more(7), once_more(7.5))
"""
"""Compiles two functions for two types, in a moment."""


def triple(folder, **variables):
    """Run TWICE with its cache below a folder; return what it says beside the right answer."""
    (folder / "twice.py").write_text(TWICE)
    done = subprocess.run(
        [sys.executable, folder / "twice.py"],
        env=environment(XDG_CACHE_HOME=str(folder / "cache")) | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "21 22.5\n"), done.stderr
    return [line for line in done.stderr.splitlines() if "Warning: " in line]


def kept(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.nb[ic]")}


@POSIX
class TestFolder:
    def test_is_made_for_its_user_alone(self, home):
        folder = jit_cache.folder()
        assert folder.parent == home / "convtool" / "jit"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert jit_cache.folder() == folder

    def test_numbas_own_variable_decides(self, home, monkeypatch):
        monkeypatch.setenv(jit_cache.VARIABLE, str(home / "other"))
        assert jit_cache.folder().parent == home / "other"

    @pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
    def test_that_others_may_write_to_is_not_used(self, home, mode):
        folder = jit_cache.folder()
        folder.chmod(mode)
        jit_cache.forget()
        assert jit_cache.folder() is None

    def test_in_one_where_anybody_may_rename_is_not_used(self, home, monkeypatch):
        assert jit_cache.folder() is not None
        jit_cache.forget()
        home.chmod(0o777)
        assert jit_cache.folder() is None
        jit_cache.forget()
        home.chmod(0o1777)
        assert jit_cache.folder() is not None

    def test_chosen_by_numbas_variable_is_private_too(self, home, monkeypatch):
        monkeypatch.setenv(jit_cache.VARIABLE, str(home / "other"))
        folder = jit_cache.folder()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        jit_cache.forget()
        folder.chmod(0o777)
        assert jit_cache.folder() is None

    @pytest.mark.parametrize("depth", [1, 2])
    def test_below_one_that_others_may_write_to_is_not_used(self, home, depth):
        folder = jit_cache.folder()
        folder.parents[depth - 1].chmod(0o777)
        jit_cache.forget()
        assert jit_cache.folder() is None

    def test_of_somebody_else_is_not_used(self, home, monkeypatch):
        assert jit_cache.folder() is not None
        owner = os.getuid()
        jit_cache.forget()
        monkeypatch.setattr(os, "getuid", lambda: owner + 1)
        assert jit_cache.folder() is None

    def test_that_is_a_file_is_not_used(self, home):
        (home / "convtool").write_text("in the way")
        assert jit_cache.folder() is None
        assert not jit_cache.is_filled()

    def test_below_a_file_is_not_used(self, home, monkeypatch):
        (home / "file").write_text("in the way")
        monkeypatch.setenv("XDG_CACHE_HOME", str(home / "file"))
        assert jit_cache.folder() is None

    def test_that_cannot_be_written_is_not_used(self, home, monkeypatch):
        jit_cache.folder()
        jit_cache.forget()
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        assert jit_cache.folder() is None


def test_is_filled_where_compiled_code_lies(home):
    assert not jit_cache.is_filled()
    jit_cache.forget()
    place = jit_cache.folder() / "engines_123"
    place.mkdir()
    (place / "jit.nbi").touch()
    assert not jit_cache.is_filled()
    jit_cache.forget()
    (place / "jit.1.nbc").touch()
    assert jit_cache.is_filled()


def cut(data):
    return data[: len(data) // 2]


def flipped(data):
    return data[:-99] + bytes([data[-99] ^ 1]) + data[-98:]


@pytest.mark.parametrize("damage", [cut, flipped])
@pytest.mark.parametrize("ending", ["nbi", "nbc"])
def test_what_is_damaged_is_compiled_anew_with_one_warning(tmp_path, damage, ending):
    assert triple(tmp_path) == []
    whole = kept(tmp_path)
    assert len(whole) == 6  # an index and two types of each function
    assert triple(tmp_path) == []
    assert kept(tmp_path) == whole
    for path in tmp_path.rglob(f"*.{ending}"):
        path.write_bytes(damage(path.read_bytes()))
    (complaint,) = triple(tmp_path)
    assert "ConvtoolWarning: " in complaint
    assert "compiled code is damaged and is compiled anew" in complaint
    assert triple(tmp_path) == []
    assert kept(tmp_path).keys() == whole.keys()


@pytest.mark.parametrize("options", ["size=16k", "nr_inodes=8"])
def test_a_full_disk_costs_one_warning(tmp_path, small_disk, options):
    small_disk(tmp_path / "cache", options)
    for _ in range(2):
        (complaint,) = triple(tmp_path)
        assert "ConvtoolWarning: " in complaint
        assert "compiled code cannot be kept" in complaint
    assert not list(tmp_path.rglob("*.tmp.*"))


def test_a_place_that_cannot_be_written_costs_one_warning(tmp_path):
    (tmp_path / "cache").write_text("in the way")
    (complaint,) = triple(tmp_path)
    assert f"{tmp_path}/cache/convtool/jit: compiled code cannot be kept (" in complaint
    (complaint,) = triple(tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache" / "below"))
    assert f"{tmp_path}/cache/below: compiled code cannot be kept (" in complaint


def test_the_command_filters_all_the_same(tmp_path):
    write(tmp_path / "in.pgm", np.arange(35, dtype=np.uint8).reshape(5, 7))
    command = [sys.executable, "-m", "convtool", "filter", "-k", "1x3:1/4,1/2,1/4"]
    command += ["--engine", "numba", "in.pgm", "out.pgm"]
    variables = environment(XDG_CACHE_HOME=str(tmp_path / "in.pgm"))
    variables["PYTHONPATH"] = str(Path.cwd())
    done = subprocess.run(
        command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (said,) = done.stderr.splitlines()
    where = tmp_path / "in.pgm" / "convtool" / "jit"
    assert said.startswith(f"convtool: warning: {where}: compiled code cannot be kept (")
    assert read(tmp_path / "out.pgm").pixels[2].tolist() == [14, 15, 16, 17, 18, 19, 20]


def test_two_processes_fill_an_empty_cache_at_once(tmp_path):
    variables = {"XDG_CACHE_HOME": str(tmp_path)}
    both = start(**variables), start(**variables)
    for process in both:
        finish(process)
    kept = sorted(tmp_path.rglob("*.nbc"))
    assert kept
    finish(start(**variables))
    assert sorted(tmp_path.rglob("*.nbc")) == kept
