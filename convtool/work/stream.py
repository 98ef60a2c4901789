"""Stream the pictures of one folder in bounded memory."""

import os
from collections.abc import Iterator, Sequence
from itertools import groupby

from convtool.errors import OptionError
from convtool.images.paths import shown
from convtool.work.inputs import InputFile, in_folder
from convtool.work.naming import Naming, Task, tasks


def can_stream(places: Sequence[str], folder: str) -> bool:
    """Return whether inputs can be named one at a time, without a list of all of them.

    This holds for one folder with outputs elsewhere: an output can only collide with one from the
    same sub-folder.
    """
    if len(places) != 1 or not os.path.isdir(places[0]):
        return False
    source, target = (os.path.join(os.path.realpath(path), "") for path in (places[0], folder))
    return not (source.startswith(target) or target.startswith(source))


def stream(place: str, folder: str, naming: Naming, *, recursive: bool = False) -> Iterator[Task]:
    """Yield the tasks of a folder for which `can_stream` holds.

    Only the names of one sub-folder are in memory at a time.

    Parameters
    ----------
    place : str
        The folder with the pictures.
    folder : str
        The output folder.
    naming : Naming
        The naming rule.
    recursive : bool
        Whether to search sub-folders.

    Yields
    ------
    Task
        The tasks of `naming.tasks` in the same order, except that a link to another picture in the
        folder is a separate picture.

    Raises
    ------
    OptionError
        If two pictures would be written to one file, or a link leads to a picture among the
        outputs.
    """
    home = os.path.join(os.path.realpath(folder), "")
    found = in_folder(place, recursive)
    for _, together in groupby(found, lambda one: os.path.dirname(one.relative)):
        pictures = _apart(together, home)
        if naming == Naming():
            yield from (Task(one.source, os.path.join(folder, one.relative)) for one in pictures)
        else:
            yield from tasks(list(pictures), folder, naming)


def _apart(found: Iterator[InputFile], home: str) -> Iterator[InputFile]:
    for one in found:
        if os.path.islink(one.source) and os.path.realpath(one.source).startswith(home):
            raise OptionError(
                f"{shown(one.source)}: is a link to a file among the outputs; name another folder"
            )
        yield one


class Stream:
    """The tasks of a folder for which `can_stream` holds; each iteration lists the folder anew.

    The constructor checks all names once, so errors are raised before the first task starts.

    Parameters
    ----------
    place, folder, naming, recursive
        As for `stream`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     open(f"{folder}/a.png", "w").close()
    ...     pictures = Stream(folder, "elsewhere", Naming("-soft"))
    ...     len(pictures), [task.target for task in pictures]
    (1, ['elsewhere/a-soft.png'])
    """

    def __init__(self, place: str, folder: str, naming: Naming, *, recursive: bool = False) -> None:
        self._place = place
        self._folder = folder
        self._naming = naming
        self._recursive = recursive
        self._count = sum(1 for _ in self)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Task]:
        return stream(self._place, self._folder, self._naming, recursive=self._recursive)
