"""Whole files or none: what a temporary file is, who may remove it, and when."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from convtool import files
from convtool.files import Replacement, replace_file, sweep

LEFT = ".convtool-0123456789abcdef"
POSIX = pytest.mark.skipif(os.name != "posix", reason="locks are POSIX's")


@pytest.fixture(autouse=True)
def nothing_swept(monkeypatch):
    """Forget which folders this process has swept."""
    monkeypatch.setattr(files, "_swept", set())


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_is_there_when_it_is_whole(tmp_path):
    target = tmp_path / "a.txt"
    target.write_bytes(b"old")
    with Replacement(str(target)) as new:
        new.file.write(b"new")
        new.sync()
        assert target.read_bytes() == b"old"
        assert len(names(tmp_path)) == 2
    assert target.read_bytes() == b"new"
    assert names(tmp_path) == ["a.txt"]
    assert not files._own


@pytest.mark.parametrize("length", [0, 1, 3_000_000])
def test_bytes_put_into_an_unbuffered_one_are_all_there(tmp_path, length):
    data = bytes(range(256)) * (length // 256) + bytes(length % 256)
    with Replacement(str(tmp_path / "a.bin"), buffered=False) as new:
        new.put(data)
        new.send()
    assert (tmp_path / "a.bin").read_bytes() == data
    assert names(tmp_path) == ["a.bin"]


def test_discarding_what_is_in_place_changes_nothing(tmp_path):
    new = Replacement(str(tmp_path / "a.txt"))
    new.file.write(b"new")
    new.commit()
    new.discard()
    assert (tmp_path / "a.txt").read_bytes() == b"new"


def test_an_error_discards_it(tmp_path):
    target = tmp_path / "a.txt"
    with pytest.raises(TypeError), Replacement(str(target)) as new:
        new.file.write("text")
    assert names(tmp_path) == []
    assert not files._own


def test_a_target_that_became_a_folder(tmp_path):
    target = tmp_path / "a.txt"
    with pytest.raises(OSError, match="directory"), Replacement(str(target)):
        target.mkdir()
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        replace_file(str(tmp_path / "no" / "a.txt"), b"")
    assert not files._own


def test_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(LEFT).touch()
    replace_file("a.txt", b"all")
    assert names(tmp_path) == ["a.txt"]


@POSIX
def test_a_link_stays_a_link_and_a_device_a_device(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"old")
    (tmp_path / "link").symlink_to("a.txt")
    replace_file(tmp_path / "link", iter([b"new", b"er"]))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a.txt").read_bytes() == b"newer"
    replace_file(os.devnull, b"all")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_its_mode_is_as_the_umask_says(tmp_path):
    before = os.umask(0o037)
    try:
        replace_file(str(tmp_path / "a.txt"), b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


@POSIX
class TestSweep:
    def test_takes_what_nobody_writes_and_nothing_else(self, tmp_path):
        for name in (LEFT, LEFT + "0", ".convtool-xyz", "a.txt"):
            (tmp_path / name).touch()
        assert sweep(str(tmp_path)) == 1
        assert names(tmp_path) == [LEFT + "0", ".convtool-xyz", "a.txt"]

    def test_leaves_what_is_being_written(self, tmp_path):
        with Replacement(str(tmp_path / "a.txt")) as new:
            assert sweep(str(tmp_path)) == 0
            new.file.write(b"all")
        assert (tmp_path / "a.txt").read_bytes() == b"all"

    def test_comes_before_the_first_file_of_a_folder(self, tmp_path):
        (tmp_path / LEFT).touch()
        replace_file(str(tmp_path / "a.txt"), b"")
        assert names(tmp_path) == ["a.txt"]
        (tmp_path / LEFT).touch()
        replace_file(str(tmp_path / "b.txt"), b"")
        assert names(tmp_path) == [LEFT, "a.txt", "b.txt"]

    def test_does_not_follow_links(self, tmp_path):
        (tmp_path / "precious").touch()
        (tmp_path / LEFT).symlink_to("precious")
        assert sweep(str(tmp_path)) == 0
        assert names(tmp_path) == [LEFT, "precious"]

    def test_where_there_is_no_folder(self, tmp_path):
        assert sweep(str(tmp_path / "no")) == 0

    def test_where_nothing_can_be_locked(self, tmp_path, monkeypatch):
        (tmp_path / LEFT).touch()
        monkeypatch.setattr(files, "fcntl", None)
        replace_file(str(tmp_path / "a.txt"), b"")
        assert names(tmp_path) == [LEFT, "a.txt"]

    def test_a_file_system_without_locks(self, tmp_path, monkeypatch):
        def flock(file, how):
            raise OSError(95, "Operation not supported")

        (tmp_path / LEFT).touch()
        monkeypatch.setattr(files.fcntl, "flock", flock)
        replace_file(str(tmp_path / "a.txt"), b"")
        assert names(tmp_path) == [LEFT, "a.txt"]

    def test_of_another_process_between_making_and_locking(self, tmp_path, monkeypatch):
        files._swept.add(str(tmp_path))
        monkeypatch.setattr(files, "_is_at", steal_once(tmp_path, files._is_at))
        replace_file(str(tmp_path / "a.txt"), b"all")
        assert (tmp_path / "a.txt").read_bytes() == b"all"
        assert names(tmp_path) == ["a.txt"]


def steal_once(folder, look):
    """Remove the first temporary file before it is looked for."""
    left = [True]

    def stolen(file, path):
        if left and left.pop():
            os.unlink(path)
        return look(file, path)

    return stolen


ABANDON = """
import os, sys
from convtool.files import Replacement, abandon
new = Replacement(sys.argv[1])
new.file.write(b"half")
abandon()
os._exit(len(os.listdir(os.path.dirname(sys.argv[1]))))
"""


def test_a_process_about_to_end_removes_its_own(tmp_path):
    command = [sys.executable, "-c", ABANDON, str(tmp_path / "a.txt")]
    assert subprocess.run(command, check=False, cwd=Path(__file__).parents[1]).returncode == 0
    assert names(tmp_path) == []


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o604, 0o664])
def test_mode_of_the_replaced_file_stays_from_the_beginning(tmp_path, mode):
    target = tmp_path / "a.txt"
    target.write_bytes(b"old")
    target.chmod(mode)
    with Replacement(str(target)) as new:
        assert stat.S_IMODE(os.fstat(new.file.fileno()).st_mode) == mode
    assert stat.S_IMODE(target.stat().st_mode) == mode


def test_time_of_change_is_the_one_that_is_given(tmp_path):
    target = tmp_path / "a.txt"
    replace_file(target, b"text", modified=981_173_106_123_456_789)
    assert target.stat().st_mtime_ns == 981_173_106_123_456_789
    replace_file(target, b"text")
    assert target.stat().st_mtime_ns > 981_173_106_123_456_789
