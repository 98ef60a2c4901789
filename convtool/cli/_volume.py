"""``convtool filter --volume``: the pages of a file filtered as volumes."""

import os
from collections.abc import Sequence

from convtool.cli import DONE
from convtool.cli import _filter_report as report
from convtool.cli._existing import check_there, is_kept, telling_replaced
from convtool.cli._options import check_stdout
from convtool.cli._places import Batch
from convtool.cli._progress import pixel_bar
from convtool.cli._signals import ending
from convtool.errors import OptionError
from convtool.filtering.job import FilterJob, Outcome
from convtool.filtering.stacks import filter_stack
from convtool.filtering.strips.options import StoreOptions, check_store_options, is_zarr_wanted
from convtool.images.paths import shown


def check_one(places: Sequence[str], target: str, batch: Batch) -> str:
    """Return the only input.

    Raises
    ------
    OptionError
        If there are several, or workers for them.
    """
    if batch.cluster:
        raise OptionError("--volume filters one file in this process; leave the cluster out")
    for name in ("recursive", "suffix", "jobs", "fail_fast", "journal", "from_file"):
        if getattr(batch, name):
            option = name.replace("_", "-")
            raise OptionError(f"--{option} is for many pictures, and --volume filters one file")
    if len(places) != 1 or (os.path.isdir(target) and not is_zarr_wanted(target)):
        raise OptionError("--volume filters one file; name one IN and OUT")
    return places[0]


def run_volume(
    places: Sequence[str],
    target: str,
    job: FilterJob,
    store: StoreOptions,
    batch: Batch,
    *,
    explain: bool,
) -> int:
    """Filter the volumes of a file; return the exit code."""
    source = check_one(places, target, batch)
    check_there(source)
    check_store_options(target, store)
    check_stdout(target, batch.json_target)
    if is_kept(target, no_clobber=batch.no_clobber):
        _report(report.skipped(source, target), batch)
        return DONE
    outcome = _filtered(source, target, job, store, batch, explain=explain)
    _report(report.as_json(source, target, outcome, dry_run=batch.dry_run), batch)
    return DONE


def _filtered(
    source: str,
    target: str,
    job: FilterJob,
    store: StoreOptions,
    batch: Batch,
    *,
    explain: bool,
) -> Outcome:
    planned = report.explain if explain else lambda plan: None
    if batch.dry_run:
        outcome = filter_stack(source, target, job, store, planned=planned, dry_run=True)
        report.would_write(target, outcome)
        return outcome
    with (
        telling_replaced([target], source),
        pixel_bar(shown(source)) as bar,
        ending(shown(source), batch.timeout),
    ):
        outcome = filter_stack(source, target, job, store, planned=planned, progress=bar)
    if explain:
        report.compare(outcome.steps)
    report.warn(outcome)
    return outcome


def _report(found: dict[str, object], batch: Batch) -> None:
    if batch.json_target is not None:
        from convtool.report.json_report import write_report

        write_report(found, batch.json_target)
