"""Show paths in messages, and resolve their files."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from convtool.errors import printable

_called: dict[str | os.PathLike[str], str] = {}


@contextmanager
def called(path: str, name: str) -> Iterator[None]:
    """Show a temporary file by the name of what it stands for.

    Examples
    --------
    >>> with called("/tmp/1/a.tif", "s3://scans/a.tif"):
    ...     shown("/tmp/1/a.tif")
    's3://scans/a.tif'
    """
    if path == name:
        yield
        return
    _called[path] = name
    try:
        yield
    finally:
        del _called[path]


def shown(path: str | os.PathLike[str]) -> str:
    r"""Return a path as text that any terminal can show.

    Examples
    --------
    >>> shown("holiday.jpg")
    'holiday.jpg'
    >>> shown("caf\udce9.jpg")
    'caf\\xe9.jpg'
    >>> shown("two\nlines.jpg")
    'two\\nlines.jpg'
    """
    path = _called.get(path, path) if _called else path
    return printable(os.fsencode(path).decode("utf-8", "backslashreplace"))


def file_name(path: str | os.PathLike[str]) -> str:
    """Return the name of a file without its folders, for titles.

    Examples
    --------
    >>> file_name("scans/2024/a.tif"), file_name("s3://scans/b.tif")
    ('a.tif', 'b.tif')
    """
    return shown(path).rstrip("/").rpartition("/")[2]


def resolver() -> Callable[[str], str]:
    """Return a quick `os.path.realpath` for many paths in few folders.

    It looks at each folder once, so it is for one job, during which no folder is moved.

    Examples
    --------
    >>> resolver()("a/../b.jpg") == os.path.realpath("b.jpg")
    True
    """

    @cache
    def known(folder: str) -> tuple[str, bool]:
        return os.path.realpath(folder), os.path.isdir(folder or os.curdir)

    def resolved(path: str) -> str:
        folder, name = os.path.split(path)
        if name in ("", os.curdir, os.pardir):
            return os.path.realpath(path)
        real, exists = known(folder)
        if exists and os.path.islink(path):
            return os.path.realpath(path)
        return os.path.join(real, name)

    return resolved
