"""Options for reading and writing files, shared by several commands."""

import re

import click

from convtool.cli._options import choice, together
from convtool.images.formats import writable
from convtool.images.options import (
    CMYK_RULES,
    MAX_PIXELS,
    METADATA_RULES,
    ORIENTATION_RULES,
)
from convtool.images.tone import OUTPUT_DEPTHS

_SIZE = r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?"
_UNITS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


def size_of(text: str) -> int:
    """Parse a size in bytes such as ``512M`` or ``1.5G``."""
    found = re.fullmatch(_SIZE, text.strip(), re.IGNORECASE)
    if found is None:
        raise click.BadParameter(f"{text!r} is not a size such as 512M or 1.5G")
    return int(float(found.group(1)) * _UNITS[found.group(2).upper()])


reading_options = together(
    click.option(
        "--page",
        type=click.IntRange(1),
        metavar="N",
        help="Read only this page of a TIFF or frame of an animation; the first is 1.  "
        "[default: all]",
    ),
    choice(
        "--cmyk",
        values=CMYK_RULES,
        help="How CMYK is converted to RGB: by the file's profile (a file without one is "
        "refused), or by arithmetic.",
    ),
    choice(
        "--orientation",
        values=ORIENTATION_RULES,
        help="Rotate the pixels by the EXIF orientation and reset the tag, or keep both.",
    ),
    click.option(
        "--max-pixels",
        type=click.IntRange(1),
        default=MAX_PIXELS,
        show_default=True,
        help="Refuse a picture with more pixels, by its header. A picture that is filtered in "
        "strips has no limit unless you give one.",
    ),
    click.option(
        "--max-memory",
        type=size_of,
        metavar="SIZE",
        help="Filter a TIFF that would need more (512M, 2G; by its header) strip by strip, and "
        "refuse others.  [default: a quarter of this machine's memory for TIFF, else no limit]",
    ),
)
"""How files are read: the fields of `ReadOptions`."""

writing_options = together(
    click.option(
        "--quality",
        type=click.IntRange(1, 100),
        help="For JPEG and lossy WebP.  [default: JPEG as the input, else 95; WebP lossless]",
    ),
    click.option(
        "--background",
        metavar="COLOUR",
        help="Composite a transparent picture over this colour (white, #ff8800), for formats "
        "without alpha.",
    ),
    click.option(
        "--quantize",
        is_flag=True,
        help="Allow a GIF to reduce its colours to 256 and its alpha to opaque or transparent.",
    ),
    choice(
        "--metadata",
        values=METADATA_RULES,
        help="Copy or drop the profile, EXIF, XMP, resolution and texts.",
    ),
)
"""How files are written: the fields of `WriteOptions`."""

depth_option = choice("--depth", values=OUTPUT_DEPTHS, help="Bits a channel of the output.")
format_option = click.option(
    "--format", type=click.Choice(writable()), help="Format of the output.  [default: by its name]"
)
