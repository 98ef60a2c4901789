"""Bars of a volume: planes held in a ring, each padded and converted once, then added up."""

from typing import Any, NamedTuple

from numba import carray

from convtool.compiled.atomics import fetch_add_one
from convtool.compiled.calls import call_line
from convtool.compiled.jit import compiled, entry, pointer_to
from convtool.compiled.memory import (
    ALIGNMENT,
    address_in,
    aligned,
    allocate,
    pointer,
    release,
)
from convtool.convolution.engines.jit.job import INDEX, offset_of
from convtool.convolution.engines.jit.plane import correlate
from convtool.convolution.engines.jit.reading import Input
from convtool.convolution.engines.jit.strip import pad_line
from convtool.convolution.engines.jit.vectors import (
    add_weighted_line,
    fill_line,
    lanes_of,
    line_is_finite,
)
from convtool.convolution.engines.jit.volume_job import GROUP, VOLUME_JOB
from convtool.convolution.engines.jit.volume_simd import (
    BLOCKS,
    SMALL_SIDE,
    WIDE_ROWS,
    correlate_stack,
    sum_planes,
)
from convtool.convolution.types import Array

_FLAT = offset_of(VOLUME_JOB, "flat")
_TAKEN = offset_of(VOLUME_JOB, "taken")
_SMALL = len(BLOCKS) - 1
_SMALL_ROWS, _SMALL_VECTORS, _ = BLOCKS[_SMALL]


@compiled
def _block_for(rows: int, width: int, lanes: int) -> int:
    """Return which of the blocks makes at most so many rows of that width."""
    choice = 0
    for candidate in range(len(WIDE_ROWS)):
        if WIDE_ROWS[candidate] <= rows:
            choice = candidate
    if width < BLOCKS[choice][1] * lanes:
        choice += len(WIDE_ROWS)
    return choice


@compiled
def _is_row_wise(job: Any) -> bool:
    """Return whether an output needs one row alone of each plane in the ring."""
    return bool(job.is_flat != 0 or job.height * job.taps == 1)


@compiled
def _slots(job: Any) -> int:
    """Return how many planes the ring holds."""
    count: int = job.depth + GROUP - 1 if _is_row_wise(job) else job.depth
    return count


@compiled
def _pad_plane(
    job: Any, index: Any, weights: Any, plane: int, bar: Any, target: int, stride: int
) -> bool:
    """Write a bar's rows of a plane, -1 for none, with their border; return if all are finite."""
    like, size = weights[0, 0, 0], weights.itemsize
    image = Input(
        job.pixels + max(plane, 0) * job.plane_stride * job.pixel_bytes,
        job.row_stride,
        job.pixel_bytes,
        job.read,
        carray(pointer(index, job.rows), (job.row_count,)),
        carray(pointer(index, job.columns), (job.column_count,)),
        0,
        0,
        job.left,
        job.right,
    )
    cval = weights.dtype.type(job.cval)
    last = bar[5] + job.taps - 1
    finite = True
    for k in range(bar[3] - bar[2] + job.height - 1):
        row = image.rows[bar[2] + k] if plane >= 0 else -1
        place = target + k * stride * size
        pad_line(image, row, bar[4], last, job.step, cval, place)
        if job.guarded != 0:
            finite = finite and line_is_finite(like, place, (last - bar[4]) * job.step)
    return finite


@compiled
def _correlate_sparse(
    weights: Any, table: Any, stride: int, offset: int, step: int, target: int, width: int
) -> None:
    """Make a row weight by weight, those of zero left out, so that they carry no NaN or inf."""
    size = weights.itemsize
    fill_line(weights.dtype.type(0), target, width)
    for plane in range(weights.shape[0]):
        for k in range(weights.shape[1]):
            line = table[plane] + (offset + k * stride) * size
            for x in range(weights.shape[2]):
                if weights[plane, k, x] != 0:
                    place = line + x * step * size
                    add_weighted_line(weights[plane, k, x], place, target, width)


