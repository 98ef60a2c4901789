"""Messages of a running batch, and its summary."""

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from convtool.cli import words
from convtool.cli._existing import tell_replaced
from convtool.cli._filter_report import described, details, planned
from convtool.cli._progress import Bar
from convtool.cli._terminal import is_verbose, say
from convtool.images.paths import shown
from convtool.progress import silent
from convtool.report.json_report import Spool
from convtool.report.units import seconds_text
from convtool.work.naming import Task

if TYPE_CHECKING:
    from convtool.filtering.job import Outcome
    from convtool.work.journal import WorkJournal
    from convtool.work.worker import TaskResult

SCHEMA = "convtool.filter-batch/1"
_WARNINGS_SHOWN = 10
_NAMES_SHOWN = 10


class Summary:
    """Counts results, shows a progress bar on a terminal, and writes the journal and the report.

    Parameters
    ----------
    total : int
        Number of pictures.
    reported : bool
        Whether to collect a report of each picture.
    """

    def __init__(self, total: int, *, reported: bool) -> None:
        self.total = total
        self.done = self.failed = self.skipped = self.kept = 0
        self._existing: set[str] = set()
        self._replaced: list[str] = []
        self._warned = 0
        self._names: list[str] = []
        self._workers = 0
        self._reports = Spool() if reported else None
        self._journal: tuple[WorkJournal, str] | None = None
        self._bar = Bar(text=lambda done, seconds: self._rate(), counted=True)
        self._advance = silent(total)
        self._began = time.perf_counter()

    def keep_in(self, journal: "WorkJournal", fingerprint: str) -> None:
        """Write down from now on what is done."""
        self._journal = journal, fingerprint

    def skip(self) -> None:
        """Count a picture that an earlier run has finished."""
        self.skipped += 1
        self._advance(1)

    def keep(self, task: Task) -> None:
        """Count a picture whose output exists and is kept."""
        self.kept += 1
        if self.kept <= _NAMES_SHOWN:
            self._bar.say(f"convtool: skipped: {shown(task.target)} exists")
        if self._reports is not None:
            report = {"input": task.source, "output": task.target, "status": "skipped"}
            self._reports.append(report)
        self._advance(1)

    def replace(self, task: Task) -> None:
        """Remember that the output of a picture, no input itself, exists."""
        self._existing.add(task.target)

    def start(self, workers: int) -> None:
        """Start the progress bar, on a terminal."""
        self._workers = workers
        self._advance = self._bar(self.total)
        self._advance(self.skipped + self.kept)

    def take(self, results: "Sequence[tuple[Task, TaskResult]]") -> None:
        """Process the results of some pictures and record them in the journal."""
        self._note(results)
        for task, done in results:
            self._take(task, done)
            self._advance(1)

    def plan(self, task: Task, outcome: "Outcome") -> None:
        """Add the planned outcome of a picture."""
        if self._reports is not None:
            report = {"input": task.source, "output": task.target, "status": "planned"}
            self._reports.append(report | planned(outcome))

    def _take(self, task: Task, done: "TaskResult") -> None:
        report: dict[str, object] = {"input": task.source, "output": task.target}
        if done.error is not None:
            self.failed += 1
            if self.failed <= _NAMES_SHOWN:
                self._names.append(shown(task.source))
            message = words(done.error)
            self._bar.complain(f"convtool: error: {message}")
            report |= {"status": "failed", "error": message}
        elif done.outcome is not None:
            self.done += 1
            if task.target in self._existing:
                self._replaced.append(task.target)
            if is_verbose():
                for line in details(task.source, task.target, done.outcome):
                    self._bar.say(f"convtool: {line}")
            for warning in done.outcome.warnings:
                self._warn(f"{shown(task.source)}: {warning}")
            if self._reports is not None:
                report |= {"status": "done"} | described(done.outcome)
        if self._reports is not None:
            self._reports.append(report)

    def _note(self, results: "Sequence[tuple[Task, TaskResult]]") -> None:
        if self._journal is None:
            return
        from convtool.work.journal import JournalEntry

        journal, mark = self._journal
        records = [
            JournalEntry(
                os.path.abspath(task.source), os.path.abspath(task.target), mark, *done.stamps
            )
            for task, done in results
            if done.stamps is not None
        ]
        if records:
            journal.add(records)

    def _warn(self, text: str) -> None:
        self._warned += 1
        if self._warned <= _WARNINGS_SHOWN:
            self._bar.say(f"convtool: warning: {text}")

    def _rate(self) -> str:
        taken = time.perf_counter() - self._began
        return f"{(self.done + self.failed) / taken:.3g} a second"

    def end(self) -> None:
        """Say what it came to."""
        self._bar.close()
        more = self._warned - _WARNINGS_SHOWN
        if more > 0:
            say(f"convtool: {more} more warnings; --json FILE lists all of them", err=True)
        if self._replaced:
            tell_replaced(self._replaced)
        counts = (
            (self.done, "done"),
            (self.failed, "failed"),
            (self.skipped, "done before"),
            (self.kept, "skipped"),
            (self.left, "not done"),
        )
        parts = ", ".join(f"{count} {word}" for count, word in counts if count)
        taken = seconds_text(time.perf_counter() - self._began)
        pictures = "1 picture" if self.total == 1 else f"{self.total} pictures"
        if self._names:
            more = self.failed - len(self._names)
            names = ", ".join(self._names) + (f" and {more} more" if more else "")
            say(f"failed: {names}", err=True)
        say(f"{pictures}: {parts}; {taken}, {self._rate()}", err=True)

    @property
    def left(self) -> int:
        """How many pictures were not tried."""
        return self.total - self.done - self.failed - self.skipped - self.kept

    def close(self) -> None:
        """Delete the report's temporary file."""
        if self._reports is not None:
            self._reports.close()

    def as_json(self, *, dry_run: bool = False) -> dict[str, object]:
        """Return the report of the whole batch."""
        return {
            "schema": SCHEMA,
            "pictures": self.total,
            "done": self.done,
            "failed": self.failed,
            "done_before": self.skipped,
            "skipped": self.kept,
            "jobs": self._workers,
            "seconds": time.perf_counter() - self._began,
            "each": self._reports,
        } | ({"dry_run": True} if dry_run else {})
