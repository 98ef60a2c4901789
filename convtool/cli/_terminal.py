"""The one way to a terminal: lines whose names and messages cannot command it."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from convtool.cli._wording import as_options
from convtool.errors import printable

QUIET, USUAL, VERBOSE = -1, 0, 1
_level = [USUAL]


@contextmanager
def speaking(level: int) -> Iterator[None]:
    """Say less (`QUIET`) or more (`VERBOSE`) within this block; at its end say how long it took."""
    _level.append(level)
    began = time.perf_counter()
    try:
        yield
        detail(f"took {time.perf_counter() - began:.3g} s{_peak_memory()}")
    finally:
        _level.pop()


def _peak_memory() -> str:
    """Return what to say of the memory that this process has used at most, where it is known."""
    try:
        import resource
    except ImportError:
        return ""
    unit = 1 if sys.platform == "darwin" else 1024
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    return f", {megabytes:.0f} MB of memory at most"


def is_quiet() -> bool:
    """Return whether only errors are printed."""
    return _level[-1] == QUIET


def is_verbose() -> bool:
    """Return whether details are printed."""
    return _level[-1] == VERBOSE


def say(*lines: str, err: bool = False) -> None:
    r"""Print lines, unless `QUIET`; what a terminal would obey, or not show, is written out.

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
    if not is_quiet():
        _print(lines, err=err)


def complain(*lines: str) -> None:
    """Print errors to stderr, at every level."""
    _print(lines, err=True)


def detail(*lines: str) -> None:
    """Print to stderr what only `VERBOSE` says."""
    if is_verbose():
        _print([f"convtool: {line}" for line in lines], err=True)


def _print(lines: "tuple[str, ...] | list[str]", *, err: bool) -> None:
    if lines:
        with writing_stdout():
            told = map(as_options, lines) if err else lines
            click.echo("\n".join(map(printable, told)), err=err)


def show_help(text: str) -> None:
    """Print a help text, whose headings may be bold."""
    with writing_stdout():
        click.echo(text)


def is_colourful() -> bool:
    """Return whether stdout is a terminal with colours that the user wants."""
    return (
        sys.stdout.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") not in ("dumb", "unknown")
    )


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
