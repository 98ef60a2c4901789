"""What is filtered strip by strip, and how it is opened."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from convtool.errors import ImageReadError, OptionError
from convtool.images.codecs.binary import FileBytes
from convtool.images.codecs.ifd import all_directories
from convtool.images.codecs.tiff import header_of
from convtool.images.formats import Header, recognise
from convtool.images.job import Job
from convtool.images.options import ReadOptions
from convtool.images.paths import shown
from convtool.images.read import STDIN, read_document
from convtool.images.stores.memory import MemoryPicture
from convtool.images.stores.picture import Picture
from convtool.images.stores.tiff import open_tiff
from convtool.images.stores.zarr import ZarrImage, is_zarr
from convtool.images.stream import budget

TIFF_ENDINGS = (".tif", ".tiff", ".btf")
ZARR_ENDING = ".zarr"
MISSING_RULES = ("refuse", "fill")
"""What becomes of chunks that a Zarr store does not hold."""


@dataclass(frozen=True)
class StoreOptions:
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


def is_store(path: str) -> bool:
    """Return whether a picture is one whose parts can be read alone."""
    return is_zarr(path) or _is_tiff(path)


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
    is_zarr_wanted = target.rstrip(os.sep).lower().endswith(ZARR_ENDING)
    if is_zarr_wanted or is_zarr(source) or target.lower().endswith(".btf") or store.pyramid:
        if source == STDIN:
            raise OptionError("standard input is not filtered strip by strip; name a file")
        return True
    if not target.lower().endswith(TIFF_ENDINGS):
        return False
    if divided and _is_tiff(source):
        return True
    header = _tiff_header(source, (job.reading.page or 1) - 1)
    if header is None:
        return False
    size = os.path.getsize(source)
    return not budget.fits(header, size, job.reading.max_memory, job.reading.max_pixels)


def check_asked(target: str, store: StoreOptions) -> None:
    """Check that what is asked of Zarr stores is asked of one.

    Raises
    ------
    OptionError
        If it is not.
    """
    if target.rstrip(os.sep).lower().endswith(ZARR_ENDING):
        return
    if store.resume:
        raise OptionError(
            "--resume is for many pictures and Zarr outputs (.zarr); no unfinished file is kept"
        )
    if store.overwrite:
        raise OptionError("--overwrite is for Zarr outputs (.zarr); files are replaced without it")


def _tiff_header(path: str, page: int) -> Header | None:
    """Return the header of a TIFF's page; None where there is none, and reading says why."""
    try:
        if not _is_tiff(path):
            return None
        with open(path, "rb") as file:
            found = next(islice(all_directories(FileBytes(file)), page, None), None)
            return header_of(found) if found is not None else None
    except (OSError, ImageReadError):
        return None


def _is_tiff(path: str) -> bool:
    """Return whether a regular file begins as a TIFF does."""
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            return recognise(file.read(64)).name == "tiff"
    except (OSError, ImageReadError):
        return False


@dataclass(frozen=True, eq=False)
class Input:
    """What is read: one picture, or the planes of a Zarr image."""

    pictures: tuple[Picture, ...]
    format: str
    zarr: ZarrImage | None = None

    @property
    def header(self) -> Header:
        """What each of them is."""
        return self.pictures[0].header


@contextmanager
def opened(source: str, reading: ReadOptions, store: StoreOptions, threads: int) -> Iterator[Input]:
    """Open a picture, as a store if it is one; it is closed at the end of the block.

    Raises
    ------
    ImageReadError
        If it cannot be read, or holds several pictures of which none is chosen.
    """
    if is_zarr(source):
        image = ZarrImage(source, store.missing)
        numbers = range(len(image.planes))
        if reading.page is not None:
            if reading.page > len(numbers):
                raise ImageReadError(
                    f"{shown(source)}: has {len(numbers)} planes, no {reading.page}"
                )
            numbers = range(reading.page - 1, reading.page)
        planes = tuple(image.picture(number) for number in numbers)
        yield Input(planes, "zarr" if image.ome is None else "ome-zarr", image)
        return
    if _is_tiff(source):
        picture = open_tiff(source, reading, threads)
        try:
            yield Input((picture,), "tiff")
        finally:
            picture.close()
        return
    document = read_document(source, reading)
    if len(document.pages) > 1:
        raise ImageReadError(
            f"{shown(source)}: has {len(document.pages)} pages or frames; pick one with --page N"
        )
    image_read = document.pages[0]
    status = os.stat(source)
    stamp = f"file {status.st_size} {status.st_mtime_ns} {reading.page}"
    yield Input((MemoryPicture(source, image_read, stamp),), image_read.format)
