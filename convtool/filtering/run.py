"""The way of one picture from file to file: open → plan → rows → kernels → tone → write.

The plan says whether `.picture.filter_file` takes all rows of all pages at once, or
`.strips.job.filter_stream` some rows after the other.
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from convtool.errors import OptionError
from convtool.filtering.execution import Machine
from convtool.filtering.job import FilterJob, Outcome
from convtool.filtering.picture import filter_file, named, planner
from convtool.filtering.strips.options import (
    TIFF_ENDINGS,
    StoreOptions,
    check_urls,
    is_zarr_wanted,
)
from convtool.images.remote import local, staged
from convtool.images.sources import STDIN
from convtool.progress import Progress, silent

if TYPE_CHECKING:
    from convtool.filtering.plan import FilterPlan


def filter_picture(
    source: str,
    target: str,
    job: FilterJob,
    store: StoreOptions,
    *,
    planned: "Callable[[FilterPlan], object]",
    progress: Progress = silent,
    dry_run: bool = False,
) -> Outcome:
    """Read, filter and write one picture; what can be checked is checked before the work.

    Parameters
    ----------
    source, target : str
        The file or store to read, and that to write; ``-`` for standard input and output.
    job : FilterJob
        What to do.
    store : StoreOptions
        How stores are treated.
    planned : callable
        Called with the plan before the work.
    progress : callable, optional
        As for `.strips.job.filter_stream`, for a picture that is filtered strip by strip.
    dry_run : bool
        Whether to stop once the plan is made; no pixel is read and nothing is written.

    Returns
    -------
    Outcome
        What was done, or would be.

    Raises
    ------
    ConvtoolError
        If the picture cannot be read, filtered so, or written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from convtool.images.write import write
    >>> from convtool.kernels.spec import parse
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     names = f"{folder}/a.png", f"{folder}/b.png"
    ...     write(names[0], np.full((3, 4), 7, np.uint8))
    ...     job, plans = FilterJob((parse("box"),)), []
    ...     outcome = filter_picture(
    ...         *names, job, StoreOptions(), planned=plans.append, dry_run=True
    ...     )
    >>> outcome.target.shape, plans[0].execution.way
    ((3, 4), 'memory')
    """
    check_urls(source, target, store, keep_times=job.writing.keep_times)
    how: dict[str, Any] = {"planned": planned, "dry_run": dry_run}
    with staged(source, target, dry_run=dry_run) as (here, there):
        return _filter_here(here, there, job, store, progress=progress, how=how)


def _filter_here(
    source: str,
    target: str,
    job: FilterJob,
    store: StoreOptions,
    *,
    progress: Progress,
    how: dict[str, Any],
) -> Outcome:
    if is_written_by_rows(source, target, store):
        from convtool.filtering.strips.job import filter_stream

        return filter_stream(source, target, job, store, progress=progress, **how)
    if not target.lower().endswith(TIFF_ENDINGS):
        return filter_file(source, target, job, **how)
    from convtool.filtering.strips.inputs import look

    seen = look(source, job)
    if seen is None:
        return filter_file(source, target, job, **how)
    kind, storage = seen
    plan_for = planner(job, storage, Machine.of(job.reading))
    with named(source):
        plan = plan_for(kind)
    if not plan.execution.by_rows:
        return filter_file(source, target, job, plan_for=plan_for, **how)
    from convtool.filtering.strips.job import filter_stream

    return filter_stream(source, target, job, store, plan=plan, progress=progress, **how)


def is_written_by_rows(source: str, target: str, store: StoreOptions) -> bool:
    """Return whether the answer is written row by row however small the picture is.

    It is if one of both is a Zarr store, if a pyramid is wanted, or if the output is a ``.btf``.

    Raises
    ------
    OptionError
        If that is asked of standard input.
    """
    large = target.lower().endswith(".btf") or store.pyramid or is_zarr_wanted(target)
    source = local(source)
    if not large and (os.path.isdir(source) or ".zarr" in source.lower()):  # as a store is
        from convtool.images.stores.zarr import is_zarr

        large = is_zarr(source)
    if not large:
        return False
    if source == STDIN:
        raise OptionError("standard input is not filtered strip by strip; name a file")
    return True


def is_divisible(source: str, target: str) -> bool:
    """Return whether several processes can share a picture: one TIFF that becomes another."""
    from convtool.filtering.strips.inputs import is_tiff

    return target.lower().endswith(TIFF_ENDINGS) and is_tiff(source)
