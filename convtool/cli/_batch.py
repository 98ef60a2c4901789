"""``convtool filter`` on many pictures: its options, messages and report."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

from convtool.cli import DONE, FAILED
from convtool.cli import _filter_report as report
from convtool.cli._places import Batch
from convtool.cli._resuming import known_done, tell_how_to_go_on
from convtool.cli._signals import ending, signals
from convtool.cli._summary import Summary
from convtool.errors import ConvtoolError, ImageReadError, ImageWriteError, OptionError
from convtool.filtering.job import FilterJob
from convtool.filtering.picture import filter_file
from convtool.images.paths import shown
from convtool.images.remote import is_url
from convtool.report.json_report import write_report
from convtool.work.inputs import (
    InputFile,
    find,
    listed,
    load_list,
    looks_like_picture,
    not_together,
    split_list,
)
from convtool.work.naming import Naming, Task, tasks
from convtool.work.stream import Stream, can_stream

RESUMED = ".convtool-journal"
"""The file name of the journal of ``--resume``, in the output folder."""


def run_batch(places: Sequence[str], folder: str, job: FilterJob, batch: Batch) -> int:
    """Filter many pictures into a folder; return the exit code."""
    batch.cluster.check(jobs=batch.jobs, timeout=batch.timeout)
    if batch.resume and batch.journal is not None:
        raise OptionError(f"--resume keeps a journal, {RESUMED} in OUT, and so does --journal")
    chosen = _tasks(places, folder, job, batch)
    if batch.dry_run:
        return _dry_run(chosen, job, batch)
    _make(folder)
    with closing(Summary(len(chosen), reported=batch.json_target is not None)) as summary:
        try:
            _filter(chosen, folder, job, batch, summary)
        except KeyboardInterrupt:
            tell_how_to_go_on(summary.left, batch)
            _write_report(summary, job, batch)
            raise
        _write_report(summary, job, batch)
        return FAILED if summary.failed else DONE


def _write_report(summary: Summary, job: FilterJob, batch: Batch) -> None:
    if batch.json_target is not None:
        report = summary.as_json() | {"fingerprint": job.fingerprint()}
        write_report(report, batch.json_target)


def _filter(
    chosen: Sequence[Task] | Stream, folder: str, job: FilterJob, batch: Batch, summary: Summary
) -> None:
    """Filter all pictures that are not finished yet."""
    with _journalled(chosen, folder, job, batch, summary) as is_done:
        left = _left(chosen, is_done, summary, no_clobber=batch.no_clobber)
        try:
            if batch.cluster:
                _work_on_cluster(left, len(chosen), job, batch, summary)
            else:
                _work(list(left), job, batch, summary)
        finally:
            summary.end()


def _tasks(
    places: Sequence[str], folder: str, job: FilterJob, batch: Batch
) -> Sequence[Task] | Stream:
    if is_url(folder):
        raise not_together(folder)
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise OptionError(f"{shown(folder)}: is a file; several pictures need an output folder")
    if looks_like_picture(folder) and not (os.path.isdir(folder) or folder.endswith(os.sep)):
        raise OptionError(
            f"{shown(folder)}: looks like a picture; several need a folder, with a / at its end"
        )
    naming = Naming(batch.suffix, job.writing.format)
    if batch.cluster and batch.from_file is None and can_stream(places, folder):
        pictures = Stream(places[0], folder, naming, recursive=batch.recursive)
        if len(pictures):
            return pictures
    found: list[InputFile] = find(places, recursive=batch.recursive, outside=folder)
    if batch.from_file is not None:
        found += listed(split_list(load_list(batch.from_file)))
    if not found:
        where = ", ".join(map(shown, places)) or batch.from_file
        hint = "" if batch.recursive else "; --recursive looks in sub-folders, too"
        raise ImageReadError(f"{where}: there are no pictures{hint}")
    return tasks(found, folder, naming)


def _make(folder: str) -> None:
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise ImageWriteError(
            f"{shown(folder.rstrip(os.sep))}: cannot create the folder: {error.strerror}"
        ) from error


def _dry_run(chosen: Sequence[Task] | Stream, job: FilterJob, batch: Batch) -> int:
    from convtool.work.worker import TaskResult

    with closing(Summary(len(chosen), reported=batch.json_target is not None)) as summary:
        for number, task in enumerate(chosen):
            if batch.no_clobber and os.path.lexists(task.target):
                summary.keep(task)
                continue
            try:
                target = _beside_what_is_there(task.target)
                outcome = filter_file(task.source, target, job, dry_run=True)
            except (ConvtoolError, OSError) as error:
                summary.take([(task, TaskResult(number, error=error))])
            else:
                summary.plan(task, outcome)
                report.would_write(task.target, outcome)
        if batch.json_target is not None:
            write_report(summary.as_json(dry_run=True), batch.json_target)
        return FAILED if summary.failed else DONE


def _beside_what_is_there(target: str) -> str:
    """Return a file's path moved to its nearest existing parent folder."""
    folder, name = os.path.split(target)
    while folder and not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return os.path.join(folder, name)


