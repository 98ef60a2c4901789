"""Options for reading and writing files, shared by several commands."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from convtool.cli._help import option
from convtool.cli._options import STDOUT, choice, together
from convtool.cli._terminal import say
from convtool.errors import ImageFormatError
from convtool.images.capabilities import those_with
from convtool.images.formats import format_for, writable
from convtool.images.image import Image, PixelType
from convtool.images.options import (
    CMYK_RULES,
    MAX_PIXELS,
    METADATA_RULES,
    ORIENTATION_RULES,
    ReadOptions,
)
from convtool.images.paths import shown
from convtool.images.read import read_single
from convtool.images.tone import OUTPUT_DEPTHS

_Command = TypeVar("_Command", bound=Callable[..., Any])
_SIZE = r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?"
_UNITS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


def size_of(text: str) -> int:
    """Parse a size in bytes such as ``512M`` or ``1.5G``."""
    found = re.fullmatch(_SIZE, text.strip(), re.IGNORECASE)
    if found is None:
        raise click.BadParameter(f"{text!r} is not a size such as 512M or 1.5G")
    return int(float(found.group(1)) * _UNITS[found.group(2).upper()])


_ALL_PAGES = "all"
_ONLY_PAGE = "the only one; a file with several is refused"
_FIRST_PAGE = "the first, and a note says so"
_PIXELS = "Refuse a picture with more pixels, by its header."


def _reading(
    page: str,
    pixels: str = _PIXELS,
    memory: str = "Refuse a picture that would need more (512M, 2G; by its header).",
    memory_default: str = "no limit",
) -> Callable[[_Command], _Command]:
    """Return the options that say how files are read, with words for the page that is read."""
    return together(
        option(
            "--page",
            topic="where",
            type=click.IntRange(1),
            metavar="N",
            help="Read only this page of a TIFF or frame of an animation; the first is 1.  "
            f"[default: {page}]",
        ),
        choice(
            "--cmyk",
            topic="kept",
            values=CMYK_RULES,
            help="How CMYK is converted to RGB: by the file's profile (a file without one is "
            "refused), or by arithmetic.",
        ),
        choice(
            "--orientation",
            topic="kept",
            values=ORIENTATION_RULES,
            help="Rotate the pixels by the EXIF orientation and reset the tag, or keep both.",
        ),
        option(
            "--max-pixels",
            topic="huge",
            type=click.IntRange(1),
            default=MAX_PIXELS,
            show_default=True,
            help=pixels,
        ),
        option(
            "--max-memory",
            topic="huge",
            type=size_of,
            metavar="SIZE",
            help=f"{memory}  [default: {memory_default}]",
        ),
    )


strip_reading_options = _reading(
    _ALL_PAGES,
    f"{_PIXELS} A picture that is filtered in strips has no limit unless you give one.",
    "Filter a TIFF that would need more (512M, 2G; by its header) strip by strip, and refuse "
    "others.",
    "a quarter of this machine's memory for TIFF, else no limit",
)
"""The fields of `ReadOptions`, for a command that filters all pages, large ones in strips."""

document_reading_options = _reading(_ALL_PAGES)
"""The fields of `ReadOptions`, for a command that takes all pages of a file."""

page_reading_options = _reading(_ONLY_PAGE)
"""The fields of `ReadOptions`, for a command that takes one page, see `read_page`."""

dataset_reading_options = _reading(_FIRST_PAGE)
"""The fields of `ReadOptions`, for the files of a data set, each of which is one picture."""


def read_page(path: str, reading: ReadOptions) -> Image:
    """Read the page that ``--page`` names, or the only one; print what its reader should know."""
    image = read_single(path, reading)
    tell_notes(path, image)
    return image


def check_kind(target: str, channels: int, kind: PixelType, *, bands: bool) -> None:
    """Refuse an output whose format cannot hold a picture that is written as it is.

    For commands without the options that convert pictures, which other messages advise.
    """
    entry = format_for(target, form_of(target))
    if not entry.can_hold(channels, kind.name, bands=bands):
        plural = "channels" if channels > 1 else "channel"
        raise ImageFormatError(
            f"{shown(target)}: {entry.title} does not hold {channels} {plural} of {kind.name}; "
            f"write {those_with(kind.name, channels, bands)}"
        )


def form_of(target: str) -> str | None:
    """Return the format of a target, where its name does not say it: PNG on standard output."""
    return "png" if target == STDOUT else None


def tell_notes(path: str, image: Image) -> None:
    """Print on stderr what a reader of a file should know."""
    for note in image.notes:
        say(f"convtool: warning: {shown(path)}: {note}", err=True)


keep_times_option = option(
    "--keep-times",
    topic="output",
    is_flag=True,
    help="Give the output the time of change of the input.",
)

writing_options = together(
    option(
        "--quality",
        topic="output",
        type=click.IntRange(1, 100),
        help="For JPEG and lossy WebP.  [default: JPEG as the input, else 95; WebP lossless]",
    ),
    option(
        "--background",
        topic="kept",
        metavar="COLOUR",
        help="Composite a transparent picture over this colour (white, #ff8800), for formats "
        "without alpha.",
    ),
    option(
        "--quantize",
        topic="kept",
        is_flag=True,
        help="Allow a GIF to reduce its colours to 256 and its alpha to opaque or transparent.",
    ),
    choice(
        "--metadata",
        topic="kept",
        values=METADATA_RULES,
        help="Copy or drop the profile, EXIF, XMP, resolution and texts.",
    ),
    keep_times_option,
)
"""How files are written: the fields of `WriteOptions`."""

depth_option = choice("--depth", values=OUTPUT_DEPTHS, help="Bits a channel of the output.")
format_option = option(
    "--format",
    topic="output",
    type=click.Choice(writable()),
    help="Format of the output.  [default: by its name]",
)
