"""Write files of the build only where their content changes, so that a second build is quick."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convtool.images.write import write as write_picture


def write_text(path: Path, text: str) -> None:
    """Write a text, unless the file holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def write_pixels(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write a picture, unless the file holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"fresh-{path.name}")
    write_picture(fresh, pixels)
    if path.exists() and path.read_bytes() == fresh.read_bytes():
        fresh.unlink()
    else:
        os.replace(fresh, path)


def enlarged(pixels: NDArray[np.uint8], times: int) -> NDArray[np.uint8]:
    """Return a picture with each pixel as a square of so many pixels a side."""
    return pixels.repeat(times, axis=0).repeat(times, axis=1)


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
