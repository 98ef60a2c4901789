"""Correlating an image into its own memory.

Fresh memory for an answer is cleared by the system page by page, which can take longer than a small
kernel does. Here each piece of the answer is made from a copy of the rows that it needs, which
stays in the cache, and written where its own rows were. What a piece needs of its neighbours is
copied before any piece is made.
"""

from typing import NamedTuple

import numpy as np

from convtool.convolution import borders, dtypes, scratch, threads, tiles
from convtool.convolution.borders import Indices
from convtool.convolution.engines import Correlator, Job
from convtool.convolution.geometry import Geometry
from convtool.convolution.source import Held, Source, is_packed, rows_named, runs_of
from convtool.convolution.tiles import Band, Store
from convtool.convolution.types import Array, DType, Span
from convtool.records import replace

PIECE_BYTES = 1 << 21
"""Bytes of a piece at least, so that what is done once for each weighs little."""

LEAST_REACHES = 4
"""A piece has at least so many times the rows beyond its edges that it needs: those are copied."""


def fits(shape: tuple[int, ...], dtype: DType, answer_type: DType, layout: Geometry) -> bool:
    """Return whether each pixel can give its place to a value of the answer that it is part of.

    Parameters
    ----------
    shape : tuple of int
        (H, W) or (H, W, C) of the image.
    dtype, answer_type : dtype
        Its type, and that of the answer.
    layout : Geometry
        Where the windows lie.

    Examples
    --------
    >>> from convtool.convolution.geometry import geometry
    >>> uint8 = np.dtype(np.uint8)
    >>> fits((9, 9), uint8, uint8, geometry((9, 9), (3, 3)))
    True
    >>> fits((9, 9), uint8, uint8, geometry((9, 9), (3, 3), mode="valid"))
    False
    """
    rows = layout.rows
    alike = dtype == answer_type and dtype.isnative and layout.shape == shape[:2]
    return alike and rows.stride == 1 and rows.start <= 0 < rows.start + rows.taps


class _Piece(NamedTuple):
    """Rows of the answer, which rows of the image they are made from, and those of neighbours."""

    rows: Span
    read: Indices
    above: Array
    below: Array


def _joined(bands: list[Band], least: int) -> list[Band]:
    """Merge neighbouring bands, so that each but the last has a minimum of rows."""
    joined: list[Band] = []
    for rows, positions in bands:
        if joined and joined[-1].rows[1] - joined[-1].rows[0] < least:
            before = joined.pop()
            one = Band((before.rows[0], rows[1]), (before.positions[0], positions[1]))
        else:
            one = Band(rows, positions)
        joined.append(one)
    return joined


def _piece(band: Band, source: Source) -> _Piece:
    read = rows_named(borders.table(source.height, *band.positions, source.rule))
    above, below = read[read < band.rows[0]], read[read >= band.rows[1]]
    return _Piece(band.rows, read, source.pixels[above], source.pixels[below])


def run(
    correlator: Correlator, source: Source, job: Job, out: Array, store: Store = dtypes.store
) -> None:
    """Correlate the image into ``out``, which is the image's own memory.

    The answer is bit by bit what :func:`.tiles.run` gives, whose parameters these are; shape, types
    and layout are such that it `fits`. Where pieces would be too few for the threads, or pixels do
    not lie side by side, it is made in other memory and copied.
    """
    line = out[:1].nbytes
    least = max(PIECE_BYTES // max(1, line), LEAST_REACHES * (job.layout.rows.taps - 1), 1)
    bands = _joined(tiles.bands(correlator, job, out[:1].size, out.dtype, store), least)
    if len(bands) < job.threads or not is_packed(out):
        made = np.empty_like(out)
        tiles.run(correlator, source, job, made, store)
        out[...] = made
        return
    pieces = [_piece(band, source) for band in bands]
    alone = replace(job, threads=1)

    def work(index: int) -> None:
        (first, last), read, above, below = pieces[index]
        copy = scratch.take("in place", (len(read), *out.shape[1:]), out.dtype)
        np.concatenate((above, source.pixels[first:last], below), out=copy)
        held = replace(source, pixels=copy, held=Held(source.height, runs_of(read)))
        tiles.run(correlator, held, alone, out[first:last], store, first)

    threads.for_each(work, range(len(pieces)), job.threads)
