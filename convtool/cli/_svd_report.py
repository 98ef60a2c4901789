"""The text, tables and pictures of ``convtool svd``."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from convtool.cli._wording import as_options
from convtool.images.formats import format_for
from convtool.images.image import Image
from convtool.images.options import WriteOptions
from convtool.records import replace
from convtool.report.curves import Curve, compression_plot
from convtool.report.json_report import finite
from convtool.report.matrix import table
from convtool.report.pictures import contact_sheet, reduced, to_bytes
from convtool.report.slider_page import Frame, slider_page
from convtool.report.units import decibel_text
from convtool.svd.study import Choice, Point, Row, Study

SCHEMA = "convtool.svd/1"
COLOR_WORDS = {
    "channels": "channel by channel",
    "joint": "channels side by side in one matrix",
    "gray": "grey",
}
TITLES = ("K", "NUMBERS", "RATIO", "PERCENT", "MSE", "PSNR dB", "SSIM", "ENERGY", "FILE", "RAW")
PAGE_TITLES = (
    "Numbers stored",
    "Ratio to the picture's",
    "The same in percent",
    "Mean-square error",
    "PSNR in dB",
    "SSIM",
    "Share of energy",
    "Bytes in the file",
    "Bytes of raw pixels",
)
_SHEET_SIDE = 640
_PAGE_SIDE = 1024


def heading(name: str, image: Image, study: Study) -> str:
    """Format the line about the picture and the settings."""
    size = f"{image.width}×{image.height}×{image.channels}"
    depth = "floats" if image.depth == "float" else image.depth
    depth += " bits" if depth.isdigit() else ""
    tiles = f", tiles of {study.best.block}×{study.best.block}" if study.best.block else ""
    return f"{name}: {size}, {depth}, {COLOR_WORDS[study.best.color]}{tiles}"


def row_lines(study: Study) -> list[str]:
    """Format the table of a study."""
    return table([TITLES, *(_cells(row, study.raw_bytes) for row in study.rows)], right=True)


def _cells(row: Row, raw_bytes: int) -> list[str]:
    return [
        str(row.k),
        str(row.stored),
        f"{row.ratio:.4f}",
        f"{100 * row.ratio:.2f}",
        f"{row.mse:.4g}",
        decibel_text(row.psnr),
        f"{row.ssim:.4f}",
        f"{row.energy:.6f}",
        str(row.file_bytes),
        str(raw_bytes),
    ]


def smallest_line(study: Study) -> str:
    """Format the smallest k for each quality level."""
    found = ", ".join(f"{level:g} dB: {k}" for level, k in study.smallest().items())
    return f"smallest k for {found}"


def choice_line(choice: Choice) -> str:
    """Format the comparison of separate and joint channels."""
    flag = {"joint": "--joint", "channels": "--color"}[choice.better]
    return (
        f"colours, with {choice.ratio:.4f} of the numbers: channel by channel "
        f"{decibel_text(choice.channels)} dB, one matrix {decibel_text(choice.joint)} dB; "
        f"better: {flag}"
    )


def tile_lines(study: Study, tiles: Mapping[int, Sequence[Point]]) -> list[str]:
    """Format a table of whole matrices against tiles at equal file sizes."""
    titles = ["FILE", "WHOLE dB", *(f"TILES {block}×{block} dB" for block in tiles)]
    rows = [
        [
            str(row.file_bytes),
            decibel_text(row.psnr),
            *(
                decibel_text(points[i].psnr) if points[i].file_bytes else "-"
                for points in tiles.values()
            ),
        ]
        for i, row in enumerate(study.rows)
    ]
    return ["at the same bytes, whole matrices and tiles:", *table([titles, *rows], right=True)]


def as_json(
    name: str,
    image: Image,
    study: Study,
    choice: Choice | None,
    tiles: Mapping[int, Sequence[Point]],
) -> dict[str, object]:
    """Return the report for ``--json``."""
    return {
        "schema": SCHEMA,
        "input": {"path": name, "shape": list(image.pixels.shape), "depth": image.depth},
        "color": study.best.color,
        "block": study.best.block,
        "raw_bytes": study.raw_bytes,
        "peak": study.best.peak,
        "rows": [finite(asdict(row)) for row in study.rows],
        "smallest_k": {f"{level:g}": k for level, k in study.smallest().items()},
        "better_color": None
        if choice is None
        else {
            "better": choice.better,
            "ratio": choice.ratio,
            "channels_psnr": finite(choice.channels),
            "joint_psnr": finite(choice.joint),
        },
        "tiles": [
            {"block": block, "points": [finite(asdict(one)) for one in points]}
            for block, points in tiles.items()
        ],
    }


def picture(image: Image, study: Study) -> Image:
    """Return the picture for ``-o``: at its k with all metadata, or a sheet of several."""
    if len(study.rows) == 1:
        return replace(image, pixels=study.best.reconstruct())
    peak = study.best.peak
    values = [study.original, *(study.best.first(row.k).values() for row in study.rows)]
    cells = [reduced(to_bytes(one, peak), _SHEET_SIDE)[0] for one in values]
    labels = [f"original\n{study.raw_bytes} bytes"]
    for row in study.rows:
        level = "exact" if math.isinf(row.psnr) else f"{row.psnr:.1f} dB"
        share = 100 * row.file_bytes / study.raw_bytes
        labels.append(f"k={row.k}  {level}\n{row.file_bytes} bytes ({share:.1f}%)")
    return Image(contact_sheet(cells, labels))


def plot(
    name: str,
    image: Image,
    study: Study,
    tiles: Mapping[int, Sequence[Point]],
    jpeg: Sequence[Point],
) -> bytes:
    """Return the figure for ``--plot``."""
    raw = study.raw_bytes
    ks = [f"k={row.k}" for row in study.rows]
    sizes = [row.file_bytes / raw for row in study.rows]
    own = f"tiles {study.best.block}×{study.best.block}" if study.best.block else "SVD"
    curves = [Curve(own, sizes, [row.psnr for row in study.rows], ks)]
    for block, points in tiles.items():
        known = [point for point in points if point.file_bytes]
        curves.append(_curve(f"SVD of tiles {block}×{block}", known, raw))
    if jpeg:
        curves.append(_curve("JPEG", jpeg, raw))
    energies = np.diff(study.spectrum.kept)
    return compression_plot(
        heading(name, image, study), energies, [row.k for row in study.rows], curves
    )


def _curve(label: str, points: Sequence[Point], raw: int) -> Curve:
    return Curve(label, [one.file_bytes / raw for one in points], [one.psnr for one in points])


def page(name: str, image: Image, study: Study, remarks: Sequence[str]) -> str:
    """Return the page for ``--html``."""
    peak = study.best.peak
    codec = format_for("a.png").load()
    original, by = reduced(to_bytes(study.original, peak), _PAGE_SIDE)
    frames = []
    for row in study.rows:
        values = reduced(to_bytes(study.best.first(row.k).values(), peak), _PAGE_SIDE)[0]
        png = codec.encode(Image(np.ascontiguousarray(values)), WriteOptions())
        frames.append(Frame(str(row.k), png, _cells(row, study.raw_bytes)[1:]))
    smaller = [f"Pictures are shown at 1/{by} of their size."] if by > 1 else []
    notes = [*map(as_options, remarks), *smaller]
    shown = codec.encode(Image(np.ascontiguousarray(original)), WriteOptions())
    about = heading(name, image, study)
    return slider_page(f"{name}, compressed", about, notes, PAGE_TITLES, frames, shown)
