"""``convtool completion``: print the script that completes commands in a shell."""

import click

from convtool.cli._help import Command
from convtool.cli._terminal import say

SHELLS = ("bash", "zsh", "fish", "powershell")


@click.command(
    "completion",
    cls=Command,
    speaks=False,
    epilog="""\b
Examples:
  convtool completion bash
  convtool completion fish > convtool.fish""",
)
@click.argument("shell", type=click.Choice(SHELLS), metavar=f"[{'|'.join(SHELLS)}]")
def command(shell: str) -> None:
    """Print the script that makes a shell complete commands, options and their values.

    Commands, options, presets with their parameters, borders, engines, formats and files are
    completed. Put the line that is at the top of the script into the shell's start-up file: for
    Bash, eval "$(convtool completion bash)" in ~/.bashrc.
    """
    from convtool.cli._shells import script

    say(*script(shell).splitlines())
