"""Journals of finished work: text files of JSON objects, one a line, locked while they are open.

The first line, the header, says what the work is. Each line is on the disk when `Journal.add`
returns, so that a run that is killed tears the last line at most, which the next run cuts away.
"""

import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from itertools import accumulate
from typing import Any

from convtool.errors import JournalError
from convtool.files import lock
from convtool.jsontext import parse
from convtool.reading import open_to_append

Entry = dict[str, Any]

_LONGEST = 1 << 26
"""Bytes of a line; a longer one is damaged."""


class Journal:
    """An open journal, locked against a second run.

    Parameters
    ----------
    path : str or path-like
        The file; made if there is none.
    header : dict
        The first line. Its first item says of which kind a journal is.
    take : callable
        Called with each entry of an earlier run and its place in the file; it raises `ValueError`,
        `TypeError` or `KeyError` for what is no entry.
    name : str
        What messages call the file.
    advice : str
        What messages say to do with a file that is no such journal.
    check : callable, optional
        Called with the header of an earlier run, for `JournalError` if its work is another one.
    resume : bool
        Whether to keep the entries of an earlier run; otherwise the journal starts again.

    Raises
    ------
    JournalError
        If the file cannot be opened or written, another run has it, or it is no such journal; it
        stays as it was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     about, found = {"schema": "example/1"}, []
    ...     how = {"name": "journal", "advice": "name another file"}
    ...     journal = Journal(folder + "/j", about, lambda entry, place: found.append(entry), **how)
    ...     places = journal.add([{"done": 1}, {"done": 2}])
    ...     journal.close()
    ...     again = Journal(folder + "/j", about, lambda entry, place: found.append(entry), **how)
    ...     second = again.at(places[1])
    ...     again.close()
    >>> found, second
    ([{'done': 1}, {'done': 2}], {'done': 2})
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        header: Entry,
        take: Callable[[Entry, int], object],
        *,
        name: str,
        advice: str,
        check: Callable[[Entry], object] = lambda found: None,
        resume: bool = True,
    ) -> None:
        self._name, self._advice = name, advice
        try:
            self._file = open_to_append(path, "journal")
        except OSError as error:
            raise self._failure(error) from error
        try:
            if lock(self._file) is False:
                raise JournalError(f"{name}: another run is writing it")
            whole = self._load(header, take, check) if resume else 0
            try:
                self._file.truncate(whole)
            except OSError as error:
                raise self._failure(error) from error
            if not whole:
                self.add([header])
        except BaseException:
            self.close()
            raise

    def _load(
        self, header: Entry, take: Callable[[Entry, int], object], check: Callable[[Entry], object]
    ) -> int:
        """Take all whole lines; return how many bytes they have."""
        kind, whole = next(iter(header.items())), 0
        start = json.dumps(dict([kind])).encode()[:-1]
        self._file.seek(0)
        lines = iter(partial(self._file.readline, _LONGEST), b"")
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n") and len(line) < _LONGEST:
                if number == 1 and not (line.startswith(start) or start.startswith(line)):
                    raise self._damage(number)
                break
            try:
                entry = parse(line)
                if not isinstance(entry, dict) or (number == 1 and kind not in entry.items()):
                    raise ValueError
                if number == 1:
                    check(entry)
                else:
                    take(entry, whole)
            except (ValueError, TypeError, KeyError):
                raise self._damage(number) from None
            whole += len(line)
        return whole

    def at(self, place: int) -> Entry:
        """Read an entry again."""
        self._file.seek(place)
        entry: Entry = parse(self._file.readline())
        return entry

    def add(self, entries: Iterable[Entry]) -> list[int]:
        """Write entries, and flush them to the disk.

        Parameters
        ----------
        entries : iterable of dict
            JSON values.

        Returns
        -------
        list of int
            Their places in the file.

        Raises
        ------
        JournalError
            If that fails.
        """
        lines = [json.dumps(entry).encode() + b"\n" for entry in entries]
        try:
            place = self._file.seek(0, os.SEEK_END)
            self._file.write(b"".join(lines))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failure(error) from error
        return list(accumulate(map(len, lines), initial=place))[:-1]

    def close(self) -> None:
        """Close the file; another run may have it then."""
        with suppress(OSError):  # of what could not be written, which was said when it was tried
            self._file.close()

    def _damage(self, number: int) -> JournalError:
        what = "is not a journal of this kind" if number == 1 else f"line {number} is damaged"
        return JournalError(f"{self._name}: {what}; {self._advice}")

    def _failure(self, error: OSError) -> JournalError:
        return JournalError(
            f"{self._name}: the journal cannot be written: {error.strerror or error}"
        )
