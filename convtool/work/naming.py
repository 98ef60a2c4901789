"""Name the outputs of a batch and check for collisions."""

import os
from collections.abc import Sequence

from convtool.errors import OptionError
from convtool.images.formats import FORMATS
from convtool.images.paths import resolver, shown
from convtool.records import Record
from convtool.work.inputs import InputFile


class Task(Record):
    """An input and an output path."""

    source: str
    target: str


class Naming(Record):
    """The rule that derives an output's name from its input's."""

    suffix: str = ""
    """Inserted before the extension."""
    format: str | None = None
    """The name of the output format, whose extension replaces one of another format."""

    def __call__(self, name: str) -> str:
        """Return the output's name.

        Examples
        --------
        >>> Naming("-soft", "jpeg")("2020/a.png"), Naming(format="jpeg")("b.JPEG")
        ('2020/a-soft.jpg', 'b.JPEG')
        """
        stem, ending = os.path.splitext(name)
        if self.format is not None and ending.lower() not in FORMATS[self.format].extensions:
            ending = FORMATS[self.format].extensions[0]
        return stem + self.suffix + ending


def tasks(found: Sequence[InputFile], folder: str, naming: Naming) -> list[Task]:
    """Name the output of each picture.

    With a suffix, a picture that was found in a folder or by a pattern and is the output of another
    picture is skipped: it comes from an earlier run.

    Parameters
    ----------
    found : sequence of InputFile
        The pictures.
    folder : str
        The output folder.
    naming : Naming
        The naming rule.

    Returns
    -------
    list of Task
        In the order of the pictures.

    Raises
    ------
    OptionError
        If two pictures would be written to one file, or one would overwrite an input.
    """
    if os.path.basename(naming.suffix) != naming.suffix or "\0" in naming.suffix:
        raise OptionError(f"suffix {naming.suffix!r} cannot be part of a file name")
    named = [(one, os.path.join(folder, naming(one.relative))) for one in found]
    resolved = resolver()

    def key(path: str) -> str:
        return os.path.normcase(resolved(path))

    results = {key(target) for _, target in named} if naming.suffix else set()
    reals = {id(one): os.path.normcase(one.real) if one.real else key(one.source) for one in found}
    named = [pair for pair in named if not (pair[0].searched and reals[id(pair[0])] in results)]
    sources = {reals[id(one)] for one, _ in named}
    taken: dict[str, InputFile] = {}
    chosen = []
    for one, target in named:
        place = key(target)
        if place in taken:
            raise OptionError(
                f"{shown(taken[place].source)} and {shown(one.source)} would both become "
                f"{shown(target)}; rename one, or give the folder above both with `recursive=True`"
            )
        if place in sources:
            raise OptionError(
                f"{shown(target)} would be written over an input; use `suffix=` or another folder"
            )
        taken[place] = one
        chosen.append(Task(one.source, target))
    return chosen
