"""The one way to a terminal: lines whose names and messages cannot command it."""

import click

from convtool.errors import printable


def say(*lines: str, err: bool = False) -> None:
    r"""Print lines; what a terminal would obey, or not show, is written out.

    Parameters
    ----------
    *lines : str
        The lines. A line feed inside one, as in a file's name, is written out, too.
    err : bool
        Whether to print to stderr instead of stdout.

    Examples
    --------
    >>> say("first", "a bell \a, a line feed \n")
    first
    a bell \x07, a line feed \n
    """
    if lines:
        click.echo("\n".join(map(printable, lines)), err=err)
