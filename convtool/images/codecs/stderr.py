"""Catching what native libraries print.

libpng, libjpeg, libtiff and OpenCV's log print to the process's standard error, and damage that a
decoder survives is reported there and nowhere else.
"""

import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_one_at_a_time = threading.Lock()
_LOG_TAG = re.compile(r"\[ *(?:ERROR|FATAL)[^\]]*\] global \S+ \S+ ")


class Printed:
    """What was printed: its first line, empty if there was none."""

    text = ""


@contextmanager
def caught() -> Iterator[Printed]:
    """Keep what is printed to standard error, by native code too, from getting there.

    Yields
    ------
    Printed
        Its text is there once the block is left.

    Examples
    --------
    >>> with caught() as printed:
    ...     written = os.write(2, b"libpng error: no good")
    >>> printed.text
    'libpng error: no good'
    """
    printed = Printed()
    if sys.stderr is None:
        yield printed
        return
    with _one_at_a_time:
        sys.stderr.flush()
        saved = os.dup(2)
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        os.set_blocking(reading, False)
        os.dup2(writing, 2)
        try:
            yield printed
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(writing)
            with open(reading, "rb") as pipe:
                text = (pipe.read() or b"").decode("utf-8", "replace")
            printed.text = first_line(_LOG_TAG.sub("", text))


def first_line(text: str) -> str:
    r"""Return the first line that says something, at most 120 characters of it.

    Examples
    --------
    >>> first_line("\n  so   it is\nand more")
    'so it is'
    """
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return next((line[:120] for line in lines if line), "")
