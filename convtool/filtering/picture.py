"""One picture's way from file to file: read, filter, write; the same job for many pictures.

A `Job` is plain data and crosses to worker processes, and so does the `Outcome` of each picture.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from convtool import __version__
from convtool.convolution.threads import begun, count
from convtool.errors import NonFiniteError, OptionError, ShapeError
from convtool.filtering.options import FilterOptions
from convtool.images.codecs.stderr import diverted
from convtool.images.formats import Format, Header
from convtool.images.image import DEPTHS, Document, name_of
from convtool.images.options import ReadOptions, WriteOptions
from convtool.images.paths import shown
from convtool.images.read import STDIN, Opened, open_document
from convtool.images.write import STDOUT, Placer, Saver, check_writable, save_bytes, write_document
from convtool.kernels.spec import KernelSpec
from convtool.records import Record, replace

if TYPE_CHECKING:
    from convtool.filtering.memory import FilterResult, Outline, Step
    from convtool.filtering.partial import Part

LARGE = 1 << 20
"""Pixels of a picture that is decoded in another thread."""

_MOST_WARNINGS = 3


class Job(Record):
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
    filtering: FilterOptions = FilterOptions()
    reading: ReadOptions = ReadOptions()
    writing: WriteOptions = WriteOptions()

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
    """What became of one picture, or would.

    Parameters
    ----------
    source, target : Kind
        What was read, and what was written.
    steps : tuple of Step
        How it was filtered, kernel by kernel: the first page, with the seconds of all pages.
    clipped_share : float
        The share, 0 to 1, of colour values that were outside the output's range.
    warnings : tuple of str
        What a user should know.
    seconds : float
        What all of it took, reading and writing included.
    part : Part, optional
        Which part of the first page was filtered, if not all.
    """

    source: Kind
    target: Kind
    steps: "tuple[Step, ...]"
    clipped_share: float = 0.0
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    part: "Part | None" = None


Path = str | os.PathLike[str]
Outliner = Callable[[tuple[int, ...], np.dtype[Any], bool], "Outline"]
"""What says how pictures of a shape and type, with alpha or not, are filtered."""

_KINDS_REMEMBERED = 64


def outliner(job: Job) -> Outliner:
    """Return a quick `outline` for many pictures of few kinds.

    It plans each kind once.

    Examples
    --------
    >>> from convtool.kernels.spec import parse
    >>> plan = outliner(Job((parse("box"),)))
    >>> plan((4, 6), np.dtype("uint8"), False) is plan((4, 6), np.dtype("uint8"), False)
    True
    """
    from convtool.filtering.memory import outline

    def planned(shape: tuple[int, ...], dtype: np.dtype[Any], has_alpha: bool) -> "Outline":
        return outline(shape, dtype, has_alpha, job.kernels, job.filtering)

    return lru_cache(_KINDS_REMEMBERED)(planned)


def filter_file(
    source: Path,
    target: Path,
    job: Job,
    *,
    planned: "Callable[[Outline], None] | None" = None,
    save: Saver = save_bytes,
    plan_for: Outliner | None = None,
    placed: Placer | None = None,
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
    plan_for : callable, optional
        The job's `outliner`, where it has several pictures.
    placed : callable, optional
        The `placer` of those pictures.

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
    >>> from convtool.images.write import write
    >>> from convtool.kernels.spec import parse
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(f"{folder}/a.png", np.full((3, 4), 7, np.uint8))
    ...     outcome = filter_file(f"{folder}/a.png", f"{folder}/b.bmp", Job((parse("box"),)))
    >>> outcome.source.shape, outcome.target.format
    ((3, 4), 'bmp')
    """
    start = time.perf_counter()
    opened = open_document(source, job.reading)
    how = _how(target, opened.format.name, job)
    with _decoding(opened, alone=plan_for is None and count(job.filtering.threads) > 1) as decoded:
        from convtool.filtering.memory import filter_image

        with _named(source):
            plans, entry = _planned(target, opened, plan_for or outliner(job), how, placed)
        document = decoded()
    first = document.pages[0]
    if planned is not None:
        planned(plans[0])
    results, alone = [], len(plans) == 1  # frames of an animation may share their pixels
    for number, (page, plan) in enumerate(zip(document.pages, plans, strict=True), 1):
        with _named(source, None if alone else number):
            results.append(filter_image(page, job.kernels, job.filtering, plan, overwrite=alone))
    filtered = replace(document, pages=tuple(result.image for result in results))
    remarks = write_document(target, filtered, how, save=save)
    return Outcome(
        Kind(first.format, first.pixels.shape, first.depth, len(plans)),
        Kind(entry.name, plans[0].shape, DEPTHS[name_of(plans[0].dtype)], len(plans)),
        _steps_of_all(results),
        sum(result.clipped_share for result in results) / len(results),
        (*_warnings_of_all(results), *remarks),
        time.perf_counter() - start,
        plans[0].part,
    )


