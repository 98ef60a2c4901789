"""The journal of a grid search: an entry for each training, added as it ends."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from convtool.errors import JournalError
from convtool.journal import Entry, Journal
from convtool.jsontext import record_of
from convtool.nn.gridsearch.axes import Value
from convtool.records import Record

FORMAT = "convtool.gridsearch.journal/1"


class Outcome(Record):
    """The result of one training."""

    choice: dict[str, Value]
    """The combination."""
    train_accuracy: float | None
    validation_accuracy: float | None
    validation_loss: float | None
    """None where the training diverged."""
    epochs: int
    """Epochs that were finished."""
    seconds: float
    """CPU time, which does not depend on other processes."""
    diverged: bool
    """Whether it stopped because the loss was no longer finite."""


def _outcome_of(entry: Entry) -> Outcome:
    """Return the outcome in an entry.

    Raises
    ------
    TypeError
        If a value is missing, unknown or of another type.
    """
    outcome = record_of(Outcome, entry)
    scores = outcome.train_accuracy, outcome.validation_accuracy, outcome.validation_loss
    if not outcome.diverged and None in scores:
        raise TypeError("a training that did not diverge has scores")
    return outcome


class SearchJournal:
    """A file of outcomes, locked against a second search.

    Parameters
    ----------
    path : Path
    search : dict
        The settings that all trainings share (JSON values).
    resume : bool
        Continue with the entries of the file; otherwise start again.

    Attributes
    ----------
    outcomes : list of Outcome
        The outcomes in the file.

    Raises
    ------
    JournalError
        If it cannot be read or written, another search writes it, or it is of another search.
    """

    def __init__(self, path: Path, search: dict[str, Any], *, resume: bool) -> None:
        self.outcomes: list[Outcome] = []
        wanted = json.loads(json.dumps(search))

        def check(found: Entry) -> None:
            if not isinstance(found["search"], dict):
                raise TypeError("no search")
            other = [name for name in wanted if found["search"].get(name) != wanted[name]]
            if other:
                raise JournalError(
                    f"{path}: of a search with another {other[0]}: repeat its options, or search"
                    " without `resume=True`"
                )

        self._journal = Journal(
            path,
            {"format": FORMAT, "search": search},
            lambda entry, place: self.outcomes.append(_outcome_of(entry)),
            name=str(path),
            advice="without `resume=True` the search starts again",
            check=check,
            resume=resume,
        )
        self.close = self._journal.close

    def add(self, outcome: Outcome) -> None:
        """Add an outcome; it is on the disk when this returns."""
        self.outcomes.append(outcome)
        self._journal.add([asdict(outcome)])
