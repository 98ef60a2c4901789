"""The table of formats, from the registry."""

from pathlib import Path

from _ext.fragments import table, write_text
from convtool.images.formats import FORMATS


def _row(name: str) -> list[str]:
    entry = FORMATS[name]
    endings = " ".join(f"`{ending}`" for ending in entry.extensions)
    reads, writes = ("yes" if does else "" for does in (entry.reads, bool(entry.depths)))
    depths = ", ".join(entry.read_depths or entry.depths)
    return [entry.title, f"`{name}`", endings, reads, writes, depths, entry.library]


def write(generated: Path) -> None:
    """Write the table."""
    heads = ["format", "`--format`", "endings", "reads", "writes", "depths", "library"]
    write_text(generated / "formats.md", table(heads, [_row(name) for name in FORMATS]))
