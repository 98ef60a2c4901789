"""Files of a report: whole or not at all, devices and pipes as they are."""

import os
from collections.abc import Iterable

from convtool.errors import ReportWriteError
from convtool.files import replace_file


def write_whole(path: str | os.PathLike[str], what: str, data: bytes | Iterable[bytes]) -> None:
    """Write a file; a link is followed.

    Parameters
    ----------
    path : str or path-like
        The file.
    what : str
        What it holds, for the message.
    data : bytes, or iterable of bytes
        All of it, at once or piece by piece.

    Raises
    ------
    ReportWriteError
        If that fails; an existing file is as it was.
    """
    try:
        replace_file(path, data)
    except OSError as error:
        raise ReportWriteError(
            f"{os.fspath(path)}: cannot write the {what} ({error.strerror or error}); "
            "choose another file"
        ) from error
