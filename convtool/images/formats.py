"""The file formats: how each is recognised and named, and what it can hold.

The table is data. The module of a format's codec (`Codec`) is imported when it is used.
"""

import os
import re
from importlib import import_module
from typing import cast

from convtool.errors import ImageFormatError, ImageReadError
from convtool.images.codec import Codec, PagedCodec
from convtool.images.image import DEPTHS
from convtool.images.paths import shown
from convtool.records import Record


class Format(Record):
    """One file format.

    Parameters
    ----------
    name : str
        The name, as ``Image.format`` has it.
    title : str
        The name as people write it.
    extensions : tuple of str
        File name endings, lower case, with the dot.
    signature : bytes
        A regular expression that the first bytes of every such file match.
    codec : str
        The module in ``convtool.images.codecs`` that reads and writes it, or a codec in a module.
    depths : tuple of str
        The depths it can be written with.
    channels : tuple of int
        The numbers of channels it can be written with; 2 and 4 mean that it holds alpha.
    lossy : bool
        Whether it knows a quality from 1 to 100.
    several : str
        ``"pages"`` or ``"frames"`` where it holds several.
    metadata : tuple of str
        The fields and blocks of `Metadata` that it can hold; ``"comment"`` is a text of that key
        alone.
    wide : bool
        Whether its floats may have 64 bits.
    bands : bool
        Whether it holds any number of channels that are no colours.
    but_not : tuple of (int, str)
        Channels and types that go together in no file it can be written with.
    advised : bool
        Whether it is named where another format cannot hold a picture.
    decoder : str
        The library that decodes it, where that takes as long as to be worth a thread of its own.
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    signature: bytes
    codec: str
    depths: tuple[str, ...]
    channels: tuple[int, ...]
    lossy: bool = False
    several: str = ""
    metadata: tuple[str, ...] = ()
    wide: bool = False
    bands: bool = False
    but_not: tuple[tuple[int, str], ...] = ()
    advised: bool = True
    decoder: str = ""

    def can_hold(self, channels: int, dtype: str, *, bands: bool = False) -> bool:
        """Tell whether it can be written with pixels of a kind."""
        fits = DEPTHS[dtype] in self.depths
        fits = fits and (self.bands if bands else channels in self.channels)
        narrow = dtype != "float64" or self.wide
        return fits and narrow and (channels, dtype) not in self.but_not

    def load(self) -> Codec:
        """Import the codec."""
        module, _, inner = self.codec.partition(".")
        codec = import_module(f"convtool.images.codecs.{module}")
        return cast(Codec, getattr(codec, inner) if inner else codec)

    def load_decoder(self) -> None:
        """Import the library that decodes it."""
        import_module(self.decoder)

    def load_paged(self) -> PagedCodec:
        """Import the codec of a format with several pages."""
        return cast(PagedCodec, self.load())


_ALL = (1, 2, 3, 4)
_NEVER = rb"(?!)"

FORMATS = {
    entry.name: entry
    for entry in (
        Format(
            name="jpeg",
            title="JPEG",
            extensions=(".jpg", ".jpeg", ".jpe", ".jfif"),
            signature=rb"\xff\xd8\xff",
            codec="jpeg",
            depths=("8",),
            channels=(1, 3),
            lossy=True,
            metadata=(
                *("icc", "exif", "xmp", "resolution", "comment"),
                *("IPTC and Photoshop blocks", "thermal data"),
            ),
            decoder="cv2",
        ),
        Format(
            name="png",
            title="PNG",
            extensions=(".png",),
            signature=rb"\x89PNG\r\n\x1a\n",
            codec="png",
            depths=("8", "16"),
            channels=_ALL,
            several="frames",
            metadata=("icc", "exif", "xmp", "resolution", "text", "colour"),
            decoder="cv2",
        ),
        Format(
            name="tiff",
            title="TIFF",
            extensions=(".tif", ".tiff"),
            signature=rb"II[*+]\0|MM\0[*+]",
            codec="tiff",
            depths=tuple(dict.fromkeys(DEPTHS.values())),
            channels=_ALL,
            several="pages",
            metadata=("icc", "exif", "xmp", "resolution", "tiff"),
            wide=True,
            bands=True,
        ),
        Format(
            name="webp",
            title="WebP",
            extensions=(".webp",),
            signature=rb"RIFF....WEBP",
            codec="webp",
            depths=("8",),
            channels=_ALL,
            lossy=True,
            several="frames",
            metadata=("icc", "exif", "xmp"),
            decoder="cv2",
        ),
        Format(
            name="bmp",
            title="BMP",
            extensions=(".bmp", ".dib"),
            signature=rb"BM",
            codec="bmp",
            depths=("8",),
            channels=_ALL,
            metadata=("icc", "resolution"),
        ),
        Format(
            name="gif",
            title="GIF",
            extensions=(".gif",),
            signature=rb"GIF8[79]a",
            codec="gif",
            depths=("8",),
            channels=_ALL,
            several="frames",
            metadata=("icc", "xmp", "comment"),
            advised=False,
        ),
        Format(
            name="jp2",
            title="JPEG 2000",
            extensions=(".jp2", ".j2k", ".j2c"),
            signature=rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51",
            codec="jp2",
            depths=("8", "16"),
            channels=_ALL,
            metadata=("icc", "xmp", "resolution"),
            but_not=((2, "uint16"),),
            decoder="cv2",
        ),
        Format(
            name="exr",
            title="OpenEXR",
            extensions=(".exr",),
            signature=rb"\x76\x2f\x31\x01",
            codec="exr",
            depths=("float",),
            channels=_ALL,
            metadata=("resolution", "text", "data window", "chromaticities"),
        ),
        Format(
            name="hdr",
            title="Radiance HDR",
            extensions=(".hdr", ".rgbe", ".pic"),
            signature=rb"#\?(RADIANCE|RGBE)\s",
            codec="hdr",
            depths=("float",),
            channels=(1, 3),
            advised=False,
        ),
        Format(
            name="pfm",
            title="PFM",
            extensions=(".pfm",),
            signature=rb"P[Ff]\s",
            codec="pnm.PFM",
            depths=("float",),
            channels=(1, 3),
        ),
        Format(
            name="pgm",
            title="PGM",
            extensions=(".pgm",),
            signature=rb"P[25](?:[\s#]|\Z)",
            codec="pnm",
            depths=("8", "16"),
            channels=(1,),
        ),
        Format(
            name="ppm",
            title="PPM",
            extensions=(".ppm",),
            signature=rb"P[36](?:[\s#]|\Z)",
            codec="pnm",
            depths=("8", "16"),
            channels=(3,),
        ),
        Format(
            name="pam",
            title="PAM",
            extensions=(".pam",),
            signature=rb"P7\n",
            codec="pnm.PAM",
            depths=("8", "16"),
            channels=_ALL,
        ),
        Format(
            name="pbm",
            title="PBM",
            extensions=(".pbm",),
            signature=rb"P[14](?:[\s#]|\Z)",
            codec="pnm",
            depths=(),
            channels=(),
        ),
        Format(
            name="pnm",
            title="PNM",
            extensions=(".pnm",),
            signature=_NEVER,
            codec="pnm",
            depths=("8", "16"),
            channels=(1, 3),
        ),
    )
}
"""Every format by its name. ``pnm`` writes a PGM or PPM by the number of channels; PBM, which has
only black and white, is read and not written. WebP, GIF and HDR store grey as equal colours."""

_READABLE = ", ".join(entry.title for entry in FORMATS.values() if entry.signature != _NEVER)


def writable() -> list[str]:
    """Return the names of the formats that can be written.

    Examples
    --------
    >>> writable()[:3]
    ['jpeg', 'png', 'tiff']
    """
    return [entry.name for entry in FORMATS.values() if entry.depths]


def recognise(data: bytes) -> Format:
    r"""Find the format of a file by its first bytes.

    Raises
    ------
    ImageReadError
        If no format of the table begins like this.

    Examples
    --------
    >>> recognise(b"\xff\xd8\xff\xe0...").title
    'JPEG'
    """
    for entry in FORMATS.values():
        if re.match(entry.signature, data, re.DOTALL):
            return entry
    if not data:
        raise ImageReadError("is empty; a picture was expected")
    start = data[:8].decode("ascii", "replace").encode("unicode_escape").decode().strip()
    raise ImageReadError(
        f"is of no format that convtool reads ({_READABLE}); begins with '{start}'"
    )


def format_for(path: str | os.PathLike[str], name: str | None = None) -> Format:
    """Find the format to write, by its name or else by the ending of the file's name.

    Parameters
    ----------
    path : str or path-like
        Where the picture will be written.
    name : str, optional
        The name of the format, which then need not agree with the path.

    Raises
    ------
    ImageFormatError
        If there is no such name or ending in the table.

    Examples
    --------
    >>> format_for("edges.TIF").name
    'tiff'
    """
    if name is not None:
        if name not in FORMATS:
            raise ImageFormatError(f"no format is called '{name}'; there are {', '.join(FORMATS)}")
        return FORMATS[name]
    ending = os.path.splitext(os.fspath(path))[1].lower()
    for entry in FORMATS.values():
        if ending in entry.extensions:
            return entry
    known = " ".join(ending for entry in FORMATS.values() for ending in entry.extensions)
    which = f"'{ending}' is the ending of no format" if ending else "has no ending, so no format"
    raise ImageFormatError(f"{shown(path)}: {which} that convtool writes; use one of {known}")
