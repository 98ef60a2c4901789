"""Run the table of engines of ``convtool bench``."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from convtool.bench import contenders
from convtool.bench.cells import Array, Cell, Grid
from convtool.bench.machine import describe, in_words
from convtool.bench.measure import Effort, measure_all
from convtool.bench.results import SCHEMA, Entry, as_row
from convtool.bench.tables import engine_tables
from convtool.convolution.engines import ENGINES
from convtool.progress import Progress, tracked
from convtool.records import Record

KERNELS = (3, 5, 7, 11, 15, 31, 63)
SIZES = ((1080, 1920, 1),)
"""The default cells of the table."""

EXTRA_PEERS = ("scipy.ndimage.convolve", "scipy.signal.fftconvolve")
"""Additional peers of the table, for works with a single kernel."""

LONGEST = 0.4
"""Contenders with a longer expected time in seconds for a call are not in the table."""


class Request(Record, eq=False):
    """The options of a benchmark; empty fields take the defaults."""

    sizes: tuple[tuple[int, int, int], ...] = ()
    kernels: tuple[int, ...] = ()
    dtypes: tuple[str, ...] = ()
    works: tuple[str, ...] = ()
    """As for `Grid`."""
    engines: tuple[str, ...] = ()
    """The engines of the table."""
    threads: int = 1
    """Threads of every contender."""
    rounds: int | None = None
    """Rounds; None for as many as the time budget allows."""
    image: Array | None = None
    """A picture to use instead of noise."""


class Outcome(Record):
    """The results of a benchmark, as text and as data."""

    lines: list[str]
    """The tables."""
    entries: list[Entry]
    """The measurements."""
    more: Mapping[str, object] = MappingProxyType({})
    """Additional fields of the report."""


def grid(request: Request, base: Grid) -> Grid:
    """Return the grid of a request; ``base`` supplies the fields that it leaves empty."""
    sizes, dtypes = request.sizes, request.dtypes
    if request.image is not None:
        height, width, *channels = request.image.shape
        sizes = ((height, width, channels[0] if channels else 1),)
        dtypes = dtypes or (request.image.dtype.name,)
    return Grid(
        sizes or base.sizes,
        request.kernels or base.kernels,
        request.works or base.works,
        dtypes,
        request.threads,
    )


def run(request: Request, progress: Progress) -> Outcome:
    """Measure the engines beside the functions of OpenCV and SciPy.

    Parameters
    ----------
    request : Request
        The options.
    progress : callable
        Told of the cells that are measured.
    """
    contenders.warm()
    cells = grid(request, Grid(SIZES, KERNELS, ("dense",))).cells()
    engines = [contenders.engine(name) for name in request.engines or (contenders.AUTO, *ENGINES)]
    extra = [contenders.peer(name) for name in EXTRA_PEERS]

    def present(cell: Cell) -> list[contenders.Contender]:
        single = cell.work != "sobel"
        return [*engines, *contenders.peers_of([cell]), *(extra if single else ())]

    effort = Effort(request.rounds, budget=0.4, longest=LONGEST)
    tracked_cells = tracked(progress, "bench", cells)
    entries = list(measure_all(tracked_cells, present, effort, request.image))
    return Outcome([*engine_tables(entries), "", *in_words(describe(request.threads))], entries)


def report(outcome: Outcome, threads: int, suite: str | None = None) -> dict[str, Any]:
    """Return an outcome and the machine's description as JSON values.

    Parameters
    ----------
    outcome : Outcome
        The results.
    threads : int
        Threads of every contender.
    suite : str, optional
        The suite of ``benchmarks/``; None for the table.
    """
    return {
        "schema": SCHEMA,
        "suite": suite,
        "machine": describe(threads),
        "entries": [as_row(entry) for entry in outcome.entries],
        **outcome.more,
    }
