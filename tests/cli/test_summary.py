"""What a batch says on a terminal while it runs, and in the end."""

import sys
from contextlib import closing

from convtool.cli._summary import Summary
from convtool.errors import ImageReadError
from convtool.filtering.job import Kind, Outcome
from convtool.work.naming import Task
from convtool.work.worker import TaskResult


def test_a_bar_counts_on_a_terminal_and_errors_stand_above_it(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    kind = Kind("png", (4, 6), "8")
    good = TaskResult(0, Outcome(kind, kind, (), warnings=("is dark",)))
    bad = TaskResult(1, error=ImageReadError("b.png: is damaged"))
    with closing(Summary(3, reported=True)) as summary:
        summary.skip()
        summary.start(2)
        summary.take([(Task("a.png", "o/a.png"), good), (Task("b.png", "o/b.png"), bad)])
        (shown,) = summary._bar.shown.tasks
        assert (shown.completed, shown.total) == (3, 3)
        assert shown.fields["text"].endswith(" a second")
        summary.end()
        report = summary.as_json()
    said = capsys.readouterr().err
    assert "convtool: warning: a.png: is dark\n" in said
    assert "convtool: error: b.png: is damaged\n" in said
    assert "failed: b.png\n3 pictures: 1 done, 1 failed, 1 done before; " in said
    assert [report[name] for name in ("done", "failed", "done_before", "jobs")] == [1, 1, 1, 2]
