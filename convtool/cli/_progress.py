"""A progress bar, on a terminal only."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

_T = TypeVar("_T")


def bar(title: str, items: Sequence[_T]) -> Iterable[_T]:
    """Pass items on; where stderr is a terminal, show how many are done.

    Parameters
    ----------
    title : str
        What stands before the bar.
    items : sequence
        The items.

    Returns
    -------
    iterable
        The same items.
    """
    return _shown(title, items) if sys.stderr.isatty() else items


def _shown(title: str, items: Sequence[_T]) -> Iterator[_T]:
    from rich.console import Console
    from rich.progress import track

    yield from track(items, title, console=Console(stderr=True), transient=True)