@compiled
def _write_row(job: Any, made: int, z: int, y: int, x: int, width: int) -> None:
    """Write a row of answers that was made in scratch."""
    place = z * job.out_plane_stride + y * job.out_row_stride + x * job.step
    call_line(job.write, made, job.out + place * job.out_bytes, width)


class Ring(NamedTuple):
    """The scratch of a thread: addresses, and distances in scalars.

    ``table`` holds the addresses of the planes that outputs are made of, in their order; ``finite``
    whether each plane of the ring is. Planes have ``stride`` scalars a row and lie ``apart``.
    A plane is padded at ``padded`` before it is correlated into the ring; ``made`` is for rows of
    answers.
    """

    table: Array
    finite: Array
    planes: int
    apart: int
    stride: int
    padded: int
    made: int


@compiled
def _ring_in(job: Any, index: Any, memory: int, size: int, stride: int) -> Ring:
    """Lay out a thread's scratch."""
    slots = _slots(job)
    apart = (job.tallest + job.height - 1) * stride
    planes = aligned(memory + 16 * slots)
    padded = planes + slots * apart * size
    return Ring(
        carray(pointer(index, memory), (slots,)),
        carray(pointer(index, memory + 8 * slots), (slots,)),
        planes,
        apart,
        stride,
        padded,
        padded + (apart * size if job.is_flat != 0 else 0),
    )


@compiled
def _scratch_bytes(job: Any, size: int, stride: int, lanes: int) -> int:
    """Return how much memory `_ring_in` needs."""
    slots = _slots(job)
    planes = slots + (1 if job.is_flat != 0 else 0)
    rows = planes * (job.tallest + job.height - 1) + max(job.tallest, GROUP)
    count: int = 16 * slots + (rows * stride + lanes) * size + 2 * ALIGNMENT
    return count


@compiled
def _enter_plane(
    job: Any, record: int, index: Any, weights: Any, bar: Any, ring: Ring, number: int
) -> bool:
    """Put the plane at a position of a bar into the ring; return False where there is no memory."""
    size = weights.itemsize
    slot = number % len(ring.table)
    target = ring.planes + slot * ring.apart * size
    plane = carray(pointer(index, job.planes), (job.plane_count,))[bar[0] + number]
    place = ring.padded if job.is_flat != 0 else target
    finite = _pad_plane(job, index, weights, plane, bar, place, ring.stride)
    ring.finite[slot] = 1 if finite else 0
    if job.is_flat == 0:
        return True
    done = correlate(
        record + _FLAT,
        job.plane,
        0 if finite else 1,
        place,
        ring.stride,
        job.step,
        1,
        target,
        ring.stride,
        bar[3] - bar[2],
        (bar[5] - bar[4]) * job.step,
    )
    return bool(done != 0)


@compiled
def _make_by_columns(
    job: Any, weights: Any, bar: Any, ring: Ring, finite: bool, z: int, count: int
) -> None:
    """Make ``count`` planes of a bar, each output from one row of each plane."""
    like = weights[0, 0, 0]
    lanes, size = lanes_of(like), weights.itemsize
    width = (bar[5] - bar[4]) * job.step
    direct = job.direct != 0 and width >= lanes
    choice = _block_for(min(count, job.depth), max(width, lanes), lanes)
    planes = BLOCKS[choice][0]
    for part in range(0, count, planes):
        first = min(part, count - planes)
        for y in range(bar[3] - bar[2]):
            target, stride = ring.made, ring.stride
            if direct:
                place = (z + first) * job.out_plane_stride
                place += (bar[2] + y) * job.out_row_stride + bar[4] * job.step
                target, stride = job.out + place * size, job.out_plane_stride
            if finite:
                sum_planes(
                    choice,
                    like,
                    ring.table.ctypes.data + 8 * first,
                    y * ring.stride,
                    weights.ctypes.data,
                    job.depth,
                    target,
                    stride,
                    max(width, lanes),
                )
            for plane in range(planes):
                line = target + plane * stride * size
                if not finite:
                    table = ring.table[first + plane :]
                    _correlate_sparse(weights, table, ring.stride, y * ring.stride, 1, line, width)
                if not direct:
                    _write_row(job, line, z + first + plane, bar[2] + y, bar[4], width)


