"""Pictures to files: checked beforehand, encoded in memory, in place whole or not at all."""

import os
import stat
import sys
from collections.abc import Callable

import numpy as np

from convtool.errors import ImageFormatError, ImageWriteError, OptionError
from convtool.files import replace_file
from convtool.images.formats import Format, check_holds, format_for
from convtool.images.image import Image, Pixels, as_image
from convtool.images.paths import shown

STDOUT = "-"

Saver = Callable[[str | os.PathLike[str], bytes], None]
"""What puts bytes into the file of a name, or raises `ImageWriteError`."""


def write(
    path: str | os.PathLike[str],
    image: Image | Pixels,
    *,
    format: str | None = None,
    quality: int | None = None,
    save: Saver | None = None,
) -> None:
    """Write a picture in the depth of its pixels.

    The file is written beside its place under a temporary name, flushed to the disk and renamed, so
    that at any time there is the old file or the new one. Its mode is as the umask says. A symbolic
    link is followed: the file it names is replaced, the link stays.

    Parameters
    ----------
    path : str or path-like
        The file, or ``-`` for standard output.
    image : Image or ndarray
        uint8, uint16, float32 or float64; (H, W), or (H, W, 2) with alpha, (H, W, 3), (H, W, 4)
        with alpha. A bool array becomes black and white.
    format : str, optional
        The name of the format; by the path's ending unless given, needed for ``-``.
    quality : int, optional
        1 to 100, for JPEG (95 unless given) and WebP (lossless unless given).
    save : callable, optional
        Puts the encoded bytes into the file, in place of `save_bytes`.

    Raises
    ------
    ImageFormatError
        If the format is unknown or cannot hold the depth, the colours or the alpha.
    ImageWriteError
        If the file cannot be written; an existing one is as it was.

    Examples
    --------
    >>> write("a.jpg", np.zeros((4, 4, 4), np.uint8))
    Traceback (most recent call last):
    ...
    convtool.errors.ImageFormatError: a.jpg: JPEG holds no alpha; write PNG, TIFF, WebP, BMP or PAM
    """
    image = as_image(image)
    entry = check_writable(path, image.channels, image.pixels.dtype, format=format, quality=quality)
    try:
        data = entry.load().encode(np.ascontiguousarray(image.pixels), image.has_alpha, quality)
    except ImageFormatError as error:
        raise ImageFormatError(f"{shown(path)}: {error}") from error
    (save or save_bytes)(path, data)


def check_writable(
    path: str | os.PathLike[str],
    channels: int | None = None,
    dtype: "np.dtype[np.generic] | None" = None,
    *,
    format: str | None = None,
    quality: int | None = None,
) -> Format:
    """Check before any work that a picture of a kind can be written to a place.

    Parameters
    ----------
    path : str or path-like
        The file, or ``-`` for standard output.
    channels : int, optional
        1 to 4, alpha included; not checked unless given.
    dtype : dtype, optional
        The type of the pixels; not checked unless given.
    format, quality
        As for `write`.

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
    if channels is not None and dtype is not None:
        check_holds(entry, shown(path), channels, dtype.name)
    if quality is not None:
        if not entry.lossy:
            raise OptionError(f"{shown(path)}: {entry.title} is lossless and has no quality")
        if not 1 <= quality <= 100:
            raise OptionError(f"quality {quality}: 1 to 100 are possible")
    if os.fspath(path) != STDOUT:
        place(path)
    return entry


def save_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Put bytes into a file, whole or not at all, or on standard output.

    Parameters
    ----------
    path : str or path-like
        The file, or ``-`` for standard output.
    data : bytes
        What it will hold.

    Raises
    ------
    ImageWriteError
        If that fails; an existing file is as it was, and no temporary one stays.
    """
    if os.fspath(path) == STDOUT:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    target = place(path)
    try:
        replace_file(target, data)
    except OSError as error:
        raise cannot_be_written(path, error) from error


def cannot_be_written(path: str | os.PathLike[str], error: OSError) -> ImageWriteError:
    """Return the error that says so of a file."""
    return ImageWriteError(f"{shown(path)}: cannot be written: {error.strerror}")


def place(path: str | os.PathLike[str]) -> str:
    """Return the file that a path names, links followed.

    Raises
    ------
    ImageWriteError
        If it may not be written.
    """
    name = shown(path)
    try:
        target = os.path.realpath(path)
        folder = os.path.dirname(target)
        if not os.path.isdir(folder):
            raise ImageWriteError(f"{name}: there is no folder {shown(folder)}; make it first")
        if os.path.lexists(target):
            kind = os.lstat(target).st_mode
            if stat.S_ISDIR(kind):
                raise ImageWriteError(f"{name}: is a folder; name a file in it")
            if not stat.S_ISREG(kind):
                raise ImageWriteError(f"{name}: is not a regular file; - is standard output")
            if not os.access(target, os.W_OK):
                raise ImageWriteError(f"{name}: is write-protected")
    except ImageWriteError:
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ImageWriteError(f"{name}: cannot be written: {reason}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ImageWriteError(f"{name}: the folder {shown(folder)} cannot be written to")
    return target
