"""Trainings of a grid: one at a time and side by side, kept as they end."""

import json
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from convtool.errors import JournalError, OptionError
from convtool.nn.datasets import Dataset
from convtool.nn.gridsearch.journal import FORMAT, Outcome, SearchJournal
from convtool.nn.gridsearch.run import train_all
from convtool.nn.gridsearch.training import Search, train_once
from convtool.nn.recipe import Recipe


def bright_and_dark():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 60)
    images = rng.integers(0, 120, (120, 6, 6)) + 130 * labels[:, None, None]
    return Dataset(images.astype(np.uint8), labels, ("dark", "bright"))


RECIPE = Recipe(epochs=3, batch_size=16, optimizer="sgd", lr=0.1, validation=0.2)
SEARCH = Search(bright_and_dark(), "conv 2 3x3, relu", None, RECIPE)
CHOICES = [{"lr": 1e-9, "l2": 0.0}, {"lr": 0.1, "l2": 0.0}, {"lr": 1e30, "l2": 1e6}]


class TestOneTraining:
    def test_judges_both_parts(self):
        outcome = train_once(SEARCH, {"lr": 0.1})
        assert outcome.choice == {"lr": 0.1}
        assert outcome.train_accuracy > 0.8
        assert outcome.validation_accuracy > 0.8
        assert 0 < outcome.validation_loss < 0.6
        assert outcome.epochs == 3
        assert not outcome.diverged

    def test_ends_where_it_diverges(self):
        long = replace(SEARCH, recipe=replace(RECIPE, epochs=10**6))
        outcome = train_once(long, {"lr": 1e30, "l2": 1e6})
        assert outcome.diverged
        assert outcome.epochs < 10
        assert outcome.train_accuracy is outcome.validation_accuracy is None
        assert outcome.validation_loss is None

    def test_takes_its_choice(self):
        changed = SEARCH.with_choice({"epochs": 1, "arch": "dense 3", "dropout": 0.2, "seed": 4})
        assert changed.recipe == replace(RECIPE, epochs=1, seed=4)
        assert (changed.arch, changed.dropout) == ("dense 3", 0.2)
        assert SEARCH.with_choice({}) == SEARCH

    @pytest.mark.parametrize(
        ("choice", "says"),
        [
            ({"validation": 0.0}, "needs a validation set"),
            ({"lr": 0.0}, "does not train"),
            ({"momentum": 2.0}, "momentum 2.0"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, choice, says):
        with pytest.raises(OptionError, match=says):
            SEARCH.with_choice(choice)


def test_processes_give_what_one_process_gives():
    alone, together = [], []
    train_all(SEARCH, CHOICES, 1, alone.append)
    train_all(SEARCH, CHOICES, 2, together.append)
    assert sorted(map(plain, together)) == sorted(map(plain, alone))
    assert [outcome.diverged for outcome in alone] == [False, False, True]


def plain(outcome):
    return json.dumps(vars(outcome) | {"seconds": 0}, sort_keys=True)


def test_an_error_of_a_training_comes_through():
    broken = replace(SEARCH, arch="conv 2 9x9")
    with pytest.raises(ValueError, match="layer 1"):
        train_all(broken, CHOICES, 2, lambda outcome: None)


OUTCOME = Outcome({"lr": 0.1}, 1.0, 0.9, 0.2, 3, 1.5, False)
ABOUT = {"dataset": "digits", "arch": "small"}


def begun(path, search=ABOUT):
    return closing(SearchJournal(path, search, resume=False))


def resumed(path, search=ABOUT):
    with closing(SearchJournal(path, search, resume=True)) as journal:
        return journal.outcomes


class TestJournal:
    def test_gives_back_what_it_was_given(self, tmp_path):
        path = tmp_path / "j.jsonl"
        with begun(path) as journal:
            journal.add(OUTCOME)
            journal.add(replace(OUTCOME, choice={"lr": 1.0}, diverged=True, train_accuracy=None))
        assert len(journal.outcomes) == 2
        assert resumed(path) == journal.outcomes
        with begun(path) as again:
            assert again.outcomes == []
        assert len(path.read_text().splitlines()) == 1

    def test_leaves_out_a_torn_line(self, tmp_path):
        path = tmp_path / "j.jsonl"
        with begun(path) as journal:
            journal.add(OUTCOME)
        whole = path.read_bytes()
        path.write_bytes(whole + b'{"choice": {"lr"')
        assert resumed(path) == [OUTCOME]
        assert path.read_bytes() == whole

    @pytest.mark.parametrize("content", [None, b"", b'{"format": "convtool.grid'])
    def test_begins_where_there_is_none_or_its_first_line_is_torn(self, content, tmp_path):
        path = tmp_path / "j.jsonl"
        if content is not None:
            path.write_bytes(content)
        assert resumed(path) == []
        assert json.loads(path.read_text()) == {"format": FORMAT, "search": ABOUT}

    def test_of_another_search_is_refused(self, tmp_path):
        path = tmp_path / "j.jsonl"
        with begun(path):
            pass
        with pytest.raises(JournalError, match="of a search with another arch"):
            resumed(path, ABOUT | {"arch": "wide"})

    @pytest.mark.parametrize("resume", [False, True])
    def test_that_another_search_writes_is_refused_and_stays(self, resume, tmp_path):
        path = tmp_path / "j.jsonl"
        with begun(path) as journal:
            journal.add(OUTCOME)
            before = path.read_bytes()
            with pytest.raises(JournalError, match="another run is writing it"):
                SearchJournal(path, ABOUT, resume=resume)
            assert path.read_bytes() == before
        assert resumed(path) == [OUTCOME]

    @pytest.mark.parametrize(
        "content",
        [
            b"\xff\xfe",
            b"\xff\xfe\n",
            b"[]\n",
            b"{}\n",
            b'{"format": "other", "search": {}}\n',
            json.dumps({"format": FORMAT}).encode() + b"\n",
            json.dumps({"format": FORMAT, "search": ABOUT}).encode() + b"\n7\n",
            json.dumps({"format": FORMAT, "search": ABOUT}).encode() + b'\n{"a": 1}\n',
        ],
    )
    def test_that_is_none_is_refused_and_left_alone(self, content, tmp_path):
        path = tmp_path / "j.jsonl"
        path.write_bytes(content)
        with pytest.raises(JournalError, match=r"j\.jsonl"):
            resumed(path)
        assert path.read_bytes() == content

    def test_that_cannot_be_written_is_named(self, tmp_path):
        with pytest.raises(JournalError, match="No such file"):
            begun(tmp_path / "no" / "j.jsonl")
