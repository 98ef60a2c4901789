"""What can be asked of stores, and which pictures are filtered strip by strip."""

import os

from convtool.errors import OptionError
from convtool.filtering.job import Job
from convtool.images.read import STDIN
from convtool.records import Record

TIFF_ENDINGS = (".tif", ".tiff", ".btf")
ZARR_ENDING = ".zarr"
MISSING_RULES = ("refuse", "fill")
"""What becomes of chunks that a Zarr store does not hold."""


class StoreOptions(Record):
    """What can be asked of stores.

    Parameters
    ----------
    pyramid : bool
        Whether smaller levels are written.
    resume : bool
        Whether to go on with a Zarr store that an earlier run has left unfinished.
    overwrite : bool
        Whether a Zarr store that is there may be replaced.
    missing : str
        One of `MISSING_RULES`.
    max_pixels : int, optional
        The largest picture to accept; there is no limit unless one is given, since memory does not
        grow with it.
    """

    pyramid: bool = False
    resume: bool = False
    overwrite: bool = False
    missing: str = MISSING_RULES[0]
    max_pixels: int | None = None


def is_streamed(
    source: str, target: str, job: Job, store: StoreOptions, *, divided: bool = False
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
        _is_zarr_wanted(target)
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


def _is_zarr_wanted(target: str) -> bool:
    return target.rstrip(os.sep).lower().endswith(ZARR_ENDING)


def _is_zarr(source: str) -> bool:
    """Return whether a place is a Zarr store, which is a folder."""
    if not os.path.isdir(source):
        return False
    from convtool.images.stores.zarr import is_zarr

    return is_zarr(source)


def check_asked(target: str, store: StoreOptions) -> None:
    """Check that what is asked of Zarr stores is asked of one.

    Raises
    ------
    OptionError
        If it is not.
    """
    if _is_zarr_wanted(target):
        return
    if store.resume:
        raise OptionError(
            "--resume is for many pictures and Zarr outputs (.zarr); no unfinished file is kept"
        )
    if store.overwrite:
        raise OptionError("--overwrite is for Zarr outputs (.zarr); files are replaced without it")
