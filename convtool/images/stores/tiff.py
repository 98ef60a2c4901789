"""Windows of a TIFF or BigTIFF: only the strips or tiles that they touch are read and decoded.

Directories, offsets and samples are read as they are in memory (:mod:`~..codecs.tiff`), with the
same checks, so that a picture is the same either way. Compressions which that does not know, and
JPEG tile by tile, are undone by tifffile and imagecodecs.
"""

import os
from typing import Any

import numpy as np

from convtool.convolution.threads import for_each
from convtool.errors import ImageReadError, OptionError
from convtool.images.codec import Header
from convtool.images.codecs import lab, libtiff, tiff, tiff_layout, tiff_samples
from convtool.images.codecs.binary import FileBytes
from convtool.images.codecs.ifd import Directory
from convtool.images.codecs.tiff_layout import SampleLayout
from convtool.images.codecs.tiff_library import LibraryPage
from convtool.images.codecs.tiff_pages import SUBFILE, pages_of
from convtool.images.image import Pixels
from convtool.images.options import ReadOptions
from convtool.images.paths import shown
from convtool.images.stores.picture import Span, StorageLayout, bands, room
from convtool.records import replace

_REDUCED = 1
_AT_ONCE = 8
_NAMES = {1: "none", 5: "lzw", 7: "jpeg", 8: "deflate", 32773: "packbits", 32946: "deflate",
          34925: "lzma", 50000: "zstd"}  # fmt: skip


