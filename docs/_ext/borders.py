"""A picture of each border: a part of the sample photograph, and what lies beyond its edges."""

from pathlib import Path

import numpy as np

import convtool
from _ext.fragments import table, write_pixels, write_text
from convtool.convolution.borders import ALIASES, BORDERS
from convtool.images import samples

_PART = np.s_[190:310:2, 60:180:2]
_BEYOND = 30


def write(generated: Path) -> None:
    """Write the pictures, with a white line along the edge, and the table that shows them."""
    part = samples.load("photograph")[_PART]
    rows = []
    for name in BORDERS:
        if name in ALIASES:
            continue
        wide = convtool.convolve(part, [[1]], border=name, padding=_BEYOND, dtype=np.uint8)
        first, last = _BEYOND, _BEYOND + part.shape[0]
        wide[[first, last - 1], first:last] = wide[first:last, [first, last - 1]] = 255
        write_pixels(generated / "borders" / f"{name}.png", wide.repeat(2, 0).repeat(2, 1))
        others = ", ".join(f"`{alias}`" for alias, meant in ALIASES.items() if meant == name)
        rows.append([f"`{name}`", others, f"![{name}](generated/borders/{name}.png)"])
    write_text(generated / "borders.md", table(["border", "also", "picture"], rows))
