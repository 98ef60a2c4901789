"""The properties of a picture file, without decoding it."""

import os
from typing import Any

from convtool.images.codec import Header
from convtool.images.codecs.icc import description
from convtool.images.formats import FORMATS, Format
from convtool.images.image import DEPTHS
from convtool.images.options import ReadOptions
from convtool.images.read import open_document

_NO_LIMIT = 2**63


def info(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the properties in a file's header, as plain values that JSON can hold.

    Parameters
    ----------
    path : str or path-like
        A regular file, or ``-`` for standard input.

    Returns
    -------
    dict
        format, pages, the fields of the first page, and durations and loop of an animation. Each
        page has width and height as stored, channels (alpha included), depth ('8', '16', 'float'),
        type, alpha, inks, orientation, icc, exif and xmp (None, or name and bytes), resolution
        (pixels an inch across and down, or None), text and coding.

    Raises
    ------
    ImageReadError
        If it cannot be read, is of no known format, or its header is damaged.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from convtool.images.write import write
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(f"{folder}/a.png", np.zeros((3, 4), np.uint16))
    ...     found = info(f"{folder}/a.png")
    >>> found["format"], found["width"], found["height"], found["depth"]
    ('png', 4, 3, '16')
    """
    opened = open_document(path, ReadOptions(max_pixels=_NO_LIMIT, cmyk="naive"))
    headers = opened.headers
    found = {"format": opened.format.name, "pages": len(headers)} | page_info(headers[0])
    if len(headers) > 1:
        found |= _several(opened.format, headers)
    return found


def formats() -> list[dict[str, Any]]:
    """Return what each format is and who reads and writes it, as plain values.

    Returns
    -------
    list of dict
        name, extensions, reads and writes (bool), depths ('8', '16', 'float'), library, and
        whether it is installed.

    Examples
    --------
    >>> formats()[1]["name"], formats()[1]["depths"], formats()[1]["library"]
    ('png', ['8', '16'], 'OpenCV')
    """
    return [
        {
            "name": entry.name,
            "extensions": list(entry.extensions),
            "reads": entry.reads,
            "writes": bool(entry.depths),
            "depths": list(entry.read_depths or entry.depths),
            "library": entry.library,
            "installed": entry.installed,
        }
        for entry in FORMATS.values()
    ]


def _several(entry: Format, headers: tuple[Header, ...]) -> dict[str, Any]:
    if entry.several == "frames":
        return {"durations": [header.duration for header in headers], "loop": headers[0].loop}
    return {"others": [page_info(header) for header in headers[1:]]}


def page_info(header: Header) -> dict[str, Any]:
    """Return the properties in the header of one page."""
    told = header.metadata
    profile = {"name": description(told.icc), "bytes": len(told.icc)} if told.icc else None
    coding = told.coding
    return {
        "width": header.width,
        "height": header.height,
        "channels": header.channels,
        "depth": DEPTHS[header.dtype],
        "type": header.dtype,
        "alpha": header.has_alpha,
        "inks": header.cmyk,
        "orientation": header.orientation,
        "icc": profile,
        "exif": {"bytes": len(told.exif)} if told.exif else None,
        "xmp": {"bytes": len(told.xmp)} if told.xmp else None,
        "resolution": list(told.resolution) if told.resolution else None,
        "text": [list(pair) for pair in told.text],
        "coding": {
            "compression": coding.compression,
            "quality": coding.quality,
            "chroma_quality": coding.chroma_quality,
            "subsampling": coding.subsampling,
            "progressive": coding.progressive,
        },
        "remarks": list(header.notes),
    }
