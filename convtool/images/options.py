"""Options for reading and writing files: plain values that can be sent to other processes."""

from convtool.errors import OptionError, check_choice
from convtool.records import Record

MAX_PIXELS = 179_000_000
"""The most pixels, of all pages together, that are read unless told otherwise."""

LARGE = 89_000_000
"""From so many pixels on there is a warning."""

CMYK_RULES = ("profile", "naive")
"""How CMYK becomes RGB: sRGB by the file's own profile, refused without one; or by arithmetic."""

ORIENTATION_RULES = ("apply", "keep")
"""What becomes of the EXIF orientation: the pixels are turned and the tag is reset, or neither."""

METADATA_RULES = ("keep", "strip")
"""What becomes of profile, EXIF, XMP, resolution and texts: carried over, or left out."""


class ReadOptions(Record):
    """How a file is read.

    Raises
    ------
    OptionError
        If a value is none of these.
    """

    page: int | None = None
    """The page or frame to take, 1 for the first; all unless given."""
    max_pixels: int = MAX_PIXELS
    """The most pixels to accept, of all pages that are read, by what the header says."""
    max_memory: int | None = None
    """The most bytes that the file and its decoded pixels may need, by what the header says."""
    cmyk: str = CMYK_RULES[0]
    """One of `CMYK_RULES`."""
    orientation: str = ORIENTATION_RULES[0]
    """One of `ORIENTATION_RULES`."""

    def __post_init__(self) -> None:
        check_choice("cmyk", self.cmyk, CMYK_RULES)
        check_choice("orientation", self.orientation, ORIENTATION_RULES)
        if self.page is not None and self.page < 1:
            raise OptionError(f"page {self.page}: pages are counted from 1")


class WriteOptions(Record):
    """How a file is written.

    Raises
    ------
    OptionError
        If a value is none of these.
    """

    format: str | None = None
    """The name of the format; by the path's ending unless given."""
    quality: int | None = None
    """1 to 100, for JPEG (that of the input unless given, else 95) and WebP (lossless unless
    given)."""
    background: str | None = None
    """A colour (``white``, ``#ff8800``) that takes the place of transparency."""
    quantize: bool = False
    """Whether a GIF may bring its colours down to 256, and its alpha to all or nothing."""
    metadata: str = METADATA_RULES[0]
    """One of `METADATA_RULES`."""
    keep_times: bool = False
    """Whether a file that is made of another has its time of change."""

    def __post_init__(self) -> None:
        check_choice("metadata", self.metadata, METADATA_RULES)
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise OptionError(f"quality {self.quality}: 1 to 100 are possible")
