"""The presets: parameters, matrix, frequency response and source of each, from the registry."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from _ext.fragments import enlarged, table, write_pixels, write_text
from convtool.kernels.facts import facts
from convtool.kernels.parameters import Parameter
from convtool.kernels.presets import PRESETS, Preset
from convtool.kernels.spec import parse
from convtool.report.matrix import line_text, matrix_lines

SIDE = 48
"""Frequencies on a side of a picture of a response."""
_TIMES = 3


def response(weights: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the magnitude of a kernel's response as grey, zero frequency in the middle."""
    magnitude = np.abs(np.fft.fftshift(np.fft.fft2(weights, (SIDE, SIDE))))
    peak = float(magnitude.max())
    return np.rint(255 * magnitude / (peak or 1)).astype(np.uint8)


def _default(parameter: Parameter) -> str:
    if parameter.default is None:
        return "from the others"
    if isinstance(parameter.default, tuple):
        return "×".join(f"{value:g}" for value in parameter.default)
    return f"{parameter.default:g}"


def _facts(weights: NDArray[np.float64]) -> str:
    known = facts(weights)
    parts = [
        f"{known.shape[0]}×{known.shape[1]}",
        f"sum {known.sum:.6g}",
        f"rank {known.rank}",
        f"noise gain {known.noise_gain:.4g}",
    ]
    if known.factors is not None and max(known.shape) <= 9:
        column, row = (line_text(side) for side in (known.factors.column, known.factors.row))
        parts.append(f"factors {column}ᵀ {row}")
    return ", ".join(parts) + "."


def _single(name: str, weights: NDArray[np.float64], folder: Path) -> list[str]:
    write_pixels(folder / f"{name}.png", enlarged(response(weights), _TIMES))
    matrix = "\n".join(line.rstrip() for line in matrix_lines(weights))
    return [
        f"```{{image}} generated/kernels/{name}.png",
        f":alt: frequency response of {name}",
        ":class: response",
        "```",
        "",
        f"```text\n{matrix}\n```",
        "",
        _facts(weights),
        "",
    ]


def _section(name: str, preset: Preset, folder: Path) -> list[str]:
    kernel = parse(name)
    lines = [f"### {name}", "", f"{preset.summary[0].upper()}{preset.summary[1:]}.", ""]
    if kernel.is_group:
        parts = ", ".join(f"`{part}`" for part in preset.parts)
        lines += [f"The {preset.combination} of {parts}.", ""]
        if any(part not in PRESETS for part in preset.parts):
            lines += _single(name, kernel.weights[0], folder)
    else:
        lines += _single(name, kernel.weights, folder)
    if preset.parameters:
        heads = ["parameter", "default", "range", "meaning"]
        rows = [[f"`{p.name}`", _default(p), p.range, p.meaning] for p in preset.parameters]
        lines += [table(heads, rows), ""]
    return [*lines, f"Source: {preset.source}", ""]


def write(generated: Path) -> None:
    """Write the section of each preset, and the pictures."""
    sections = [_section(name, preset, generated / "kernels") for name, preset in PRESETS.items()]
    write_text(generated / "kernels.md", "\n".join(line for lines in sections for line in lines))
