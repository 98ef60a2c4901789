"""The gate for files: what is opened, and what is refused at once."""

import errno
import os
import socket

import pytest

from convtool import reading
from convtool.errors import FileRefusedError
from convtool.reading import LIMITS, load, open_regular, open_to_append


def fifo(folder):
    os.mkfifo(folder / "fifo")
    return folder / "fifo"


def link_to(target):
    def made(folder):
        (folder / "link").symlink_to(target)
        return folder / "link"

    return made


def listener(folder):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "s"))
    return folder / "s"


def endless(folder):
    (folder / "long").touch()
    os.truncate(folder / "long", LIMITS["report"] + 1)
    return folder / "long"


IRREGULAR = {
    "FIFO": (fifo, "it is not a regular file"),
    "device": (link_to("/dev/zero"), "it is not a regular file"),
    "terminal": (link_to("/dev/tty"), "not a regular file|No such device"),
    "socket": (listener, "it is not a regular file"),
    "folder": (lambda folder: folder, "it is a folder"),
    "too long": (endless, "it has 67108865 bytes; a report may have 67108864"),
}


@pytest.mark.parametrize("way", [open_regular, load, open_to_append])
@pytest.mark.parametrize("kind", IRREGULAR)
def test_only_regular_files_are_opened(tmp_path, kind, way):
    make, says = IRREGULAR[kind]
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match=says) as caught:
        way(make(tmp_path), "report")
    assert kind == "terminal" or isinstance(caught.value, FileRefusedError)
    assert len(os.listdir("/proc/self/fd")) == before


def test_regular_files_are_read_through_links(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert load(tmp_path / "link", "report") == b"abc"
    with open_regular(str(tmp_path / "link"), "report") as file:
        assert file.read(2) == b"ab"


def test_a_file_is_made_to_append_to(tmp_path):
    for wanted in (b"one", b"onetwo"):
        with open_to_append(tmp_path / "journal", "journal") as file:
            file.write(wanted[-3:])
            file.seek(0)
            assert file.read() == wanted


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"abcd")
    monkeypatch.setattr(os, "fstat", _empty)
    monkeypatch.setattr(reading, "LIMITS", {"report": 3})
    with pytest.raises(FileRefusedError, match="it has 4 bytes; a report may have 3"):
        load(tmp_path / "a", "report")


_stat = os.fstat


def _empty(handle):
    """Return the status of a file as if it were empty."""
    values = list(_stat(handle))
    values[6] = 0
    return os.stat_result(values)


@pytest.mark.parametrize(
    ("name", "code"),
    [("none", errno.ENOENT), ("a\0b", errno.EINVAL), ("x" * 300, errno.ENAMETOOLONG)],
)
def test_other_errors_are_the_systems(tmp_path, name, code):
    with pytest.raises(OSError, match=rf"\[Errno {code}\]"):
        load(tmp_path / name, "report")
