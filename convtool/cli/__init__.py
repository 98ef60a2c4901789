"""The command ``convtool``: the root group, and the one place where errors become exit codes.

Commands are imported on use. Their one-line help texts are defined here, so ``convtool --help``
imports none of them.
"""

import gc
import keyword
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from convtool._version import __version__
from convtool.cli._terminal import say, writing_stdout
from convtool.cli._wording import as_options
from convtool.errors import (
    ConvtoolError,
    ConvtoolWarning,
    EngineError,
    ImageFormatError,
    KernelError,
    ModelError,
    OptionError,
    printable,
)
from convtool.limits import check_addresses, check_open_files, is_want_of_memory

COMMANDS = {
    "bench": "Time the engines and their peers on this machine.",
    "compare": "Measure the difference of two pictures.",
    "compile": "Compile the fast engines where no library was built.",
    "deconvolve": "Undo the blur of a known kernel.",
    "evaluate": "Evaluate a trained network on a data set.",
    "explain": "Walk through a convolution, number by number.",
    "export": "Write a trained network as an ONNX file.",
    "filter": "Convolve a picture with one or more kernels.",
    "gridsearch": "Train every combination of some choices.",
    "import": "Read an ONNX file as a network of convtool's layers.",
    "info": "Show the size, depth, pages and metadata of picture files.",
    "inspect": "Inspect a trained network.",
    "kernels": "List the preset kernels, or show one.",
    "learn": "Find the kernel that turns one picture into another.",
    "predict": "Predict the class of pictures with a trained network.",
    "show": "Draw pictures of a data set, each with its label.",
    "svd": "Compress a picture with the singular value decomposition.",
    "train": "Train a small convolutional network.",
}
"""Name and one-line help of each command. The module of the command ``a-b`` is
``convtool/cli/a_b.py``; that of a Python keyword has an underscore appended (``import_.py``)."""

_MIB = 1 << 20
ADDRESSES = dict.fromkeys(("compile", "info", "kernels"), 256 * _MIB) | dict.fromkeys(
    ("explain", "filter"), 400 * _MIB
)
"""Bytes of address space that commands need at least: below, libraries do not load, crash or hang.
All others need `_ADDRESSES`."""
_ADDRESSES = 1024 * _MIB
_FILES = 16
"""Files that any command may have open at once."""

SMALL_MATRICES = frozenset({"explain", "filter", "info", "kernels"})
"""Commands that need at most small factorisations. For them, starting BLAS threads, one set for
NumPy and one for OpenCV, would take longer than the threads save."""

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
_USAGE_ERRORS = (
    click.UsageError,
    OptionError,
    KernelError,
    EngineError,
    ImageFormatError,
    ModelError,
)


class LazyGroup(click.Group):
    """A click group that imports commands on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command and return the command."""
        if cmd_name not in COMMANDS:
            return None
        place = cmd_name.replace("-", "_") + "_" * keyword.iskeyword(cmd_name)
        if cmd_name in SMALL_MATRICES and "numpy" not in sys.modules:
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        check_open_files(_FILES, f"convtool {cmd_name}")
        check_addresses(ADDRESSES.get(cmd_name, _ADDRESSES), f"convtool {cmd_name}")
        module = import_module(f"convtool.cli.{place}")
        gc.freeze()
        gc.enable()
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first argument names, or suggest similar names."""
        name = args[0]
        if name in COMMANDS or name.startswith("-"):
            return super().resolve_command(ctx, args)
        import difflib

        near = difflib.get_close_matches(name, COMMANDS)
        hint = f"did you mean {' or '.join(near)}?" if near else f"one of {', '.join(COMMANDS)}"
        raise click.UsageError(f"unknown command {name!r}; {hint}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from their one-line help texts, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(
    cls=LazyGroup, no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="convtool")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def root(debug: bool) -> None:
    """Filter and convolve images: right, fast, and with nothing lost."""


def _without_debug(arguments: list[str]) -> tuple[list[str], bool]:
    """Remove ``--debug`` anywhere before a ``--``; return the rest and whether it was present."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    kept = [argument for argument in arguments[:end] if argument != "--debug"]
    return kept + arguments[end:], len(kept) < end


def _with_json_settled(arguments: list[str]) -> list[str]:
    """Rewrite ``--json`` without a .json file after it as ``--json=-``, which prints."""
    settled = []
    for argument, after in zip(arguments, [*arguments[1:], ""], strict=False):
        alone = argument == "--json" and after != "-" and not after.lower().endswith(".json")
        settled.append("--json=-" if alone else argument)
    return settled


def words(error: BaseException) -> str:
    """Format an error as one line: what, where, what to do."""
    if isinstance(error, click.Abort | KeyboardInterrupt):
        text = "interrupted"
    elif isinstance(error, click.UsageError):
        where = f" (see '{error.ctx.command_path} --help')" if error.ctx else ""
        text = error.format_message().rstrip(".") + where
    elif isinstance(error, click.ClickException):
        text = error.format_message()
    elif is_want_of_memory(error):
        detail = f" ({error})" if str(error) else ""
        text = f"out of memory{detail}; use a smaller picture or fewer threads"
    elif isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename is not None else ""
        text = place + error.strerror
    else:
        text = str(error)
    return printable(as_options(" ".join(text.split())))


def _code(error: BaseException) -> int:
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return INTERRUPTED
    return USAGE if isinstance(error, _USAGE_ERRORS) else FAILED


@contextmanager
def _warnings_inwords() -> Iterator[None]:
    """Print convtool's warnings as lines on stderr; leave other warnings unchanged."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", ConvtoolWarning)
        ordinary = warnings.showwarning

        def show(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, ConvtoolWarning):
                say(f"convtool: warning: {message}", err=True)
            else:
                ordinary(message, category, *where, **more)

        warnings.showwarning = show
        yield


def run(
    arguments: list[str] | None = None, command: click.Command = root, name: str = "convtool"
) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments after the program's name; those of this process by default.
    command : click.Command, optional
        The command to run instead of convtool's root, for the scripts in ``benchmarks/``.
    name : str
        The program name in help texts.

    Returns
    -------
    int
        0 done; 1 some input failed; 2 wrong usage; 130 interrupted.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    arguments, debug = _without_debug(_with_json_settled(arguments))
    try:
        with _warnings_inwords():
            code: Any = command.main(arguments, prog_name=name, standalone_mode=False)
        with writing_stdout():
            sys.stdout.flush()
    except SystemExit as stop:  # click exits so when the reader of stdout has closed it
        _drop_stdout()
        return stop.code if isinstance(stop.code, int) else FAILED
    except BrokenPipeError:
        _drop_stdout()
        return FAILED
    except (
        click.Abort,
        click.ClickException,
        ConvtoolError,
        ImportError,
        KeyboardInterrupt,
        MemoryError,
        OSError,
        RuntimeError,
    ) as error:
        if isinstance(error, ImportError | RuntimeError) and not (
            isinstance(error, click.Abort | ConvtoolError) or is_want_of_memory(error)
        ):
            raise
        if debug:
            import traceback

            say(*traceback.format_exc().splitlines(), err=True)
        say(f"convtool: error: {words(error)}", err=True)
        _flush_or_drop_stdout()
        return _code(error)
    return code if isinstance(code, int) else DONE


def _flush_or_drop_stdout() -> None:
    """Write what a failed command left buffered; where that fails it is not tried again at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        _drop_stdout()


def _drop_stdout() -> None:
    """Redirect buffered output to the null device, where stdout cannot be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
