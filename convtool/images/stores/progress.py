"""A store that is being written: beside its place, with a journal of what is done.

Its folder has the name of the store and ``.incomplete``, so that nobody takes it for the whole. The
journal is a text file of JSON objects in it; a store is renamed when its journal is gone.
"""

import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from convtool.errors import ImageWriteError, JournalError
from convtool.files import lock
from convtool.images.paths import shown

ENDING = ".incomplete"
JOURNAL = "convtool-progress.jsonl"
SCHEMA = "convtool.progress/1"
_PARTIAL = ".partial"
"""What zarr calls a chunk while it writes it."""


def check_store(path: str, *, overwrite: bool) -> None:
    """Check before any work that a store may be written to a place.

    Raises
    ------
    ImageWriteError
        If something is there that may not be replaced, or the folder above it cannot be written to.
    """
    name, above = shown(path), os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(above):
        raise ImageWriteError(f"{name}: there is no folder {shown(above)}; make it first")
    if os.path.lexists(path):
        if not os.path.isdir(path) or os.path.islink(path):
            raise ImageWriteError(f"{name}: is a file, and a Zarr store is a folder")
        if not overwrite:
            raise ImageWriteError(f"{name}: exists; --overwrite replaces it")
        if not _is_store(path):
            raise ImageWriteError(f"{name}: is a folder, but no Zarr store; it is not replaced")
    if not os.access(above, os.W_OK | os.X_OK):
        raise ImageWriteError(f"{name}: the folder {shown(above)} cannot be written to")


def _is_store(path: str) -> bool:
    marks = {"zarr.json", ".zarray", ".zgroup"}
    return not os.listdir(path) or bool(marks.intersection(os.listdir(path)))


@dataclass(frozen=True)
class Place:
    """Where a store is written, for whoever writes a part of it; plain data.

    Parameters
    ----------
    path : str
        Where it will be.
    folder : str
        Where it is until it is whole.
    fingerprint : str
        Stands for all that decides its content.
    begun : bool
        Whether its arrays are there.
    """

    path: str
    folder: str
    fingerprint: str
    begun: bool

    def check(self) -> None:
        """Check that the store is still being written.

        Raises
        ------
        ImageWriteError
            If that run has ended, or another one writes there now.
        """
        try:
            with open(os.path.join(self.folder, JOURNAL), "rb") as journal:
                header = json.loads(journal.readline())
        except (OSError, ValueError):
            header = {}
        if header.get("fingerprint") != self.fingerprint:
            raise ImageWriteError(f"{shown(self.path)}: is no longer written by this run")


class Unfinished:
    """A store that is being written, and the journal of it.

    Parameters
    ----------
    path : str
        Where it will be.
    fingerprint : str
        Stands for all that decides its content.
    resume : bool
        Whether to go on with what an earlier run has left.

    Attributes
    ----------
    folder : str
        Where it is written.
    entries : list of dict
        What the journal holds of an earlier run.

    Raises
    ------
    JournalError
        If another run writes there, or ``resume`` is asked for and what is there is of another
        input or other options.
    """

    def __init__(self, path: str, fingerprint: str, *, resume: bool) -> None:
        self.path = os.path.abspath(path)
        self.folder = self.path + ENDING
        self._fingerprint = fingerprint
        self._journal = os.path.join(self.folder, JOURNAL)
        self.entries: list[dict[str, Any]] = []
        self._check_unused()
        if resume:
            self._read(fingerprint)
        if not self.entries:
            shutil.rmtree(self.folder, ignore_errors=True)
            os.makedirs(self.folder)
        self._file: BinaryIO = open(self._journal, "ab")  # noqa: SIM115
        lock(self._file)
        if not self.entries:
            self.note({"schema": SCHEMA, "fingerprint": fingerprint})

    def _check_unused(self) -> None:
        try:
            with open(self._journal, "rb") as file:
                if lock(file) is False:
                    raise JournalError(f"{shown(self.path)}: another run is writing it")
        except FileNotFoundError:
            return

    def _read(self, fingerprint: str) -> None:
        try:
            with open(self._journal, "rb") as file:
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            return
        length = 0
        for line in lines[:-1]:
            try:
                entry = json.loads(line)
            except ValueError:
                break
            self.entries.append(entry)
            length += len(line) + 1
        os.truncate(self._journal, length)
        if not self.entries:
            return
        if self.entries[0].get("fingerprint") != fingerprint:
            raise JournalError(
                f"{shown(self.folder)}: was begun from another input or with other options; "
                "without --resume it is begun anew"
            )

    @property
    def place(self) -> Place:
        """Where parts of it are written."""
        return Place(self.path, self.folder, self._fingerprint, bool(self.entries))

    def note(self, entry: dict[str, Any]) -> None:
        """Write an entry; it is on the disk when this returns."""
        self._file.write(json.dumps(entry).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def commit(self) -> None:
        """Put the store in its place; one that is there is replaced."""
        self._file.close()
        self._sweep()
        os.unlink(self._journal)
        old = f"{self.path}.replaced"
        if os.path.isdir(self.path):
            shutil.rmtree(old, ignore_errors=True)
            os.rename(self.path, old)
        os.rename(self.folder, self.path)
        shutil.rmtree(old, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove chunks that whoever was killed has left half written."""
        for folder, _, names in os.walk(self.folder):
            for name in names:
                if name.endswith(_PARTIAL):
                    with suppress(FileNotFoundError):
                        os.unlink(os.path.join(folder, name))

    def leave(self) -> None:
        """Stop writing; what is there can be gone on with."""
        self._file.close()

    def remove(self) -> None:
        """Remove what was written."""
        self._file.close()
        shutil.rmtree(self.folder, ignore_errors=True)
