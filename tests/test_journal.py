"""Journals: what stays, what is cut away, and what is refused."""

import json
from contextlib import closing

import pytest

from convtool import journal as module
from convtool.errors import JournalError
from convtool.journal import Journal

HEADER = {"schema": "test/1", "of": "a"}
START = json.dumps(HEADER).encode() + b"\n"


def entries(path, **how):
    found = []
    take = how.pop("take", lambda entry, place: found.append((entry, place)))
    with closing(Journal(path, HEADER, take, name="j", advice="do so", **how)):
        return found


def test_entries_come_back_with_their_places(tmp_path):
    with closing(Journal(tmp_path / "j", HEADER, print, name="j", advice="")) as journal:
        places = journal.add([{"n": 1}, {"n": 2}]) + journal.add([{"n": 3}])
        assert [journal.at(place)["n"] for place in reversed(places)] == [3, 2, 1]
        assert journal.add([{"n": 4}])[0] == places[-1] + len(b'{"n": 3}\n')
    found = entries(tmp_path / "j")
    assert [entry["n"] for entry, _ in found] == [1, 2, 3, 4]
    assert [place for _, place in found][:3] == places
    assert entries(tmp_path / "j", resume=False) == []
    assert (tmp_path / "j").read_bytes() == START


@pytest.mark.parametrize("torn", [b"", b"{", b'{"schema": "test/1", "of": "anothe', START[:-1]])
def test_a_torn_header_is_written_again(tmp_path, torn):
    (tmp_path / "j").write_bytes(torn)
    assert entries(tmp_path / "j") == []
    assert (tmp_path / "j").read_bytes() == START


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a letter", "j: is not a journal of this kind; do so"),
        (b'{"schema": "other/1", "of": "a"}\n', "j: is not a journal of this kind; do so"),
        (START + b"{\n{}\n", "j: line 2 is damaged; do so"),
        (START + b"{}\n" + 100_000 * b"[" + b"\n", "j: line 3 is damaged; do so"),
        (START + b"{}\n" + 200 * b" ", "j: line 3 is damaged; do so"),
    ],
)
def test_what_is_no_journal_is_refused_and_left_alone(tmp_path, monkeypatch, content, words):
    if content.endswith(b" "):
        monkeypatch.setattr(module, "_LONGEST", 200)
    (tmp_path / "j").write_bytes(content)
    with pytest.raises(JournalError) as error:
        entries(tmp_path / "j")
    assert str(error.value) == words
    assert (tmp_path / "j").read_bytes() == content


def test_a_header_of_other_work_is_the_caller_s_to_refuse(tmp_path):
    (tmp_path / "j").write_bytes(START)

    def check(header):
        assert header == HEADER
        raise JournalError("another")

    with pytest.raises(JournalError, match="another"):
        entries(tmp_path / "j", check=check)
    assert entries(tmp_path / "j", check=check, resume=False) == []
