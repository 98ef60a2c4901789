"""Files to pictures: recognised by content, checked before decoding, whole or refused."""

import os
import stat
import sys

import numpy as np

from convtool.errors import ImageReadError, ImageTooLargeError
from convtool.images.formats import Format, Header, recognise
from convtool.images.image import Image, Metadata, Pixels
from convtool.images.paths import shown

MAX_PIXELS = 1_000_000_000
STDIN = "-"


def read(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> Image:
    """Read a picture with all that it holds: depth, colour, alpha.

    The format is recognised by content, whatever the name. 16 bits and floats stay so, palettes
    become colours, a transparent colour becomes alpha, and the EXIF orientation is applied.

    Parameters
    ----------
    path : str or path-like
        A regular file, or ``-`` for standard input.
    max_pixels : int
        The largest picture to accept, by the size in its header, before anything is decoded.

    Returns
    -------
    Image
        Pixels of shape (H, W) or (H, W, C), uint8, uint16, float32 or float64.

    Raises
    ------
    ImageReadError
        If there is no such file, it is empty, of no known format, cut off or damaged.
    ImageTooLargeError
        If its header claims more than ``max_pixels``.

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
    name = _name(path)
    data = load_bytes(path)
    try:
        return _decoded(data, *_recognised(data, max_pixels))
    except ImageReadError as error:
        raise type(error)(f"{name}: {error}") from error
    except MemoryError:
        raise ImageReadError(f"{name}: needs more memory than there is") from None


def read_header(
    path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS
) -> tuple[Format, Header]:
    """Read only what the header of a picture says.

    Parameters
    ----------
    path, max_pixels
        As for `read`.

    Returns
    -------
    Format, Header
        The format, and size, depth, channels and the rest.

    Raises
    ------
    ImageReadError, ImageTooLargeError
        As `read` does, for what the header shows.
    """
    data = load_bytes(path)
    try:
        return _recognised(data, max_pixels)
    except ImageReadError as error:
        raise type(error)(f"{_name(path)}: {error}") from error


def load_bytes(path: str | os.PathLike[str]) -> bytes:
    """Load a whole regular file, or standard input.

    Raises
    ------
    ImageReadError
        If it cannot be read, or is a folder, a pipe, a device.
    """
    try:
        if os.fspath(path) == STDIN:
            return sys.stdin.buffer.read()
        kind = os.stat(path).st_mode
        if not stat.S_ISREG(kind):
            what = "a folder" if stat.S_ISDIR(kind) else "not a regular file"
            raise ImageReadError(f"{shown(path)}: is {what}; a picture was expected")
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise ImageReadError(f"{shown(path)}: there is no such file") from None
    except ImageReadError:
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ImageReadError(f"{_name(path)}: cannot be read: {reason}") from error


def _name(path: str | os.PathLike[str]) -> str:
    return "standard input" if os.fspath(path) == STDIN else shown(path)


def _recognised(data: bytes, max_pixels: int) -> tuple[Format, Header]:
    entry = recognise(data)
    header = entry.load().inspect(data)
    if header.width * header.height > max_pixels:
        raise ImageTooLargeError(
            f"claims {header.width}×{header.height} pixels, more than the limit of {max_pixels}; "
            "--max-pixels raises it"
        )
    return entry, header


def _decoded(data: bytes, entry: Format, header: Header) -> Image:
    decoded = entry.load().decode(data, header)
    pixels = decoded.pixels
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    found = (pixels.shape[1], pixels.shape[0], channels, pixels.dtype.name)
    promised = (header.width, header.height, header.channels, header.dtype)
    if found != promised:
        raise ImageReadError(f"is damaged: it decodes to {found}, its header promises {promised}")
    notes = decoded.notes
    if header.pages > 1:
        notes += (f"the file holds {header.pages} pages or frames; only the first is used",)
    return Image(
        upright(pixels, header.orientation),
        header.has_alpha,
        entry.name,
        Metadata(header.orientation, header.pages),
        notes,
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
