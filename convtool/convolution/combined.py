"""Combine several kernels over one piece of an image, for engines that compute one at a time."""

from collections.abc import Callable, Sequence

import numpy as np

from convtool.convolution import scratch, threads
from convtool.convolution.engines import Correlator, Job, StripCorrelator, TileCorrelator
from convtool.convolution.source import Source
from convtool.convolution.types import Array, Span
from convtool.kernels.weights import Combination

COMBINE: dict[Combination, Callable[..., Array]] = {"magnitude": np.hypot, "maximum": np.maximum}
"""What makes one answer of two."""


def combined(parts: Sequence[Correlator], job: Job) -> Correlator:
    """Combine correlators: compute each kernel's output piece by piece, and merge them.

    Parameters
    ----------
    parts : sequence of Correlator
        Each kernel made ready by the same engine.
    job : Job
        The kernels, and how their answers are combined.
    """
    strips = [part for part in parts if isinstance(part, StripCorrelator)]
    if strips:
        return _combined_strips(strips, job)
    return _combined_tiles([part for part in parts if isinstance(part, TileCorrelator)], job)


def _tile(parts: Sequence[Correlator]) -> tuple[int, int]:
    return min(part.tile[0] for part in parts), min(part.tile[1] for part in parts)


def _combined_tiles(parts: list[TileCorrelator], job: Job) -> TileCorrelator:
    first, *others = parts
    combine = COMBINE[job.combination]

    def run(window: Array, out: Array) -> None:
        first.run(window, out)
        made = scratch.take("combined", out.shape, out.dtype)
        for part in others:
            part.run(window, made)
            combine(out, made, out=out)

    return TileCorrelator(run, _tile(parts))


def _combined_strips(parts: list[StripCorrelator], job: Job) -> StripCorrelator:
    first, *others = parts
    combine, stride = COMBINE[job.combination], job.layout.columns.stride

    def run(source: Source, out: Array, origin: Span, strips: Array, workers: int) -> None:
        @np.errstate(all="ignore")
        def work(index: int) -> None:
            top, bottom, left, right = (int(end) for end in strips[index])
            start, stop = -(-left // stride), -(-right // stride)
            rows = slice(top - origin[0], bottom - origin[0])
            answer = out[rows, start - origin[1] : stop - origin[1]]
            place, one = (top, start), strips[index : index + 1]
            first.run(source, answer, place, one, 1)
            made = scratch.take("combined", answer.shape, answer.dtype)
            for part in others:
                part.run(source, made, place, one, 1)
                combine(answer, made, out=answer)

        threads.for_each(work, range(len(strips)), workers)

    return StripCorrelator(run, _tile(parts), frozenset(), first.wake)
