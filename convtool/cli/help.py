"""``convtool help``: show the help of a command."""

from typing import Any

import click

from convtool.cli import COMMANDS
from convtool.cli._help import Command


def _names(_context: Any, _option: Any, incomplete: str) -> list[str]:
    return [name for name in sorted(COMMANDS) if name.startswith(incomplete)]


@click.command(
    "help",
    cls=Command,
    speaks=False,
    epilog="""\b
Examples:
  convtool help
  convtool help filter
  convtool help --all filter""",
)
@click.option("--all", "everything", is_flag=True, help="Show all options of a long command.")
@click.argument("name", metavar="[COMMAND]", required=False, shell_complete=_names)
@click.pass_context
def command(ctx: click.Context, name: str | None, everything: bool) -> None:
    """Show the help of COMMAND, as 'convtool COMMAND --help' does, or the list of commands."""
    root = ctx.find_root()
    asked = "--help-all" if everything and name is not None else "--help"
    arguments = [asked] if name is None else [name, asked]
    root.command.main(arguments, prog_name=root.info_name, standalone_mode=False)
