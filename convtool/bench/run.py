"""What ``convtool bench`` does: the table of engines, and the suites."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol

from convtool.bench import contenders, scaling, suites
from convtool.bench.cells import Array, Cell
from convtool.bench.machine import describe, in_words
from convtool.bench.measure import Effort, measure_all
from convtool.bench.results import SCHEMA, Entry, as_row
from convtool.bench.roofline import Machine
from convtool.bench.suites import Grid
from convtool.bench.tables import duel_lines, engine_tables, finding_lines, verdict_lines
from convtool.convolution.engines import ENGINES
from convtool.records import Record

KERNELS = (3, 5, 7, 11, 15, 31, 63)
SIZES = ((1080, 1920, 1),)
"""What the table has unless asked otherwise."""

EXTRA_PEERS = ("scipy.ndimage.convolve", "scipy.signal.fftconvolve")
"""Peers that the table has beside those of its works, where the work is one kernel."""

LONGEST = 0.4
"""Contenders that are expected to take more seconds for a call are left out of the table."""

FARTHEST = 10.0
"""An engine that is expected to take so many times the fastest is none for the suite ``auto``."""

SUITES = ("peers", "auto", "scaling")
"""The suites."""


class Progress(Protocol):
    """Passes items on and shows how many are done."""

    def __call__(self, title: str, items: Sequence[Any], /) -> Iterable[Any]:
        """Return the items; ``title`` says what they are."""


class Request(Record, eq=False):
    """What was asked for; empty where nothing was.

    Attributes
    ----------
    suite : str or None
        A name of `SUITES`; None for the table.
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

    suite: str | None = None
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


def run(request: Request, progress: Progress) -> Outcome:
    """Measure what was asked for.

    Parameters
    ----------
    request : Request
        What.
    progress : callable
        ``progress(title, items)`` passes items on and shows how many are done.

    Returns
    -------
    Outcome
    """
    contenders.warm()
    return _RUNS[request.suite](request, progress)


def report(request: Request, outcome: Outcome) -> dict[str, Any]:
    """Return the outcome as plain values, with the machine that it was measured on."""
    return {
        "schema": SCHEMA,
        "suite": request.suite,
        "machine": describe(request.threads),
        "entries": [as_row(entry) for entry in outcome.entries],
        **outcome.more,
    }


def _grid(request: Request, base: Grid) -> Grid:
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


def _table(request: Request, progress: Progress) -> Outcome:
    cells = _grid(request, Grid(SIZES, KERNELS, ("dense",))).cells()
    engines = [contenders.engine(name) for name in request.engines or (contenders.AUTO, *ENGINES)]
    extra = [contenders.peer(name) for name in EXTRA_PEERS]

    def present(cell: Cell) -> list[contenders.Contender]:
        single = cell.work != "sobel"
        return [*engines, *contenders.peers_of([cell]), *(extra if single else ())]

    effort = Effort(request.rounds, budget=0.4, longest=LONGEST)
    shown = partial(progress, "bench")
    entries = list(measure_all(cells, present, effort, request.image, progress=shown))
    return Outcome([*engine_tables(entries), "", *in_words(describe(request.threads))], entries)


def _duels(
    kind: str,
    versus: Callable[[Cell], list[contenders.Contender]],
    judge: Callable[[Sequence[suites.Duel]], list[suites.Verdict]],
    farthest: float,
    request: Request,
    progress: Progress,
) -> Outcome:
    cells = _grid(request, Grid()).suited().cells()
    machine = Machine()
    effort = Effort(request.rounds, farthest=farthest)
    shown = partial(progress, kind)
    entries = list(measure_all(cells, versus, effort, machine=machine, progress=shown))
    found = suites.duels(entries)
    judged = judge(found)
    lines = [*duel_lines(found, entries), "", *verdict_lines(judged), ""]
    return Outcome(
        lines + in_words(describe(request.threads)),
        entries,
        {"verdicts": [one.as_dict() for one in judged], "limits": machine.as_dict()},
    )


def _scaling(request: Request, progress: Progress) -> Outcome:
    parts = scaling.parts(request.threads, Effort(request.rounds))
    outcomes = [part() for part in progress("scaling", parts)]
    findings = [finding for found, _ in outcomes for finding in found]
    verdicts = [verdict for _, verdict in outcomes]
    lines = [*finding_lines(findings), "", *verdict_lines(verdicts), ""]
    return Outcome(
        lines + in_words(describe(request.threads)),
        [],
        {
            "findings": [one.as_dict() for one in findings],
            "verdicts": [one.as_dict() for one in verdicts],
        },
    )


_RUNS: dict[str | None, Callable[[Request, Progress], Outcome]] = {
    None: _table,
    "peers": partial(_duels, "peers", suites.against_peers, suites.peer_verdicts, math.inf),
    "auto": partial(_duels, "auto", suites.against_engines, suites.auto_verdicts, FARTHEST),
    "scaling": _scaling,
}
