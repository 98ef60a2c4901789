"""Going on with a batch that was interrupted, even where its first run kept no journal."""

import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence

import click

from convtool.cli._places import Batch
from convtool.cli._summary import SCHEMA
from convtool.cli._terminal import say
from convtool.errors import OptionError
from convtool.filtering.job import FilterJob
from convtool.images.paths import shown
from convtool.work.naming import Task


def known_done(chosen: Iterable[Task], folder: str, job: FilterJob, batch: Batch) -> frozenset[str]:
    """Return the outputs that an earlier run without a journal has finished.

    Such an output exists and is newer than its input. That it was made with the same options is
    said by the report of that run, if it is the one that ``--json`` names; otherwise the user is
    asked.

    Parameters
    ----------
    chosen : iterable of Task
        The pictures.
    folder : str
        The folder of the outputs.
    job, batch
        The options.

    Raises
    ------
    OptionError
        If there are such outputs, but no terminal to ask on.
    """
    with os.scandir(folder) as entries:
        if next(entries, None) is None:
            return frozenset()
    reported = _reported(batch.json_target, job)
    found = [
        task.target
        for task in chosen
        if _is_newer(task) and (task.target in reported or not reported)
    ]
    if reported or not found or batch.no_clobber or _agreed(folder, len(found)):
        return frozenset(found)
    return frozenset()


def _is_newer(task: Task) -> bool:
    try:
        return os.stat(task.target).st_mtime_ns >= os.stat(task.source).st_mtime_ns
    except OSError:
        return False


def _reported(target: str | None, job: FilterJob) -> frozenset[str]:
    """Return the outputs that an earlier report says were made with the same options."""
    from convtool import jsontext, reading

    if target is None or not os.path.isfile(target):
        return frozenset()
    try:
        report = jsontext.parse(reading.load(target, "report"))
        if report["schema"] != SCHEMA or report["fingerprint"] != job.fingerprint():
            return frozenset()
        done = [one["output"] for one in report["each"] if one["status"] == "done"]
        return frozenset(map(str, done))
    except (OSError, ValueError, TypeError, KeyError):  # another report, about to be replaced
        return frozenset()


def _agreed(folder: str, count: int) -> bool:
    outputs = (
        "1 output is newer than its input"
        if count == 1
        else (f"{count} outputs are newer than their inputs")
    )
    what = (
        f"{shown(folder)}: {outputs}, but neither a journal nor the report that --json names says "
        "with which options"
    )
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise OptionError(
            f"{what}; --no-clobber keeps them, and without --resume all are made again"
        )
    return click.confirm(f"convtool: {what}. Keep them?", err=True)


def tell_how_to_go_on(left: int, batch: Batch) -> None:
    """Say on stderr which command does the rest of an interrupted batch."""
    if left:
        say(f"convtool: note: go on with: {_command(batch)}", err=True)


def _command(batch: Batch) -> str:
    arguments: Sequence[str] = click.get_current_context().obj or ()
    return shlex.join(["convtool", *_with_resume(arguments, batch)])


def _with_resume(arguments: Sequence[str], batch: Batch) -> Iterator[str]:
    for argument in arguments:
        yield argument
        if argument == "filter" and not (batch.resume or batch.journal):
            yield "--resume"
            batch = Batch(resume=True)
