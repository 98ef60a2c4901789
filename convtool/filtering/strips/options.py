"""Options of stores."""

import os

from convtool.errors import OptionError
from convtool.images.paths import shown
from convtool.images.remote import is_store_url, is_url
from convtool.records import Record

TIFF_ENDINGS = (".tif", ".tiff", ".btf")
ZARR_ENDINGS = (".zarr", ".zarr.zip")
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
    return target.rstrip(os.sep).lower().endswith(ZARR_ENDINGS)


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
            "`resume=True` is for many pictures and Zarr outputs (.zarr); no unfinished file is "
            "kept"
        )
    if store.overwrite:
        raise OptionError(
            "`overwrite=True` is for Zarr outputs (.zarr); files are replaced without it"
        )


def check_urls(source: str, target: str, store: StoreOptions, *, keep_times: bool) -> None:
    """Check that nothing is asked for that URLs do not do.

    Raises
    ------
    OptionError
        If the time of a file at a URL is to be kept, or a run to be resumed of which one end is a
        file that is fetched again, or a store at a URL.
    """
    if keep_times and (is_url(source) or is_url(target)):
        raise OptionError(
            "`keep_times=True` is for files on this machine; a URL has no time of change"
        )
    if store.resume and is_url(target):
        raise OptionError(
            f"{shown(target)}: `resume=True` is for stores on this machine, not for URLs"
        )
    if store.resume and is_url(source) and not is_store_url(source):
        raise OptionError(
            f"{shown(source)}: `resume=True` cannot tell whether a file at a URL has changed; "
            "fetch it first"
        )
