"""How a path is shown in a message."""

import os


def shown(path: str | os.PathLike[str]) -> str:
    r"""Return a path as text that any terminal can show.

    Examples
    --------
    >>> shown("holiday.jpg")
    'holiday.jpg'
    >>> shown("caf\udce9.jpg")
    'caf\\xe9.jpg'
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")