class TiffPicture:
    """A page of a TIFF; see `Picture`.

    Parameters
    ----------
    path : str
        The file.
    options : ReadOptions
        Which page, and whether it is turned; limits are not looked at.
    threads : int
        How many threads decode a window.

    Raises
    ------
    ImageReadError
        If it is no TIFF, damaged, holds several pages of which none is chosen, or is stored so that
        no window can be read alone.
    """

    def __init__(self, path: str, options: ReadOptions, threads: int = 1) -> None:
        self.path, self._options, self._threads = path, options, threads
        self._file = open(path, "rb")  # noqa: SIM115
        try:
            self._data = FileBytes(self._file)
            self._take_page(options.page)
        except BaseException:
            self._file.close()
            raise

    def _take_page(self, number: int | None) -> None:
        pages = list(pages_of(self._data))
        whole = [page for page in pages if not page.directory.value(SUBFILE, 0) & _REDUCED]
        if number is None and len(whole) > 1:
            raise ImageReadError(
                f"has {len(pages)} pages, and one is filtered strip by strip; pick it with `page=N`"
            )
        if number is not None and number > len(pages):
            raise ImageReadError(f"has {len(pages)} pages, no page {number}")
        chosen = pages[(number or 1) - 1]
        self._number, self._page = chosen.number, chosen.directory
        page, header = self._page, tiff.header_of(chosen.directory)
        if header.cmyk:
            raise ImageReadError("holds CMYK, which is not converted strip by strip")
        notes = (*header.notes, *chosen.notes)
        if number is None and len(pages) > 1:
            levels = f"{len(pages) - 1} smaller levels or previews"
            notes += (f"its {levels} are left out; `pyramid=True` makes new ones",)
        self._samples = tiff_layout.layout_of(page)
        self._blocks = list(tiff_layout.blocks_of(page, self._samples))
        self._check()
        if self._options.orientation == "keep":
            header = replace(header, orientation=1)
        elif header.orientation != 1:
            raise ImageReadError(
                "is stored turned or mirrored, which is not undone strip by strip; "
                "`orientation='keep'` leaves it so"
            )
        if self._samples.alpha_multiplied:
            notes += ("alpha was multiplied into the colours; they were divided by it",)
        self.header: Header = replace(header, notes=notes)
        self._find_grid()

    def _check(self) -> None:
        compression = self._samples.compression
        if self._samples.photometric in lab.SPACES:
            raise ImageReadError("holds CIE L*a*b*, which is not converted strip by strip")
        if compression in libtiff.FAX:
            raise ImageReadError("is compressed as a fax, which is not read strip by strip")
        tiff_layout.check_places(self._blocks, self._data)
        self._foreign = (
            None if compression in tiff_layout.OWN else LibraryPage(self.path, self._number)
        )

    def _find_grid(self) -> None:
        first, layout = self._blocks[0], self._samples
        self._tall, self._wide = first.height, first.width
        self._across = -(-layout.width // self._wide)
        self._down = -(-layout.height // self._tall)
        tiled = 322 in self._page.tags
        self.layout = StorageLayout(
            (self._tall, self._wide) if tiled else None, _NAMES.get(layout.compression, "")
        )
        self._divisible = _is_divisible(self._page, layout)
        self.bands = bands(layout.height, *_together(self._page, layout, self._tall))

    def window(self, rows: Span, columns: Span | None = None) -> Pixels:
        """Read part of the picture; see `Picture`."""
        layout = self._samples
        columns = columns or (0, layout.width)
        size = rows[1] - rows[0], columns[1] - columns[0]
        samples = room((*size, layout.samples), self._type())
        numbers = self._numbers(rows, columns)
        corner = rows[0], columns[0]

        def some(first: int) -> None:
            self._write(numbers[first : first + _AT_ONCE], rows, samples, corner)

        try:
            starts = range(0, len(numbers), _AT_ONCE)
            for_each(some, starts, min(self._threads, len(starts)))
            return tiff_samples.as_colours(samples, layout, self._page).pixels
        except ImageReadError as error:
            raise ImageReadError(f"{shown(self.path)}: {error}") from error

    def _write(
        self, numbers: list[int], rows: Span, samples: Pixels, corner: tuple[int, int]
    ) -> None:
        """Decode some blocks into a window; of strips that are stored plainly, only its rows."""
        layout = self._samples
        blocks = [self._blocks[number] for number in numbers]
        if self._divisible:
            blocks = [self._cut(block, rows) for block in blocks]
        if self._foreign is None:
            parts = tiff_layout.parts_of(self._page, layout, blocks)
            tiff_samples.write_samples(layout, blocks, parts, samples, corner)
            return
        for block, number in zip(blocks, numbers, strict=True):
            part = self._data[block.offset : block.offset + block.length]
            tiff_samples.place(self._foreign.block(part, number), layout, block, samples, corner)

    def _type(self) -> np.dtype[Any]:
        return np.dtype(np.uint8) if self._samples.bits < 8 else self._samples.native

    def _numbers(self, rows: Span, columns: Span) -> list[int]:
        """Return the numbers of the blocks that a window lies in."""
        down = range(rows[0] // self._tall, -(-rows[1] // self._tall))
        across = range(columns[0] // self._wide, -(-columns[1] // self._wide))
        planes = range(self._samples.samples if self._samples.planar else 1)
        return [
            (n * self._down + y) * self._across + x for n in planes for y in down for x in across
        ]

    def _cut(self, block: tiff_layout.Block, rows: Span) -> tiff_layout.Block:
        first, last = max(rows[0], block.top), min(rows[1], block.top + block.height)
        row_bytes = self._samples.row_bytes(block.width)
        return replace(
            block,
            offset=block.offset + (first - block.top) * row_bytes,
            length=min(
                (last - first) * row_bytes,
                max(0, block.length - (first - block.top) * row_bytes),
            ),
            top=first,
            height=last - first,
        )

    def identity(self) -> str:
        """Return size, time and page of the file."""
        status = os.fstat(self._file.fileno())
        return f"tiff {status.st_size} {status.st_mtime_ns} {self._number} {self._page.shift}"

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        if self._foreign is not None:
            self._foreign.close()


def _is_divisible(page: Directory, samples: SampleLayout) -> bool:
    """Return whether each row of a page can be read alone."""
    stored = samples.compression == tiff_layout.STORED
    return stored and 322 not in page.tags and samples.luma is None


def _together(page: Directory, samples: SampleLayout, tall: int) -> tuple[int, int]:
    """Return how many rows of a page can only be read together, and the bytes of a row."""
    row_bytes = samples.width * samples.samples * max(1, samples.bits // 8)
    return 1 if _is_divisible(page, samples) else tall, row_bytes


def stored_rows(page: Directory) -> tuple[int, int]:
    """Return how many rows of a page are read together, and how many are stored in a tile.

    The second is 1 where there are no tiles.

    Raises
    ------
    ImageReadError
        If the page is damaged or of a kind that is not read.
    """
    samples = tiff_layout.layout_of(page)
    tall = next(tiff_layout.blocks_of(page, samples)).height
    band = bands(samples.height, *_together(page, samples, tall))[0]
    return band[1] - band[0], tall if 322 in page.tags else 1


def open_tiff(path: str, options: ReadOptions, threads: int = 1) -> TiffPicture:
    """Open a page of a TIFF for reading window by window.

    Parameters are those of `TiffPicture`.

    Raises
    ------
    ImageReadError
        As `TiffPicture` does, with the file's name.

    Examples
    --------
    >>> import tempfile
    >>> from convtool.images.write import write
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(folder + "/a.tif", np.arange(12, dtype=np.uint8).reshape(4, 3))
    ...     picture = open_tiff(folder + "/a.tif", ReadOptions())
    ...     part = picture.window((1, 3), (1, 3))
    ...     picture.close()
    >>> part
    array([[4, 5],
           [7, 8]], dtype=uint8)
    """
    try:
        return TiffPicture(path, options, threads)
    except FileNotFoundError:
        raise ImageReadError(f"{shown(path)}: there is no such file") from None
    except ImageReadError as error:
        raise ImageReadError(f"{shown(path)}: {error}") from error
    except OptionError as error:
        raise ImageReadError(f"{shown(path)}: {error}") from error
    except OSError as error:
        raise ImageReadError(f"{shown(path)}: cannot be read: {error.strerror}") from error
