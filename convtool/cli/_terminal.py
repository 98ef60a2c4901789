"""The one way to a terminal: lines whose names and messages cannot command it."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from convtool.cli._wording import as_options
from convtool.errors import printable


def say(*lines: str, err: bool = False) -> None:
    r"""Print lines; what a terminal would obey, or not show, is written out.

    Parameters
    ----------
    *lines : str
        The lines. A line feed inside one, as in a file's name, is written out, too.
    err : bool
        Whether to print to stderr instead of stdout. What is printed there are messages, and those
        of the library name options as the command line has them.

    Examples
    --------
    >>> say("first", "a bell \a, a line feed \n")
    first
    a bell \x07, a line feed \n
    """
    if lines:
        with writing_stdout():
            told = map(as_options, lines) if err else lines
            click.echo("\n".join(map(printable, told)), err=err)


@contextmanager
def writing_stdout() -> Iterator[None]:
    """Name standard output in an error of writing it, such as a full disk's.

    Examples
    --------
    >>> with writing_stdout():
    ...     raise OSError(27, "File too large")
    Traceback (most recent call last):
    OSError: [Errno 27] File too large: 'standard output'
    """
    try:
        yield
    except OSError as error:
        error.filename = error.filename or "standard output"
        raise