@compiled
def _make_by_blocks(job: Any, weights: Any, bar: Any, ring: Ring, finite: bool, z: int) -> None:
    """Make a plane of a bar, each output from all that the kernel reaches in each plane."""
    like = weights[0, 0, 0]
    lanes, size = lanes_of(like), weights.itemsize
    rows, width = bar[3] - bar[2], (bar[5] - bar[4]) * job.step
    direct = job.direct != 0 and width >= lanes
    target, stride = ring.made, ring.stride
    if direct:
        place = z * job.out_plane_stride + bar[2] * job.out_row_stride + bar[4] * job.step
        target, stride = job.out + place * size, job.out_row_stride
    if finite:
        choice = _block_for(min(rows, job.height), max(width, lanes), lanes)
        cube = job.depth == SMALL_SIDE and job.height == SMALL_SIDE and job.taps == SMALL_SIDE
        if cube and rows >= _SMALL_ROWS and width >= _SMALL_VECTORS * lanes:
            choice = _SMALL
        correlate_stack(
            choice,
            like,
            ring.table.ctypes.data,
            ring.stride,
            0,
            weights.ctypes.data,
            job.depth,
            job.height,
            job.taps,
            job.step,
            target,
            stride,
            rows,
            max(width, lanes),
        )
    for y in range(rows):
        line = target + y * stride * size
        if not finite:
            offset = y * ring.stride
            _correlate_sparse(weights, ring.table, ring.stride, offset, job.step, line, width)
        if not direct:
            _write_row(job, line, z, bar[2] + y, bar[4], width)


@compiled
def _make_bar(job: Any, record: int, index: Any, weights: Any, bar: Any, ring: Ring) -> bool:
    """Make the outputs of a bar; return False where there is no memory for its passes."""
    group = min(GROUP, job.depth) if _is_row_wise(job) else 1
    slots = len(ring.table)
    entered = 0
    z = bar[0]
    while z < bar[1]:
        count = min(group, bar[1] - z)
        needed = count + job.depth - 1
        while entered < z - bar[0] + needed:
            if not _enter_plane(job, record, index, weights, bar, ring, entered):
                return False
            entered += 1
        finite = True
        for k in range(needed):
            slot = (z - bar[0] + k) % slots
            ring.table[k] = ring.planes + slot * ring.apart * weights.itemsize
            finite = finite and ring.finite[slot] != 0
        if _is_row_wise(job):
            _make_by_columns(job, weights, bar, ring, finite, z, count)
        else:
            _make_by_blocks(job, weights, bar, ring, finite, z)
        z += count
    return True


@entry(lambda _: pointer_to(VOLUME_JOB), pointer_to, lambda _: pointer_to(INDEX))
def make_bars(jobs: Any, work: Any, index: Any) -> None:
    """Make bars of the answer until none is left to take.

    ``work`` and ``index`` are pointers that only tell types: of the arithmetic, and of indices.
    """
    job = carray(jobs, (1,))[0]
    record = address_in(jobs)
    flat = job.is_flat != 0
    shape = (job.depth, 1 if flat else job.height, 1 if flat else job.taps)
    weights = carray(pointer(work, job.weights), shape)
    lanes, size = lanes_of(weights[0, 0, 0]), weights.itemsize
    stride = max(job.widest * job.step, lanes) + (job.taps - 1) * job.step
    stride = -(-stride // lanes) * lanes
    memory = allocate(_scratch_bytes(job, size, stride, lanes))
    if memory == 0:
        job.failed = 1
        return
    ring = _ring_in(job, index, memory, size, stride)
    bars = carray(pointer(index, job.bars), (job.bar_count, 6))
    taken = fetch_add_one(record + _TAKEN)
    while taken < job.bar_count:
        if not _make_bar(job, record, index, weights, bars[taken], ring):
            job.failed = 1
            break
        taken = fetch_add_one(record + _TAKEN)
    release(memory)
