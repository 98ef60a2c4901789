"""The journal of finished work: what it knows, and what it refuses."""

import json
import os
from pathlib import Path

import pytest

from convtool.errors import JournalError
from convtool.work.journal import SCHEMA, JournalEntry, WorkJournal, is_as, stamp


@pytest.fixture
def work(tmp_path):
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    source.write_bytes(b"input")
    target.write_bytes(b"output")
    record = JournalEntry(str(source), str(target), "blur", stamp(str(source)), stamp(str(target)))
    return source, target, record


def reopened(path):
    return WorkJournal(os.fspath(path))


def known(path, record, fingerprint="blur"):
    journal = reopened(path)
    try:
        return journal.is_done(record.source, record.target, fingerprint)
    finally:
        journal.close()


def test_work_is_known_after_the_journal_is_opened_again(tmp_path, work):
    *_, record = work
    journal = reopened(tmp_path / "journal")
    assert not journal.is_done(record.source, record.target, "blur")
    journal.add([record])
    assert journal.is_done(record.source, record.target, "blur")
    journal.close()
    assert known(tmp_path / "journal", record)
    assert not known(tmp_path / "journal", record, "sharpen")
    lines = (tmp_path / "journal").read_text().splitlines()
    assert json.loads(lines[0]) == {"schema": SCHEMA}
    assert json.loads(lines[1])["input"]["size"] == 5


@pytest.mark.parametrize("changed", ["source", "target"])
def test_work_is_not_done_once_a_file_has_changed_or_gone(tmp_path, work, changed):
    _, _, record = work
    journal = reopened(tmp_path / "journal")
    journal.add([record])
    journal.close()
    path = Path(getattr(record, changed))
    whole = path.read_bytes()
    path.write_bytes(whole[::-1])
    os.utime(path, ns=(1, 1))
    assert not known(tmp_path / "journal", record)
    path.write_bytes(whole)
    assert known(tmp_path / "journal", record)  # the same bytes at another time
    path.unlink()
    assert not known(tmp_path / "journal", record)


def test_a_file_of_another_size_is_not_as_it_was(work):
    source, _, record = work
    source.write_bytes(b"longer input")
    assert not is_as(str(source), record.input)


def test_a_line_that_was_broken_off_is_cut_away(tmp_path, work):
    *_, record = work
    path = tmp_path / "journal"
    journal = reopened(path)
    journal.add([record])
    journal.close()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"source": "/a')
    assert known(path, record)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a letter\n", "is not a journal"),
        (b"a letter", "is not a journal"),
        (b'{"schema": "other/1"}\n', "is not a journal"),
        (f'{{"schema": "{SCHEMA}"}}\n{{"source": 1}}\n'.encode(), "line 2 is damaged"),
    ],
)
def test_what_is_no_journal_is_refused_and_left_alone(tmp_path, content, words):
    path = tmp_path / "journal"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=words):
        reopened(path)
    assert path.read_bytes() == content


def test_a_second_run_cannot_have_it(tmp_path):
    journal = reopened(tmp_path / "journal")
    with pytest.raises(JournalError, match="another run is writing it"):
        reopened(tmp_path / "journal")
    journal.close()
    reopened(tmp_path / "journal").close()


def test_a_folder_is_no_journal(tmp_path):
    with pytest.raises(JournalError, match="cannot be written: it is a folder"):
        reopened(tmp_path)
