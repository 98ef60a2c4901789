"""How work tells whoever shows it how far it is."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

_T = TypeVar("_T")

Advance = Callable[[int], object]
"""Told how much more is done."""


class Progress(Protocol):
    """Called with how much there is to do, and a title; what it returns is told what is done."""

    def __call__(self, total: int, title: str = "", /) -> Advance:
        """Begin to show some work."""


def ignore(done: int) -> None:
    """Show nothing of what is done."""


def silent(total: int, title: str = "") -> Advance:
    """Show nothing."""
    return ignore


def tracked(progress: Progress, title: str, items: Sequence[_T]) -> Iterator[_T]:
    """Pass items on, and tell how many are done.

    Examples
    --------
    >>> list(tracked(lambda total, title: print, "letters", "ab"))
    1
    1
    ['a', 'b']
    """
    advance = progress(len(items), title)
    for item in items:
        yield item
        advance(1)
