"""A progress bar, on a terminal only."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

_T = TypeVar("_T")


def bar(title: str, items: Sequence[_T]) -> Iterable[_T]:
    """Iterate over items and show a progress bar if stderr is a terminal.

    Parameters
    ----------
    title : str
        The label of the bar.
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
