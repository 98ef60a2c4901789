"""Lines of pixels converted to the type that is computed in, and answers to theirs."""

from typing import Any

from numba import carray

from convtool.compiled.jit import INT, entry, pointer_to
from convtool.compiled.memory import address_in
from convtool.convolution.engines.jit.vectors import convert_line


@entry(lambda image, _: pointer_to(image), lambda _, working: pointer_to(working), INT)
def read_line(source: Any, target: Any, count: int) -> None:
    """Convert ``count`` scalars of an image."""
    convert_line(
        carray(source, (0,)), address_in(source), carray(target, (0,)), address_in(target), count
    )


@entry(lambda working, _: pointer_to(working), lambda _, answer: pointer_to(answer), INT)
def write_line(source: Any, target: Any, count: int) -> None:
    """Convert ``count`` scalars of an answer; integers are rounded half to even and saturate."""
    convert_line(
        carray(source, (0,)), address_in(source), carray(target, (0,)), address_in(target), count
    )
