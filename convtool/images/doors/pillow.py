"""Formats that Pillow reads, by imageio's plugin of that name.

Pillow finds the format by content; a file that it takes for another one than the table does is
refused.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from convtool.errors import ImageFormatError, ImageReadError
from convtool.images.codec import Decoded, Format, Header
from convtool.images.codecs.cmyk import to_colours
from convtool.images.codecs.exif_facts import orientation_in, resolution_in
from convtool.images.codecs.pillow import strictly
from convtool.images.image import Document, Image, Metadata
from convtool.images.options import ReadOptions, WriteOptions

_MODES = {
    "1": ("L", 1, "uint8"),
    "L": ("L", 1, "uint8"),
    "LA": ("LA", 2, "uint8"),
    "P": ("RGB", 3, "uint8"),
    "PA": ("RGBA", 4, "uint8"),
    "RGB": ("RGB", 3, "uint8"),
    "RGBX": ("RGB", 3, "uint8"),
    "RGBA": ("RGBA", 4, "uint8"),
    "YCbCr": ("RGB", 3, "uint8"),
    "CMYK": ("CMYK", 3, "uint8"),
    "I;16": (None, 1, "uint16"),
    "I;16B": (None, 1, "uint16"),
    "F": (None, 1, "float32"),
}
"""By Pillow's mode: the mode to convert to, and the channels and type that its pixels have."""

_INK = ("xbm",)
"""Formats whose ones are ink, which Pillow takes for light."""

_MOST_PAGES = 20_000
_PREFIX = b"Exif\0\0"
_QUALITY = 90
_SAVED = {"tga": {"compression": "tga_rle"}}


@contextmanager
def _opened(entry: Format, data: bytes) -> Iterator[Any]:
    from imageio.core.request import InitializationError
    from imageio.v3 import imopen

    file: Any
    with strictly():
        warnings.simplefilter("ignore", DeprecationWarning)  # of whole formats, by their authors
        try:
            file = imopen(data, "r", plugin="pillow")
        except OSError as error:
            if not isinstance(error.__cause__, InitializationError):
                raise (error.__cause__ or error) from None
            raise ImageReadError(
                f"is damaged, or a kind of {entry.title} that Pillow does not read"
            ) from None
        with file:
            found = file._image.format
            if found != entry.plugin:
                raise ImageReadError(f"is damaged: Pillow takes it for {found}, not {entry.title}")
            yield file


def inspect(entry: Format, data: bytes) -> tuple[Header, ...]:
    """Read the headers of all pages that are read."""
    with _opened(entry, data) as file:
        count = int(file.properties(index=...).n_images or 1) if entry.several else 1
        if count > _MOST_PAGES:
            raise ImageReadError(f"has more than {_MOST_PAGES} pages")
        return tuple(
            _header(entry, file.metadata(index=_index(entry, page), exclude_applied=False), count)
            for page in range(count)
        )


def _header(entry: Format, told: dict[str, Any], pages: int) -> Header:
    """Return the header of a page of which Pillow tells mode, size and the rest."""
    _, channels, dtype = _kind(entry, told)
    width, height = told["shape"]
    exif = bytes(told.get("exif", b"")).removeprefix(_PREFIX)
    xmp = told.get("xmp", b"")
    density = told.get("dpi")
    return Header(
        int(width),
        int(height),
        channels,
        dtype,
        has_alpha=channels in (2, 4),
        orientation=orientation_in(exif),
        pages=pages,
        metadata=Metadata(
            icc=told.get("icc_profile") or b"",
            exif=exif,
            xmp=xmp.encode() if isinstance(xmp, str) else bytes(xmp),
            resolution=_resolution(density) or resolution_in(exif),
        ),
        cmyk=told["mode"] == "CMYK",
        duration=float(told.get("duration") or 0) if entry.several == "frames" else 0.0,
    )


def _index(entry: Format, page: int) -> int:
    """Return Pillow's number of a page; PSD counts layers from 1, its merged picture too."""
    return 1 if entry.name == "psd" else page


def _resolution(density: Any) -> tuple[float, float] | None:
    if density is None or not all(0 < value < float("inf") for value in density):
        return None
    return float(density[0]), float(density[1])


def _kind(entry: Format, told: dict[str, Any]) -> tuple[str | None, int, str]:
    mode = told["mode"]
    if mode == "P" and "transparency" in told:
        mode = "PA"
    if mode not in _MODES:
        raise ImageReadError(
            f"holds pixels that Pillow calls {mode}, which are not read from {entry.title}"
        )
    return _MODES[mode]


def decode(
    entry: Format, data: bytes, headers: Sequence[Header], options: ReadOptions, start: int
) -> list[Decoded]:
    """Make the pixels of pages."""
    with _opened(entry, data) as file:
        return [
            _page(entry, file, _index(entry, start + number), header, options)
            for number, header in enumerate(headers)
        ]


def _page(entry: Format, file: Any, index: int, header: Header, options: ReadOptions) -> Decoded:
    told = file.metadata(index=index, exclude_applied=False)
    mode, _, dtype = _kind(entry, told)
    pixels = np.asarray(file.read(index=index, mode=mode))
    if header.cmyk:
        return to_colours(pixels, header.metadata.icc, options.cmyk)
    if entry.name in _INK:
        pixels = ~pixels
    return Decoded(np.ascontiguousarray(pixels, np.dtype(dtype)))


def encode(entry: Format, document: Document, options: WriteOptions) -> bytes:
    """Encode one picture."""
    from imageio.v3 import imopen

    (image,) = document.pages
    try:
        file: Any = imopen("<bytes>", "w", plugin="pillow", extension=entry.extensions[0])
        with file:
            data: bytes = file.write(
                image.pixels,
                format=entry.plugin,
                is_batch=False,
                **_save_options(entry, image, options),
            )
    except (KeyError, OSError, ValueError) as error:
        raise ImageFormatError(f"{entry.title} cannot hold it: Pillow says: {error}") from None
    return data


def _save_options(entry: Format, image: Image, options: WriteOptions) -> dict[str, Any]:
    """Return what Pillow is to write besides the pixels."""
    told = image.metadata
    named = {"icc_profile": told.icc, "exif": told.exif, "xmp": told.xmp, "dpi": told.resolution}
    found: dict[str, Any] = {name: value for name, value in named.items() if value} | _SAVED.get(
        entry.name, {}
    )
    if entry.lossy:
        found |= {"quality": options.quality or _QUALITY, "subsampling": "4:4:4"}
    if entry.name == "ico":
        if max(image.width, image.height) > 256:
            raise ImageFormatError(
                f"ICO holds no {image.width}×{image.height} pixels; 256 a side are the most"
            )
        found["sizes"] = [(image.width, image.height)]
    return found
