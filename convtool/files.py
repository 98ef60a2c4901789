"""Files that appear whole or not at all, and nothing left over from a run that was killed.

What is to be written goes to a temporary file beside its place, is flushed to the disk and renamed.
Its writer holds a lock on the temporary file until it has its final name; the lock goes when the
process does, however it ends. A later run that writes to the same folder removes the temporary
files there that nobody has locked.
"""

import os
import re
import stat
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from types import ModuleType
from typing import BinaryIO

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # not on Windows, where an open file cannot be removed anyway
    fcntl = None

_BUFFER = 1 << 16
_NAME = re.compile(r"\.convtool-[0-9a-f]{16}\Z")
_own: set[str] = set()
_own_folders: set[str] = set()
_swept: set[str] = set()
_changing = threading.Lock()


class Replacement:
    """A file that is being written beside its place.

    As a context manager it is put in place at the end of the block, and discarded on an error.

    Parameters
    ----------
    target : str
        The file that it will be. A symbolic link there would be replaced, not followed. The mode
        is that of the file that it replaces, or as the umask says.
    buffered : bool
        Whether small pieces are written together; `put` writes all at once.
    flushed : bool
        Whether `commit` waits until the disk has it.
    modified : int, optional
        The time of change that it will have, in nanoseconds; the present unless given.

    Attributes
    ----------
    path : str
        The temporary file.

    Raises
    ------
    OSError
        If it cannot be made, and from each method if that fails; the file at ``target`` is as it
        was until `commit` has returned.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Replacement(folder + "/a.txt") as new:
    ...         _ = new.file.write(b"all of it")
    ...     os.listdir(folder)
    ['a.txt']
    """

    file: BinaryIO | FileIO

    def __init__(
        self,
        target: str,
        *,
        buffered: bool = True,
        flushed: bool = True,
        modified: int | None = None,
    ) -> None:
        self.target = target
        self._modified = modified
        self._flushed = flushed
        self._buffer = _BUFFER if buffered else 0
        self.path = ""
        self._in_place = False
        folder = os.path.dirname(target)
        if folder not in _swept:
            _swept.add(folder)
            sweep(folder)
        while not self.path:
            self._create(folder)

    def _create(self, folder: str) -> None:
        path = os.path.join(folder, f".convtool-{os.urandom(8).hex()}")
        mode = _mode_of(self.target)
        with _changing:
            _own.add(path)
            try:
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
                handle = os.open(path, flags, 0o666 if mode is None else mode)
                self.file = os.fdopen(handle, "w+b", self._buffer)
            except BaseException:
                _own.discard(path)
                raise
        if lock(self.file) is not False and _is_at(self.file, path):
            self.path = path
            if mode is not None:
                with suppress(OSError):  # where a file system has no modes
                    os.chmod(path, mode)
        else:  # a sweep took it between its making and its locking
            self.file.close()
            _own.discard(path)

    def put(self, data: bytes) -> None:
        """Write all of some bytes."""
        rest = memoryview(data)
        while rest:
            rest = rest[self.file.write(rest) :]

    def sync(self) -> None:
        """Flush what was written to the disk."""
        self.file.flush()
        os.fsync(self.file.fileno())

    def send(self) -> None:
        """Have the system begin to write to the disk, so that `sync` will wait less."""
        self.file.flush()
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self.file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def commit(self) -> None:
        """Flush, and give the file its name; what had it is gone. On an error, discard."""
        try:
            if self._flushed:
                self.sync()
            else:
                self.file.flush()
        except BaseException:
            self.discard()
            raise
        self.place()

    def place(self) -> None:
        """Give the file, which is flushed, its name; what had it is gone. On an error, discard."""
        try:
            if self._modified is not None:
                os.utime(self.path, ns=(time.time_ns(), self._modified))
            os.replace(self.path, self.target)
            self._in_place = True
        finally:
            self.discard()

    def discard(self) -> None:
        """Close and remove the temporary file if it is still there."""
        if not self._in_place:
            with suppress(FileNotFoundError):
                os.unlink(self.path)
        _own.discard(self.path)
        with suppress(OSError):  # of what is still to be flushed, on a full disk
            self.file.close()

    def __enter__(self) -> "Replacement":
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is None:
            self.commit()
        else:
            self.discard()


