"""A journal of finished work, so that an interrupted run can be resumed.

It is a text file of JSON objects, one a line: first what the file is, then a line for each piece of
work, on the disk before the next ones begin. Work counts as done when the journal says so with the
same fingerprint (of all that decides the result), the input is as it was and the output is as it
was written.
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
    """What a file was: its size in bytes, its time in ns, and the SHA-256 of its content."""

    size: int
    time: int
    sha256: str


class JournalEntry(Record):
    """One piece of work.

    Parameters
    ----------
    source, target : str
        The absolute paths of input and output.
    fingerprint : str
        Stands for all that decides the result besides the input, see `FilterJob.fingerprint`.
    input, output : Stamp
        What both were when it was done.
    """

    source: str
    target: str
    fingerprint: str
    input: Stamp
    output: Stamp


def stamp(path: str) -> Stamp:
    """Look at a file and read it.

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
    """Return whether a file is unchanged: by size and time, or else by content."""
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
    """Return a number that stands for a piece of work, of some 100 bytes with all that is kept."""
    name = json.dumps([source, target]).encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest())


class Journal:
    """An open journal, locked against a second run.

    Parameters
    ----------
    path : str
        The file; made if there is none.

    Raises
    ------
    JournalError
        If it cannot be opened or written, another run has it, or it is no journal. A last line that
        was broken off is cut away.
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
                    raise JournalError(f"{self._name}: is no journal; name another file")
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
            what = f"line {number} is damaged" if number > 1 else "is no journal"
            raise JournalError(f"{self._name}: {what}; name another file") from None

    def _remember(self, record: JournalEntry, place: int) -> None:
        """Keep where a record is; what it says stays in the file, so that memory is for others."""
        self._lines[_number(record.source, record.target)] = place

    def _last(self, source: str, target: str) -> JournalEntry | None:
        """Read what was last written of a piece of work."""
        place = self._lines.get(_number(source, target))
        if place is None:
            return None
        self._file.seek(place)
        record = _record(self._file.readline())
        self._file.seek(0, os.SEEK_END)
        return record if (record.source, record.target) == (source, target) else None

    def is_done(self, source: str, target: str, fingerprint: str) -> bool:
        """Return whether this work is done and neither input nor output has changed since."""
        known = self._last(os.path.abspath(source), os.path.abspath(target))
        return (
            known is not None
            and known.fingerprint == fingerprint
            and is_as(target, known.output)
            and is_as(source, known.input)
        )

    def add(self, records: Iterable[JournalEntry]) -> None:
        """Write down what was done, and flush it to the disk.

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
        """Close the file; another run may have it then."""
        with suppress(OSError):  # of what could not be written, which was said when it was tried
            self._file.close()

    def _failure(self, error: OSError) -> JournalError:
        return JournalError(f"{self._name}: the journal cannot be written: {error.strerror}")
