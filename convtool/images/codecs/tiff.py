"""TIFF: the files' own samples of every type, with alpha that is not multiplied in.

Decoders built on libtiff's RGBA interface multiply alpha in, turn by the orientation tag, or narrow
to 8 bits. So the samples are read here; libtiff, through OpenCV, only undoes the compressions that
Python has no module for.

References
----------
TIFF 6.0: sections 4 to 8 (bilevel to RGB), 14 (predictor), 15 (tiles), 18 (extra samples), 19
(sample formats). TIFF Technical Note 3: the floating-point predictor.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from convtool.errors import ImageReadError
from convtool.images.codec import Decoded, Header
from convtool.images.codecs import cmyk, lab, libtiff, tiff_encode, tiff_private
from convtool.images.codecs.exif import block_of, resolution
from convtool.images.codecs.ifd import ORIENTATION, Directory
from convtool.images.codecs.tiff_layout import (
    CMYK,
    OLD_JPEG,
    PALETTE,
    SampleLayout,
    blocks_of,
    check_places,
    layout_of,
    parts_of,
)
from convtool.images.codecs.tiff_library import LibraryPage
from convtool.images.codecs.tiff_pages import SUB_DIRECTORIES, SUBFILE, Page, pages_of
from convtool.images.codecs.tiff_samples import as_colours, write_samples
from convtool.images.image import Coding, Metadata
from convtool.images.options import ReadOptions
from convtool.records import replace

encode = tiff_encode.encode
encode_all = tiff_encode.encode_all

_ICC, _XMP, _RAW = 34675, 700, 50706
_COMPRESSIONS = {
    1: "none", 2: "CCITT RLE", 3: "CCITT G3", 4: "CCITT G4", 5: "LZW", 7: "JPEG", 8: "deflate",
    32773: "PackBits", 32946: "deflate",
}  # fmt: skip


def inspect(data: bytes) -> Header:
    """Read size, kind and what else there is from the first directory, and count the pages."""
    return inspect_all(data)[0]


def inspect_all(data: bytes) -> tuple[Header, ...]:
    """Read the headers of all pages."""
    pages = list(pages_of(data))
    headers = [replace(header_of(page.directory), notes=page.notes) for page in pages]
    return tuple(replace(header, pages=len(headers)) for header in headers)


def header_of(page: Directory) -> Header:
    """Read the header of a page from its directory."""
    _check_not_raw(page)
    layout = layout_of(page)
    orientation = page.value(ORIENTATION, 1)
    orientation = orientation if 1 <= orientation <= 8 else 1
    channels = layout.samples
    if layout.photometric in (PALETTE, CMYK):
        channels = 3 + layout.has_alpha
    return Header(
        layout.width,
        layout.height,
        channels,
        layout.type,
        layout.has_alpha,
        orientation,
        metadata=_metadata(page, layout),
        cmyk=layout.photometric == CMYK,
    )


def _check_not_raw(page: Directory) -> None:
    """Refuse what a camera's sensor saw, of which the first page is only a preview."""
    preview = page.value(SUBFILE, 0) & 1 and SUB_DIRECTORIES in page.tags
    if _RAW in page.tags or preview or page.data[8:10] == b"CR":
        raise ImageReadError("is a camera's raw file; develop it to TIFF, PNG or JPEG first")


def _metadata(page: Directory, layout: SampleLayout) -> Metadata:
    return Metadata(
        icc=page.content(_ICC),
        exif=block_of(page),
        xmp=page.content(_XMP).rstrip(b"\0"),
        resolution=resolution(page),
        coding=Coding(_COMPRESSIONS.get(layout.compression, "")),
        extra=() if layout.has_alpha else layout.extra,
        nodata=tiff_private.nodata_of(page),
        tiff=tiff_private.block_of(page),
    )


def decode(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    """Decode the first page."""
    return next(decode_all(data, (header,), options, 0))


def decode_all(
    data: bytes, headers: Sequence[Header], options: ReadOptions, start: int
) -> Iterator[Decoded]:
    """Decode one page after the other."""
    for page in islice(pages_of(data), start, None):
        yield _decoded(data, page, options)


def _decoded(data: bytes, page: Page, options: ReadOptions) -> Decoded:
    """Read the samples of a page and make them grey or colour, with alpha if there is."""
    directory = page.directory
    layout = layout_of(directory)
    if layout.compression == OLD_JPEG:
        return Decoded(libtiff.decode_page(data, page.number))
    if layout.needs_library:
        pixels = LibraryPage(data, page.number).whole()
    else:
        blocks = list(blocks_of(directory, layout))
        check_places(blocks, data)
        parts = parts_of(directory, layout, blocks)
        if layout.compression in libtiff.WHOLE:
            return Decoded(libtiff.decode_whole(parts, directory))
        pixels = np.empty((layout.height, layout.width, layout.samples), layout.native)
        write_samples(layout, blocks, parts, pixels)
    if layout.photometric == CMYK:
        return cmyk.to_colours(pixels, directory.content(_ICC), options.cmyk)
    if layout.photometric in lab.SPACES:
        return Decoded(lab.to_colours(pixels, layout.photometric), (lab.NOTE,))
    return as_colours(pixels, layout, directory)
