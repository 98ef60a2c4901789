"""Files to pictures: recognised by content, checked before decoding, whole or refused."""

from collections.abc import Callable
from itertools import islice
from typing import TypeVar

import numpy as np

from convtool.errors import ImageReadError
from convtool.images import limits
from convtool.images.codec import Decoded, Header
from convtool.images.formats import Format, recognise
from convtool.images.image import Document, Image, Metadata, Pixels, name_of
from convtool.images.options import MAX_PIXELS, ReadOptions
from convtool.images.sources import Source, load_bytes, shown_source, text_of
from convtool.records import Record, replace

_Answer = TypeVar("_Answer")


def read(
    path: Source,
    *,
    page: int | None = None,
    max_pixels: int = MAX_PIXELS,
    max_memory: int | None = None,
    cmyk: str = "profile",
    orientation: str = "apply",
) -> Image:
    """Read a picture with all that it holds: depth, colour, alpha, metadata.

    The format is recognised by content, whatever the name. 16 bits and floats stay so, palettes
    become colours, a transparent colour becomes alpha, CMYK becomes RGB by the file's profile,
    and the EXIF orientation is applied.

    Parameters
    ----------
    path : str, path-like or binary file object
        A regular file, its URL, or ``-`` for standard input. A file object (``io.BytesIO``, an open
        file, a pipe) is read from its position to its end, and stays open.
    page : int, optional
        The page of a file with several, or the frame of an animation, 1 for the first. Unless
        given it is the first, and a note says how many there are.
    max_pixels : int
        The largest picture to accept, by the size in its header, before anything is decoded.
    max_memory : int, optional
        The most bytes that reading and filtering it may take, by what its header says.
    cmyk : {'profile', 'naive'}
        How CMYK becomes RGB: by the file's own profile, and refused without one; or by
        arithmetic.
    orientation : {'apply', 'keep'}
        Whether pixels are turned as EXIF says, and its orientation reset, or both left alone.

    Returns
    -------
    Image
        Pixels of shape (H, W) or (H, W, C), of one of `PIXEL_TYPES`.

    Raises
    ------
    ImageReadError
        If there is no such file or page, it is empty, of no known format, cut off or damaged.
    ImageTooLargeError
        If its header claims more than ``max_pixels``, or it would need more than ``max_memory``.

    Examples
    --------
    >>> from convtool.images.write import write
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(folder + "/ramp.png", np.arange(6, dtype=np.uint16).reshape(2, 3))
    ...     picture = read(folder + "/ramp.png")
    >>> picture.pixels
    array([[0, 1, 2],
           [3, 4, 5]], dtype=uint16)
    """
    options = ReadOptions(page or 1, max_pixels, max_memory, cmyk, orientation)
    image = read_document(path, options).pages[0]
    if page is None and image.metadata.pages > 1:
        count = image.metadata.pages
        note = f"the file holds {count} pages or frames; only the first is used"
        return replace(image, notes=(*image.notes, note))
    return image


def read_single(path: Source, options: ReadOptions | None = None) -> Image:
    """Read the only page of a file, or the page that the options name.

    Parameters
    ----------
    path : str, path-like or binary file object
        As for `read`.
    options : ReadOptions, optional
        How, and which page.

    Raises
    ------
    ImageReadError, ImageTooLargeError
        As `read` does, and if the file has several pages or frames and none of them is named.
    """
    options = options or ReadOptions()
    image = read_document(path, replace(options, page=options.page or 1)).pages[0]
    if options.page is None and image.metadata.pages > 1:
        count = image.metadata.pages
        raise ImageReadError(
            f"{shown_source(path)}: has {count} pages or frames, and one is needed; `page=N` "
            f"chooses it, 1 to {count}"
        )
    return image


def read_document(path: Source, options: ReadOptions | None = None) -> Document:
    """Read all pages of a file, or all frames of an animation.

    Parameters
    ----------
    path : str, path-like or binary file object
        As for `read`.
    options : ReadOptions, optional
        How, and which page if not all.

    Returns
    -------
    Document
        The pages, with durations if they are frames and more than one is read.

    Raises
    ------
    ImageReadError, ImageTooLargeError
        As `read` does.
    """
    return open_document(path, options).decode()


class Opened(Record):
    """A file whose headers are read and checked, and whose pixels are not decoded yet."""

    format: Format
    """Its format."""
    headers: tuple[Header, ...]
    """Those of all pages that are wanted."""
    decode: Callable[[], Document]
    """Returns all of it, or raises `ImageReadError`."""

    @property
    def is_animation(self) -> bool:
        """Whether the pages are frames, and more than one."""
        return self.format.several == "frames" and len(self.headers) > 1


def open_document(path: Source, options: ReadOptions | None = None) -> Opened:
    """Read a file and what its headers say, for its pixels to be decoded later.

    Parameters and errors are those of `read_document`.

    Examples
    --------
    >>> from convtool.images.write import write
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(folder + "/dark.png", np.zeros((2, 3), np.uint8))
    ...     opened = open_document(folder + "/dark.png")
    >>> opened.headers[0].shape, opened.decode().pages[0].pixels.sum()
    ((2, 3), np.uint64(0))
    """
    asked = options or ReadOptions()

    def look() -> Opened:
        data = load_bytes(path, asked)
        entry, headers = _inspected(data, text_of(path), asked)

        def decode() -> Document:
            return _named(path, lambda: _document(data, entry, headers, asked))

        return Opened(entry, headers, decode)

    return _named(path, look)


