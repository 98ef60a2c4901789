"""The journal of a batch, so that an interrupted run can be resumed.

Work counts as done when the journal says so with the same fingerprint (of all that decides the
result), the input is as it was and the output is as it was written.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from convtool.images.paths import shown
from convtool.journal import Journal
from convtool.jsontext import record_of
from convtool.reading import open_regular
from convtool.records import Record

SCHEMA = "convtool.journal/1"


class Stamp(Record):
    """The state of a file: size in bytes, modification time in ns, SHA-256 of its content."""

    size: int
    time: int
    sha256: str
    """Empty where it was not taken: a file of another time is another file then."""


class JournalEntry(Record):
    """A finished task."""

    source: str
    target: str
    """The absolute paths of input and output."""
    fingerprint: str
    """A hash of everything that determines the result besides the input, see
    `FilterJob.fingerprint`."""
    input: Stamp
    output: Stamp
    """The stamps of both when the task finished."""


def stamp(path: str) -> Stamp:
    """Return the stamp of a file.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with open_regular(path, "picture") as file:
        status = os.fstat(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Stamp(status.st_size, status.st_mtime_ns, digest)


def seen(source: str, target: str, fingerprint: str) -> JournalEntry:
    """Return the entry of a task that was finished earlier, by sizes and times alone.

    Raises
    ------
    OSError
        If input or output is not there.
    """
    paths = os.path.abspath(source), os.path.abspath(target)
    statuses = map(os.stat, paths)
    stamps = (Stamp(status.st_size, status.st_mtime_ns, "") for status in statuses)
    return JournalEntry(*paths, fingerprint, *stamps)


def is_as(path: str, known: Stamp) -> bool:
    """Return whether a file matches a stamp: by size and time, or else by content."""
    try:
        status = os.stat(path)
        if status.st_size != known.size:
            return False
        return status.st_mtime_ns == known.time or stamp(path).sha256 == known.sha256
    except OSError:
        return False


def _entry_of(values: dict[str, Any]) -> JournalEntry:
    stamps = {name: record_of(Stamp, values[name]) for name in ("input", "output")}
    return record_of(JournalEntry, values | stamps)


def _number(source: str, target: str) -> int:
    """Return a hash that identifies a task, to keep the index small."""
    name = json.dumps([source, target]).encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest())


class WorkJournal:
    """An open journal of pictures, locked against a second run.

    Parameters
    ----------
    path : str
        The file; created if it does not exist.

    Raises
    ------
    JournalError
        If it cannot be opened or written, another run has it, or it is no journal.
    """

    def __init__(self, path: str) -> None:
        self._places: dict[int, int] = {}
        self._journal = Journal(
            path,
            {"schema": SCHEMA},
            lambda entry, place: self._remember(_entry_of(entry), place),
            name=shown(path),
            advice="name another file",
        )
        self.close = self._journal.close

    def _remember(self, record: JournalEntry, place: int) -> None:
        """Keep where a record is; what it says stays in the file, so that memory is for others."""
        self._places[_number(record.source, record.target)] = place

    def is_done(self, source: str, target: str, fingerprint: str) -> bool:
        """Return whether this work is done and neither input nor output has changed since."""
        names = os.path.abspath(source), os.path.abspath(target)
        place = self._places.get(_number(*names))
        if place is None:
            return False
        known = _entry_of(self._journal.at(place))
        return (
            (known.source, known.target, known.fingerprint) == (*names, fingerprint)
            and is_as(target, known.output)
            and is_as(source, known.input)
        )

    def add(self, records: Sequence[JournalEntry]) -> None:
        """Write down what was done, and flush it to the disk.

        Raises
        ------
        JournalError
            If that fails.
        """
        places = self._journal.add(asdict(record) for record in records)
        for record, place in zip(records, places, strict=True):
            self._remember(record, place)
