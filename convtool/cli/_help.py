"""How a command shows its help: options in panels by topic, the usual ones first."""

import re
from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap
from typing import Any, TypeVar

import click

from convtool.cli._terminal import is_colourful, show_help, speaking

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])

TOPICS = {
    "": "Options",
    "kernel": "Kernel",
    "kept": "What is kept",
    "where": "Where",
    "output": "Output",
    "many": "Many pictures",
    "huge": "Huge pictures",
    "data": "Data set",
    "network": "Network",
    "training": "Training",
    "method": "Method",
    "files": "Reading files",
    "machine": "Machine",
    "report": "Messages and reports",
}
"""The heading of each topic's panel, in the order of the panels."""

USUAL = "Usual options"
WIDTH = 80
"""Help is at most this wide."""

_ALL = "convtool.help_all"
_VERBOSE = "convtool.verbose"
_LEVELS = "--verbose", "--quiet"
_TERM_WIDTH = 24
_PLACES_TO_BREAK = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""")


class Option(click.Option):
    """An option with the topic under which help shows it."""

    def __init__(self, *args: Any, topic: str = "", **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.topic = topic
        if self.metavar is None and isinstance(self.type, click.types.IntParamType):
            self.metavar = "N"
        elif self.metavar is None and isinstance(self.type, click.types.FloatParamType):
            self.metavar = "NUMBER"


def option(*names: str, topic: str = "", **attributes: Any) -> Callable[[_Decorated], _Decorated]:
    """Return a decorator that adds an option with a topic of `TOPICS` to a command."""
    return click.option(*names, cls=Option, topic=topic, **attributes)


class Formatter(click.HelpFormatter):
    """Writes help with bold headings on a terminal, and wraps terms as well as their texts."""

    def write_heading(self, heading: str) -> None:
        """Write the heading of a section."""
        self.write(f"{'':>{self.current_indent}}{_bold(heading + ':')}\n")

    def write_dl(
        self,
        rows: Any,
        col_max: int = _TERM_WIDTH,
        col_spacing: int = 2,
    ) -> None:
        """Write terms and their texts in two columns; a long term has its own lines."""
        rows = list(rows)
        indent = " " * self.current_indent
        column = min(max((len(term) for term, _ in rows), default=0), col_max) + col_spacing
        for term, text in rows:
            lines = wrap(text, max(10, self.width - column - 2), break_on_hyphens=False)
            if len(term) > column - col_spacing:
                self.write("".join(f"{indent}{line}\n" for line in self._term_lines(term)))
                term = ""  # noqa: PLW2901
            elif not lines:
                self.write(f"{indent}{term}\n")
            for number, line in enumerate(lines):
                left = "" if number else term
                self.write(f"{indent}{left:{column}}{line}\n")

    def _term_lines(self, term: str) -> Iterator[str]:
        """Break a term that is too wide after a comma, a bar or a blank."""
        room = self.width - self.current_indent
        line = ""
        for part in re.findall(r"[^ ,|]+[ ,|]*|[ ,|]+", term):
            if line and len(line) + len(part.rstrip()) > room:
                yield line.rstrip()
                line = "    "
            line += part
        yield line


def _bold(text: str) -> str:
    return click.style(text, bold=True) if is_colourful() else text


class Context(click.Context):
    """A context whose help is written by `Formatter`."""

    formatter_class = Formatter


class Command(click.Command):
    """A command whose help has panels.

    Parameters
    ----------
    *args, **attributes
        As for `click.Command`.
    usual : sequence of str
        The options that ``--help`` shows, each by one of its names; it only names the others, and
        ``--help-all`` shows them. Without any, both show all.
    speaks : bool
        Whether to add ``--verbose`` and ``--quiet``.
    """

    context_class = Context

    def __init__(
        self, *args: Any, usual: Sequence[str] = (), speaks: bool = True, **attributes: Any
    ) -> None:
        super().__init__(*args, **attributes)
        self._usual = tuple(usual)
        self.params += [*(_levels() if speaks else ()), _help_all()]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; tell of an unknown option what it is called here."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            from convtool.cli._meanings import option_meant

            meant = option_meant(error.option_name, given, self)
            if meant is None:
                raise
            raise click.UsageError(f"no such option {error.option_name}; {meant}", ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, as talkative as it was told to be."""
        with speaking(ctx.meta.get(_VERBOSE, 0)):
            return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options: the usual ones, or all in panels by topic."""
        usual, others = self.panels(ctx)
        everything = bool(ctx.meta.get(_ALL))
        if usual:
            with formatter.section(USUAL):
                formatter.write_dl(_records(ctx, usual))
        if not usual or everything:
            for heading, options in others:
                with formatter.section(heading):
                    formatter.write_dl(_records(ctx, options))
        elif others:
            with formatter.section("More options, under --help-all"):
                formatter.write_dl(
                    [(heading, ", ".join(map(_longest, some))) for heading, some in others]
                )

    def panels(
        self, ctx: click.Context
    ) -> tuple[list[click.Option], list[tuple[str, list[click.Option]]]]:
        """Return the usual options, and the others with the heading of each topic."""
        shown = [
            one for one in self.get_params(ctx) if isinstance(one, click.Option) and not one.hidden
        ]
        by_name = {name: one for one in shown for name in (*one.opts, *one.secondary_opts)}
        usual = [by_name[name] for name in self._usual]
        if usual:
            usual += [by_name[name] for name in ("--help-all", "--help")]
        rest = [one for one in shown if one not in usual and (usual or one.name != "help_all")]
        grouped = [
            (heading, [one for one in rest if _topic(one) == topic])
            for topic, heading in TOPICS.items()
        ]
        return usual, [(heading, some) for heading, some in grouped if some]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples; a backslash ends a line that goes on."""
        for line in self.example_lines(formatter.width):
            if line.startswith(" "):
                formatter.write(f"{line}\n")
            else:
                formatter.write_paragraph()
                formatter.write_heading(line.rstrip(":"))

    def example_lines(self, width: int) -> Iterator[str]:
        """Return the lines of the epilog, no wider than that where a blank allows it."""
        text = (self.epilog or "").replace("\b\n", "").replace("\\\n", " ")
        for line in filter(None, map(str.rstrip, text.splitlines())):
            yield from _folded(line, width)


