"""Files of a report: whole or not at all, devices and pipes as they are."""

import os
from collections.abc import Iterable

from convtool.errors import ReportWriteError
from convtool.files import Replacement


def write_file(target: str | os.PathLike[str], data: bytes | Iterable[bytes], what: str) -> None:
    """Write beside the target, then rename into place; a device or pipe is written as it is.

    Parameters
    ----------
    target : str or path-like
        The file; links are followed.
    data : bytes or iterable of bytes
        All that it will hold, also piece by piece.
    what : str
        What that is, for the error's message.

    Raises
    ------
    ReportWriteError
        If that fails; an existing file is as it was.
    """
    pieces = [data] if isinstance(data, bytes) else data
    path = os.path.realpath(target)
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, "wb") as file:
                file.writelines(pieces)
            return
        with Replacement(path) as new:
            for piece in pieces:
                new.file.write(piece)
    except OSError as error:
        raise ReportWriteError(
            f"{target}: cannot write the {what} ({error.strerror or error}); choose another file"
        ) from error
