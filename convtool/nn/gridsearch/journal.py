"""The journal of a grid search: one line of JSON appended for each finished training.

The first line identifies the search. A line truncated by a crash is ignored.
"""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from convtool.errors import ModelFileError
from convtool.nn.gridsearch.axes import Value
from convtool.nn.modelfile import write_whole
from convtool.records import Record

FORMAT = "convtool.gridsearch.journal/1"
_MOST_BYTES = 2**30


class Outcome(Record):
    """The result of one training.

    Attributes
    ----------
    choice : dict
        The combination.
    train_accuracy, validation_accuracy, validation_loss : float or None
        None where the training diverged.
    epochs : int
        Epochs that were finished.
    seconds : float
        CPU time, which does not depend on other processes.
    diverged : bool
        Whether it stopped because the loss was no longer finite.
    """

    choice: dict[str, Value]
    train_accuracy: float | None
    validation_accuracy: float | None
    validation_loss: float | None
    epochs: int
    seconds: float
    diverged: bool


class Journal:
    """A file of outcomes.

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
    ModelFileError
        If it cannot be read or written, or belongs to another search.
    """

    def __init__(self, path: Path, search: dict[str, Any], *, resume: bool) -> None:
        self._path = path
        self.outcomes: list[Outcome] = []
        header = json.dumps({"format": FORMAT, "search": search}) + "\n"
        try:
            whole = self._read(json.loads(header)["search"]) if resume and path.exists() else header
            write_whole(path, whole.encode())
        except ModelFileError:
            raise
        except OSError as error:
            raise ModelFileError(f"{path}: {error.strerror or error}") from error

    def _read(self, search: dict[str, Any]) -> str:
        """Read the outcomes; return the file's complete lines."""
        if self._path.stat().st_size > _MOST_BYTES:
            raise ModelFileError(f"{self._path}: not the journal of a search: too long")
        text = self._path.read_bytes().decode("utf-8", "replace")
        lines = text[: text.rfind("\n") + 1].splitlines()
        try:
            header = json.loads(lines[0])
            if header["format"] != FORMAT:
                raise ModelFileError(f"{self._path}: not a journal that this convtool reads")
            other = [name for name in search if header["search"].get(name) != search[name]]
            self.outcomes = [Outcome(**json.loads(line)) for line in lines[1:]]
        except ModelFileError:
            raise
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise ModelFileError(
                f"{self._path}: damaged, or not the journal of a search; without --resume the"
                " search starts again"
            ) from error
        if other:
            raise ModelFileError(
                f"{self._path}: of a search with another {other[0]}: repeat its options, or search"
                " without --resume"
            )
        return "".join(f"{line}\n" for line in lines)

    def add(self, outcome: Outcome) -> None:
        """Append an outcome and flush it to disk."""
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(outcome)) + "\n")
                file.flush()
                self.outcomes.append(outcome)
                os.fsync(file.fileno())
        except OSError as error:
            raise ModelFileError(f"{self._path}: {error.strerror or error}") from error
