"""One picture's way from file to file: read, filter, write; the same job for many pictures.

A `Job` is plain data and crosses to worker processes, and so does the `Outcome` of each picture.
"""

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import numpy as np

from convtool import __version__
from convtool.images.filter import FilterOptions, Outline, Step, filter_image, outline
from convtool.images.image import DEPTHS
from convtool.images.read import MAX_PIXELS, read, read_header
from convtool.images.write import STDOUT, Saver, check_writable, save_bytes, write
from convtool.kernels.spec import KernelSpec


@dataclass(frozen=True)
class ReadOptions:
    """How a picture is read.

    Parameters
    ----------
    max_pixels : int
        The largest picture to accept, by its header.
    """

    max_pixels: int = MAX_PIXELS


@dataclass(frozen=True)
class WriteOptions:
    """How a picture is written.

    Parameters
    ----------
    format : str or None
        The name of the format; by the ending of the file's name unless given.
    quality : int or None
        1 to 100, for lossy formats.
    """

    format: str | None = None
    quality: int | None = None


@dataclass(frozen=True)
class Job:
    """What is done to each picture of a run.

    Parameters
    ----------
    kernels : tuple of KernelSpec
        The kernels, in order; at least one.
    filtering : FilterOptions
        How they are applied.
    reading : ReadOptions
        How a picture is read.
    writing : WriteOptions
        How the result is written.
    """

    kernels: tuple[KernelSpec, ...]
    filtering: FilterOptions = field(default_factory=FilterOptions)
    reading: ReadOptions = field(default_factory=ReadOptions)
    writing: WriteOptions = field(default_factory=WriteOptions)

    def fingerprint(self) -> str:
        """Return a text that differs wherever the same input may give another output.

        Examples
        --------
        >>> from convtool.kernels.spec import parse
        >>> blur = (parse("box"),)
        >>> Job(blur).fingerprint() == Job(blur, FilterOptions(threads=1)).fingerprint()
        True
        >>> Job(blur).fingerprint() == Job(blur, FilterOptions(stride=2)).fingerprint()
        False
        """
        import hashlib

        return hashlib.sha256(f"{__version__} {_plain(asdict(self))}".encode()).hexdigest()


_WITHOUT_EFFECT = {"threads", "max_pixels", "text", "name"}
"""Fields of a job that its outputs do not depend on: of a kernel, its weights count."""


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if key not in _WITHOUT_EFFECT}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return (value.shape, value.tobytes()) if isinstance(value, np.ndarray) else value


@dataclass(frozen=True)
class Kind:
    """A file's format, and shape and depth of its pixels."""

    format: str
    shape: tuple[int, ...]
    depth: str


@dataclass(frozen=True)
class Outcome:
    """What became of one picture, or would.

    Parameters
    ----------
    source, target : Kind
        What was read, and what was written.
    steps : tuple of Step
        How it was filtered, kernel by kernel.
    clipped_share : float
        The share, 0 to 1, of colour values that were outside the output's range.
    warnings : tuple of str
        What a user should know.
    seconds : float
        What all of it took, reading and writing included.
    """

    source: Kind
    target: Kind
    steps: tuple[Step, ...]
    clipped_share: float = 0.0
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0


Path = str | os.PathLike[str]


def filter_file(
    source: Path,
    target: Path,
    job: Job,
    *,
    planned: Callable[[Outline], None] | None = None,
    save: Saver = save_bytes,
) -> Outcome:
    """Read a picture, filter it and write it; all that can be is checked before the work.

    Parameters
    ----------
    source : str or path-like
        The file to read, or ``-`` for standard input.
    target : str or path-like
        The file to write, or ``-`` for standard output, in the format of ``source`` unless
        the job names one.
    job : Job
        What to do.
    planned : callable, optional
        Called with the plan before the first kernel.
    save : callable, optional
        Puts the encoded picture in its place.

    Returns
    -------
    Outcome
        What was done.

    Raises
    ------
    ConvtoolError
        If the picture cannot be read, filtered so, or written; nothing is written then.

    Examples
    --------
    >>> import tempfile
    >>> from convtool.kernels.spec import parse
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(f"{folder}/a.png", np.full((3, 4), 7, np.uint8))
    ...     outcome = filter_file(f"{folder}/a.png", f"{folder}/b.bmp", Job((parse("box"),)))
    >>> outcome.source.shape, outcome.target.format
    ((3, 4), 'bmp')
    """
    start = time.perf_counter()
    image = read(source, max_pixels=job.reading.max_pixels)
    pixels = image.pixels
    plan = outline(pixels.shape, pixels.dtype, image.has_alpha, job.kernels, job.filtering)
    how = _how(target, image.format, job)
    entry = check_writable(
        target, plan.channels, plan.dtype, format=how.format, quality=how.quality
    )
    if planned is not None:
        planned(plan)
    result = filter_image(image, job.kernels, job.filtering)
    write(target, result.image, format=how.format, quality=how.quality, save=save)
    return Outcome(
        Kind(image.format, pixels.shape, image.depth),
        Kind(entry.name, plan.shape, DEPTHS[plan.dtype.name]),
        result.steps,
        result.clipped_share,
        result.warnings,
        time.perf_counter() - start,
    )


def plan_file(source: Path, target: Path, job: Job) -> Outcome:
    """Check all that can be from the header of a picture; read no pixels and write nothing.

    Parameters
    ----------
    source, target, job
        As for `filter_file`.

    Returns
    -------
    Outcome
        What would be done.

    Raises
    ------
    ConvtoolError
        As `filter_file` would, as far as the header shows it.
    """
    form, header = read_header(source, max_pixels=job.reading.max_pixels)
    plan = outline(header.shape, header.pixel_type, header.has_alpha, job.kernels, job.filtering)
    how = _how(target, form.name, job)
    entry = check_writable(
        target, plan.channels, plan.dtype, format=how.format, quality=how.quality
    )
    return Outcome(
        Kind(form.name, header.shape, DEPTHS[header.dtype]),
        Kind(entry.name, plan.shape, DEPTHS[plan.dtype.name]),
        plan.steps,
    )


def _how(target: Path, source_format: str, job: Job) -> WriteOptions:
    """Return how to write: standard output, which has no ending, takes the input's format."""
    named = job.writing.format
    if named is None and os.fspath(target) == STDOUT:
        named = source_format
    return WriteOptions(named, job.writing.quality)
