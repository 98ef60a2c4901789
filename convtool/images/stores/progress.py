"""A store in progress: beside its place, with a journal of finished parts.

Its folder has the name of the store and ``.incomplete``, so that nobody takes it for the whole. The
journal is a text file of JSON objects in it, which goes when the store has its name. So each moment
at which a run may be killed has an end that the next run to the same place makes:

===============================  ==================================================================
what is there                    what the next run does
===============================  ==================================================================
no journal, or its first line    starts again: the arrays may not be there
more lines                       with ``resume`` goes on, else starts again
those, and no store, but one     first gives the store that was to be replaced its name back
that ends with ``.replaced``
a store with a journal in it     removes the journal, and what the store has replaced
===============================  ==================================================================

The chunks that a journal names are on the disk, and so are their names: a loss of power costs the
work since its last line, and resuming never takes for done what is not there. An unfinished store
has no journal, and is removed, where it is at a URL: its chunks are put at once, and what describes
them at the end, so that no reader takes it for a store before. A zip file is made of the complete
folder, flushed and renamed.
"""

import json
import os
import shutil
import zipfile
from contextlib import suppress

from convtool.errors import ImageWriteError, JournalError
from convtool.files import Replacement, flush_folder, lock
from convtool.images.paths import shown
from convtool.images.remote import filesystem, is_url, writing
from convtool.images.stores.objects import is_zip
from convtool.journal import Entry, Journal
from convtool.records import Record

ENDING = ".incomplete"
REPLACED = ".replaced"
"""What a store's name ends with while another takes its place."""

JOURNAL = "convtool-progress.jsonl"
SCHEMA = "convtool.progress/1"
_PARTIAL = ".partial"
"""What zarr calls a chunk while it writes it."""


def check_store(path: str, *, overwrite: bool) -> None:
    """Check before any work that a store may be written to a place.

    What a run has left that was killed while it put a store there is put in order first.

    Raises
    ------
    ImageWriteError
        If something is there that may not be replaced, or the folder above it cannot be written to.
    """
    if is_url(path):
        _check_url(path)
        return
    name, above = shown(path), os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(above):
        raise ImageWriteError(f"{name}: there is no folder {shown(above)}; make it first")
    with suppress(OSError):  # where nothing can be changed, as is said below
        _settle(os.path.abspath(path))
    if os.path.lexists(path):
        if is_zip(path):
            if not os.path.isfile(path):
                raise ImageWriteError(f"{name}: is no file, and its name is that of a zip file")
        elif not os.path.isdir(path) or os.path.islink(path):
            raise ImageWriteError(f"{name}: is a file, and a Zarr store is a folder")
        if not overwrite:
            raise ImageWriteError(f"{name}: exists; `overwrite=True` replaces it")
        if not is_zip(path) and not _is_store(path):
            raise ImageWriteError(f"{name}: is a folder, but no Zarr store; it is not replaced")
    if not os.access(above, os.W_OK | os.X_OK):
        raise ImageWriteError(f"{name}: the folder {shown(above)} cannot be written to")


def _check_url(path: str) -> None:
    found = filesystem(path)
    assert found is not None
    if "http" in found[0].protocol:
        raise ImageWriteError(
            f"{shown(path)}: a Zarr store is not written by HTTP, which cannot list what is there; "
            "name a place in an object store, as s3://"
        )
    with writing(path):
        there = found[0].exists(found[1])
    if there:
        raise ImageWriteError(f"{shown(path)}: exists; a store at a URL is not replaced")


def _settle(path: str) -> None:
    """Complete the renaming of a store that a killed run left unfinished."""
    old, journal = path + REPLACED, os.path.join(path, JOURNAL)
    unfinished = os.path.join(path + ENDING, JOURNAL)
    if os.path.exists(journal):
        shutil.rmtree(old, ignore_errors=True)
        os.unlink(journal)
    elif os.path.isdir(old) and not os.path.lexists(path) and not _is_locked(unfinished):
        os.rename(old, path)


def _is_locked(journal: str) -> bool:
    """Return whether another run has a journal; one that is not there has nobody."""
    try:
        with open(journal, "rb") as file:
            return lock(file) is False
    except FileNotFoundError:
        return False


def _is_store(path: str) -> bool:
    marks = {"zarr.json", ".zarray", ".zgroup"}
    return not os.listdir(path) or bool(marks.intersection(os.listdir(path)))


class Place(Record):
    """Where a store is written, for whoever writes a part of it; plain data."""

    path: str
    """Where it will be."""
    folder: str
    """Where it is until it is whole."""
    fingerprint: str
    """Stands for all that decides its content."""
    started: bool
    """Whether its arrays are there."""

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


