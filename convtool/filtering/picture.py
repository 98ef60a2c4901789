"""Filter one picture from file to file, in memory: open, plan, decode, filter, write."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from typing import TYPE_CHECKING

from convtool.convolution.threads import count, submit
from convtool.errors import ImageTooLargeError, NonFiniteError, OptionError, ShapeError
from convtool.filtering.execution import IN_MEMORY, THIS_MACHINE, Machine, Storage
from convtool.filtering.job import FilterJob, Kind, Outcome
from convtool.images.codecs.stderr import diverted
from convtool.images.formats import Format
from convtool.images.image import DEPTHS, Document
from convtool.images.options import WriteOptions
from convtool.images.paths import shown
from convtool.images.read import Opened, open_document
from convtool.images.sources import STDIN
from convtool.images.write import (
    STDOUT,
    Placer,
    Saver,
    check_writable,
    save_bytes,
    time_to_keep,
    write_document,
)
from convtool.records import replace

if TYPE_CHECKING:
    from convtool.filtering.memory import FilterResult
    from convtool.filtering.plan import FilterPlan, PictureKind, Step

LARGE = 1 << 20
"""Pixels of a picture that is decoded in another thread."""

_MOST_WARNINGS = 3

Path = str | os.PathLike[str]
Planner = Callable[["PictureKind"], "FilterPlan"]
"""What plans the filtering of pictures of a kind."""

_KINDS_REMEMBERED = 64


def planner(
    job: FilterJob, storage: Storage = IN_MEMORY, machine: Machine = THIS_MACHINE
) -> Planner:
    """Return a planner for many pictures of few kinds: it plans each kind once.

    Examples
    --------
    >>> import numpy as np
    >>> from convtool.filtering.plan import PictureKind
    >>> from convtool.kernels.spec import parse
    >>> plan = planner(FilterJob((parse("box"),)))
    >>> kind = PictureKind((4, 6), np.dtype("uint8"))
    >>> plan(kind) is plan(kind)
    True
    """
    from convtool.filtering.plan import plan_filter

    def planned(kind: "PictureKind") -> "FilterPlan":
        return plan_filter(kind, job.kernels, job.filtering, storage, machine)

    return lru_cache(_KINDS_REMEMBERED)(planned)


def filter_file(
    source: Path,
    target: Path,
    job: FilterJob,
    *,
    planned: "Callable[[FilterPlan], object] | None" = None,
    save: Saver = save_bytes,
    plan_for: Planner | None = None,
    placed: Placer | None = None,
    dry_run: bool = False,
) -> Outcome:
    """Read a picture, filter it and write it; all that can be is checked before the work.

    Parameters
    ----------
    source : str or path-like
        The file to read, or ``-`` for standard input.
    target : str or path-like
        The file to write, or ``-`` for standard output, in the format of ``source`` unless
        the job names one.
    job, planned, dry_run
        As for `.run.filter_picture`.
    save : callable, optional
        Puts the encoded picture in its place.
    plan_for : callable, optional
        The job's `planner`, where it plans other pictures or has planned this one.
    placed : callable, optional
        The `placer` of a job with several pictures.

    Returns
    -------
    Outcome
        What was done, or would be.

    Raises
    ------
    ConvtoolError
        If the picture cannot be read, filtered so, or written; nothing is written then.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from convtool.images.write import write
    >>> from convtool.kernels.spec import parse
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(f"{folder}/a.png", np.full((3, 4), 7, np.uint8))
    ...     outcome = filter_file(f"{folder}/a.png", f"{folder}/b.bmp", FilterJob((parse("box"),)))
    >>> outcome.source.shape, outcome.target.format
    ((3, 4), 'bmp')
    """
    start = time.perf_counter()
    opened = open_document(source, job.reading)
    how = _how(target, opened.format.name, job)
    modified = time_to_keep(source, target, how)
    ahead = placed is None and count(job.filtering.threads) > 1
    with nullcontext() if dry_run else _decoding(opened, ahead=ahead) as decoded:
        from convtool.filtering.memory import filter_image

        with named(source):
            plans, entry = _planned(target, opened, plan_for or planner(job), how, placed)
        document = decoded() if decoded is not None else None
    first, plan = opened.headers[0], plans[0]
    if planned is not None:
        planned(plan)
    kinds = (
        Kind(opened.format.name, first.shape, DEPTHS[first.dtype], len(plans)),
        Kind(entry.name, plan.shape, plan.type.depth, len(plans)),
    )
    outcome = Outcome(
        *kinds,
        plan.steps,
        warnings=plan.part.notes if plan.part else (),
        part=plan.part,
        execution=plan.execution,
    )
    if document is None:
        return outcome
    results, alone = [], len(plans) == 1  # frames of an animation may share their pixels
    for number, (page, plan) in enumerate(zip(document.pages, plans, strict=True), 1):
        with named(source, None if alone else number):
            results.append(filter_image(page, job.kernels, job.filtering, plan, overwrite=alone))
    filtered = replace(document, pages=tuple(result.image for result in results))
    remarks = write_document(target, filtered, how, save=save, modified=modified)
    return replace(
        outcome,
        steps=_steps_of_all(results),
        clipped_share=sum(result.clipped_share for result in results) / len(results),
        warnings=(*_warnings_of_all(results), *remarks),
        seconds=time.perf_counter() - start,
    )


@contextmanager
def _decoding(opened: Opened, *, ahead: bool) -> Iterator[Callable[[], Document]]:
    """Decode a large picture, if ``ahead``, in another thread, while its filtering is planned.

    Others are decoded at once. The decoder is imported beforehand: two threads that import wait
    for each other.
    """
    first = opened.headers[0]
    large = len(opened.headers) == 1 and first.width * first.height >= LARGE
    if not (ahead and large and opened.format.decoder):
        document = opened.decode()
        yield lambda: document
        return
    opened.format.load_decoder()
    with diverted(), submit(opened.decode) as decoded:
        yield decoded


@contextmanager
def named(source: Path, page: int | None = None) -> Iterator[None]:
    """Name the picture and its page in messages about its size, channels or values."""
    try:
        yield
    except (ImageTooLargeError, NonFiniteError, OptionError, ShapeError) as error:
        name = "standard input" if os.fspath(source) == STDIN else shown(source)
        where = "" if page is None else f", page {page}"
        raise type(error)(f"{name}{where}: {error}") from error


def _planned(
    target: Path,
    opened: Opened,
    plan_for: Planner,
    how: WriteOptions,
    placed: Placer | None = None,
) -> "tuple[list[FilterPlan], Format]":
    """Plan each page as its header describes it, and check that it can be written.

    Pages of one kind are planned once.
    """

    def channels_of(plan: "FilterPlan") -> int:
        if how.background is None or not plan.kind.has_alpha:
            return plan.channels
        from convtool.images.background import channels_on

        return channels_on(plan.channels, how.background)

    from convtool.filtering.plan import PictureKind

    name = opened.format.name
    kinds = [PictureKind.of_header(header, name) for header in opened.headers]
    known = {kind: plan_for(kind) for kind in dict.fromkeys(kinds)}
    for plan in known.values():
        entry = check_writable(
            target,
            channels_of(plan),
            plan.type,
            format=how.format,
            quality=how.quality,
            pages=len(kinds),
            animated=opened.is_animation,
            bands=plan.kind.has_bands and plan.channels > 1,
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


def _how(target: Path, source_format: str, job: FilterJob) -> WriteOptions:
    """Return how to write: standard output, which has no ending, takes the input's format."""
    if job.writing.format is None and os.fspath(target) == STDOUT:
        return replace(job.writing, format=source_format)
    return job.writing
