"""Write report files atomically, except devices and pipes."""

import os
from collections.abc import Iterable

from convtool.errors import ReportWriteError
from convtool.files import replace_file


def write_file(target: str | os.PathLike[str], data: bytes | Iterable[bytes], what: str) -> None:
    """Write a file whole or not at all; links are followed, a device or pipe is written as it is.

    Parameters
    ----------
    target : str or path-like
        The file.
    data : bytes or iterable of bytes
        All that it will hold, also piece by piece.
    what : str
        What that is, for the error's message.

    Raises
    ------
    ReportWriteError
        If that fails; an existing file is as it was.
    """
    try:
        replace_file(target, data)
    except OSError as error:
        raise ReportWriteError(
            f"{os.fspath(target)}: cannot write the {what} ({error.strerror or error}); "
            "choose another file"
        ) from error
