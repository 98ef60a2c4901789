"""The progress bar: on a terminal only, one for all works."""

import sys

from convtool.cli._progress import Bar, pixel_bar
from convtool.cli._training_line import ProgressLine
from convtool.nn.history import BatchReport
from convtool.progress import tracked


def as_terminal(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)


def test_shows_nothing_elsewhere(capsys):
    with Bar("work") as bar:
        assert list(tracked(bar, "", range(3))) == [0, 1, 2]
        assert bar.shown is None
        bar.say("a line")
    assert capsys.readouterr().err == "a line\n"


def test_counts_works_with_their_titles(monkeypatch, capsys):
    as_terminal(monkeypatch)
    with pixel_bar("a[/b].tif") as bar:
        bar(2_000_000)(500_000)
        list(tracked(bar, "cells", "abc"))
        first, second = bar.shown.tasks
        assert (first.description, first.completed, first.total) == ("a[/b].tif", 500_000, 2e6)
        assert first.fields["text"].endswith(" megapixels/s")
        assert (second.description, second.completed, second.total) == ("cells", 3, 3)
        bar.say("a [line]")
    assert bar.shown is None
    said = capsys.readouterr().err
    assert "a [line]\n" in said
    assert "a[/b].tif" in said


def test_a_resumed_training_shows_the_share_of_the_rest(monkeypatch, capsys):
    as_terminal(monkeypatch)
    line = ProgressLine()
    for batch in (4, 5):
        line(BatchReport(2, 3, batch, 5, 0.25, 0.5, None))
    (shown,) = line._bar.shown.tasks
    assert (shown.completed, shown.total) == (1, 7)
    line.close()
    assert "epoch 2/3  loss 0.2500  accuracy 50.00%  validation -" in capsys.readouterr().err
