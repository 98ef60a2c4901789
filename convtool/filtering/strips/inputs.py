"""Open the inputs that are filtered in strips."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from convtool.errors import ImageReadError
from convtool.filtering.strips import budget
from convtool.filtering.strips.options import StoreOptions
from convtool.images.codec import Header
from convtool.images.codecs.binary import FileBytes
from convtool.images.codecs.tiff import header_of
from convtool.images.codecs.tiff_pages import pages_of
from convtool.images.formats import recognise
from convtool.images.options import ReadOptions
from convtool.images.paths import shown
from convtool.images.read import read_document
from convtool.images.stores.memory import MemoryPicture
from convtool.images.stores.picture import Picture
from convtool.images.stores.tiff import open_tiff
from convtool.images.stores.zarr import ZarrImage, is_zarr
from convtool.records import Record


def is_store(path: str) -> bool:
    """Return whether a picture is one whose parts can be read alone."""
    return is_zarr(path) or is_tiff(path)


def fits_in_memory(path: str, reading: ReadOptions) -> bool:
    """Return whether a file can be read whole within the limits; those that are no TIFF must be."""
    header = _tiff_header(path, (reading.page or 1) - 1)
    if header is None:
        return True
    return budget.fits(header, os.path.getsize(path), reading.max_memory, reading.max_pixels)


def _tiff_header(path: str, page: int) -> Header | None:
    """Return the header of a TIFF's page; None where there is none, and reading says why."""
    try:
        if not is_tiff(path):
            return None
        with open(path, "rb") as file:
            found = next(islice(pages_of(FileBytes(file)), page, None), None)
            return header_of(found.directory) if found is not None else None
    except (OSError, ImageReadError):
        return None


def is_tiff(path: str) -> bool:
    """Return whether a regular file begins as a TIFF does."""
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            return recognise(file.read(64)).name == "tiff"
    except (OSError, ImageReadError):
        return False


class Input(Record, eq=False):
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
    if is_tiff(source):
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
