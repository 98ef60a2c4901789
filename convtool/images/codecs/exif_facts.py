"""What an EXIF block states; what reads such blocks is imported where there is one."""


def orientation_in(block: bytes) -> int:
    """Return the orientation that an EXIF block states, 1 where there is no block.

    Examples
    --------
    >>> orientation_in(b"")
    1
    """
    if not block:
        return 1
    from convtool.images.codecs.ifd import exif_orientation

    return exif_orientation(block)


def resolution_in(block: bytes) -> tuple[float, float] | None:
    """Return the pixels an inch that an EXIF block states, None where there is no block.

    Examples
    --------
    >>> resolution_in(b"") is None
    True
    """
    if not block:
        return None
    from convtool.images.codecs.exif import block_resolution

    return block_resolution(block)
