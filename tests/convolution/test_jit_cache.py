"""Compiled code is kept where that is safe, and nothing breaks where it cannot be."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from convtool.convolution.engines import jit_cache

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
    place = jit_cache.folder() / "engines_123"
    place.mkdir()
    (place / "jit.nbi").touch()
    assert not jit_cache.is_filled()
    (place / "jit.1.nbc").touch()
    assert jit_cache.is_filled()


def test_convolves_all_the_same_where_nothing_can_be_kept(tmp_path):
    (tmp_path / "file").write_text("in the way")
    finish(start(XDG_CACHE_HOME=str(tmp_path / "file")))


def test_two_processes_fill_an_empty_cache_at_once(tmp_path):
    variables = {"XDG_CACHE_HOME": str(tmp_path)}
    both = start(**variables), start(**variables)
    for process in both:
        finish(process)
    kept = sorted(tmp_path.rglob("*.nbc"))
    assert kept
    finish(start(**variables))
    assert sorted(tmp_path.rglob("*.nbc")) == kept
