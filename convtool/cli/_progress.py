"""A progress bar on stderr, on a terminal only."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from convtool.cli._terminal import say
from convtool.cli._wording import as_options
from convtool.errors import printable
from convtool.progress import Advance, silent

if TYPE_CHECKING:
    import rich.progress

_PAUSE = 0.1


class Bar:
    """Shows works as `convtool.progress.Progress`: their share or number, a text, the time left.

    Parameters
    ----------
    title : str
        What stands before works without a title of their own.
    text : callable, optional
        Called with what is done and the seconds so far, for what stands behind the bar.
    counted : bool
        Whether to show how many are done; otherwise the share.
    kept : bool
        Whether the bar stays when it is closed.
    """

    def __init__(
        self,
        title: str = "",
        *,
        text: Callable[[int, float], str] = lambda done, seconds: "",
        counted: bool = False,
        kept: bool = False,
    ) -> None:
        self._title, self._text, self._counted, self._kept = title, text, counted, kept
        self.shown: rich.progress.Progress | None = None

    def __call__(self, total: int, title: str = "") -> Advance:
        """Begin to show some work."""
        if not sys.stderr.isatty():
            return silent(total)
        self.shown = shown = self.shown or self._start()
        task = shown.add_task(printable(title or self._title), total=total, text="")
        began, last, done = time.monotonic(), 0.0, 0

        def advance(more: int) -> None:
            nonlocal last, done
            done += more
            now = time.monotonic()
            if now - last >= _PAUSE or done >= total:
                last = now
                shown.update(task, completed=done, text=self._text(done, max(1e-9, now - began)))

        return advance

    def _start(self) -> "rich.progress.Progress":
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        count = "{task.completed:.0f}/{task.total:.0f}"
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn(count if self._counted else "{task.percentage:3.0f}%"),
            TextColumn("{task.fields[text]}", markup=False),
            TimeRemainingColumn(),
        )
        shown = Progress(*columns, console=Console(stderr=True), transient=not self._kept)
        shown.start()
        return shown

    def say(self, line: str) -> None:
        """Print a line to stderr, above the bar."""
        if self.shown is None:
            say(line, err=True)
        else:
            self.shown.console.print(
                printable(as_options(line)), markup=False, highlight=False, soft_wrap=True
            )

    def close(self) -> None:
        """Show nothing any more."""
        if self.shown is not None:
            self.shown.stop()
            self.shown = None

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def pixel_bar(title: str) -> Bar:
    """Return a bar that shows megapixels per second."""
    return Bar(title, text=lambda done, seconds: f"{done / seconds / 1e6:.3g} megapixels/s")
