"""Pictures to files: checked beforehand, encoded in memory, in place whole or not at all."""

import os
import stat
import sys
import warnings
from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
from numpy.typing import ArrayLike

from convtool.errors import ConvtoolWarning, ImageFormatError, ImageWriteError, OptionError
from convtool.extras import advice
from convtool.files import replace_file
from convtool.images.capabilities import check_holds, check_holds_pages
from convtool.images.carry import carried, timing_remarks
from convtool.images.formats import Format, format_for
from convtool.images.image import Document, Image, PixelType, as_image, type_of
from convtool.images.options import WriteOptions
from convtool.images.paths import shown
from convtool.images.remote import filesystem, is_url, local, put
from convtool.images.streams import UNNAMED, Writable, name_of, send
from convtool.records import replace

STDOUT = "-"
Path = str | os.PathLike[str]
Placer = Callable[[Path], str]
"""What returns the file that a path names, if it may be written: `place`, or a `placer`."""

Saver = Callable[[Path, bytes, int | None], None]
"""What puts bytes into the file of a name, with a time of change if one is given, or raises
`ImageWriteError`."""


def write(
    path: Path | Writable,
    image: Image | ArrayLike | Document,
    *,
    format: str | None = None,
    quality: int | None = None,
    background: str | None = None,
    quantize: bool = False,
    metadata: str = "keep",
) -> None:
    """Write a picture in the depth of its pixels, with its metadata as far as the format goes.

    The file is written beside its place under a temporary name, flushed to the disk and renamed, so
    that at any time there is the old file or the new one. Its mode is that of the file that it
    replaces, else as the umask says. A symbolic link is followed: the file it names is replaced,
    the link stays.

    Parameters
    ----------
    path : str, path-like or binary file object
        The file, or ``-`` for standard output. To a file object (``io.BytesIO``, an open file) the
        bytes are written at its position; it is flushed and stays open.
    image : Image, Document or array_like
        Of one of `PIXEL_TYPES`; (H, W), or (H, W, 2) with alpha, (H, W, 3), (H, W, 4) with alpha. A
        bool array becomes black and white.
    format : str, optional
        The name of the format; by the path's ending unless given, needed for ``-`` and for file
        objects without a name.
    quality : int, optional
        1 to 100, for JPEG (unless given that of the file the picture came from, or else 95) and
        WebP (lossless unless given).
    background : str, optional
        A colour, as ``white`` or ``#rrggbb``, to lay a transparent picture on.
    quantize : bool
        Whether a GIF may bring down its colours to 256, and its alpha to all or nothing.
    metadata : {'keep', 'strip'}
        Whether profile, EXIF, XMP, resolution and texts are written.

    Raises
    ------
    ImageFormatError
        If the format is unknown or cannot hold the depth, the colours, the alpha or the pages.
    ImageWriteError
        If the file cannot be written; an existing one is as it was.

    Warns
    -----
    ConvtoolWarning
        If the format cannot hold some of the metadata.

    Examples
    --------
    >>> write("a.pfm", np.zeros((4, 4), np.uint8))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    convtool.errors.ImageFormatError: a.pfm: PFM holds no 8 bits a channel; write JPEG, ...
    """
    document = image if isinstance(image, Document) else Document((as_image(image),))
    options = WriteOptions(format, quality, background, quantize, metadata)
    save: Saver | None = None
    if isinstance(path, Writable):
        stream, path = path, name_of(path) or UNNAMED
        if format is None and path == UNNAMED:
            raise ImageFormatError(f"a {UNNAMED} has no ending; name the format, as format='png'")

        def save(_path: Path, data: bytes, _modified: int | None) -> None:
            send(stream, data)

    for remark in write_document(path, document, options, save=save):
        warnings.warn(f"{shown(path)}: {remark}", ConvtoolWarning, stacklevel=2)


