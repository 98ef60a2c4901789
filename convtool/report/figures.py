"""Write Matplotlib figures to files, atomically."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

from convtool.errors import OptionError, ReportWriteError
from convtool.extras import need
from convtool.report.whole_file import write_file

ENDINGS = (".png", ".svg", ".pdf", ".jpg")
"""The file extensions of drawings."""


def check_drawing(target: Path) -> Path:
    """Validate a drawing's path: an extension in `ENDINGS` and an existing folder.

    Raises
    ------
    OptionError
        If the extension is another, or Matplotlib is not installed.
    ReportWriteError
        If the folder does not exist.
    """
    if PurePath(target).suffix.lower() not in ENDINGS:
        raise OptionError(f"{target}: a drawing ends in {', '.join(ENDINGS)}")
    need("plots", "matplotlib")
    if not target.parent.is_dir():
        raise ReportWriteError(f"{target.parent}: no such folder to write a drawing to")
    return target


def new_figure(width: float, height: float) -> Any:
    """Return an empty figure of a size in inches, without a window."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


@contextmanager
def plain_text() -> Iterator[None]:
    """Return a context that draws text literally: no formulas, boxes for missing characters."""
    import matplotlib

    with matplotlib.rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        yield


def save_figure(figure: Any, target: Path) -> None:
    """Write a figure in the format of the extension.

    Raises
    ------
    OptionError
        If the extension is not in `ENDINGS`.
    ReportWriteError
        If the file cannot be written.
    """
    stream = io.BytesIO()
    kind = check_drawing(target).suffix.lower()[1:]
    figure.savefig(stream, format=kind, dpi=120)
    write_file(target, stream.getvalue(), "drawing")
