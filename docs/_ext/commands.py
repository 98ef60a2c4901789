"""A page for each command, which sphinx-click fills with its options."""

import keyword
import re
from pathlib import Path

import click
from sphinx.application import Sphinx

from _ext.fragments import table, write_text
from convtool.cli import COMMANDS


def write(generated: Path) -> None:
    """Write the pages, and the table that leads to them."""
    rows = []
    for name, summary in COMMANDS.items():
        module = name.replace("-", "_") + "_" * keyword.iskeyword(name)
        page = f".. click:: convtool.cli.{module}:command\n   :prog: convtool {name}\n"
        write_text(generated.parent / "commands" / f"{name}.rst", page)
        rows.append([f"[`convtool {name}`](commands/{name}.rst)", summary])
    contents = "\n".join(f"commands/{name}" for name in COMMANDS)
    toctree = f"```{{toctree}}\n:hidden:\n\n{contents}\n```\n"
    write_text(generated / "commands.md", table(["command", "what it does"], rows) + "\n" + toctree)


def _literal(text: str) -> str:
    """Escape what reStructuredText would read as markup; what stands in backquotes becomes code."""
    parts = re.split(r"`([^`]*)`", text)
    parts[::2] = [re.sub(r"(?<!^)([*|_])", r"\\\1", part, flags=re.M) for part in parts[::2]]
    parts[1::2] = [f"``{part}``" for part in parts[1::2]]
    return "".join(parts)


def _take_literally(app: Sphinx, context: click.Context, lines: list[str]) -> None:
    """Let sphinx-click show a help text as it is meant."""
    lines[:] = _literal("\n".join(lines)).splitlines()


def _show_examples(app: Sphinx, context: click.Context, lines: list[str]) -> None:
    """Show the examples at the end of a help text as a block of commands."""
    _, _, examples = (context.command.epilog or "").partition("Examples:\n")
    commands = [f"   $ {line.strip()}" for line in examples.splitlines() if line.strip()]
    if commands:
        lines[:] = [".. rubric:: Examples", "", ".. code-block:: console", "", *commands, ""]


def connect(app: Sphinx) -> None:
    """Connect what changes the texts that sphinx-click takes from the commands."""
    app.connect("sphinx-click-process-description", _take_literally)
    app.connect("sphinx-click-process-epilog", _show_examples)
