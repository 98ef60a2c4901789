"""The command ``convtool``: the root group, and the one place where errors become exit codes.

Commands are imported on use. Their one-line helps stand here, so that ``convtool --help`` imports
none of them.
"""

import os
import sys
from importlib import import_module
from typing import Any

import click

from convtool import __version__
from convtool.errors import (
    ConvtoolError,
    EngineError,
    ImageFormatError,
    KernelError,
    ModelError,
    OptionError,
)

COMMANDS = {
    "evaluate": "Judge a trained network on a set of pictures.",
    "filter": "Convolve a picture with one or more kernels.",
    "kernels": "List the preset kernels, or show one.",
    "predict": "Say what a trained network sees in pictures.",
    "train": "Train a small convolutional network.",
}
"""Name and one-line help of each command; the command ``a-b`` lives in ``convtool/cli/a_b.py``."""

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
_USAGE_ERRORS = (OptionError, KernelError, EngineError, ImageFormatError, ModelError)


class LazyGroup(click.Group):
    """A click group whose commands are imported when they run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command and return the command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"convtool.cli.{cmd_name.replace('-', '_')}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from their one-line helps, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="convtool")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def root(debug: bool) -> None:
    """Filter and convolve images: right, fast, and with nothing lost."""


def _report(message: str) -> None:
    line = " ".join(message.split())
    click.echo(f"convtool: error: {line}", err=True)


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments after the program's name; those of this process by default.

    Returns
    -------
    int
        0 done; 1 some input failed; 2 wrong usage; 130 interrupted.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    arguments = [a for a in arguments if a != "--debug"]
    try:
        code: Any = root.main(arguments, prog_name="convtool", standalone_mode=False)
        return code if isinstance(code, int) else DONE
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        if debug:
            raise
        _report("interrupted")
        return INTERRUPTED
    except click.UsageError as error:
        where = f" (see '{error.ctx.command_path} --help')" if error.ctx else ""
        _report(error.format_message().rstrip(".") + where)
        return USAGE
    except (ConvtoolError, click.ClickException) as error:
        if debug:
            raise
        text = error.format_message() if isinstance(error, click.ClickException) else str(error)
        _report(text)
        return USAGE if isinstance(error, _USAGE_ERRORS) else FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def main() -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run())
