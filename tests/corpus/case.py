"""What a case is: a name, a file, and what the command has to make of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from .picture import Picture


@dataclass(frozen=True)
class Shows:
    """The command succeeds and its output holds these pages.

    ``warning`` is a pattern that every line on standard error must match; without one nothing may
    be said. ``tolerance`` is for lossy formats, whose decoders may round in several ways.
    """

    pages: tuple[Picture, ...]
    warning: str = ""
    tolerance: float = 0


@dataclass(frozen=True)
class Refused:
    """The command fails with one line that matches a pattern, and leaves no output."""

    words: str
    code: int = 1


@dataclass(frozen=True, eq=False)
class Case:
    """One file and its fate.

    ``make`` returns the file's bytes. ``place`` puts the input into a folder and returns the
    arguments that name it; without one the bytes are put into a file without an ending. ``stdin``
    is a file to be read as standard input, or True where those are the bytes.
    """

    name: str
    make: Callable[[], bytes]
    expect: Shows | Refused
    options: tuple[str, ...] = ()
    place: Callable[[Path, bytes], list[str | bytes]] | None = None
    stdin: str | bool = False

    @cached_property
    def data(self) -> bytes:
        return self.make()


@dataclass
class Registry:
    """Cases under their names; each module of cases has one, named as its format."""

    prefix: str
    cases: list[Case] = field(default_factory=list)

    def shows(
        self,
        name: str,
        make: Callable[[], bytes] | bytes,
        *pages: Picture,
        options: tuple[str, ...] = (),
        warning: str = "",
        tolerance: float = 0,
        **more,
    ) -> None:
        """Add a file whose pixels must come out."""
        self._add(name, make, Shows(pages, warning, tolerance), options, more)

    def refused(
        self,
        name: str,
        make: Callable[[], bytes] | bytes,
        words: str,
        *,
        code: int = 1,
        options: tuple[str, ...] = (),
        **more,
    ) -> None:
        """Add a file that must be refused in words that match a pattern."""
        re.compile(words)
        self._add(name, make, Refused(words, code), options, more)

    def _add(self, name, make, expect, options, more):
        maker = make if callable(make) else lambda: make
        self.cases.append(Case(f"{self.prefix}-{name}", maker, expect, options, **more))
