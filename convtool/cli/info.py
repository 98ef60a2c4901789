"""``convtool info``: show the properties of picture files."""

from typing import Any

import click

from convtool.cli._options import json_option
from convtool.cli._signals import ending
from convtool.cli._terminal import say
from convtool.cli._wording import as_options, report_as_options
from convtool.errors import ImageReadError
from convtool.images.formats import FORMATS
from convtool.images.info import formats, info
from convtool.images.paths import shown
from convtool.report.json_report import write_report

# No option for reading is taken: info reads no pixels, converts nothing, and shows all pages.
SCHEMA = "convtool.info/1"
_LONGEST = 60


@click.command(
    "info",
    epilog="""\b
Examples:
  convtool info sample_images/photograph.jpg
  convtool info --json sample_images/photograph.jpg sample_images/zone-plate.png
  convtool info --formats""",
)
@click.option("--formats", "of_formats", is_flag=True, help="List the formats instead.")
@json_option
@click.argument("files", metavar="FILE...", nargs=-1)
@ending()
def command(files: tuple[str, ...], of_formats: bool, json_target: str | None) -> int:
    """Show the format, size, depth, channels, pages and metadata of picture files.

    Only headers are read. Sizes are width × height as stored, before the orientation is applied;
    resolution is in pixels per inch. The exit code is 1 if a file cannot be read; the others are
    still shown.
    """
    if of_formats == bool(files):
        raise click.UsageError("takes either picture files or --formats")
    if of_formats:
        _show_formats(formats(), json_target)
        return 0
    found, failures = [], []
    for name in files:
        try:
            report = {"path": shown(name)} | info(name)
            report["remarks"] = report_as_options(report["remarks"])
        except ImageReadError as error:
            failures.append(as_options(str(error)))
            say(f"convtool: error: {error}", err=True)
            continue
        found.append(report)
        if json_target != "-":
            say(*_lines(report))
    if json_target is not None:
        write_report({"schema": SCHEMA, "files": found, "failures": failures}, json_target)
    return 1 if failures else 0


def _show_formats(known: list[dict[str, Any]], json_target: str | None) -> None:
    """Show who reads and writes each format, and what to install for those that need it."""
    if json_target != "-":
        rows = [("format", "reads", "writes", "depths", "library", "endings")]
        for one in known:
            entry = FORMATS[one["name"]]
            missing = "" if one["installed"] else f" (pip install 'convtool[{entry.extra}]')"
            rows.append(
                (
                    one["name"],
                    "yes" if one["reads"] else "no",
                    "yes" if one["writes"] else "no",
                    ", ".join(one["depths"]),
                    one["library"] + missing,
                    " ".join(one["extensions"]),
                )
            )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            say("  ".join(cells).rstrip())
    if json_target is not None:
        write_report(known, json_target)


def _lines(report: dict[str, Any]) -> list[str]:
    """Format the lines about one file: the picture, then its metadata."""
    title = FORMATS[report["format"]].title
    facts = [
        ("", f"{report['path']}: {title}, {_kind(report)}"),
        ("pages", _pages(report)),
        ("compression", _coding(report["coding"])),
        ("orientation", str(report["orientation"]) if report["orientation"] != 1 else ""),
        ("resolution", _resolution(report["resolution"])),
        ("profile", _profile(report["icc"])),
        ("EXIF", _size(report["exif"])),
        ("XMP", _size(report["xmp"])),
        *[(f"text {key}", _short(text)) for key, text in report["text"]],
        *[("remark", remark) for remark in report["remarks"]],
    ]
    return [f"  {name}: {text}" if name else text for name, text in facts if text]


def _kind(page: dict[str, Any]) -> str:
    colours = page["channels"] - page["alpha"]
    kind = "CMYK" if page["inks"] else {1: "grey", 3: "colour"}.get(colours, f"{colours} bands")
    depth = {"8": "8 bits", "16": "16 bits"}.get(page["depth"], page["type"])
    with_alpha = " with alpha" if page["alpha"] else ""
    return f"{page['width']}×{page['height']}, {kind}{with_alpha}, {depth}"


def _pages(report: dict[str, Any]) -> str:
    if report["pages"] == 1:
        return ""
    if "durations" in report:
        total = sum(report["durations"]) / 1000
        times = "for ever" if report["loop"] == 0 else f"{report['loop']} times"
        return f"{report['pages']} frames in {total:g} s, {times}"
    kinds = dict.fromkeys(_kind(page) for page in report["others"])
    return f"{report['pages']}, the others {'; '.join(kinds)}"


def _coding(coding: dict[str, Any]) -> str:
    words = [coding["compression"]]
    if coding["quality"] is not None:
        words.append(f"quality {coding['quality']}")
    if coding["chroma_quality"] not in (None, coding["quality"]):
        words.append(f"{coding['chroma_quality']} for chroma")
    words.append(coding["subsampling"])
    if coding["progressive"]:
        words.append("progressive")
    return ", ".join(word for word in words if word)


def _resolution(resolution: list[float] | None) -> str:
    if resolution is None:
        return ""
    across, down = (f"{round(value, 2):g}" for value in resolution)
    return across if across == down else f"{across}×{down}"


def _profile(profile: dict[str, Any] | None) -> str:
    if profile is None:
        return ""
    return f"{profile['name'] or 'without a name'}, {profile['bytes']} bytes"


def _size(block: dict[str, Any] | None) -> str:
    return f"{block['bytes']} bytes" if block else ""


def _short(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
