"""A contact sheet: pictures of a data set, each under its label."""

from collections.abc import Sequence
from math import ceil, sqrt
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from convtool.errors import printable
from convtool.report.figures import new_figure, plain_text, save_figure

_CELL = 1.4
_SINGLE = 3.2
_LABEL = 0.42
_LETTERS_PER_INCH = 15


def draw_sheet(pictures: Sequence[NDArray[Any]], labels: Sequence[str], path: Path) -> None:
    """Draw pictures in rows, each under its label, without interpolation.

    Parameters
    ----------
    pictures : sequence of ndarray of uint8, shape (H, W) or (H, W, 3)
    labels : sequence of str
        One for each picture; long lines are truncated at their start.
    path : Path
        The file; its extension determines the format.

    Raises
    ------
    OptionError, ReportWriteError
        If it cannot be written.
    """
    across = ceil(sqrt(len(pictures)))
    down = ceil(len(pictures) / across)
    cell = _CELL if len(pictures) > 1 else _SINGLE
    figure = new_figure(across * cell, down * (cell + _LABEL))
    with plain_text():
        grid = list(figure.subplots(down, across, squeeze=False).flat)
        for axes in grid:
            axes.set_axis_off()
        for axes, picture, label in zip(grid, pictures, labels, strict=False):
            axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            lines = [_shortened(line, int(cell * _LETTERS_PER_INCH)) for line in label.split("\n")]
            axes.set_title("\n".join(lines), fontsize=7)
        save_figure(figure, path)


def _shortened(text: str, most: int) -> str:
    text = printable(text)
    return text if len(text) <= most else f"…{text[1 - most :]}"
