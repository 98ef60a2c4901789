"""Limits on what is read, checked on headers before anything is decoded."""

from collections.abc import Sequence

from convtool.errors import ImageTooLargeError
from convtool.images.codec import Header
from convtool.images.options import LARGE, ReadOptions

_COPIES = 2
_WORKING = 12
"""Bytes a sample while one page is filtered: three arrays of 32-bit floats."""


def check(headers: Sequence[Header], file_bytes: int, options: ReadOptions) -> None:
    """Check that pages can be read within the limits, and as the options say.

    Parameters
    ----------
    headers : sequence of Header
        Those of the pages to read.
    file_bytes : int
        The size of the file.
    options : ReadOptions
        The limits.

    Raises
    ------
    ImageTooLargeError
        If the pages have too many pixels, or would need too much memory.
    ImageReadError
        If they hold CMYK that cannot be converted as the options say.
    """
    total = pixels_of(headers)
    if total > options.max_pixels:
        first = headers[0]
        pages = f"{len(headers)} pages of " if len(headers) > 1 else ""
        raise ImageTooLargeError(
            f"claims {pages}{first.width}×{first.height} pixels, more than the limit of "
            f"{options.max_pixels}; `max_pixels=` raises it"
        )
    if options.max_memory is not None:
        check_memory(memory_of(headers, file_bytes), options.max_memory)
    if options.cmyk == "profile":
        for header in headers:
            if header.cmyk:
                from convtool.images.codecs import cmyk

                cmyk.check(header.metadata.icc, header.dtype)


def pixels_of(headers: Sequence[Header]) -> int:
    """Return how many pixels pages have together."""
    return sum(header.width * header.height for header in headers)


def memory_of(headers: Sequence[Header], file_bytes: int) -> int:
    """Estimate the bytes that reading a file and filtering it page by page takes.

    Examples
    --------
    >>> memory_of([Header(1000, 1000, 3, "uint8")], 500_000)
    42500000
    """
    sizes = [header.width * header.height * header.channels for header in headers]
    stored = sum(
        size * header.pixel_type.itemsize for size, header in zip(sizes, headers, strict=True)
    )
    return file_bytes + _COPIES * stored + _WORKING * max(sizes)


def check_memory(needed: int, limit: int) -> None:
    """Check a need against a limit, both in bytes.

    Raises
    ------
    ImageTooLargeError
        If it is larger.
    """
    if needed > limit:
        raise ImageTooLargeError(
            f"needs about {needed / 1e6:.3g} MB, more than the limit of {limit / 1e6:.3g} MB; "
            "`max_memory=` raises it"
        )


def remarks(headers: Sequence[Header]) -> tuple[str, ...]:
    """Say where pictures are so large that a slip is likely."""
    total = pixels_of(headers)
    if total <= LARGE:
        return ()
    return (f"is large: {total / 1e6:.3g} megapixels; `max_pixels=` sets the limit",)