def replace_file(
    path: str | os.PathLike[str],
    data: bytes | Iterable[bytes],
    *,
    flushed: bool = True,
    modified: int | None = None,
) -> None:
    """Put bytes into a file, whole or not at all; a device or pipe is written as it is.

    Parameters
    ----------
    path : str or path-like
        The file; a symbolic link is followed.
    data : bytes, or iterable of bytes
        All that it will hold, at once or piece by piece.
    flushed : bool
        Whether to wait until the disk has it; otherwise it outlives the process, but perhaps not
        a power failure.
    modified : int, optional
        The time of change that it will have, in nanoseconds; the present unless given.

    Raises
    ------
    OSError
        If that fails; an existing file is as it was, and no temporary one stays.
    """
    target, pieces = os.path.realpath(path), [data] if isinstance(data, bytes) else data
    if os.path.exists(target) and not os.path.isfile(target):
        with open(target, "wb") as file:
            file.writelines(pieces)
        return
    with Replacement(target, flushed=flushed, modified=modified) as new:
        for piece in pieces:
            new.file.write(piece)


def sync_folder(folder: str) -> None:
    """Flush the names in a folder to the disk, where the system can.

    Examples
    --------
    >>> sync_folder(".")
    """
    with suppress(OSError):  # a system that opens no folders, or a file system that flushes none
        handle = os.open(folder or os.curdir, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sweep(folder: str) -> int:
    """Remove the temporary files in a folder whose writers are gone.

    Those that are being written, by whatever process, stay. Nothing is swept where files cannot be
    locked.

    Parameters
    ----------
    folder : str
        The folder itself, not those in it; empty for the current one.

    Returns
    -------
    int
        How many were removed.
    """
    try:
        names = [name for name in os.listdir(folder or os.curdir) if _NAME.match(name)]
    except OSError:
        return 0
    return sum(_remove_if_left(os.path.join(folder, name)) for name in names)


def _remove_if_left(path: str) -> bool:
    with suppress(OSError):
        handle = os.open(
            path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        )
        with open(handle, "r+b") as file:
            if lock(file) and _is_at(file, path):
                os.unlink(path)
                return True
    return False


@contextmanager
def temporary_folder() -> Iterator[str]:
    """Make a folder for temporary files, which goes with all in it at the end of the block.

    Examples
    --------
    >>> with temporary_folder() as folder:
    ...     os.listdir(folder)
    []
    """
    import shutil
    import tempfile

    folder = tempfile.mkdtemp(prefix="convtool-")
    _own_folders.add(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _own_folders.discard(folder)


def flush_folder(path: str) -> None:
    """Flush a folder to the disk: the names of the files in it, where a system can do so."""
    with suppress(OSError):
        handle = os.open(path or os.curdir, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def abandon() -> None:
    """Remove the temporary files of this process at once, and let it begin no more.

    For a process that is about to end while other threads may be writing.
    """
    _changing.acquire(timeout=1)
    for path in list(_own):
        with suppress(OSError):
            os.unlink(path)
    if _own_folders:
        import shutil

        for folder in list(_own_folders):
            shutil.rmtree(folder, ignore_errors=True)


def lock(file: BinaryIO | FileIO) -> bool | None:
    """Lock a file until it is closed, unless another has it; None where files cannot be locked."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _mode_of(path: str) -> int | None:
    """Return the permissions of a file, None where there is none."""
    try:
        return stat.S_IMODE(os.stat(path).st_mode) & 0o777
    except OSError:
        return None


def _is_at(file: BinaryIO | FileIO, path: str) -> bool:
    """Return whether a path still leads to an open file."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.lstat(path))
    except FileNotFoundError:
        return False
