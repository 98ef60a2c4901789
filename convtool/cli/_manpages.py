"""The manual pages, made of what help is made of: ``python -m convtool.cli._manpages FOLDER``."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from convtool._version import __version__
from convtool.cli import COMMANDS, DONE, FAILED, INTERRUPTED, USAGE, root
from convtool.cli._help import USUAL, Command

EXIT_STATUS = {
    DONE: "All is done.",
    FAILED: "Some input failed, and the others are done; or a limit that was given is exceeded.",
    USAGE: "The usage is wrong; nothing was done.",
    INTERRUPTED: "It was interrupted.",
}
_WIDTH = 78
_ESCAPES = {
    "\\": "\\e",
    "-": "\\-",
    "'": "\\(aq",
    "`": "\\(ga",
    "^": "\\(ha",
    "~": "\\(ti",
    "|": "|\\:",
}


def pages() -> dict[str, str]:
    r"""Return the manual pages in roff, each by its file's name.

    Examples
    --------
    >>> pages()["convtool-filter.1"].splitlines()[3:5]
    ['.SH NAME', 'convtool\\-filter \\- Convolve a picture with one or more kernels']
    """
    made = {"convtool.1": _page("convtool", root, "Filter and convolve images")}
    with click.Context(root, info_name="convtool") as parent:
        for name, summary in COMMANDS.items():
            command = root.get_command(parent, name)
            assert command is not None
            made[f"convtool-{name}.1"] = _page(f"convtool {name}", command, summary, parent)
    return made


def write_pages(folder: Path) -> list[Path]:
    """Write the manual pages into a folder; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, text in pages().items():
        files.append(folder / name)
        files[-1].write_text(text, encoding="ascii", newline="\n")
    return files


def _page(
    name: str, command: click.Command, summary: str, parent: click.Context | None = None
) -> str:
    context = click.Context(
        command,
        parent,
        info_name=name.rpartition(" ")[2],
        terminal_width=_WIDTH,
        help_option_names=["-h", "--help"],
    )
    title = name.replace(" ", "-")
    return "\n".join(
        (
            f'.TH "{_text(title.upper())}" 1 "" "convtool {__version__}" "convtool"',
            ".ad l",
            ".nh",
            ".SH NAME",
            f"{_text(title)} \\- {_text(summary.rstrip('.'))}",
            ".SH SYNOPSIS",
            f".B {_text(name)}",
            _text(" ".join(command.collect_usage_pieces(context))),
            ".SH DESCRIPTION",
            *_paragraphs(command.help or ""),
            *_sections(command, context),
            ".SH EXIT STATUS",
            *(line for code, text in EXIT_STATUS.items() for line in _term(str(code), text)),
            ".SH SEE ALSO",
            _see_also(title),
            "",
        )
    )


def _sections(command: click.Command, context: click.Context) -> Iterator[str]:
    """Return the options and examples of a command, or the commands of the root."""
    yield ".SH OPTIONS"
    if not isinstance(command, Command):
        yield from _options(command.get_params(context), context)
        yield ".SH COMMANDS"
        for name, text in COMMANDS.items():
            yield from _term(name, text)
        return
    usual, panels = command.panels(context)
    for heading, options in [(USUAL, usual), *panels] if usual else panels:
        yield f".SS {_text(heading)}"
        yield from _options(options, context)
    yield ".SH EXAMPLES"
    yield ".nf"
    yield from (_text(line) for line in command.example_lines(_WIDTH) if line.startswith(" "))
    yield ".fi"


def _options(options: Sequence[click.Parameter], context: click.Context) -> Iterator[str]:
    for one in options:
        record = one.get_help_record(context)
        if record is not None:
            yield from _term(*record)


def _term(term: str, text: str) -> Iterator[str]:
    yield ".TP"
    yield f".B {_text(term)}"
    yield _text(text) or "\\&"


def _paragraphs(text: str) -> Iterator[str]:
    """Return the paragraphs of a docstring."""
    for number, paragraph in enumerate(click.formatting.wrap_text(text, 10**6).split("\n\n")):
        if number:
            yield ".PP"
        yield _text(" ".join(paragraph.split()))


def _see_also(title: str) -> str:
    others = [one for one in ("convtool", *(f"convtool-{one}" for one in COMMANDS)) if one != title]
    return "\n".join(
        [*(f".BR {_text(one)} (1)," for one in others[:-1]), f".BR {_text(others[-1])} (1)"]
    )


def _text(text: str) -> str:
    """Return a text that roff takes for nothing else, in ASCII."""
    escaped = "".join(
        _ESCAPES.get(c, c) if c.isascii() else f"\\[u{ord(c):04X}]" for c in text.expandtabs()
    )
    return f"\\&{escaped}" if escaped.startswith(".") else escaped


if __name__ == "__main__":
    for path in write_pages(Path(sys.argv[1])):
        sys.stdout.write(f"{path}\n")
