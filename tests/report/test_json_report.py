"""A report appears whole or not at all."""

import json
import os
import stat
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convtool.errors import ReportWriteError
from convtool.report.json_report import Spool, write_report

REPORT = {"schema": "convtool.test/1", "name": "é", "values": [1, 2.5]}


def test_report_goes_to_stdout(capsys):
    write_report(REPORT, "-")
    assert json.loads(capsys.readouterr().out) == REPORT


def test_report_replaces_a_file(tmp_path):
    target = tmp_path / "report.json"
    target.write_text("old")
    write_report(REPORT, str(target))
    assert json.loads(target.read_text(encoding="utf-8")) == REPORT
    assert os.listdir(tmp_path) == ["report.json"]


def test_failed_report_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "report.json"
    target.write_text("old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReportWriteError, match="No space left"):
        write_report(REPORT, str(target))
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.json"]


def test_missing_folder_and_folder_as_target_are_errors(tmp_path):
    for target in (tmp_path / "missing" / "report.json", tmp_path):
        with pytest.raises(ReportWriteError, match="cannot write the report"):
            write_report(REPORT, str(target))
    assert os.listdir(tmp_path) == []


def test_link_stays_a_link_and_a_device_a_device(tmp_path):
    target, link = tmp_path / "report.json", tmp_path / "link.json"
    target.write_text("old")
    link.symlink_to(target)
    write_report(REPORT, str(link))
    assert link.is_symlink()
    assert json.loads(target.read_text(encoding="utf-8")) == REPORT
    write_report(REPORT, os.devnull)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_nan_is_no_json(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_report({"value": float("nan")}, str(tmp_path / "report.json"))
    assert os.listdir(tmp_path) == []


ITEMS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(ITEMS, max_size=4), st.dictionaries(st.text(), ITEMS, max_size=3))
def test_a_spool_is_written_as_the_list_would_be(items, more):
    written = []
    with closing(Spool()) as spool, tempfile.TemporaryDirectory() as folder:
        for item in items:
            spool.append(item)
        for each in (items, spool):
            write_report(more | {"schema": "x/1", "each": each}, f"{folder}/a.json")
            written.append(Path(f"{folder}/a.json").read_text(encoding="utf-8"))
    assert written[0] == written[1]
    assert json.loads(written[0]) == more | {"schema": "x/1", "each": items}


def test_names_that_are_no_text_are_escaped(tmp_path):
    write_report({"name": "caf\udce9"}, str(tmp_path / "a.json"))
    assert (tmp_path / "a.json").read_bytes() == b'{\n  "name": "caf\\udce9"\n}\n'


def test_a_spool_without_room_says_where_it_would_be(monkeypatch):
    with (
        closing(Spool()) as spool,
        open("/dev/full", "w", buffering=1) as full,
        monkeypatch.context() as patched,
    ):
        patched.setattr(spool, "_file", full)
        with pytest.raises(ReportWriteError, match=r"No space left.*TMPDIR"):
            spool.append({"name": "a"})
        with suppress(OSError):
            full.close()