@contextmanager
def _journalled(
    chosen: Iterable[Task], folder: str, job: FilterJob, batch: Batch, summary: Summary
) -> Iterator[Callable[[Task], bool]]:
    """Open the journal, if any; yield a function that tells whether it lists a task as finished."""
    place = os.path.join(folder, RESUMED) if batch.resume else batch.journal
    if place is None:
        yield lambda task: False
        return
    from convtool.work.journal import WorkJournal, seen

    mark = job.fingerprint()
    earlier: frozenset[str] = frozenset()
    if batch.resume and not os.path.lexists(place):
        earlier = known_done(chosen, folder, job, batch)
    with closing(WorkJournal(place)) as journal:
        summary.keep_in(journal, mark)
        if earlier:
            done = (task for task in chosen if task.target in earlier)
            journal.add([seen(task.source, task.target, mark) for task in done])
        yield lambda task: journal.is_done(task.source, task.target, mark)


def _left(
    chosen: Iterable[Task],
    is_done: Callable[[Task], bool],
    summary: Summary,
    *,
    no_clobber: bool,
) -> Iterator[Task]:
    """Yield the unfinished tasks whose outputs may be written, after creating their folders."""
    made = None
    for task in chosen:
        if is_done(task):
            summary.skip()
            continue
        if os.path.lexists(task.target):
            if no_clobber:
                summary.keep(task)
                continue
            summary.replace(task)
        place = os.path.dirname(task.target)
        if place != made:
            _make(place)
            made = place
        yield task


def _work(left: Sequence[Task], job: FilterJob, batch: Batch, summary: Summary) -> None:
    from convtool.work.run import WorkerConfig, filter_together

    stamped = batch.resume or batch.journal is not None
    config = WorkerConfig(batch.jobs, batch.timeout, stamped)
    with signals() as stop:
        results = filter_together(left, job, config, stop=stop, started=summary.start)
        with closing(results):
            for together in results:
                summary.take([(left[done.number], done) for done in together])
                if batch.fail_fast and any(done.error is not None for done in together):
                    break


def _work_on_cluster(
    left: Iterator[Task], pictures: int, job: FilterJob, batch: Batch, summary: Summary
) -> None:
    stamped = batch.resume or batch.journal is not None
    with signals() as stop, ExitStack() as stack:
        with ending("the cluster"):
            from convtool.distributed.pictures import Spread

            spread = Spread(job, stamped=stamped, pictures=pictures)
            stack.callback(spread.sweep)
            client = stack.enter_context(batch.cluster.open())
            summary.start(len(client.nthreads()))
        for results in stack.enter_context(closing(spread.over(client, left, stop=stop))):
            summary.take(results)
            if batch.fail_fast and any(done.error is not None for _, done in results):
                break
