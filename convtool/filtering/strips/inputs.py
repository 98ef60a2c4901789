"""Open the inputs that are filtered in strips."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from convtool.errors import ImageReadError
from convtool.filtering.execution import Machine, Storage
from convtool.filtering.job import FilterJob
from convtool.filtering.plan import PictureKind
from convtool.filtering.strips.options import StoreOptions, is_zarr_wanted
from convtool.images.codec import Header
from convtool.images.codecs.binary import FileBytes
from convtool.images.codecs.tiff import header_of
from convtool.images.codecs.tiff_pages import pages_of
from convtool.images.formats import recognise
from convtool.images.limits import memory_of
from convtool.images.options import ReadOptions
from convtool.images.paths import shown
from convtool.images.read import read_document
from convtool.images.stores.memory import MemoryPicture
from convtool.images.stores.picture import Picture
from convtool.images.stores.tiff import open_tiff, stored_rows
from convtool.images.stores.zarr import ZarrImage, is_zarr
from convtool.reading import open_regular
from convtool.records import Record


def is_store(path: str) -> bool:
    """Return whether a picture is one whose parts can be read alone."""
    return is_zarr(path) or is_tiff(path)


def look(path: str, job: FilterJob) -> tuple[PictureKind, Storage] | None:
    """Return the kind of a TIFF's page and how it is stored; None for others.

    A file that is damaged is no TIFF here: it is read as a whole, and that says what is wrong.
    """
    try:
        if not is_tiff(path):
            return None
        with open_regular(path, "picture") as file:
            number = (job.reading.page or 1) - 1
            page = next(islice(pages_of(FileBytes(file)), number, None), None)
            if page is None:
                return None
            header, (band, unit) = header_of(page.directory), stored_rows(page.directory)
    except (OSError, ImageReadError):
        return None
    whole = memory_of([header], os.path.getsize(path))
    storage = Storage(whole, band, unit, job.writing.background)
    return PictureKind.of_header(header, "tiff"), storage


def is_tiff(path: str) -> bool:
    """Return whether a regular file begins as a TIFF does."""
    try:
        with open_regular(path, "picture") as file:
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

    @property
    def kind(self) -> PictureKind:
        """The kind of each of them."""
        return PictureKind.of_header(self.header, self.format)

    def storage(self, target: str, job: FilterJob) -> Storage:
        """Return how they are stored, and an answer that is written row by row."""
        picture = self.pictures[0]
        band = max(last - first for first, last in picture.bands)
        unit = picture.layout.tile[0] if picture.layout.tile is not None else 1
        if picture.layout.tile is None and is_zarr_wanted(target):
            from convtool.images.stores.zarr_writer import CHUNK

            unit = CHUNK
        return Storage(None, band, unit, job.writing.background)


@contextmanager
def opened(source: str, reading: ReadOptions, store: StoreOptions, threads: int) -> Iterator[Input]:
    """Open a picture, as a store if it is one; it is closed at the end of the block.

    Raises
    ------
    ImageReadError
        If it cannot be read, or holds several pictures of which none is chosen.
    """
    if is_zarr(source):
        image = ZarrImage(source, store.missing, Machine.of(reading).allowed)
        try:
            planes = tuple(map(image.picture, _chosen(image, reading.page)))
            yield Input(planes, "zarr" if image.ome is None else "ome-zarr", image)
        finally:
            image.close()
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
            f"{shown(source)}: has {len(document.pages)} pages or frames; pick one with `page=N`"
        )
    image_read = document.pages[0]
    status = os.stat(source)
    stamp = f"file {status.st_size} {status.st_mtime_ns} {reading.page}"
    yield Input((MemoryPicture(source, image_read, stamp),), image_read.format)


def _chosen(image: ZarrImage, page: int | None) -> range:
    """Return the numbers of the planes to filter: all, or the one that is picked."""
    if page is None:
        return range(image.planes)
    if page > image.planes:
        raise ImageReadError(f"{shown(image.path)}: has {image.planes} planes, no {page}")
    return range(page - 1, page)
