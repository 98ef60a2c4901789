"""Cases for pytest-benchmark; not among the tests.

Run ``pytest benchmarks --benchmark-group-by=group``.
"""

import pytest

from convtool.bench import contenders
from convtool.bench.cells import Cell, work_named
from convtool.bench.task import task
from convtool.convolution.threads import count

SIZES = ((1080, 1920, 1, "float32"), (1080, 1920, 3, "uint8"))
ROUNDS = 5


def cells(work, kernels):
    """Return the cells of a work with these kernels."""
    return [
        Cell(work, height, width, channels, dtype, kernel, threads=count())
        for height, width, channels, dtype in SIZES
        for kernel in kernels
    ]


@pytest.fixture(autouse=True, scope="module")
def warm():
    """Start every engine, so that the planner chooses as in a process that runs on."""
    contenders.warm()


def timed(benchmark, cell, contender):
    """Time a contender in a cell."""
    benchmark.group = cell.title
    call = contender.prepare(task(cell))
    benchmark.pedantic(call, rounds=ROUNDS, warmup_rounds=1)


@pytest.mark.parametrize("name", [contenders.AUTO, "numba", "fft", "opencv"])
@pytest.mark.parametrize("cell", cells("dense", (3, 7, 15, 31)), ids=lambda cell: cell.title)
def test_dense(benchmark, cell, name):
    """Full-rank kernels through the engines."""
    timed(benchmark, cell, contenders.engine(name))


@pytest.mark.parametrize("work", ["gaussian", "box"])
@pytest.mark.parametrize("side", ["convtool", "peers"])
def test_works(benchmark, work, side):
    """Separable kernels against OpenCV."""
    cell = cells(work, (15,))[0]
    names = work_named(work).peers
    contender = contenders.engine("auto") if side == "convtool" else contenders.peer(names[0])
    timed(benchmark, cell, contender)
