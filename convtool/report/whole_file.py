"""Write report files atomically, except devices and pipes."""

import os
from collections.abc import Iterable

from convtool import files


def replace_file(path: str, data: bytes) -> None:
    """Write a temporary file and rename it to the path; write a device or pipe directly.

    Parameters
    ----------
    path : str
        The file; links are resolved.
    data : bytes
        The content.

    Raises
    ------
    OSError
        If that fails; an existing file is unchanged.
    """
    write_pieces(path, [data])


def write_pieces(path: str, pieces: Iterable[bytes]) -> None:
    """Write pieces of bytes like `replace_file`."""
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as file:
            file.writelines(pieces)
        return
    with files.Replacement(path) as new:
        for piece in pieces:
            new.file.write(piece)
