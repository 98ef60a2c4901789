"""A correlation of arrays of up to three axes by weights of any shape.

A block of rows is read with the rows around it, in all planes that the kernel reaches; the sum of
each pixel runs over the weights that are not 0, in the order in which they lie in memory.
"""

from typing import Any

from numba import carray

from convtool.compiled.atomics import fetch_add_one
from convtool.compiled.jit import compiled, entry, pointer_to
from convtool.compiled.memory import ALIGNMENT, aligned, allocate, release
from convtool.ndimage.jit.job import JOB, WEIGHTED
from convtool.ndimage.jit.memory import fill, read_span, to_indices
from convtool.ndimage.jit.vectors import call_write, weigh


@compiled
def _read_block(
    job: Any, like: Any, z: int, y: int, rows: int, x: int, count: int, lines: int
) -> None:
    """Read the rows of a block and those around it, in each plane of the kernel."""
    planes_at = carray(to_indices(job.planes), (job.depth + job.deep - 1,))
    rows_at = carray(to_indices(job.rows), (job.height + job.tall - 1,))
    for plane in range(job.deep):
        for line in range(rows + job.tall - 1):
            place = lines + job.line_bytes * job.stride * (
                plane * (job.block_rows + job.tall - 1) + line
            )
            source, row = planes_at[z + plane], rows_at[y + line]
            if source < 0 or row < 0:
                fill(like, place, job.cval, count + job.wide - 1)
            else:
                start = (source * job.height + row) * job.width * job.pixel_bytes
                read_span(job, like, job.pixels + start, x, x + count + job.wide - 1, place)


@entry(pointer_to(JOB), pointer_to)
def correlate(jobs: Any, like: Any) -> None:
    """Correlate blocks until none is left."""
    job = carray(jobs, (1,))[0]
    across = -(-job.width // job.block_width)
    down = -(-job.height // job.block_rows)
    held = job.deep * (job.block_rows + job.tall - 1)
    # Vectors may reach one vector beyond a line.
    memory = allocate(job.line_bytes * job.stride * (held + 1) + 3 * ALIGNMENT)
    if memory == 0:
        job.failed = 1
        return
    lines = aligned(memory)
    target = lines + job.line_bytes * job.stride * held + ALIGNMENT
    taken = fetch_add_one(job.counter)
    while taken < job.tasks:
        x = taken % across * job.block_width
        y = taken // across % down * job.block_rows
        z = taken // across // down
        count = min(job.block_width, job.width - x)
        rows = min(job.block_rows, job.height - y)
        _read_block(job, like, z, y, rows, x, count, lines)
        for line in range(rows):
            weigh(
                like,
                WEIGHTED,
                lines + job.line_bytes * job.stride * line,
                job.near,
                job.far,
                job.weights,
                job.terms,
                job.start,
                target,
                count,
            )
            place = (z * job.height + y + line) * job.width + x
            call_write(job.write, target, job.out + place * job.out_bytes, count, job.how)
        taken = fetch_add_one(job.counter)
    release(memory)
