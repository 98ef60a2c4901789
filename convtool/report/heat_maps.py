"""Heat maps: tables of coloured cells with their values, if there is room."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convtool.records import Record
from convtool.report.figures import new_figure, save_figure

_CELL = 0.62
_LONGEST = 24.0
_ANNOTATED = 40
_SHADES = "viridis"


class HeatMap(Record):
    """The data of one heat map."""

    title: str
    cells: Sequence[Sequence[float | None]]
    """Values from 0 to 1, rows first; None for a missing value, drawn grey with `missing`."""
    rows: Sequence[str]
    columns: Sequence[str]
    """The labels of rows and columns."""
    row_label: str
    column_label: str
    best: tuple[int, int] | None = None
    """The cell to highlight."""
    missing: str = "–"
    """The text for a missing value."""


def draw_heat_maps(maps: Sequence[HeatMap], target: Path) -> None:
    """Draw heat maps of one size side by side with a common colour scale.

    Parameters
    ----------
    maps : sequence of HeatMap
        At least one.
    target : Path
        The file; its extension determines the format.

    Raises
    ------
    OptionError, ReportWriteError
        If the file cannot be written.
    """
    wide = max(3.6, min(_LONGEST, _CELL * len(maps[0].columns)) + 1.6)
    tall = max(2.4, min(_LONGEST, _CELL * len(maps[0].rows)) + 1.8)
    figure = new_figure(wide * len(maps) + 0.8, tall)
    axes = figure.subplots(1, len(maps), squeeze=False)[0]
    values = [v for m in maps for row in m.cells for v in row if v is not None]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if high - low < 1e-6:
        low = high - 0.01
    shown = [_draw(heat, axis, low, high) for heat, axis in zip(maps, axes, strict=True)]
    figure.colorbar(shown[0], ax=list(axes), format="{x:.0%}", shrink=0.9)
    save_figure(figure, target)


def _draw(heat: HeatMap, axis: Any, low: float, high: float) -> Any:
    import matplotlib

    colours = matplotlib.colormaps[_SHADES].with_extremes(bad="0.85")
    numbers = [[math.nan if v is None else v for v in row] for row in heat.cells]
    image = axis.imshow(numbers, cmap=colours, vmin=low, vmax=high, aspect="auto")
    across = range(0, len(heat.columns), -(-len(heat.columns) // _ANNOTATED))
    down = range(0, len(heat.rows), -(-len(heat.rows) // _ANNOTATED))
    axis.set_xticks(across, [heat.columns[j] for j in across], rotation=45, ha="right")
    axis.set_yticks(down, [heat.rows[i] for i in down])
    axis.set(title=heat.title, xlabel=heat.column_label, ylabel=heat.row_label)
    if max(len(heat.columns), len(heat.rows)) <= _ANNOTATED:
        _annotate(heat, axis, low, high)
    if heat.best is not None:
        from matplotlib.patches import Rectangle

        corner = (heat.best[1] - 0.5, heat.best[0] - 0.5)
        axis.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor="red", linewidth=2.5))
    return image


def _annotate(heat: HeatMap, axis: Any, low: float, high: float) -> None:
    for i, row in enumerate(heat.cells):
        for j, value in enumerate(row):
            text = heat.missing if value is None else f"{100 * value:.1f}"
            dark = value is not None and value < low + 0.6 * (high - low)
            ink = "white" if dark else "black"
            axis.text(j, i, text, ha="center", va="center", color=ink, fontsize=8)
