"""The settings of a run, and the outcome of one picture: plain data, for any process."""

from typing import TYPE_CHECKING

import numpy as np

from convtool._version import __version__
from convtool.filtering.execution import MEMORY, Execution
from convtool.filtering.options import FilterOptions
from convtool.images.options import ReadOptions, WriteOptions
from convtool.kernels.spec import KernelSpec
from convtool.records import Record

if TYPE_CHECKING:
    from convtool.filtering.part import Part
    from convtool.filtering.plan import Step


class FilterJob(Record):
    """The settings of a run: kernels and options for each picture."""

    kernels: tuple[KernelSpec, ...]
    """The kernels, in order; at least one."""
    filtering: FilterOptions = FilterOptions()
    """How they are applied."""
    reading: ReadOptions = ReadOptions()
    """How a picture is read."""
    writing: WriteOptions = WriteOptions()
    """How the result is written."""

    def fingerprint(self) -> str:
        """Return a text that differs wherever the same input may give another output.

        Examples
        --------
        >>> from convtool.kernels.spec import parse
        >>> blur = (parse("box"),)
        >>> FilterJob(blur).fingerprint() == FilterJob(blur, FilterOptions(threads=1)).fingerprint()
        True
        >>> FilterJob(blur).fingerprint() == FilterJob(blur, FilterOptions(stride=2)).fingerprint()
        False
        """
        from dataclasses import asdict

        return _digest(f"{__version__} {_plain(asdict(self))}".encode())


def _digest(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


_WITHOUT_EFFECT = {"threads", "max_pixels", "max_memory", "text", "name", "notes"}
"""Fields of a job that its outputs do not depend on: of a kernel the weights count, of a mask the
pixels."""


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if key not in _WITHOUT_EFFECT}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, _digest(value.tobytes())
    return value


class Kind(Record):
    """A file's format, shape and depth of its pixels (of its first page), and number of pages."""

    format: str
    shape: tuple[int, ...]
    depth: str
    pages: int = 1


class Outcome(Record):
    """What became of one picture, or would."""

    source: Kind
    target: Kind
    """What was read, and what was written."""
    steps: "tuple[Step, ...]"
    """How it was filtered, kernel by kernel: the first page, with the seconds of all pages."""
    clipped_share: float = 0.0
    """The share, 0 to 1, of colour values that were outside the output's range."""
    warnings: tuple[str, ...] = ()
    """What a user should know."""
    seconds: float = 0.0
    """What all of it took, reading and writing included."""
    part: "Part | None" = None
    """Which part of the first page was filtered, if not all."""
    execution: Execution = Execution(MEMORY)
    """How many rows were worked on at once."""
