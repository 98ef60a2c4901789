"""Files of a report: whole or not at all, devices and pipes as they are."""

import os
from collections.abc import Iterable

from convtool import files


def replace_file(path: str, data: bytes) -> None:
    """Write beside the path, then rename into place; a device or pipe is written as it is.

    Parameters
    ----------
    path : str
        The file, links followed.
    data : bytes
        All that it will hold.

    Raises
    ------
    OSError
        If that fails; an existing file is as it was.
    """
    write_pieces(path, [data])


def write_pieces(path: str, pieces: Iterable[bytes]) -> None:
    """Do what `replace_file` does with bytes that come piece by piece."""
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as file:
            file.writelines(pieces)
        return
    with files.Replacement(path) as new:
        for piece in pieces:
            new.file.write(piece)
