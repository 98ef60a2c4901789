"""Outputs that exist already: skipped with ``--no-clobber``, or replaced and named on stderr."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import click

from convtool.cli._terminal import say
from convtool.errors import ImageReadError
from convtool.images.paths import shown
from convtool.images.remote import exists, is_url, local
from convtool.images.sources import STDIN
from convtool.images.write import STDOUT

_NAMES_SHOWN = 10

no_clobber_option = click.option(
    "--no-clobber",
    is_flag=True,
    help="Skip an output that exists, as cp -n does, and say so.",
)


def check_there(source: str) -> None:
    """Refuse an input that does not exist, before anything is said of the output."""
    if source == STDIN or is_url(source):
        return
    source = local(source)
    try:
        os.lstat(source)
    except FileNotFoundError:
        raise ImageReadError(f"{shown(source)}: there is no such file or folder") from None
    except (OSError, ValueError):  # reading it says why
        return


def is_kept(target: str | None, *, no_clobber: bool) -> bool:
    """Return whether an output exists and shall stay; say so on stderr."""
    if not no_clobber or target in (None, STDOUT):
        return False
    there = exists if is_url(str(target)) else os.path.lexists
    if not there(local(str(target))):
        return False
    say(f"convtool: skipped: {shown(str(target))} exists", err=True)
    return True


def is_replaced(target: str, sources: Iterable[str] = ()) -> bool:
    """Return whether an output would take the place of a file that is no input.

    Examples
    --------
    >>> is_replaced("no-such-file.png", ["a.png"])
    False
    """
    if target == STDOUT or not os.path.isfile(target):
        return False
    files = (source for source in sources if os.path.isfile(source))
    return not any(os.path.samefile(source, target) for source in files)


@contextmanager
def telling_replaced(targets: Iterable[str | None], *sources: str) -> Iterator[None]:
    """Say on stderr, once all is written, which files were replaced that were no input."""
    there = [one for one in targets if one is not None and is_replaced(one, sources)]
    yield
    if there:
        tell_replaced(there)


def tell_replaced(targets: Sequence[str]) -> None:
    """Say on stderr which files were replaced that were no input, the first of many."""
    names = ", ".join(map(shown, targets[:_NAMES_SHOWN]))
    if len(targets) > _NAMES_SHOWN:
        names += f" and {len(targets) - _NAMES_SHOWN} more"
    what = "a file that was no input" if len(targets) == 1 else "files that were no inputs"
    advice = "--no-clobber keeps existing files"
    say(f"convtool: note: replaced {what}: {names}; {advice}", err=True)
