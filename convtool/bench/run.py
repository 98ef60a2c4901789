"""What ``convtool bench`` measures: the table of engines."""

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
"""What the table has unless asked otherwise."""

EXTRA_PEERS = ("scipy.ndimage.convolve", "scipy.signal.fftconvolve")
"""Peers that the table has beside those of its works, where the work is one kernel."""

LONGEST = 0.4
"""Contenders that are expected to take more seconds for a call are left out of the table."""


class Request(Record, eq=False):
    """What was asked for; empty where nothing was.

    Attributes
    ----------
    sizes, kernels, dtypes, works : tuple
        As for `Grid`.
    engines : tuple of str
        The engines of the table.
    threads : int
        Threads of every contender.
    rounds : int or None
        Rounds, None for as many as there is time for.
    image : ndarray or None
        A picture in place of noise.
    """

    sizes: tuple[tuple[int, int, int], ...] = ()
    kernels: tuple[int, ...] = ()
    dtypes: tuple[str, ...] = ()
    works: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    threads: int = 1
    rounds: int | None = None
    image: Array | None = None


class Outcome(Record):
    """What was measured, for people and for programs.

    Attributes
    ----------
    lines : list of str
        The tables.
    entries : list of Entry
        The measurements.
    more : dict
        What else the report holds.
    """

    lines: list[str]
    entries: list[Entry]
    more: Mapping[str, object] = MappingProxyType({})


def grid(request: Request, base: Grid) -> Grid:
    """Return the cells that a request chooses; ``base`` has what it leaves open."""
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
        What to measure.
    progress : callable
        Told of the cells that are measured.

    Returns
    -------
    Outcome
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
    """Return an outcome as plain values, with the machine that it was measured on.

    Parameters
    ----------
    outcome : Outcome
        What was measured.
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
