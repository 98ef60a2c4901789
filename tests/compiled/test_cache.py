"""Compiled code is kept where that is safe, and nothing breaks where it cannot be."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from convtool.compiled import cache

POSIX = pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A private place for caches."""
    monkeypatch.delenv(cache.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache.forget()
    yield tmp_path
    cache.forget()


def environment(**variables):
    kept = {k: v for k, v in os.environ.items() if k != cache.VARIABLE}
    path = os.pathsep.join(p for p in (str(Path.cwd()), kept.get("PYTHONPATH")) if p)
    return kept | {"PYTHONPATH": path, "CONVTOOL_NUM_THREADS": "1"} | variables


ROUND = """
import ctypes, numpy as np
from convtool.compiled import jit

values, answers = np.array([2.5, 300, -1]), np.zeros((2, 3))
for line, answer in zip(answers, ("uint8", "float64")):
    made = np.zeros(3, answer)
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 2, ctypes.c_ssize_t)(
        jit.address("write_line", ("float64", answer)))
    function(values.ctypes.data, made.ctypes.data, 3)
    line[:] = made
print(answers.tolist())
"""
"""Compiles two functions, in a moment, and calls them."""

ROUNDED = "[[2.0, 255.0, 0.0], [2.5, 300.0, -1.0]]"


def start(folder, **variables):
    return subprocess.Popen(
        [sys.executable, "-c", ROUND],
        env=environment(XDG_CACHE_HOME=str(folder / "cache")) | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def rounded(folder, **variables):
    """Run ROUND with its cache below a folder; return its warnings beside the right answer."""
    return finish(start(folder, **variables))


def finish(process):
    said, complaints = process.communicate(timeout=300)
    assert (process.returncode, said) == (0, f"{ROUNDED}\n"), complaints
    return [line for line in complaints.splitlines() if "Warning: " in line]


def kept(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.nb[ic]")}


@POSIX
class TestFolder:
    def test_is_made_for_its_user_alone(self, home):
        folder = cache.folder()
        assert folder.parent == home / "convtool" / "jit"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert cache.folder() == folder

    def test_numbas_own_variable_decides(self, home, monkeypatch):
        monkeypatch.setenv(cache.VARIABLE, str(home / "other"))
        assert cache.folder().parent == home / "other"

    @pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
    def test_that_others_may_write_to_is_not_used(self, home, mode):
        folder = cache.folder()
        folder.chmod(mode)
        cache.forget()
        assert cache.folder() is None

    def test_in_one_where_anybody_may_rename_is_not_used(self, home, monkeypatch):
        assert cache.folder() is not None
        cache.forget()
        home.chmod(0o777)
        assert cache.folder() is None
        cache.forget()
        home.chmod(0o1777)
        assert cache.folder() is not None

    def test_chosen_by_numbas_variable_is_private_too(self, home, monkeypatch):
        monkeypatch.setenv(cache.VARIABLE, str(home / "other"))
        folder = cache.folder()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        cache.forget()
        folder.chmod(0o777)
        assert cache.folder() is None

    @pytest.mark.parametrize("depth", [1, 2])
    def test_below_one_that_others_may_write_to_is_not_used(self, home, depth):
        folder = cache.folder()
        folder.parents[depth - 1].chmod(0o777)
        cache.forget()
        assert cache.folder() is None

    def test_of_somebody_else_is_not_used(self, home, monkeypatch):
        assert cache.folder() is not None
        owner = os.getuid()
        cache.forget()
        monkeypatch.setattr(os, "getuid", lambda: owner + 1)
        assert cache.folder() is None

    def test_that_is_a_file_is_not_used(self, home):
        (home / "convtool").write_text("in the way")
        assert cache.folder() is None
        assert not cache.is_complete()

    def test_below_a_file_is_not_used(self, home, monkeypatch):
        (home / "file").write_text("in the way")
        monkeypatch.setenv("XDG_CACHE_HOME", str(home / "file"))
        assert cache.folder() is None

    def test_that_cannot_be_written_is_not_used(self, home, monkeypatch):
        cache.folder()
        cache.forget()
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        assert cache.folder() is None


def test_is_complete_where_it_was_marked(home):
    assert not cache.is_complete()
    cache.mark_complete()
    assert cache.is_complete()
    (mark,) = cache.folder().glob("complete-numba*")
    mark.unlink()
    cache.forget()
    assert not cache.is_complete()


def cut(data):
    return data[: len(data) // 2]


def flipped(data):
    return data[:-99] + bytes([data[-99] ^ 1]) + data[-98:]


@pytest.mark.parametrize("damage", [cut, flipped])
@pytest.mark.parametrize("ending", ["nbi", "nbc"])
def test_what_is_damaged_is_compiled_again_with_one_warning(tmp_path, damage, ending):
    assert rounded(tmp_path) == []
    whole = kept(tmp_path)
    assert len(whole) == 3  # an index, and the code of two types
    assert rounded(tmp_path) == []
    assert kept(tmp_path) == whole
    for path in tmp_path.rglob(f"*.{ending}"):
        path.write_bytes(damage(path.read_bytes()))
    (complaint,) = rounded(tmp_path)
    assert "ConvtoolWarning: " in complaint
    assert "compiled code is damaged and is compiled again" in complaint
    assert rounded(tmp_path) == []
    assert kept(tmp_path).keys() == whole.keys()


@pytest.mark.parametrize("options", ["size=16k", "nr_inodes=8"])
def test_a_full_disk_costs_one_warning(tmp_path, small_disk, options):
    small_disk(tmp_path / "cache", options)
    for _ in range(2):
        (complaint,) = rounded(tmp_path)
        assert "ConvtoolWarning: " in complaint
        assert "compiled code cannot be kept" in complaint
    assert not list(tmp_path.rglob("*.tmp.*"))


def test_a_place_that_cannot_be_written_costs_one_warning(tmp_path):
    (tmp_path / "cache").write_text("in the way")
    (complaint,) = rounded(tmp_path)
    assert f"{tmp_path}/cache/convtool/jit: compiled code cannot be kept (" in complaint
    (complaint,) = rounded(tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache" / "below"))
    assert f"{tmp_path}/cache/below: compiled code cannot be kept (" in complaint


def test_ten_processes_fill_an_empty_cache_at_once(tmp_path):
    for process in [start(tmp_path) for _ in range(10)]:
        assert finish(process) == []
    whole = kept(tmp_path)
    assert len(whole) == 3
    assert rounded(tmp_path) == []
    assert kept(tmp_path) == whole


def test_compile_without_a_place_is_one_line(tmp_path):
    (tmp_path / "cache").write_text("in the way")
    done = subprocess.run(
        [sys.executable, "-m", "convtool", "compile"],
        env=environment(XDG_CACHE_HOME=str(tmp_path / "cache"), CONVTOOL_LIBRARY="none"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        f"convtool: error: {tmp_path}/cache/convtool/jit: compiled code cannot be kept there; name"
    )