class Root(click.Group):
    """A group whose help is written by `Formatter`."""

    context_class = Context


def _folded(line: str, width: int) -> Iterator[str]:
    """Fold a command at blanks outside of quotes."""
    start = line[: len(line) - len(line.lstrip())]
    now = ""
    words = _PLACES_TO_BREAK.findall(line)
    for number, word in enumerate(words):
        room = width - (2 if number < len(words) - 1 else 0)
        if now and len(now) + 1 + len(word) > room:
            yield f"{now} \\"
            now = f"{start}    {word}"
        else:
            now = f"{now} {word}" if now else start + word
    yield now


def _topic(one: click.Option) -> str:
    if isinstance(one, Option):
        return one.topic
    return "report" if one.is_eager and not one.expose_value else ""


def _longest(one: click.Option) -> str:
    """Return an option's long name."""
    return max(one.opts, key=len)


def _records(ctx: click.Context, options: Sequence[click.Option]) -> list[tuple[str, str]]:
    return [record for one in options if (record := one.get_help_record(ctx)) is not None]


def _help_all() -> click.Option:
    def show(ctx: click.Context, _option: click.Parameter, asked: bool) -> None:
        if asked and not ctx.resilient_parsing:
            ctx.meta[_ALL] = True
            show_help(ctx.get_help())
            ctx.exit()

    return Option(
        ["--help-all"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        topic="report",
        help="Show all options, by topic.",
    )


def _levels() -> list[click.Option]:
    def keep(ctx: click.Context, chosen: click.Parameter, asked: bool) -> None:
        if not asked:
            return
        if _VERBOSE in ctx.meta:
            raise click.UsageError(f"{' and '.join(_LEVELS)} exclude each other; give one", ctx)
        ctx.meta[_VERBOSE] = 1 if chosen.name == "verbose" else -1

    texts = (
        ("-v", _LEVELS[0], "Say on stderr what is done, and how long it took."),
        (
            "-q",
            _LEVELS[1],
            "Print errors only; files and --json are written.",
        ),
    )
    return [
        Option(
            [short, long],
            is_flag=True,
            expose_value=False,
            callback=keep,
            topic="report",
            help=text,
        )
        for short, long, text in texts
    ]
