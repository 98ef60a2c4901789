"""A journal of finished tasks, to resume an interrupted run.

It is a text file with one JSON object per line: a header, then an entry for each task, flushed to
disk before the next ones start. A task is finished if the journal has an entry with the same
fingerprint (of everything that determines the result) and neither input nor output has changed.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from typing import BinaryIO

from convtool.errors import JournalError
from convtool.files import lock
from convtool.images.paths import shown
from convtool.records import Record

SCHEMA = "convtool.journal/1"
_HEADER = {"schema": SCHEMA}


class Stamp(Record):
    """The state of a file: size in bytes, modification time in ns, SHA-256 of its content."""

    size: int
    time: int
    sha256: str


class JournalEntry(Record):
    """A finished task.

    Parameters
    ----------
    source, target : str
        The absolute paths of input and output.
    fingerprint : str
        A hash of everything that determines the result besides the input, see
        `FilterJob.fingerprint`.
    input, output : Stamp
        The stamps of both when the task finished.
    """

    source: str
    target: str
    fingerprint: str
    input: Stamp
    output: Stamp


def stamp(path: str) -> Stamp:
    """Return the stamp of a file.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Stamp(status.st_size, status.st_mtime_ns, digest)


def is_as(path: str, known: Stamp) -> bool:
    """Return whether a file matches a stamp: by size and time, or else by content."""
    try:
        status = os.stat(path)
        if status.st_size != known.size:
            return False
        return status.st_mtime_ns == known.time or stamp(path).sha256 == known.sha256
    except OSError:
        return False


def _record(line: bytes) -> JournalEntry:
    entry = json.loads(line)
    stamps = {name: Stamp(**entry[name]) for name in ("input", "output")}
    return JournalEntry(**entry | stamps)


def _number(source: str, target: str) -> int:
    """Return a hash that identifies a task, to keep the index small."""
    name = json.dumps([source, target]).encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest())


class Journal:
    """An open journal, locked against a second run.

    Parameters
    ----------
    path : str
        The file; created if it does not exist.

    Raises
    ------
    JournalError
        If it cannot be opened or written, another run has locked it, or it is not a journal. An
        incomplete last line is removed.
    """

    def __init__(self, path: str) -> None:
        self._name = shown(path)
        self._lines: dict[int, int] = {}
        try:
            self._file: BinaryIO = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
        except OSError as error:
            raise self._failure(error) from error
        try:
            if lock(self._file) is False:
                raise JournalError(f"{self._name}: another run is writing this journal")
            self._load()
        except BaseException:
            self.close()
            raise

    def _load(self) -> None:
        whole = lines = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                if not lines and not json.dumps(_HEADER).encode().startswith(line):
                    raise JournalError(f"{self._name}: is not a journal; name another file")
                break
            lines += 1
            self._take(lines, line, whole)
            whole += len(line)
        try:
            self._file.truncate(whole)
            self._file.seek(whole)
            if not lines:
                self._file.write(json.dumps(_HEADER).encode() + b"\n")
                self._sync()
        except OSError as error:
            raise self._failure(error) from error

    def _take(self, number: int, line: bytes, place: int) -> None:
        try:
            if number > 1:
                self._remember(_record(line), place)
            elif json.loads(line) != _HEADER:
                raise ValueError
        except (ValueError, TypeError, KeyError):
            what = f"line {number} is damaged" if number > 1 else "is not a journal"
            raise JournalError(f"{self._name}: {what}; name another file") from None

    def _remember(self, record: JournalEntry, place: int) -> None:
        """Index an entry by its position in the file; its content stays on disk to save memory."""
        self._lines[_number(record.source, record.target)] = place

    def _last(self, source: str, target: str) -> JournalEntry | None:
        """Read the last entry of a task."""
        place = self._lines.get(_number(source, target))
        if place is None:
            return None
        self._file.seek(place)
        record = _record(self._file.readline())
        self._file.seek(0, os.SEEK_END)
        return record if (record.source, record.target) == (source, target) else None

    def is_done(self, source: str, target: str, fingerprint: str) -> bool:
        """Return whether this task is finished and neither input nor output has changed since."""
        known = self._last(os.path.abspath(source), os.path.abspath(target))
        return (
            known is not None
            and known.fingerprint == fingerprint
            and is_as(target, known.output)
            and is_as(source, known.input)
        )

    def add(self, records: Iterable[JournalEntry]) -> None:
        """Append entries and flush them to disk.

        Raises
        ------
        JournalError
            If that fails.
        """
        records = list(records)
        lines = [json.dumps(asdict(record)).encode() + b"\n" for record in records]
        try:
            place = self._file.seek(0, os.SEEK_END)
            self._file.write(b"".join(lines))
            self._sync()
        except OSError as error:
            raise self._failure(error) from error
        for record, line in zip(records, lines, strict=True):
            self._remember(record, place)
            place += len(line)

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close and unlock the file."""
        with suppress(OSError):  # a failed write has already been reported
            self._file.close()

    def _failure(self, error: OSError) -> JournalError:
        return JournalError(f"{self._name}: the journal cannot be written: {error.strerror}")
