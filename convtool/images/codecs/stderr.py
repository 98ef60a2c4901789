"""Catching what native libraries print.

libpng, libjpeg, libtiff and OpenCV's log print to the process's standard error, and damage that a
decoder survives is reported there and nowhere else.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_one_at_a_time = threading.Lock()
_LOG_TAG = r"\[ *(?:ERROR|FATAL)[^\]]*\] global \S+ \S+ "
_PIECE = 1 << 16


class Printed:
    """What was printed: its first line, empty if there was none."""

    text = ""


class _Diversion:
    """Standard error, the file, leads to a pipe until `end`."""

    def __init__(self) -> None:
        sys.stderr.flush()
        self.place = os.dup(2)
        self._reading, writing = os.pipe()
        os.set_blocking(writing, False)
        os.set_blocking(self._reading, False)
        os.dup2(writing, 2)
        os.close(writing)

    def taken(self) -> bytes:
        """Return the text printed since the last call."""
        text = b""
        try:
            while part := os.read(self._reading, _PIECE):
                text += part
        except BlockingIOError:  # that was all
            pass
        return text

    def end(self) -> None:
        """Let it lead where it led before."""
        os.dup2(self.place, 2)
        os.close(self.place)
        os.close(self._reading)


_lasting: _Diversion | None = None


@contextmanager
def diverted() -> Iterator[None]:
    """Divert standard error once for many turns of `caught`, or for one in another thread.

    What native code prints between the turns is passed on at the next one. Python's own
    ``sys.stderr`` leads where it did.

    Examples
    --------
    >>> with diverted():
    ...     for word in (b"one", b"two"):
    ...         with caught() as printed:
    ...             written = os.write(2, word)
    >>> printed.text
    'two'
    """
    global _lasting
    if sys.stderr is None or _lasting is not None:
        yield
        return
    with _one_at_a_time:
        diversion, ordinary = _Diversion(), sys.stderr
    with open(os.dup(diversion.place), "w", buffering=1, errors="backslashreplace") as file:
        _lasting, sys.stderr = diversion, file
        try:
            yield
        finally:
            with _one_at_a_time:
                _lasting, sys.stderr = None, ordinary
                os.write(diversion.place, diversion.taken())
                diversion.end()


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
        diversion = _lasting or _Diversion()
        if diversion is _lasting and (before := diversion.taken()):
            os.write(diversion.place, before)
        try:
            yield printed
        finally:
            text = diversion.taken()
            if diversion is not _lasting:
                diversion.end()
            if text:
                printed.text = _first_words(text)


def _first_words(text: bytes) -> str:
    import re

    return first_line(re.sub(_LOG_TAG, "", text.decode("utf-8", "replace")))


def first_line(text: str) -> str:
    r"""Return the first line that says something, at most 120 characters of it.

    Examples
    --------
    >>> first_line("\n  so   it is\nand more")
    'so it is'
    """
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return next((line[:120] for line in lines if line), "")