def _named(path: Source, task: Callable[[], _Answer]) -> _Answer:
    """Run a task on a file, and name the file where that fails."""
    try:
        return task()
    except ImageReadError as error:
        raise type(error)(f"{shown_source(path)}: {error}") from error
    except MemoryError:
        raise ImageReadError(f"{shown_source(path)}: needs more memory than there is") from None


def _inspected(data: bytes, name: str, options: ReadOptions) -> tuple[Format, tuple[Header, ...]]:
    """Read and check the headers of the requested pages."""
    entry = recognise(data, name)
    if entry.several:
        headers = entry.load_paged().inspect_all(data)
    else:
        headers = (entry.load().inspect(data),)
    if options.page is not None:
        if options.page > len(headers):
            there = f"{len(headers)} pages" if len(headers) > 1 else "one page"
            raise ImageReadError(f"has {there}, no page {options.page}")
        headers = headers[options.page - 1 : options.page]
    limits.check(headers, len(data), options)
    if entry.is_foreign:
        notes = (entry.origin(data), *headers[0].notes)
        headers = (replace(headers[0], notes=notes), *headers[1:])
    if options.orientation == "keep":
        headers = tuple(replace(header, orientation=1) for header in headers)
    return entry, headers


def _document(
    data: bytes, entry: Format, headers: tuple[Header, ...], options: ReadOptions
) -> Document:
    start = (options.page or 1) - 1
    if headers[0].pages > 1:
        decoded = entry.load_paged().decode_all(data, headers, options, start)
    else:
        decoded = iter([entry.load().decode(data, headers[0], options)])
    pairs = zip(headers, islice(decoded, len(headers)), strict=True)
    keeps = options.orientation == "keep"
    pages = [_page(entry, header, page, keeps) for header, page in pairs]
    if remarks := limits.remarks(headers):
        pages[0] = replace(pages[0], notes=(*remarks, *pages[0].notes))
    if entry.several != "frames" or len(pages) == 1:
        return Document(tuple(pages))
    return Document(tuple(pages), tuple(h.duration for h in headers), headers[0].loop)


def _page(entry: Format, header: Header, decoded: Decoded, keeps: bool) -> Image:
    pixels = decoded.pixels
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    found = (pixels.shape[1], pixels.shape[0], channels, name_of(pixels.dtype))
    promised = (header.width, header.height, header.channels, header.type.array)
    if found != promised:
        raise ImageReadError(f"is damaged: it decodes to {found}, its header promises {promised}")
    metadata = _metadata(header, keeps)
    if decoded.coding is not None:
        metadata = replace(metadata, coding=decoded.coding)
    return Image(
        upright(pixels, header.orientation),
        header.has_alpha,
        entry.name,
        metadata,
        (*header.notes, *decoded.notes),
        header.type.bits,
    )


def _metadata(header: Header, keeps: bool) -> Metadata:
    """Return what the header says, in agreement with the pixels, turned unless the tag is kept."""
    told = header.metadata
    if header.cmyk:
        told = replace(told, icc=b"")
    if keeps:
        return replace(told, pages=header.pages)
    across_and_down = told.resolution
    if header.orientation >= 5 and across_and_down is not None:
        across_and_down = (across_and_down[1], across_and_down[0])
    exif, xmp = told.exif, told.xmp
    if exif or (xmp and header.orientation != 1):
        from convtool.images.codecs.exif import upright_block, upright_xmp

        exif = upright_block(exif)
        xmp = xmp if header.orientation == 1 else upright_xmp(xmp)
    return replace(
        told,
        pages=header.pages,
        orientation=header.orientation,
        exif=exif,
        xmp=xmp,
        resolution=across_and_down,
    )


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turn and mirror pixels as an EXIF orientation says.

    Parameters
    ----------
    pixels : ndarray
        Shape (H, W) or (H, W, C).
    orientation : int
        1 to 8: where the stored first row and first column belong.

    Returns
    -------
    ndarray
        Shape (H, W[, C]) for 1 to 4, (W, H[, C]) for 5 to 8; contiguous.

    References
    ----------
    Exif 2.32, tag 274 (Orientation).

    Examples
    --------
    >>> upright(np.array([[1, 2], [3, 4]], np.uint8), 6)
    array([[3, 1],
           [4, 2]], dtype=uint8)
    """
    if orientation == 1:
        return pixels
    turned = np.swapaxes(pixels, 0, 1) if orientation >= 5 else pixels
    up_down = {3, 4, 7, 8}
    left_right = {2, 3, 6, 7}
    rows = slice(None, None, -1 if orientation in up_down else 1)
    columns = slice(None, None, -1 if orientation in left_right else 1)
    return np.ascontiguousarray(turned[rows, columns])
