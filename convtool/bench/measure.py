"""Validate contenders against float64, then time the valid ones."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from convtool.bench import oracle
from convtool.bench.cells import Array, Cell
from convtool.bench.contenders import AUTO, Contender, planned, predicted
from convtool.bench.peers import threads
from convtool.bench.results import CANNOT, LEFT_OUT, WRONG, Entry
from convtool.bench.task import Ready, Task, task
from convtool.bench.timing import interleave
from convtool.errors import ConvtoolError
from convtool.records import Record, replace
from convtool.report.units import seconds_text


class Effort(Record):
    """The limits of a measurement's duration."""

    rounds: int | None = None
    """Rounds for each cell; None for as many as the budget allows."""
    budget: float = 0.5
    """Time budget in seconds for the rounds of a cell."""
    longest: float = 1.0
    """Contenders with a longer expected time in seconds for one call are skipped."""
    farthest: float = math.inf
    """Contenders whose expected time exceeds that of the fastest by this factor are skipped."""


def measure(
    cell: Cell,
    contenders: Sequence[Contender],
    effort: Effort | None = None,
    image: Array | None = None,
) -> list[Entry]:
    """Validate and time contenders in a cell.

    Parameters
    ----------
    cell : Cell
        The benchmark case.
    contenders : sequence of Contender
        The implementations.
    effort : Effort, optional
        The limits of the duration.
    image : ndarray, optional
        The image, of the cell's shape and type; noise by default.

    Returns
    -------
    list of Entry
        One for each contender, with a note if it is unsupported, wrong or too slow.
    """
    effort = effort or Effort()
    job = task(cell, image)
    entries: dict[str, Entry] = {}
    ready: dict[str, Ready] = {}
    expected = {one.name: predicted(cell, one, job) for one in contenders}
    quickest = min((seconds for seconds in expected.values() if seconds), default=math.inf)
    longest = min(effort.longest, quickest * effort.farthest)
    with threads(cell.threads):
        for contender in contenders:
            entry = Entry(cell, contender.name, contender.own)
            seconds = expected[contender.name]
            if seconds is not None and seconds > longest:
                note = f"{LEFT_OUT}would take {seconds_text(seconds)}"
                entries[contender.name] = replace(entry, note=note)
                continue
            call, entry = _validated(job, contender, entry)
            entries[contender.name] = entry
            if call is not None:
                ready[contender.name] = call
        timings = interleave(ready, rounds=effort.rounds, budget=effort.budget)
    for name, timing in timings.items():
        entries[name] = replace(entries[name], timing=timing)
    return list(entries.values())


def _validated(job: Task, contender: Contender, entry: Entry) -> tuple[Ready | None, Entry]:
    """Return a contender's call if its output is right, else None and the reason in the entry."""
    try:
        call = contender.prepare(job)
        answer = call()
    except ConvtoolError as error:
        return None, replace(entry, note=f"{CANNOT}{error}")
    except MemoryError:
        return None, replace(entry, note=f"{CANNOT}not enough memory")
    wrong = oracle.error(job, answer)
    entry = replace(entry, error=wrong)
    if not wrong <= oracle.tolerated(job, contender.own):
        return None, replace(entry, note=f"{WRONG}its error is {wrong:.2g}")
    if contender.name == AUTO:
        entry = replace(entry, note=_chosen(job))
    return call, entry


def _chosen(job: Task) -> str:
    """Return the engine that the planner chooses, with its rank."""
    plan = planned(job.cell, job.kernel)
    return plan.engine if plan.rank is None else f"{plan.engine}:rank={plan.rank}"


def measure_all(
    cells: Iterable[Cell],
    contenders: Callable[[Cell], Sequence[Contender]],
    effort: Effort | None = None,
    image: Array | None = None,
) -> Iterator[Entry]:
    """Measure cells in sequence; parameters as for `measure`."""
    one = partial(measure, effort=effort, image=image)
    for cell in cells:
        yield from one(cell, contenders(cell))
