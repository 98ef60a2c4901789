"""A filter along an axis that is not the last: rows of a block of columns go through a ring.

The ring holds as many rows as the kernel and one more, so that they stay in the first cache. Rows
beyond the end are read at the start, since the answer may lie where the pixels do.
"""

from typing import Any

from numba import carray

from convtool.compiled.calls import call_line
from convtool.compiled.jit import compiled
from convtool.ndimage.jit.job import UNIFORM
from convtool.ndimage.jit.memory import copy, fetch_span, fill, padded, to_indices
from convtool.ndimage.jit.vectors import call_write, divide, slide, weigh

MOST_ORDERS = 64


@compiled
def _read(job: Any, like: Any, place: int, position: int, target: int, count: int) -> None:
    """Read a block's row at a position of the windows; ``place`` is where its first row lies."""
    rows = carray(to_indices(job.rows), (job.height + job.tall - 1,))
    row = rows[position]
    if row < 0:
        fill(like, target, job.cval, count)
    else:
        call_line(job.read, place + row * job.width * job.pixel_bytes, target, count)


@compiled
def _fetch(job: Any, place: int, position: int, count: int) -> None:
    """Have the row at a position fetched."""
    if position < job.height + job.tall - 1:
        row = carray(to_indices(job.rows), (job.height + job.tall - 1,))[position]
        if row >= 0:
            fetch_span(place + row * job.width * job.pixel_bytes, count * job.pixel_bytes)


@compiled
def _order(job: Any, first: int, stride: int, places: int) -> None:
    """Write where in the ring the terms of a row's sum lie; ``first`` is its first row's slot."""
    ring = job.tall + 1
    found = carray(to_indices(places), (2, job.terms))
    near_taps = carray(to_indices(job.near), (job.terms,))
    far_taps = carray(to_indices(job.far), (job.terms,))
    for term in range(job.terms):
        slot = first + near_taps[term]
        found[0, term] = (slot - ring if slot >= ring else slot) * stride
        slot = first + far_taps[term]
        found[1, term] = (slot - ring if slot >= ring else slot) * stride


@compiled
def rows_read(job: Any, start: int, stop: int) -> tuple[int, int]:
    """Return between which rows those lie that the rows ``start … stop-1`` are made of."""
    rows = carray(to_indices(job.rows), (job.height + job.tall - 1,))
    first, last = start, stop - 1
    for position in range(start, stop + job.tall - 1):
        if rows[position] >= 0:
            first, last = min(first, rows[position]), max(last, rows[position])
    return first, last + 1


@compiled
def down_bytes(job: Any) -> int:
    """Return how much memory `filter_block` needs."""
    ring: int = job.tall + 1
    after: int = job.tall - 1 - job.top
    line: int = job.line_bytes * padded(job.block_width)
    orders: int = _orders(ring) * 16 * job.terms
    return (ring + after + 2) * line + orders


@compiled
def _orders(ring: int) -> int:
    """Return for how many first slots it is written down where the terms lie."""
    return ring if ring <= MOST_ORDERS else 1


@compiled
def write_orders(job: Any, memory: int) -> None:
    """Prepare memory for `filter_block`."""
    ring, stride = job.tall + 1, padded(job.block_width)
    places = memory + (ring + job.tall + 1 - job.top) * job.line_bytes * stride
    if _orders(ring) > 1:
        for slot in range(ring):
            _order(job, slot, stride, places + slot * 16 * job.terms)


@compiled
def filter_block(
    job: Any, like: Any, memory: int, pixels: int, depth: int, x: int, start: int, stop: int
) -> None:
    """Filter the rows ``start … stop-1`` of a block of columns of a plane of an array."""
    taps, height = job.tall, job.height
    stride, inside = padded(job.block_width), job.top + height
    ring, after, line = taps + 1, taps - 1 - job.top, job.line_bytes * stride
    order = 16 * job.terms
    saved = memory + ring * line
    total = saved + after * line
    answer = total + line if job.kind == UNIFORM else total
    places = total + 2 * line
    first = depth * height * job.width + x
    count = min(job.block_width, job.width - x)
    place = pixels + first * job.pixel_bytes
    for position in range(inside, stop + taps - 1):
        _read(job, like, place, position, saved + (position - inside) * line, count)
    slot = 0
    for position in range(start, stop + taps - 1):
        newest = memory + slot * line
        if position < inside:
            if job.ahead:
                _fetch(job, place, position + job.ahead, count)
            _read(job, like, place, position, newest, count)
        else:
            copy(like, saved + (position - inside) * line, newest, count)
        slot = slot + 1 if slot + 1 < ring else 0
        y = position - taps + 1
        if y < start:
            continue
        if job.kind == UNIFORM and y > start:
            gone = memory + slot * line
            slide(
                like,
                job.size,
                job.reciprocal,
                job.corrections,
                total,
                answer,
                count,
                newest,
                gone,
            )
        else:
            oldest = slot + 1 if slot + 1 < ring else 0
            near = places + oldest * order
            if _orders(ring) == 1:
                near = places
                _order(job, oldest, stride, near)
            weigh(
                like,
                job.kind,
                memory,
                near,
                near + 8 * job.terms,
                job.weights,
                job.terms,
                job.start,
                total,
                count,
            )
            if job.kind == UNIFORM:
                divide(like, job.size, job.reciprocal, job.corrections, total, answer, count)
        target = job.out + (first + y * job.width) * job.out_bytes
        call_write(job.write, answer, target, count, job.how)