def _checked(entry: Entry) -> Entry:
    """Return a journal's entry: the number of a plane, and what is known or there of it.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is no such entry.
    """
    if type(entry["plane"]) is not int:
        raise TypeError
    if "extent" in entry:
        low, high = entry["extent"]
        known = isinstance(low, float | int) and isinstance(high, float | int)
    elif "anew" in entry or "done" in entry:
        known = True
    else:
        first, last = entry.get("block") or (0, entry["rows"])
        known = type(first) is type(last) is int and 0 <= first <= last
    if not known:
        raise ValueError
    return entry


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
        What the journal holds of an earlier run after its header.

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
        self.entries: list[Entry] = []
        os.makedirs(self.folder, exist_ok=True)
        flush_folder(os.path.dirname(self.path))
        self._journal = Journal(
            os.path.join(self.folder, JOURNAL),
            {"schema": SCHEMA, "fingerprint": fingerprint},
            lambda entry, place: self.entries.append(_checked(entry)),
            name=shown(self.path),
            advice="without `resume=True` it starts again",
            check=self._check,
            resume=resume,
        )
        if not self.entries:
            try:
                self._clear()
            except BaseException:
                self.leave()
                raise

    def _check(self, header: Entry) -> None:
        if header["fingerprint"] != self._fingerprint:
            raise JournalError(
                f"{shown(self.folder)}: was started from another input or with other options; "
                "without `resume=True` it starts again"
            )

    @property
    def place(self) -> Place:
        """Where parts of it are written."""
        return Place(self.path, self.folder, self._fingerprint, bool(self.entries))

    def note(self, entry: Entry) -> None:
        """Write an entry; it is on the disk when this returns."""
        self._journal.add([entry])

    def commit(self) -> None:
        """Put the store in its place; one that is there is replaced."""
        self._sweep()
        above = os.path.dirname(self.path)
        if is_zip(self.path):
            self._pack()
            flush_folder(above)
            self.remove()
            return
        old = self.path + REPLACED
        if os.path.isdir(self.path):
            shutil.rmtree(old, ignore_errors=True)
            os.rename(self.path, old)
        os.rename(self.folder, self.path)
        flush_folder(above)
        shutil.rmtree(old, ignore_errors=True)
        os.unlink(os.path.join(self.path, JOURNAL))
        self._journal.close()

    def _pack(self) -> None:
        """Put all of the folder but the journal into a zip file."""
        with Replacement(self.path) as new, zipfile.ZipFile(new.file, "w") as packed:
            for folder, _, names in os.walk(self.folder):
                for name in sorted(names):
                    path = os.path.join(folder, name)
                    if name != JOURNAL:
                        packed.write(path, os.path.relpath(path, self.folder))

    def _sweep(self) -> None:
        """Remove chunks that whoever was killed has left half written."""
        for folder, _, names in os.walk(self.folder):
            for name in names:
                if name.endswith(_PARTIAL):
                    with suppress(FileNotFoundError):
                        os.unlink(os.path.join(folder, name))

    def leave(self) -> None:
        """Stop writing; a later run can resume."""
        self._journal.close()

    def remove(self) -> None:
        """Remove what was written: the journal first, so that it never speaks of what is gone."""
        self._journal.close()
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(self.folder, JOURNAL))
        shutil.rmtree(self.folder, ignore_errors=True)

    def _clear(self) -> None:
        """Remove all in the folder but the journal, which speaks of none of it."""
        with os.scandir(self.folder) as found:
            for one in found:
                if one.is_dir(follow_symlinks=False):
                    shutil.rmtree(one.path, ignore_errors=True)
                elif one.name != JOURNAL:
                    os.unlink(one.path)


class Remote:
    """A store that is being written at a URL: nothing is noted, and nothing can be gone on with.

    The members are those of `Unfinished`. Whoever writes the store completes or removes it.
    """

    def __init__(self, path: str, fingerprint: str) -> None:
        self.place = Place(path, path, fingerprint, False)
        self.entries: list[Entry] = []

    def note(self, entry: Entry) -> None:
        """Do nothing."""

    commit = leave = remove = lambda self: None


def begin(path: str, fingerprint: str, *, resume: bool) -> Unfinished | Remote:
    """Begin to write a store, or go on with it; see `Unfinished`."""
    if is_url(path):
        return Remote(path, fingerprint)
    return Unfinished(path, fingerprint, resume=resume)
