"""Line charts with logarithmic axes, as a picture or a self-contained page."""

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from convtool.errors import OptionError
from convtool.extras import need
from convtool.records import Record
from convtool.report.page import escaped
from convtool.report.whole_file import write_file

ENDINGS = (".png", ".svg", ".html")
"""The file extensions of charts."""

Points = Sequence[tuple[float, float]]

_MARKERS = "osD^vP*Xhd<>"
_COLOURS = 10
_DASHES = ("-", "--", ":")
"""The dashes of the first lines, as many as Matplotlib has colours, of the next, and of others."""
_STYLE = """:root { color-scheme: light dark; }
body { font: 15px/1.4 system-ui, sans-serif; margin: 1em auto; max-width: 64em; padding: 0 0.75em; }
.scroll { overflow-x: auto; }
svg { width: 100%; min-width: 36rem; height: auto; background: white; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1em 0; }
caption { text-align: left; font-weight: bold; white-space: nowrap; }
td, th { padding: 0.1em 0.8em; text-align: right; }
tr { border-bottom: 1px solid #8886; }
@media (max-width: 48rem) {
  table, tbody, caption { display: block; white-space: normal; }
  tr { display: flex; flex-wrap: wrap; gap: 0 1em; padding: 0.3em 0; }
  tr:first-child { display: none; }
  th { flex-basis: 100%; text-align: left; padding: 0; }
  td { padding: 0; }
  td::before { content: attr(data-title) ": "; opacity: 0.75; }
}
"""
_METADATA: dict[str, Any] = {"Date": None, "Creator": None, "Format": None, "Type": None}


class Panel(Record):
    """Lines over common axes, both logarithmic."""

    title: str
    x_label: str
    y_label: str
    """The title and the labels of the axes."""
    lines: Mapping[str, Points]
    """The points (x, y) of each line by its name; all values above 0."""
    marks: Sequence[tuple[float, str]] = ()
    """Where vertical lines are, and their labels."""


def check_target(target: str) -> str:
    """Validate a chart's file name: an extension in `ENDINGS`.

    Raises
    ------
    OptionError
        If it is not, or Matplotlib is not installed.

    Examples
    --------
    >>> check_target("times.svg")
    'times.svg'
    """
    if PurePath(target).suffix.lower() not in ENDINGS:
        raise OptionError(f"{target}: a chart ends in {', '.join(ENDINGS)}")
    need("plots", "matplotlib")
    return target


def write_chart(target: str, panels: Sequence[Panel]) -> None:
    """Draw panels below each other and write them to a file, atomically.

    Parameters
    ----------
    target : str
        A file ending in .png, .svg or .html; a page is self-contained.
    panels : sequence of Panel
        At least one.

    Raises
    ------
    OptionError
        If the extension is another, or Matplotlib is not installed.
    ReportWriteError
        If the file cannot be written.
    """
    kind = PurePath(check_target(target)).suffix.lower()
    data = _drawn(panels, "png" if kind == ".png" else "svg")
    if kind != ".png":
        data = _without_links(data)
    if kind == ".html":
        data = _page(panels, data)
    write_file(target, data, "chart")


def _drawn(panels: Sequence[Panel], kind: str) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5.5 * len(panels)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
    for panel, axis in zip(panels, axes, strict=True):
        _draw(panel, axis)
    stream = io.BytesIO()
    metadata = _METADATA if kind == "svg" else {"Software": None}
    figure.savefig(stream, format=kind, dpi=120, metadata=metadata)
    return stream.getvalue()


def _draw(panel: Panel, axis: Any) -> None:
    for index, (name, points) in enumerate(panel.lines.items()):
        style = {
            "marker": _MARKERS[index % len(_MARKERS)],
            "linestyle": _DASHES[index // _COLOURS % len(_DASHES)],
            "linewidth": 1.4,
            "markersize": 5,
        }
        axis.plot(*zip(*points, strict=True), label=name, **style)
    axis.set(title=panel.title, xlabel=panel.x_label, ylabel=panel.y_label)
    axis.set_xscale("log")
    axis.set_yscale("log")
    ticks = sorted({x for points in panel.lines.values() for x, _ in points})
    axis.set_xticks(ticks, [f"{x:g}" for x in ticks])
    axis.set_xticks([], minor=True)
    axis.yaxis.set_major_formatter("{x:g}")
    axis.grid(True, which="both", alpha=0.25)
    for x, text in panel.marks:
        axis.axvline(x, color="0.4", linestyle="--", linewidth=1)
        axis.annotate(
            text,
            (x, 1),
            xycoords=("data", "axes fraction"),
            xytext=(3, -3),
            textcoords="offset points",
            rotation=90,
            va="top",
            fontsize=8,
        )
    if panel.lines:
        axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))


def _without_links(svg: bytes) -> bytes:
    """Remove the document type and the metadata, which contain URLs."""
    text = svg.decode()
    text = re.sub(r"<!DOCTYPE.*?>\s*", "", text, flags=re.DOTALL)
    return re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL).encode()


def _page(panels: Sequence[Panel], svg: bytes) -> bytes:
    drawing = svg.decode().partition("?>")[2]
    tables = "\n".join(map(_as_table, panels))
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{escaped(panels[0].title)}</title>
<style>
{_STYLE}</style>
<div class="scroll" tabindex="0" role="region" aria-label="Chart">{drawing}</div>
{tables}
</html>
""".encode()


def _as_table(panel: Panel) -> str:
    columns = sorted({x for points in panel.lines.values() for x, _ in points})
    head = "".join(f'<th scope="col">{x:g}</th>' for x in columns)
    rows = []
    for name, points in panel.lines.items():
        known = dict(points)
        cells = "".join(
            f'<td role="cell" data-title="{x:g}">{known[x]:.3g}</td>' if x in known else "<td></td>"
            for x in columns
        )
        head_cell = f'<th role="rowheader" scope="row">{escaped(name)}</th>'
        rows.append(f'<tr role="row">{head_cell}{cells}</tr>')
    caption = f"{escaped(panel.title)}: {escaped(panel.y_label)}, by {escaped(panel.x_label)}"
    first = f'<tr role="row"><td></td>{head}</tr>'
    return f'<table role="table"><caption>{caption}</caption>{first}{"".join(rows)}</table>'
