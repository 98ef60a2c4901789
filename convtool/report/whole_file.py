"""Files of a report: whole or not at all."""

import contextlib
import os


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
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as file:
            file.write(data)
        return
    beside = f"{path}.{os.getpid()}.part"
    try:
        with open(beside, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(beside)
        raise
