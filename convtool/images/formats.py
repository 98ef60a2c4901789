"""The file formats: how each is recognised and named, and what it can hold.

The table is data. The module of a format's codec (`Codec`) is imported when it is used.
"""

import os
import re

from convtool.errors import ImageFormatError, ImageReadError
from convtool.images.codec import NEVER, Format
from convtool.images.doors.table import DOORS
from convtool.images.image import DEPTHS, PIXEL_TYPES
from convtool.images.paths import shown

__all__ = ["FORMATS", "Format", "format_for", "recognise", "writable"]


_ALL = (1, 2, 3, 4)

FORMATS = {
    entry.name: entry
    for entry in (
        Format(
            name="jpeg",
            title="JPEG",
            extensions=(".jpg", ".jpeg", ".jpe", ".jfif"),
            signature=rb"\xff\xd8\xff",
            depths=("8",),
            channels=(1, 3),
            lossy=True,
            metadata=(
                *("icc", "exif", "xmp", "resolution", "comment"),
                *("IPTC and Photoshop blocks", "thermal data"),
            ),
            decoder="cv2",
            library="OpenCV",
        ),
        Format(
            name="png",
            title="PNG",
            extensions=(".png",),
            signature=rb"\x89PNG\r\n\x1a\n",
            depths=("8", "16"),
            channels=_ALL,
            several="frames",
            metadata=("icc", "exif", "xmp", "resolution", "text", "colour"),
            decoder="cv2",
            library="OpenCV",
        ),
        Format(
            name="tiff",
            title="TIFF",
            extensions=(".tif", ".tiff"),
            signature=rb"(?!.{128}DICM)(?:II[*+]\0|MM\0[*+])",
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
            depths=("8",),
            channels=_ALL,
            lossy=True,
            several="frames",
            metadata=("icc", "exif", "xmp"),
            decoder="cv2",
            library="OpenCV",
        ),
        Format(
            name="bmp",
            title="BMP",
            extensions=(".bmp", ".dib"),
            signature=rb"BM",
            depths=("8",),
            channels=_ALL,
            metadata=("icc", "resolution"),
        ),
        Format(
            name="gif",
            title="GIF",
            extensions=(".gif",),
            signature=rb"GIF8[79]a",
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
            depths=("8", "16"),
            channels=_ALL,
            metadata=("icc", "xmp", "resolution"),
            but_not=((2, "uint16"),),
            decoder="cv2",
            library="OpenCV",
        ),
        Format(
            name="exr",
            title="OpenEXR",
            extensions=(".exr",),
            signature=rb"\x76\x2f\x31\x01",
            door=True,
            library="OpenEXR",
            package="OpenEXR",
            extra="exr",
            depths=("float",),
            channels=_ALL,
            metadata=("resolution", "text", "data window", "chromaticities"),
        ),
        Format(
            name="hdr",
            title="Radiance HDR",
            extensions=(".hdr", ".rgbe", ".pic"),
            signature=rb"#\?(RADIANCE|RGBE)\s",
            depths=("float",),
            channels=(1, 3),
            advised=False,
            library="OpenCV",
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
            read_depths=("8",),
        ),
        Format(
            name="npy",
            title="NPY",
            extensions=(".npy",),
            signature=rb"\x93NUMPY",
            depths=tuple(dict.fromkeys(k.depth for k in PIXEL_TYPES.values() if not k.bits)),
            channels=_ALL,
            wide=True,
            bands=True,
            advised=False,
        ),
        Format(
            name="pnm",
            title="PNM",
            extensions=(".pnm",),
            signature=NEVER,
            depths=("8", "16"),
            channels=(1, 3),
        ),
    )
} | DOORS
"""Every format by its name. ``pnm`` writes a PGM or PPM by the number of channels; PBM, which has
only black and white, is read and not written. WebP, GIF and HDR store grey as equal colours."""

_READABLE = ", ".join(
    entry.title for entry in FORMATS.values() if entry.signature != NEVER and not entry.is_foreign
)


def writable() -> list[str]:
    """Return the names of the formats that can be written.

    Examples
    --------
    >>> writable()[:3]
    ['jpeg', 'png', 'tiff']
    """
    return [entry.name for entry in FORMATS.values() if entry.depths]


def recognise(data: bytes, name: str = "") -> Format:
    r"""Find the format of a file by its first bytes, for a few by the ending of its name too.

    Parameters
    ----------
    data : bytes
        The first `ENOUGH` bytes or more.
    name : str, optional
        The name of the file.

    Raises
    ------
    ImageReadError
        If no format of the table begins like this.

    Examples
    --------
    >>> recognise(b"\xff\xd8\xff\xe0...").title
    'JPEG'
    """
    ending = os.path.splitext(name)[1].lower()
    for entry in FORMATS.values():
        if entry.named and ending not in entry.extensions:
            continue
        if re.match(entry.signature, data, re.DOTALL):
            return _of_sensor(data) if entry.name == "tiff" else entry
    if not data:
        raise ImageReadError("is empty; a picture was expected")
    start = data[:8].decode("ascii", "replace").encode("unicode_escape").decode().strip()
    others = sum(entry.is_foreign for entry in FORMATS.values())
    raise ImageReadError(
        f"is of no format that convtool reads ({_READABLE} and {others} others, see "
        f"convtool info --formats); begins with '{start}'"
    )


def _of_sensor(data: bytes) -> Format:
    """Return the format of a file that begins as TIFF does."""
    from convtool.images.codecs.sensor import is_sensor

    return FORMATS["raw" if is_sensor(data) else "tiff"]


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
    known = " ".join(
        ending for entry in FORMATS.values() if entry.depths for ending in entry.extensions
    )
    which = f"'{ending}' is the ending of no format" if ending else "has no ending, so no format"
    raise ImageFormatError(f"{shown(path)}: {which} that convtool writes; use one of {known}")
