"""HEIC by pillow-heif, which gives all bits here; its plugin for Pillow and imageio gives 8."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from convtool.errors import ImageReadError
from convtool.extras import load
from convtool.images.codec import Decoded, Format, Header
from convtool.images.codecs.exif_facts import resolution_in
from convtool.images.doors.depths import colour_code, widened
from convtool.images.image import Document, Metadata
from convtool.images.options import ReadOptions, WriteOptions

_CHANNELS = {"L": 1, "I": 1, "LA": 2, "La": 2, "RGB": 3, "RGBA": 4, "RGBa": 4}
_PREFIX = b"Exif\0\0"


def _pictures(data: bytes) -> Any:
    """Return the pictures in a file, not yet decoded, the primary one first."""
    library = load("heif", "pillow_heif")
    found = library.open_heif(data, convert_hdr_to_8bit=False, hdr_to_16bit=False)
    order = sorted(range(len(found)), key=lambda number: number != found.primary_index)
    return [found[number] for number in order]


def inspect(entry: Format, data: bytes) -> tuple[Header, ...]:
    """Read the headers of all pictures."""
    found = _pictures(data)
    return tuple(_header(picture, len(found)) for picture in found)


def _header(picture: Any, pages: int) -> Header:
    mode, _, bits = picture.mode.partition(";")
    if mode not in _CHANNELS:
        raise ImageReadError(f"holds pixels that pillow-heif calls {mode}, which are not read")
    told = picture.info
    exif = (told.get("exif") or b"").removeprefix(_PREFIX)
    code = told.get("nclx_profile") or {"color_primaries": 1, "transfer_characteristics": 13}
    icc = told.get("icc_profile") or b""
    others = [
        word
        for key, word in (
            ("depth_images", "depth maps"),
            ("aux", "auxiliary pictures"),
            ("thumbnails", "thumbnails"),
        )
        if told.get(key)
    ]
    width, height = picture.size
    return Header(
        width,
        height,
        _CHANNELS[mode],
        "uint16" if bits else "uint8",
        has_alpha=mode.lower().endswith("a"),
        pages=pages,
        metadata=Metadata(
            icc=icc,
            exif=exif,
            xmp=told.get("xmp") or b"",
            resolution=resolution_in(exif),
            colour=() if icc else _colour(code),
        ),
        notes=(f"holds {' and '.join(others)} besides, which are left out",) if others else (),
    )


def _colour(code: dict[str, Any]) -> tuple[tuple[str, bytes], ...]:
    return colour_code(int(code["color_primaries"]), int(code["transfer_characteristics"]))


def decode(
    entry: Format, data: bytes, headers: Sequence[Header], options: ReadOptions, start: int
) -> list[Decoded]:
    """Make the pixels of pictures."""
    return [_decoded(picture) for picture in _pictures(data)[start : start + len(headers)]]


def _decoded(picture: Any) -> Decoded:
    mode, _, bits = picture.mode.partition(";")
    return widened(np.asarray(picture), int(bits or 8), premultiplied=mode.endswith("a"))


def encode(entry: Format, document: Document, options: WriteOptions) -> bytes:
    """Encode one picture of 8 bits, bit for bit unless a quality is given."""
    library = load("heif", "pillow_heif")
    (image,) = document.pages
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[image.channels]
    file = library.from_bytes(mode, (image.width, image.height), image.pixels.tobytes())
    if image.metadata.icc:
        file.info["icc_profile"] = image.metadata.icc
    exact = {"quality": -1, "chroma": 444}
    if image.channels > 1:
        exact["matrix_coefficients"] = 0
    made = io.BytesIO()
    file.save(
        made,
        exif=_PREFIX + image.metadata.exif if image.metadata.exif else None,
        xmp=image.metadata.xmp or None,
        **(exact if options.quality is None else {"quality": options.quality}),
    )
    return made.getvalue()
