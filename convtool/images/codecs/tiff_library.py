"""Pages of a TIFF decoded by tifffile and imagecodecs: compressions that Python has no module for.

They come with the extra ``big``.
"""

import io
from contextlib import suppress
from typing import Any, BinaryIO

import numpy as np

from convtool.errors import ImageReadError
from convtool.extras import load
from convtool.images.image import Pixels

_FAILURES = (RuntimeError, ValueError, KeyError, TypeError, IndexError, AttributeError, OSError)


class LibraryPage:
    """A page that tifffile decodes, whole or block by block.

    Parameters
    ----------
    source : str or bytes
        The file's name, or what it holds.
    number : int
        Which directory of its chain, 0 for the first.

    Raises
    ------
    ImageReadError
        If the file is damaged, or its compression is not known.
    ExtraMissingError
        If the libraries are not installed.
    """

    def __init__(self, source: str | bytes, number: int) -> None:
        tifffile = load("big", "tifffile")
        load("big", "imagecodecs")
        import logging

        log = logging.getLogger("tifffile")
        if not log.handlers:  # what it logs is raised, too
            log.addHandler(logging.NullHandler())
        file: str | BinaryIO = io.BytesIO(source) if isinstance(source, bytes) else source
        try:
            self._file = tifffile.TiffFile(file)
            self._page: Any = self._file.pages[number]
            self._decode = self._page.decode
        except _FAILURES as error:
            raise ImageReadError(f"is damaged or not known to tifffile: {error}") from error
        compression = self._page.compression
        if compression not in tifffile.TIFF.DECOMPRESSORS:
            raise ImageReadError(
                f"has the TIFF compression {compression}, which is not read; "
                "convert it to deflate or LZW"
            )

    def whole(self) -> Pixels:
        """Return the samples of the page, shape (H, W, samples)."""
        page = self._page
        try:
            values = page.asarray()
        except _FAILURES as error:
            words = str(error) or type(error).__name__
            raise ImageReadError(f"is damaged: it is not decoded: {words}") from error
        if page.planarconfig == 2 and values.ndim == 3:
            values = np.moveaxis(values, 0, -1)
        pixels: Pixels = values.reshape(page.imagelength, page.imagewidth, -1)
        return pixels

    def block(self, part: bytes, index: int) -> Pixels:
        """Return the samples of a strip or tile, shape (rows, columns, samples)."""
        tables = {"jpegtables": self._page.jpegtables, "jpegheader": self._page.jpegheader}
        try:
            values, _, _ = self._decode(part, index, **tables)
        except _FAILURES as error:
            words = str(error) or type(error).__name__
            raise ImageReadError(f"is damaged: a strip or tile is not decoded: {words}") from error
        if values is None:
            raise ImageReadError("is damaged: a strip or tile is empty")
        block: Pixels = values[0]
        return block

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):
            self._file.close()
