"""Find the inputs of a batch: files, folders, patterns, lists of names."""

import os
import sys
from collections.abc import Iterator, Sequence

from convtool.errors import ImageReadError, OptionError
from convtool.images.formats import FORMATS
from convtool.images.paths import resolver, shown
from convtool.images.remote import is_url
from convtool.images.sources import STDIN
from convtool.reading import LIMITS, check_length, load
from convtool.records import Record, replace

_PICTURES = {ending for entry in FORMATS.values() for ending in entry.extensions}
_LIST = "list of files"
_MAGIC = "*?["


class InputFile(Record):
    """An input picture."""

    source: str
    """The path."""
    relative: str
    """The output's path relative to the output folder."""
    searched: bool = False
    """Whether it was found in a folder or by a pattern, rather than named."""
    real: str = ""
    """The path with links resolved, if known."""


def is_pattern(place: str) -> bool:
    """Return whether a name is a pattern: it contains ``*``, ``?`` or ``[`` and is not a file.

    Examples
    --------
    >>> is_pattern("*.jpg"), is_pattern("holiday.jpg")
    (True, False)
    """
    return any(one in place for one in _MAGIC) and not (is_url(place) or os.path.lexists(place))


def looks_like_picture(name: str) -> bool:
    """Return whether a name has the extension of a picture format.

    Examples
    --------
    >>> looks_like_picture("a.JPG"), looks_like_picture("notes.txt")
    (True, False)
    """
    return os.path.splitext(name)[1].lower() in _PICTURES


def find(places: Sequence[str], *, recursive: bool = False, outside: str = "") -> list[InputFile]:
    """Find the pictures for paths on a command line.

    Parameters
    ----------
    places : sequence of str
        Files of any name; folders, which stand for their visible files with the extension of a
        picture; and patterns (``*``, ``?``, ``[a-z]``, ``**`` for any folders).
    recursive : bool
        Whether to search sub-folders. Links to folders are not followed.
    outside : str, optional
        A folder to exclude, unless it is itself in `places`.

    Returns
    -------
    list of InputFile
        Each file once, in the order of `places`, sorted by name within each. A named file keeps
        only its name; files below a folder, or below the fixed part of a pattern, keep their tree.

    Raises
    ------
    OptionError
        If a pattern matches nothing, or a place is standard input.
    """
    barred = os.path.realpath(outside) if outside else ""
    resolved = resolver()
    found: dict[str, InputFile] = {}
    for place in places:
        for picture in _at(place, recursive, barred):
            found.setdefault(resolved(picture.source), picture)
    return [replace(picture, real=real) for real, picture in found.items()]


def _at(place: str, recursive: bool, barred: str) -> Iterator[InputFile]:
    if place == STDIN:
        raise OptionError("standard input is one picture; name a file as its output, not a folder")
    if is_url(place):
        raise not_together(place)
    if is_pattern(place):
        yield from _matching(place, barred)
    elif os.path.isdir(place):
        yield from in_folder(place, recursive, barred)
    else:
        yield InputFile(place, os.path.basename(place))


def not_together(url: str) -> OptionError:
    """Return the error that says that a URL is no place of a batch."""
    return OptionError(f"{shown(url)}: a URL is read and written alone, not with many pictures")


def _matching(pattern: str, barred: str) -> Iterator[InputFile]:
    import glob

    start = os.path.dirname(pattern[: min(pattern.index(one) for one in _MAGIC if one in pattern)])
    matches = sorted(glob.glob(pattern, recursive=True))
    files = [match for match in matches if os.path.isfile(match)]
    if not files:
        raise OptionError(f"no file matches '{shown(pattern)}'")
    resolved = resolver()
    for file in files:
        if not _below(resolved(file), barred):
            yield InputFile(file, os.path.relpath(file, start or os.curdir), searched=True)


def in_folder(top: str, recursive: bool, barred: str = "") -> Iterator[InputFile]:
    """Yield the pictures of a folder like `find`, except those below the folder ``barred``."""
    if os.path.realpath(top) == barred:
        barred = ""
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(
            name
            for name in folders
            if recursive
            and not name.startswith(".")
            and os.path.realpath(os.path.join(folder, name)) != barred
        )
        below = "" if folder == top else os.path.relpath(folder, top)
        for name in sorted(files):
            if looks_like_picture(name) and not name.startswith("."):
                relative = os.path.join(below, name) if below else name
                yield InputFile(os.path.join(folder, name), relative, searched=True)


def _below(path: str, folder: str) -> bool:
    return bool(folder) and path.startswith(os.path.join(folder, ""))


def load_list(path: str) -> bytes:
    """Load a list of file names from a file, or for ``-`` from standard input.

    Raises
    ------
    ImageReadError
        If it cannot be read.
    """
    try:
        if path == STDIN:
            data = sys.stdin.buffer.read(LIMITS[_LIST] + 1)
            check_length(len(data), _LIST, STDIN)
            return data
        return load(path, _LIST)
    except OSError as error:
        raise ImageReadError(f"{shown(path)}: cannot be read: {error.strerror}") from error


def split_list(data: bytes) -> list[str]:
    r"""Split a list of file names: NUL-terminated if it contains NUL, else one per line.

    Examples
    --------
    >>> split_list(b"a.jpg\nb c.jpg\n\n"), split_list(b"one\nfile.jpg\0b.jpg\0")
    (['a.jpg', 'b c.jpg'], ['one\nfile.jpg', 'b.jpg'])
    """
    names = data.split(b"\0") if b"\0" in data else data.replace(b"\r\n", b"\n").split(b"\n")
    return [os.fsdecode(name) for name in names if name]


def listed(names: Sequence[str]) -> list[InputFile]:
    """Return the inputs for a list of files, keeping their directory trees.

    Parameters
    ----------
    names : sequence of str
        The paths.

    Returns
    -------
    list of InputFile
        Each file once. A relative path keeps all its folders; absolute paths, and those that begin
        with ``..``, keep the folders below their common parent.

    Examples
    --------
    >>> [found.relative for found in listed(["./2020/a.jpg", "/x/y/b.jpg", "/x/c.jpg"])]
    ['2020/a.jpg', 'y/b.jpg', 'c.jpg']
    """
    for name in names:
        if is_url(name):
            raise not_together(name)
    plain = {name: os.path.normpath(name) for name in names}
    away = [name for name, path in plain.items() if os.path.isabs(path) or path.startswith("..")]
    if away:
        folders = [os.path.dirname(os.path.abspath(name)) for name in away]
        common = os.path.commonpath(folders)
        plain |= {name: os.path.relpath(name, common) for name in away}
    return [InputFile(name, relative) for name, relative in plain.items()]
