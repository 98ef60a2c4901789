"""The README and the pages in ``docs/``: their blocks, links and tables."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
GENERATED = (
    "_build",
    "gallery",
    "jupyter_execute",
    "notebooks",
    "reference/api",
    "reference/commands",
    "reference/generated",
)
"""What a build leaves in ``docs/``."""
INSTALL = re.compile(r"<!-- (install and \w+) -->\n```console\n\$ (.*)\n```\n<!-- end -->\n")
_BLOCK = re.compile(r"^```(console|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"^\$ (.*)$", re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def _pages() -> dict[str, str]:
    made = [DOCS / folder for folder in GENERATED]
    found = [README, *sorted(DOCS.rglob("*.md"))]
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in found
        if not any(path.is_relative_to(folder) for folder in made)
    }


PAGES = _pages()
"""The text of each page that is written by hand, by its path from the root."""


def blocks(text: str) -> list[tuple[str, str]]:
    """Return the commands and Python blocks of a page in their order, each with its language.

    Commands that install are left out, but for what follows the installation.
    """
    rest = INSTALL.sub("", text)
    found = [
        (language, part)
        for language, body in _BLOCK.findall(rest)
        for part in (_PROMPT.findall(body) if language == "console" else [body])
    ]
    installing = dict(INSTALL.findall(text)).get("install and filter")
    return [("console", installing.rpartition(" && ")[2]), *found] if installing else found


def commands() -> list[str]:
    """Return each command of all pages."""
    return [part for text in PAGES.values() for kind, part in blocks(text) if kind == "console"]


def links(text: str) -> list[str]:
    """Return the targets of a page's links and pictures."""
    return _LINK.findall(re.sub(r"^```.*?^```|`[^`\n]+`", "", text, flags=re.M | re.S))


def rows(page: str, heading: str | None = None) -> list[str]:
    """Return the table rows of a page, or of the section below a heading."""
    text = PAGES[page]
    if heading is not None:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [line for line in text.splitlines() if line.startswith("| ")]
