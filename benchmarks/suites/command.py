"""The command line of a suite: options of ``convtool bench``, and its reports."""

from collections.abc import Callable
from functools import partial
from typing import Any

import click

from convtool.bench.run import Outcome, Request
from convtool.cli import bench, run
from convtool.cli._progress import Bar
from convtool.convolution.threads import count
from convtool.progress import Progress

CELLS = ("sizes", "kernels", "dtypes", "works")
"""Options that choose the cells."""

EFFORT = ("threads", "rounds")
"""Options of every suite, beside ``--json``."""


def main(
    suite: str,
    measure: Callable[[Request, Progress], Outcome],
    text: str | None,
    arguments: list[str] | None = None,
    *,
    cells: bool = True,
) -> int:
    """Run a suite with the options of the command line and return the exit code.

    Parameters
    ----------
    suite : str
        Its name, which is that of the script.
    measure : callable
        Runs it.
    text : str
        The help.
    arguments : list of str, optional
        The arguments; those of this process by default.
    cells : bool
        Whether options choose its cells; a suite with its own has no table to compare or to write
        as CSV.
    """
    wanted = {*EFFORT, "json_target"}
    if cells:
        wanted |= {*CELLS, "csv_target", "compare", "tolerance"}
    options = [option for option in bench.command.params if option.name in wanted]
    command = click.Command(
        suite,
        callback=partial(_run, suite, measure),
        params=options,
        help=text,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    return run(arguments, command, f"{suite}.py")


def _run(
    suite: str,
    measure: Callable[[Request, Progress], Outcome],
    threads: int | None,
    rounds: int | None,
    json_target: str | None,
    csv_target: str | None = None,
    compare: str | None = None,
    tolerance: float = 0.0,
    **cells: Any,
) -> int:
    bench.check_names((), cells.get("works", ()), cells.get("dtypes", ()))
    request = Request(**cells, threads=count(threads), rounds=rounds)
    targets = bench.Targets(json_target, csv_target)

    def measured() -> Outcome:
        with Bar() as bar:
            return measure(request, bar)

    return bench.deliver(measured, targets, request.threads, compare, tolerance, suite)
