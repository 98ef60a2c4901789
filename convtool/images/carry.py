"""Carry metadata to the output, as far as its format can hold them."""

from collections.abc import Sequence

from convtool.images.formats import Format
from convtool.images.image import Document, Image, Metadata
from convtool.images.options import WriteOptions
from convtool.records import replace

_WORDS = {
    "icc": "colour profile",
    "exif": "EXIF",
    "xmp": "XMP",
    "resolution": "resolution",
    "text": "texts",
    "colour": "PNG's statements about colour",
    "tiff": "private tags of TIFF",
}
_COMMENT = "Comment"
_NOTHING = Metadata()
_STORES_COLOUR = {"webp": (1, 2), "gif": (1, 2), "bmp": (2,)}
"""Channels of grey pictures that are stored as equal colours."""

_STEPS = {"gif": 10, "webp": 1}
"""Milliseconds that the durations of frames are counted in."""
_MEANS_NOTHING = {"sRGB", "gAMA", "cHRM"}
"""Statements that most PNG files make, to say that they are as every other file is taken to be."""


def carried(image: Image, entry: Format, options: WriteOptions) -> tuple[Metadata, tuple[str, ...]]:
    """Return the metadata that a picture is written with, and remarks on what is left out.

    Parameters
    ----------
    image : Image
        The picture as it will be written.
    entry : Format
        The format.
    options : WriteOptions
        Whether metadata are wanted at all.

    Returns
    -------
    Metadata
        That of the picture, without what the format cannot hold, with the size in EXIF set and the
        thumbnail in it, which shows the picture as it was, taken out.
    tuple of str
        One remark for what the format cannot hold, one for a profile that no longer fits.
    """
    whole = image.metadata
    if options.metadata == "strip":
        return Metadata(coding=whole.coding), ()
    wanted = replace(whole, exif=_settled(whole.exif, image)) if whole.exif else whole
    remarks: list[str] = []
    if whole.tiff and "tiff" in entry.metadata:
        from convtool.images.codecs.tiff_private import settled

        tags, dropped = settled(whole.tiff, image.width, image.height)
        wanted, remarks = replace(wanted, tiff=tags), list(dropped)
    kept = _within(wanted, entry)
    lost = [name for name in _WORDS if getattr(kept, name) != getattr(wanted, name)]
    if "resolution" in lost and kept.exif and _in_exif(wanted):
        lost.remove("resolution")
    blocks = [name for name, _ in wanted.blocks if name not in dict(kept.blocks)]
    if lost == ["colour"] and dict(whole.colour).keys() <= _MEANS_NOTHING:
        lost = []
    if lost or blocks:
        words = ", ".join([*words_for(wanted, image.format, lost), *blocks])
        remarks.append(f"{entry.title} cannot hold all that the input has besides pixels: {words}")
    if kept.icc and not _fits(kept.icc, image, entry):
        remarks.append("the colour profile is not for pictures of this kind and is left out")
        kept = replace(kept, icc=b"")
    if entry.name == "exr" and (beside := _unfit(kept, image)):
        remarks.append(f"the {beside[0]} is for pictures of another size and is left out")
        kept = replace(kept, blocks=tuple(pair for pair in kept.blocks if pair[0] not in beside))
    return kept, tuple(remarks)


def words_for(metadata: Metadata, format: str, names: Sequence[str] = tuple(_WORDS)) -> list[str]:
    """Return the words for those of some fields that hold something, in a file of a format.

    Examples
    --------
    >>> words_for(Metadata(xmp=b"<x/>", resolution=(72, 72)), "png")
    ['XMP', 'resolution']
    """
    words = dict(_WORDS)
    if metadata.exif and format == "tiff":
        from convtool.images.codecs.exif import is_descriptive

        words["exif"] = "descriptive tags" if is_descriptive(metadata.exif) else "EXIF"
    return [words[name] for name in names if getattr(metadata, name)]


def _unfit(metadata: Metadata, image: Image) -> tuple[str, ...]:
    from convtool.images.doors.exr import unfit

    return unfit(metadata, image.width, image.height)


def _in_exif(metadata: Metadata) -> bool:
    """Tell whether the EXIF block states the resolution, for the picture as it was turned."""
    from convtool.images.codecs.exif_facts import resolution_in

    stated, known = resolution_in(metadata.exif), metadata.resolution
    if stated is None or known is None:
        return False
    pairs = zip(sorted(stated), sorted(known), strict=True)
    return all(abs(one - other) <= 0.01 * other for one, other in pairs)


def _settled(block: bytes, image: Image) -> bytes:
    from convtool.images.codecs.exif import settled

    return settled(block, image.width, image.height)


def _within(metadata: Metadata, entry: Format) -> Metadata:
    """Return the part of metadata that a format can hold."""
    beyond = {
        n: getattr(_NOTHING, n)
        for n in _WORDS
        if n != "text" and n not in entry.metadata and getattr(metadata, n)
    }
    texts = metadata.text
    if "text" not in entry.metadata:
        comments = "comment" in entry.metadata
        texts = tuple(pair for pair in texts if comments and pair[0] == _COMMENT)
    if texts != metadata.text:
        beyond["text"] = texts
    if metadata.blocks:
        beyond["blocks"] = tuple(pair for pair in metadata.blocks if pair[0] in entry.metadata)
    kept = replace(metadata, **beyond) if beyond else metadata
    if entry.name == "jpeg":
        from convtool.images.codecs.jpeg_metadata import unfit

        kept = replace(kept, **{name: getattr(_NOTHING, name) for name in unfit(kept)})
    return kept


def _fits(icc: bytes, image: Image, entry: Format) -> bool:
    """Tell whether a profile is for colours, or for grey, as the file will be."""
    colour = image.channels >= 3 or image.channels in _STORES_COLOUR.get(entry.name, ())
    return icc[16:20] == (b"RGB " if colour else b"GRAY")


def timing_remarks(entry: Format, document: Document) -> tuple[str, ...]:
    """Say where the durations of an animation's frames become others."""
    step = _STEPS.get(entry.name)
    if step is None or all(duration % step == 0 for duration in document.durations):
        return ()
    return (f"{entry.title} counts time in steps of {step} ms; durations were rounded to them",)