def write_document(
    path: str | os.PathLike[str],
    document: Document,
    options: WriteOptions | None = None,
    *,
    save: Saver | None = None,
    modified: int | None = None,
) -> tuple[str, ...]:
    """Write a picture, or several pages or frames.

    Parameters
    ----------
    path : str or path-like
        The file, or ``-`` for standard output.
    document : Document
        The pages.
    options : WriteOptions, optional
        How.
    save : callable, optional
        Puts the bytes into the file, `save_bytes` unless given.
    modified : int, optional
        The time of change that it will have, in nanoseconds; the present unless given.

    Returns
    -------
    tuple of str
        Remarks on metadata that the format cannot hold.

    Raises
    ------
    ImageFormatError, ImageWriteError
        As `write` does.
    """
    if save is None and os.fspath(path) != STDOUT:
        place(path)
    data, remarks = encoded(path, document, options or WriteOptions())
    (save or save_bytes)(path, data, modified)
    return remarks


def encoded(
    path: str | os.PathLike[str], document: Document, options: WriteOptions
) -> tuple[bytes, tuple[str, ...]]:
    """Return the bytes of a file, and remarks on metadata that it cannot hold.

    Parameters and errors are those of `write_document`.
    """
    entry = format_for(path, options.format)
    pages, remarks = [], list(timing_remarks(entry, document))
    extent = len(document.pages), document.is_animation
    for page in document.pages:
        image = page if options.background is None else _flattened(page, options.background)
        kind = image.channels, image.type
        _check(path, entry, kind, options.quality, *extent, image.has_bands)
        metadata, notes = carried(image, entry, options)
        pixels = np.ascontiguousarray(image.pixels)
        changed = pixels is not image.pixels or metadata is not image.metadata
        pages.append(replace(image, pixels=pixels, metadata=metadata) if changed else image)
        remarks += notes
    if entry.name == "tiff":
        from convtool.images.codecs.tiff_pages import with_true_descriptions

        pages, stale = with_true_descriptions(pages)
        remarks += stale
    try:
        if len(pages) == 1:
            data = entry.load().encode(pages[0], options)
        else:
            whole = replace(document, pages=tuple(pages))
            data = entry.load_paged().encode_all(whole, options)
    except ImageFormatError as error:
        raise ImageFormatError(f"{shown(path)}: {error}") from error
    return data, tuple(dict.fromkeys(remarks))


def _flattened(image: Image, background: str) -> Image:
    from convtool.images.background import flattened

    return flattened(image, background)


def _check(
    path: Path,
    entry: Format,
    kind: "tuple[int, PixelType] | None",
    quality: int | None,
    pages: int,
    animated: bool,
    bands: bool = False,
) -> None:
    """Check that a format can hold pictures of a number of channels and a type."""
    if not entry.installed:
        raise ImageFormatError(f"{shown(path)}: {advice(entry.extra, entry.package)}")
    if kind is not None:
        check_holds(entry, shown(path), kind[0], kind[1].name, bands=bands)
    check_holds_pages(entry, shown(path), pages, animated)
    if quality is not None:
        if not entry.lossy:
            raise OptionError(f"{shown(path)}: {entry.title} is lossless and has no quality")
        if not 1 <= quality <= 100:
            raise OptionError(f"quality {quality}: 1 to 100 are possible")


def check_writable(
    path: str | os.PathLike[str],
    channels: int | None = None,
    dtype: "np.dtype[np.generic] | PixelType | None" = None,
    *,
    format: str | None = None,
    quality: int | None = None,
    pages: int = 1,
    animated: bool = False,
    bands: bool = False,
    placed: Placer | None = None,
) -> Format:
    """Check before any work that a picture of a kind can be written to a place.

    Parameters
    ----------
    path : str or path-like
        The file, or ``-`` for standard output.
    channels : int, optional
        How many, alpha included; not checked unless given.
    dtype : dtype or PixelType, optional
        The type of the pixels; not checked unless given.
    format, quality
        As for `write`.
    pages : int
        How many pages or frames.
    animated : bool
        Whether they are frames.
    bands : bool
        Whether the channels are neither grey nor colour, with or without alpha.
    placed : callable, optional
        The `placer` of a job with several pictures.

    Returns
    -------
    Format
        The format that will be written.

    Raises
    ------
    OptionError
        If there is a quality outside 1 to 100, or for a format that has none.
    ImageFormatError
        If the format is unknown or cannot hold such a picture.
    ImageWriteError
        If there is no such folder, it is not writable, or the path is a folder itself.

    Examples
    --------
    >>> check_writable("out.png", 3, np.dtype("uint16")).name
    'png'
    """
    entry = format_for(path, format)
    kind = None if channels is None or dtype is None else (channels, type_of(dtype))
    _check(path, entry, kind, quality, pages, animated, bands)
    if os.fspath(path) != STDOUT:
        (placed or place)(path)
    return entry


