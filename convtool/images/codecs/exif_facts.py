"""What an EXIF block states; what reads such blocks is imported where there is one.

Damage in EXIF is no reason to refuse a picture.
"""

from convtool.errors import ImageReadError


def orientation_in(block: bytes) -> int:
    """Return the orientation that an EXIF block states, 1 where it states none that makes sense.

    Examples
    --------
    >>> orientation_in(b""), orientation_in(b"MM no tags")
    (1, 1)
    """
    if not block:
        return 1
    from convtool.images.codecs.ifd import ORIENTATION, all_directories

    try:
        orientation = next(all_directories(block)).value(ORIENTATION, 1)
    except ImageReadError:
        return 1
    return orientation if 1 <= orientation <= 8 else 1


def resolution_in(block: bytes) -> tuple[float, float] | None:
    """Return the pixels an inch that an EXIF block states, None where it states none.

    Examples
    --------
    >>> resolution_in(b"") is None
    True
    """
    if not block:
        return None
    from convtool.images.codecs.exif import resolution
    from convtool.images.codecs.ifd import all_directories

    try:
        return resolution(next(all_directories(block)))
    except ImageReadError:
        return None
