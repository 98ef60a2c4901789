"""``convtool filter`` on many pictures: what it asks of the batch, shows and reports."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

import click

from convtool.cli import DONE, FAILED, words
from convtool.cli import _filter_report as report
from convtool.cli._signals import signals
from convtool.cli._summary import Summary
from convtool.errors import ConvtoolError, ImageReadError, ImageWriteError, OptionError
from convtool.images.batch.inputs import (
    Found,
    find,
    is_pattern,
    listed,
    load_list,
    looks_like_picture,
    split_list,
)
from convtool.images.batch.naming import Naming, Task, tasks
from convtool.images.job import Job, plan_file
from convtool.images.paths import shown
from convtool.report.json_report import write_report


@dataclass(frozen=True)
class Batch:
    """What was asked for, besides what is done to each picture."""

    recursive: bool = False
    from_file: str | None = None
    suffix: str = ""
    jobs: int | None = None
    fail_fast: bool = False
    journal: str | None = None
    timeout: float | None = None
    json_target: str | None = None
    dry_run: bool = False


def is_batch(places: Sequence[str], target: str, batch: Batch) -> bool:
    """Return whether many pictures are meant, or one."""
    if len(places) != 1 or batch.from_file is not None or target.endswith(os.sep):
        return True
    if looks_like_picture(target):
        return False
    return any(map(os.path.isdir, (*places, target))) or is_pattern(places[0])


def run_batch(places: Sequence[str], folder: str, job: Job, batch: Batch) -> int:
    """Filter many pictures into a folder; return the exit code."""
    chosen = _tasks(places, folder, job, batch)
    if batch.dry_run:
        return _dry_run(chosen, job)
    summary = Summary(len(chosen), reported=batch.json_target is not None)
    with _journalled(chosen, job, batch, summary) as open_tasks:
        for place in {os.path.dirname(task.target) for task in open_tasks}:
            _make(place)
        try:
            _work(open_tasks, job, batch, summary)
        finally:
            summary.end()
    if batch.json_target is not None:
        write_report(summary.as_json(), batch.json_target)
    return FAILED if summary.failed else DONE


def _tasks(places: Sequence[str], folder: str, job: Job, batch: Batch) -> list[Task]:
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise OptionError(f"{shown(folder)}: is a file; several pictures need a folder to go to")
    if looks_like_picture(folder) and not (os.path.isdir(folder) or folder.endswith(os.sep)):
        raise OptionError(
            f"{shown(folder)}: looks like a picture; several need a folder, with a / at its end"
        )
    found: list[Found] = find(places, recursive=batch.recursive, outside=folder)
    if batch.from_file is not None:
        found += listed(split_list(load_list(batch.from_file)))
    if not found:
        where = ", ".join(map(shown, places)) or batch.from_file
        hint = "" if batch.recursive else "; --recursive looks in sub-folders, too"
        raise ImageReadError(f"{where}: there are no pictures{hint}")
    return tasks(found, folder, Naming(batch.suffix, job.writing.format))


def _make(folder: str) -> None:
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise ImageWriteError(
            f"{shown(folder)}: no folder can be made: {error.strerror}"
        ) from error


def _dry_run(chosen: Sequence[Task], job: Job) -> int:
    code = DONE
    for task in chosen:
        try:
            outcome = plan_file(task.source, _beside_what_is_there(task.target), job)
        except (ConvtoolError, OSError) as error:
            click.echo(f"convtool: error: {words(error)}", err=True)
            code = FAILED
        else:
            report.would_write(task.target, outcome)
    return code


def _beside_what_is_there(target: str) -> str:
    """Put a file into the nearest folder above it that there is: the others would be made there."""
    folder, name = os.path.split(target)
    while folder and not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return os.path.join(folder, name)


@contextmanager
def _journalled(
    chosen: Sequence[Task], job: Job, batch: Batch, summary: Summary
) -> Iterator[list[Task]]:
    """Open the journal if there is one; yield the tasks that it does not know as done."""
    if batch.journal is None:
        yield list(chosen)
        return
    from convtool.images.batch.journal import Journal

    with closing(Journal(batch.journal)) as journal:
        mark = job.fingerprint()
        summary.keep_in(journal, mark)
        left = [task for task in chosen if not journal.is_done(task.source, task.target, mark)]
        summary.skip(len(chosen) - len(left))
        yield left


def _work(chosen: Sequence[Task], job: Job, batch: Batch, summary: Summary) -> None:
    from convtool.images.batch.run import Crew, filter_files

    crew = Crew(batch.jobs, batch.timeout, stamped=batch.journal is not None)
    with signals() as stop:
        results = filter_files(chosen, job, crew, stop=stop, started=summary.start)
        with closing(results):
            for done in results:
                summary.take(chosen[done.number], done)
                if done.error is not None and batch.fail_fast:
                    break
