"""``convtool compile``: fill the cache of compiled functions where no library was built."""

import os

import click

from convtool.cli._help import Command
from convtool.cli._options import give, json_option
from convtool.cli._terminal import say
from convtool.compiled import build_info, cache, fill, library
from convtool.convolution.threads import usable_cores

SCHEMA = "convtool.compile/1"


@click.command(
    "compile",
    cls=Command,
    epilog="""\b
Examples:
  convtool compile
  convtool compile --json""",
)
@json_option
def command(json_target: str | None) -> None:
    """Compile all functions of the engines numba and numba-fft into the cache.

    An installation with a built library does not need this, and the command says so. One without
    (built without a C compiler or with CONVTOOL_BUILD=python) loads compiled functions from a cache
    in the user's folder. This command fills the cache, which takes one or two minutes.
    """
    built = library.load()
    if built is None:
        os.environ[library.VARIABLE] = "none"
        say("compiling, which takes a minute or two", err=True)
        fill.fill(usable_cores())
    info = build_info()
    line = (
        f"compiled functions are kept in {cache.folder()}"
        if built is None
        else f"nothing to compile: a library for {built.family} was built, {built.path}"
    )
    give({"schema": SCHEMA, **info}, json_target, [line])
