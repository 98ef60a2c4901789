"""A report appears whole or not at all."""

import json
import os
import stat

import pytest

from convtool.errors import ReportWriteError
from convtool.report.json_report import write_report

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
