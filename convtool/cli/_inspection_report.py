"""The report of ``convtool inspect``, as text."""

from collections.abc import Callable
from typing import Any

from convtool.report.matrix import table

_WORDS = (1, 2, 3)
_IN_FULL = 4


def report_lines(report: dict[str, Any]) -> list[str]:
    """Format a report of ``convtool inspect`` as lines of text."""
    parts = [_layers(report)] if "layers" in report else []
    for name, section in _SECTIONS.items():
        if name in _EACH and isinstance(report.get(name), list):
            parts += [section(one) for one in report[name]]
        elif name in report:
            parts.append(section(report[name]))
    return [line for lines in parts for line in ("", *lines)][1:]


def _size(bytes_: int) -> str:
    return f"{bytes_ / 1024:,.1f} KiB" if bytes_ >= 1024 else f"{bytes_} B"


def _layers(report: dict[str, Any]) -> list[str]:
    head = ["", "layer", "kind", "output", "trained", "not", "multiply-adds", "memory"]
    rows = [
        [
            str(row["number"]),
            row["name"],
            row["kind"],
            " × ".join(map(str, row["output"])),
            f"{row['trained']:,}",
            f"{row['fixed']:,}",
            f"{row['multiply_adds']:,}",
            _size(row["memory"]),
        ]
        for row in report["layers"]
    ]
    total = [
        "",
        "all",
        "",
        "",
        f"{report['trained']:,}",
        f"{report['fixed']:,}",
        f"{report['multiply_adds']:,}",
        _size(report["memory"]),
    ]
    lines = table([head, *rows, total], right=True, words=_WORDS)
    shape = " × ".join(map(str, report["input"]))
    classes = f", classes {', '.join(report['classes'])}" if report["classes"] else ""
    return [f"{report['model']}: input {shape}, {report['task']}{classes}", *lines]


def _probe(filters: list[dict[str, Any]]) -> list[str]:
    lines = ["responses of each filter of the first layer to straight lines, white on black"]
    for answer in filters:
        lines.append(f"filter {answer['filter']} {answer['words']}")
        if len(filters) > _IN_FULL:
            continue
        cells = [
            [f"  {name}", f"{value:+.3f}", f"{answer['seen'][name]:+.3f}"]
            for name, value in answer["responses"].items()
        ]
        lines += table([["  line", "0 and 1", "as seen"], *cells])
    return lines if len(filters) <= _IN_FULL else [*lines, "(--json gives each number)"]


def _probes(filters: list[dict[str, Any]]) -> list[str]:
    lines = ["responses of each given kernel to straight lines of 1 on 0, including its bias"]
    for answer in filters:
        lines.append(f"{answer['kernel']}, bias {answer['bias']:g}: {answer['words']}")
        cells = [[f"  {name}", f"{value:+.2f}"] for name, value in answer["responses"].items()]
        lines += table(cells)
    return lines


def _nearest(filters: list[dict[str, Any]]) -> list[str]:
    lines = ["the most similar presets of each filter, with the cosine"]
    for found in filters:
        names = [_likeness(preset) for preset in found["presets"]]
        lines.append(f"filter {found['filter']}: {', '.join(names) or 'it is empty'}")
    return lines


def _likeness(preset: dict[str, Any]) -> str:
    turned = f" rotated by {preset['turn']}°" if preset["turn"] else ""
    return f"{'−' if preset['negated'] else ''}{preset['preset']}{turned} {preset['cosine']:.3f}"


def _kernels(drawn: dict[str, Any]) -> list[str]:
    return [f"filters of {drawn['layer']}: {drawn['drawing']}"]


def _maps(found: dict[str, Any]) -> list[str]:
    """Format the report of the feature maps of one picture."""
    return [_judged(found, "activations")]


def _judged(found: dict[str, Any], what: str) -> str:
    return (
        f"{found['image']}: predicted {found['class']} ({found['probability']:.1%});"
        f" {what}: {found['drawing']}"
    )


def _deciding(what: str) -> Callable[[dict[str, Any]], list[str]]:
    def lines(found: dict[str, Any]) -> list[str]:
        value, row, column = max(
            (value, i, j) for i, line in enumerate(found["map"]) for j, value in enumerate(line)
        )
        return [_judged(found, what), f"most at row {row}, column {column}, from 0 ({value:.3g})"]

    return lines


def _replace(found: dict[str, Any]) -> list[str]:
    flip = "unflipped (--correlate)" if found["correlate"] else "flipped (--convolve)"
    lines = [
        f"{found['pictures']} pictures of {found['dataset']}, with {'; '.join(found['filters'])},"
        f" {flip}"
    ]
    cells = [
        [name, f"{found[name]['loss']:.4f}", f"{found[name]['accuracy']:.2%}"]
        for name in ("before", "after")
    ]
    return lines + table([["", "loss", "accuracy"], *cells])


_EACH = ("feature_maps", "occlusion", "saliency")
"""Sections with one report for each picture."""

_SECTIONS: dict[str, Callable[[Any], list[str]]] = {
    "probe": _probe,
    "probes": _probes,
    "nearest": _nearest,
    "kernels": _kernels,
    "feature_maps": _maps,
    "occlusion": _deciding("drop where occluded"),
    "saliency": _deciding("gradient"),
    "replace": _replace,
}
