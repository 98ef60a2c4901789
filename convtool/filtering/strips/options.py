"""Options of stores."""

import os

from convtool.errors import OptionError
from convtool.records import Record

TIFF_ENDINGS = (".tif", ".tiff", ".btf")
ZARR_ENDING = ".zarr"
MISSING_RULES = ("refuse", "fill")
"""What becomes of chunks that a Zarr store does not hold."""


class StoreOptions(Record):
    """Options of stores."""

    pyramid: bool = False
    """Whether smaller levels are written."""
    resume: bool = False
    """Whether to go on with a Zarr store that an earlier run has left unfinished."""
    overwrite: bool = False
    """Whether a Zarr store that is there may be replaced."""
    missing: str = MISSING_RULES[0]
    """One of `MISSING_RULES`."""
    max_pixels: int | None = None
    """The largest picture to accept; there is no limit unless one is given, since memory does not
    grow with it."""


def is_zarr_wanted(target: str) -> bool:
    """Return whether an output is named as a Zarr store is."""
    return target.rstrip(os.sep).lower().endswith(ZARR_ENDING)


def check_store_options(target: str, store: StoreOptions) -> None:
    """Check that options of Zarr stores are given for one.

    Raises
    ------
    OptionError
        If it is not.
    """
    if is_zarr_wanted(target):
        return
    if store.resume:
        raise OptionError(
            "--resume is for many pictures and Zarr outputs (.zarr); no unfinished file is kept"
        )
    if store.overwrite:
        raise OptionError("--overwrite is for Zarr outputs (.zarr); files are replaced without it")
