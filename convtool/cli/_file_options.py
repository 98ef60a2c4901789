"""Options for reading and writing files, shared by several commands."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from convtool.images.options import (
    CMYK_RULES,
    MAX_PIXELS,
    METADATA_RULES,
    ORIENTATION_RULES,
    ReadOptions,
    WriteOptions,
)
from convtool.records import names_of

_Command = TypeVar("_Command", bound=Callable[..., Any])
_SIZE = r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?"
_UNITS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


def size_of(text: str) -> int:
    """Parse a size in bytes such as ``512M`` or ``1.5G``."""
    found = re.fullmatch(_SIZE, text.strip(), re.IGNORECASE)
    if found is None:
        raise click.BadParameter(f"{text!r} is not a size such as 512M or 1.5G")
    return int(float(found.group(1)) * _UNITS[found.group(2).upper()])


_READING = (
    click.option(
        "--page",
        type=click.IntRange(1),
        metavar="N",
        help="Read only this page of a TIFF or frame of an animation; the first is 1.  "
        "[default: all]",
    ),
    click.option(
        "--cmyk",
        type=click.Choice(CMYK_RULES),
        default=CMYK_RULES[0],
        show_default=True,
        help="How CMYK is converted to RGB: by the file's profile (a file without one is "
        "refused), or by arithmetic.",
    ),
    click.option(
        "--orientation",
        type=click.Choice(ORIENTATION_RULES),
        default=ORIENTATION_RULES[0],
        show_default=True,
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
_WRITING = (
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
    click.option(
        "--metadata",
        type=click.Choice(METADATA_RULES),
        default=METADATA_RULES[0],
        show_default=True,
        help="Copy or drop the profile, EXIF, XMP, resolution and texts.",
    ),
)


def reading_options(command: _Command) -> _Command:
    """Add the options for reading files."""
    for option in reversed(_READING):
        command = option(command)
    return command


def writing_options(command: _Command) -> _Command:
    """Add the options for writing files."""
    for option in reversed(_WRITING):
        command = option(command)
    return command


def take_reading(values: dict[str, Any]) -> ReadOptions:
    """Remove the values of `reading_options` from a command's parameters and return them."""
    return ReadOptions(**_taken(values, ReadOptions))


def take_writing(values: dict[str, Any]) -> WriteOptions:
    """Remove the values of `writing_options` from a command's parameters and return them."""
    return WriteOptions(**_taken(values, WriteOptions))


def _taken(values: dict[str, Any], kind: type[ReadOptions] | type[WriteOptions]) -> dict[str, Any]:
    return {name: values.pop(name) for name in names_of(kind) if name in values}
