"""Filter one picture from file to file: in memory, or in strips if it is larger.

Both ways are open → plan → rows → kernels → tone → write: `.picture.filter_file` takes all rows of
all pages at once, `.strips.job.filter_stream` some rows after the other.
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from convtool.errors import OptionError
from convtool.filtering.job import FilterJob, Outcome
from convtool.filtering.picture import filter_file, plan_file
from convtool.filtering.strips.options import TIFF_ENDINGS, StoreOptions, is_zarr_wanted
from convtool.images.read import STDIN
from convtool.progress import Progress, silent

if TYPE_CHECKING:
    from convtool.filtering.plan import FilterPlan


def filter_picture(
    source: str,
    target: str,
    job: FilterJob,
    store: StoreOptions,
    *,
    streamed: bool,
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
    streamed : bool
        What `is_streamed` says.
    planned : callable
        Called with the plan before the work.
    progress : callable, optional
        Called with the number of pixels of a picture that is filtered strip by strip; what it
        returns is told of those that are made.
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
    ...     job = FilterJob((parse("box"),))
    ...     how = {"streamed": is_streamed(*names, job, StoreOptions()), "dry_run": True}
    ...     how["planned"] = lambda plan: print(plan.tone)
    ...     outcome = filter_picture(*names, job, StoreOptions(), **how)
    direct
    >>> outcome.target.shape
    (3, 4)
    """
    if streamed:
        from convtool.filtering.strips.job import filter_stream, plan_stream

        if dry_run:
            return plan_stream(source, target, job, store, planned=planned)
        return filter_stream(source, target, job, store, planned=planned, progress=progress)
    if dry_run:
        return plan_file(source, target, job, planned=planned)
    return filter_file(source, target, job, planned=planned)


def is_streamed(
    source: str, target: str, job: FilterJob, store: StoreOptions, *, divided: bool = False
) -> bool:
    """Return whether a picture is filtered strip by strip, which its output must allow.

    It is if one of both is a Zarr store, if a pyramid is wanted, if the output is a ``.btf``, or if
    a TIFF would not fit in memory, has more pixels than are read at once, or is to be ``divided``
    among several processes.

    Raises
    ------
    OptionError
        If that is asked of standard input.
    """
    if (
        is_zarr_wanted(target)
        or _is_zarr(source)
        or target.lower().endswith(".btf")
        or store.pyramid
    ):
        if source == STDIN:
            raise OptionError("standard input is not filtered strip by strip; name a file")
        return True
    if not target.lower().endswith(TIFF_ENDINGS):
        return False
    from convtool.filtering.strips.inputs import fits_in_memory, is_tiff

    if divided and is_tiff(source):
        return True
    return not fits_in_memory(source, job.reading)


def _is_zarr(source: str) -> bool:
    """Return whether a place is a Zarr store, which is a folder."""
    if not os.path.isdir(source):
        return False
    from convtool.images.stores.zarr import is_zarr

    return is_zarr(source)
