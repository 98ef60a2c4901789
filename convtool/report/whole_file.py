"""Files of a report: whole or not at all, devices and pipes as they are."""

import os

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
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as file:
            file.write(data)
        return
    files.replace_file(path, data)
