"""The status line of a training, on a terminal only."""

import sys
import time

from convtool.nn.history import Progress

_PAUSE = 0.1
_CELLS = 16


class ProgressLine:
    """Draws progress on stderr, at most ten times a second."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._last = 0.0
        self._width = 0

    def __call__(self, progress: Progress) -> None:
        """Show the progress."""
        now = time.monotonic()
        finished = progress.epoch == progress.epochs and progress.batch == progress.batches
        if not self._shown or (now - self._last < _PAUSE and not finished):
            return
        self._last = now
        text = progress_text(progress)
        sys.stderr.write(f"\r{text:<{self._width}}")
        sys.stderr.flush()
        self._width = len(text)

    def close(self) -> None:
        """Leave the line."""
        if self._width:
            sys.stderr.write("\n")
        self._width = 0


def progress_text(progress: Progress) -> str:
    """Format the status line."""
    share = progress.batch / progress.batches
    bar = "#" * round(_CELLS * share)
    last = progress.last
    seen = "-" if last is None or last.validation_accuracy is None else None
    validation = seen or f"{last.validation_accuracy:.2%}"  # type: ignore[union-attr]
    minutes, seconds = divmod(round(progress.left), 60)
    return (
        f"epoch {progress.epoch}/{progress.epochs} [{bar:<{_CELLS}}]"
        f" loss {progress.loss:.4f}  accuracy {progress.accuracy:.2%}"
        f"  validation {validation}  {minutes}:{seconds:02d} left"
    )
