"""Checks that a format can hold a picture, with messages that name formats that can."""

from convtool.errors import ImageFormatError
from convtool.images.formats import FORMATS, Format
from convtool.images.image import DEPTHS
from convtool.images.tone import OUTPUT_DEPTHS


def those_with(dtype: str, channels: int, bands: bool) -> str:
    """Return the titles of the formats that can hold pixels of a kind.

    Examples
    --------
    >>> those_with("float32", 3, bands=False)
    'TIFF, OpenEXR or PFM'
    """
    entries = [entry for entry in FORMATS.values() if entry.advised]
    fit = [entry.title for entry in entries if entry.can_hold(channels, dtype, bands=bands)]
    return _either(fit)


def _either(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def check_holds(
    entry: Format, where: str, channels: int, dtype: str, *, bands: bool = False
) -> None:
    """Check that a format can hold pixels of a kind.

    Parameters
    ----------
    entry : Format
        The format.
    where : str
        The file, for the message.
    channels : int
        How many; 2 and 4 mean alpha, unless they are bands.
    dtype : str
        The name of the pixels' type.
    bands : bool
        Whether the channels are neither grey nor colour.

    Raises
    ------
    ImageFormatError
        If it cannot; the message names formats that can.

    Examples
    --------
    >>> check_holds(FORMATS["pfm"], "a.pfm", 3, "uint8")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    convtool.errors.ImageFormatError: a.pfm: PFM holds no 8 bits a channel; write ...
    """
    if entry.can_hold(channels, dtype, bands=bands):
        return
    depth = DEPTHS[dtype]
    others = those_with(dtype, channels, bands)
    if not entry.depths:
        raise ImageFormatError(f"{where}: {entry.title} is not written; write {others}")
    if depth not in entry.depths:
        words = f"{depth} bits a channel" if depth.isdigit() else "floats"
        if depth[:3] in ("int", "uin") or depth == "float16":
            words = f"{depth} values"
        depths = " or ".join(f"`depth='{each}'`" for each in entry.depths if each in OUTPUT_DEPTHS)
        raise ImageFormatError(
            f"{where}: {entry.title} holds no {words}; write {others}, or use {depths}"
        )
    if bands and not entry.bands:
        raise ImageFormatError(f"{where}: {entry.title} holds no {channels} bands; write {others}")
    if channels not in entry.channels and not bands:
        kind = {1: "single grey channel", 2: "alpha", 3: "colour", 4: "alpha"}[channels]
        way = ", or use `background='white'`" if kind == "alpha" else ""
        way = ", or use `gray=True`" if kind == "colour" else way
        raise ImageFormatError(f"{where}: {entry.title} holds no {kind}; write {others}{way}")
    kind, way = "64-bit floats", "`depth='float32'`"
    if (channels, dtype) in entry.but_not:
        kind, way = f"alpha with {depth}-bit grey", "`depth='8'`"
    raise ImageFormatError(f"{where}: {entry.title} holds no {kind}; write {others}, or use {way}")


def check_holds_pages(entry: Format, where: str, pages: int, animated: bool) -> None:
    """Check that a format can hold a number of pages, or of frames of an animation.

    Raises
    ------
    ImageFormatError
        If it cannot; the message names formats that can.
    """
    kind = "frames" if animated else "pages"
    if pages == 1 or entry.several == kind:
        return
    others = _either([e.title for e in FORMATS.values() if e.advised and e.several == kind])
    holds = f"holds {entry.several}" if entry.several else "holds one picture"
    raise ImageFormatError(
        f"{where}: {entry.title} {holds}, not {pages} {kind}; write {others}, "
        "or pick one with `page=N`"
    )