@contextmanager
def _decoding(opened: Opened, *, alone: bool) -> Iterator[Callable[[], Document]]:
    """Decode a large picture that is alone in another thread, while its filtering is planned.

    Others are decoded at once. The decoder is imported beforehand: two threads that import wait
    for each other.
    """
    first = opened.headers[0]
    large = len(opened.headers) == 1 and first.width * first.height >= LARGE
    if not (alone and large and opened.format.decoder):
        document = opened.decode()
        yield lambda: document
        return
    opened.format.load_decoder()
    with diverted(), begun(opened.decode) as decoded:
        yield decoded


@contextmanager
def _named(source: Path, page: int | None = None) -> Iterator[None]:
    """Name the picture, and its page, in what is said of its size, channels or values."""
    try:
        yield
    except (NonFiniteError, OptionError, ShapeError) as error:
        name = "standard input" if os.fspath(source) == STDIN else shown(source)
        where = "" if page is None else f", page {page}"
        raise type(error)(f"{name}{where}: {error}") from error


def _planned(
    target: Path,
    opened: Opened,
    plan_for: Outliner,
    how: WriteOptions,
    placed: Placer | None = None,
) -> "tuple[list[Outline], Format]":
    """Plan each page as its header describes it, and check that it can be written.

    Pages of one kind are planned once.
    """

    def kind_of(header: Header) -> tuple[tuple[int, ...], np.dtype[Any], bool]:
        return header.shape, header.pixel_type, header.has_alpha

    def channels_of(plan: "Outline") -> int:
        if how.background is None:
            return plan.channels
        from convtool.images.background import channels_on

        return channels_on(plan.channels, how.background)

    kinds = [kind_of(header) for header in opened.headers]
    known = {kind: plan_for(*kind) for kind in dict.fromkeys(kinds)}
    for plan in known.values():
        entry = check_writable(
            target,
            channels_of(plan),
            plan.dtype,
            format=how.format,
            quality=how.quality,
            pages=len(kinds),
            animated=opened.is_animation,
            placed=placed,
        )
    return [known[kind] for kind in kinds], entry


def _steps_of_all(results: "Sequence[FilterResult]") -> "tuple[Step, ...]":
    if len(results) == 1:
        return results[0].steps
    columns = zip(*(result.steps for result in results), strict=True)
    return tuple(
        replace(column[0], seconds=sum(step.seconds or 0 for step in column)) for column in columns
    )


def _warnings_of_all(results: "Sequence[FilterResult]") -> tuple[str, ...]:
    """Return the warnings of one page as they are, of several with their page, and not too many."""
    if len(results) == 1:
        return results[0].warnings
    found = [f"page {n}: {text}" for n, one in enumerate(results, 1) for text in one.warnings]
    if len(found) > _MOST_WARNINGS:
        left = len(found) - _MOST_WARNINGS
        found[_MOST_WARNINGS:] = [f"{left} more warnings about other pages"]
    return tuple(found)


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
    opened = open_document(source, job.reading)
    first, pages = opened.headers[0], len(opened.headers)
    with _named(source):
        how = _how(target, opened.format.name, job)
        plans, entry = _planned(target, opened, outliner(job), how)
    return Outcome(
        Kind(opened.format.name, first.shape, DEPTHS[first.dtype], pages),
        Kind(entry.name, plans[0].shape, DEPTHS[name_of(plans[0].dtype)], pages),
        plans[0].steps,
        warnings=plans[0].part.notes if plans[0].part else (),
        part=plans[0].part,
    )


def _how(target: Path, source_format: str, job: Job) -> WriteOptions:
    """Return how to write: standard output, which has no ending, takes the input's format."""
    if job.writing.format is None and os.fspath(target) == STDOUT:
        return replace(job.writing, format=source_format)
    return job.writing
