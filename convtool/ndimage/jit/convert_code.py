"""Lines of integer pixels read, and answers written, truncated as SciPy does."""

from typing import Any

from convtool.compiled.jit import INT, entry, pointer_to
from convtool.compiled.memory import address_in
from convtool.ndimage.jit.vectors import read_line, write_line


@entry(lambda pixel, _: pointer_to(pixel), lambda _, line: pointer_to(line), INT)
def read(source: Any, target: Any, count: int) -> None:
    """Read ``count`` integer pixels as integers of no fewer bits."""
    read_line(source, target, address_in(source), address_in(target), count)


@entry(lambda line, _: pointer_to(line), lambda _, answer: pointer_to(answer), INT, INT)
def write(source: Any, target: Any, count: int, how: int) -> None:
    """Write ``count`` answers in one of the ways of :mod:`~.job`."""
    write_line(source, target, how, address_in(source), address_in(target), count)