def time_to_keep(source: Path, target: Path, options: WriteOptions) -> int | None:
    """Return the time of change that an output takes over from its input, if it shall.

    Returns
    -------
    int or None
        In nanoseconds.

    Raises
    ------
    OptionError
        If it shall, and one of both is standard input or output.
    """
    if not options.keep_times:
        return None
    if is_url(source) or is_url(target):
        raise OptionError(
            "`keep_times=True` is for files on this machine; a URL has no time of change"
        )
    if STDOUT in (os.fspath(source), os.fspath(target)):
        raise OptionError("`keep_times=True`: standard input and output have no time of change")
    return os.stat(source).st_mtime_ns


def save_bytes(path: str | os.PathLike[str], data: bytes, modified: int | None = None) -> None:
    """Put bytes into a file, whole or not at all, or on standard output.

    Parameters
    ----------
    path : str or path-like
        The file, or ``-`` for standard output.
    data : bytes
        What it will hold.
    modified : int, optional
        The time of change that it will have, in nanoseconds; the present unless given.

    Raises
    ------
    ImageWriteError
        If that fails; an existing file is as it was, and no temporary one stays.
    """
    if os.fspath(path) == STDOUT:
        _print(data)
        return
    target = place(path)
    if is_url(target):
        put(target, data)
        return
    try:
        replace_file(target, data, modified=modified)
    except OSError as error:
        raise cannot_be_written(path, error) from error


def _print(data: bytes) -> None:
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # whoever reads has enough, which is no failure
        raise
    except OSError as error:
        raise ImageWriteError(f"standard output: cannot be written: {error.strerror}") from error


def cannot_be_written(path: str | os.PathLike[str], error: OSError) -> ImageWriteError:
    """Return the error that says so of a file."""
    return ImageWriteError(f"{shown(path)}: cannot be written: {error.strerror}")


def place(path: Path, folder_at: "Callable[[str], str] | None" = None) -> str:
    """Return the file that a path names, links followed; of one at a URL, the URL.

    Parameters
    ----------
    path : str or path-like
        The file.
    folder_at : callable, optional
        `usable_folder`, or one that remembers its answers.

    Raises
    ------
    ImageWriteError
        If it may not be written.
    """
    if is_url(path):
        filesystem(url := os.fsdecode(path))
        return url
    name, path = shown(path), local(os.fsdecode(path))
    folder_at = folder_at or usable_folder
    try:
        folder, last = os.path.split(os.fspath(path))
        target = os.path.join(folder_at(folder), last)
        there = _status(target)
        if last in ("", os.curdir, os.pardir) or (there and stat.S_ISLNK(there.st_mode)):
            target = os.path.realpath(target)
            folder_at(os.path.dirname(target))
            there = _status(target)
        if there is None:
            return target
        if stat.S_ISDIR(there.st_mode):
            raise ImageWriteError(f"{name}: is a folder; name a file in it")
        if not stat.S_ISREG(there.st_mode):
            raise ImageWriteError(f"{name}: is not a regular file; - is standard output")
        if not os.access(target, os.W_OK):
            raise ImageWriteError(f"{name}: is write-protected")
    except _FolderError as error:
        raise ImageWriteError(f"{name}: {error}") from None
    except ValueError as error:
        raise ImageWriteError(f"{name}: cannot be written: {error}") from error
    return target


class _FolderError(Exception):
    """A folder that is not there or cannot be written to."""


def usable_folder(path: str) -> str:
    """Return the folder that a path leads to, links followed, empty for the current one.

    Raises an error for `place` where there is none, or none that may be written to.
    """
    folder = os.path.realpath(path)
    if not os.path.isdir(folder):
        raise _FolderError(f"there is no folder {shown(folder)}; make it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _FolderError(f"the folder {shown(folder)} cannot be written to")
    return folder


def placer() -> Placer:
    """Return a quick `place` for many files in few folders.

    It looks at each folder once, so it is for one job, during which no folder is moved.

    Examples
    --------
    >>> placer()("a.png") == place("a.png")
    True
    """
    return partial(place, folder_at=lru_cache(maxsize=64)(usable_folder))


def _status(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None
