"""Figures of Matplotlib as files: whole or not at all."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

from convtool.errors import OptionError, ReportWriteError
from convtool.report.whole_file import write_file

ENDINGS = (".png", ".svg", ".pdf", ".jpg")
"""What a drawing's file may end in."""


def check_drawing(target: Path) -> Path:
    """Return a drawing's file if its ending is one of `ENDINGS` and its folder is there.

    Raises
    ------
    OptionError
        If the ending is another.
    ReportWriteError
        If there is no such folder.
    """
    if PurePath(target).suffix.lower() not in ENDINGS:
        raise OptionError(f"{target}: a drawing ends in {', '.join(ENDINGS)}")
    if not target.parent.is_dir():
        raise ReportWriteError(f"{target.parent}: no such folder to write a drawing to")
    return target


def new_figure(width: float, height: float) -> Any:
    """Return an empty figure of a size in inches that no window shows."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


@contextmanager
def plain_text() -> Iterator[None]:
    """Within this, text is drawn as it is: no formulas, and characters no font has as boxes."""
    import matplotlib

    with matplotlib.rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        yield


def save_figure(figure: Any, target: Path) -> None:
    """Write a figure, the ending naming the format.

    Raises
    ------
    OptionError
        If the ending is not one of `ENDINGS`.
    ReportWriteError
        If the file cannot be written.
    """
    stream = io.BytesIO()
    kind = check_drawing(target).suffix.lower()[1:]
    figure.savefig(stream, format=kind, dpi=120)
    write_file(target, stream.getvalue(), "drawing")
