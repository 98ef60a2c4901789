"""Who takes part: this project's engines and the planner's choice, and their opponents."""

from collections.abc import Iterable
from functools import partial

import numpy as np

from convtool.bench.cells import WORKS, Cell, Kernel
from convtool.bench.peers import PEERS
from convtool.bench.task import Prepare, Ready, Task
from convtool.convolution import api, gradient
from convtool.convolution.engines import ENGINES, entry
from convtool.convolution.planner import Plan
from convtool.records import Record

AUTO = "auto"
"""The planner's choice, as a contender."""


class Contender(Record):
    """One that is timed.

    Attributes
    ----------
    name : str
        An engine, ``auto``, or a function of another library.
    prepare : callable
        Makes a task ready for it.
    own : bool
        Whether it is convtool that is called.
    like : str or None
        The engine whose predicted cost is about its own; None where nothing predicts it.
    """

    name: str
    prepare: Prepare
    own: bool
    like: str | None


def _through(engine: str) -> Prepare:
    def prepare(task: Task) -> Ready:
        function = gradient.gradient_magnitude if task.kernel.ndim == 3 else api.correlate
        return partial(
            function,
            task.image,
            task.kernel,
            out=task.memory(),
            border="reflect",
            stride=task.cell.stride,
            engine=engine,
            threads=task.cell.threads,
        )

    return prepare


def engine(name: str) -> Contender:
    """Return an engine as a contender; ``auto`` is the planner's choice.

    Parameters
    ----------
    name : str
        Its name, or with a rank as in ``separable:rank=2``.

    Raises
    ------
    OptionError
        If no engine has that name.
    """
    plain = name.partition(":")[0]
    if plain != AUTO:
        entry(plain)
    return Contender(name, _through(name), True, plain)


def peer(name: str) -> Contender:
    """Return a function of another library as a contender."""
    known = PEERS[name]
    return Contender(known.name, known.prepare, False, known.like)


def peers_of(cells: Iterable[Cell]) -> list[Contender]:
    """Return the opponents in the works of these cells, each once."""
    names = [name for cell in cells for name in WORKS[cell.work].peers]
    return [peer(name) for name in dict.fromkeys(names)]


def warm() -> None:
    """Use every engine once, so that from now on none has to be imported or compiled."""
    image = np.zeros((32, 32), np.float32)
    for name in ENGINES:
        api.correlate(image, np.ones((3, 3)), engine=name)


def planned(cell: Cell, kernel: Kernel) -> Plan:
    """Return the planner's choice for a cell with a kernel, or with a gradient's pair."""
    return api.planned(
        cell.shape,
        cell.dtype,
        tuple(kernel) if kernel.ndim == 3 else (kernel,),
        False,
        border="reflect",
        stride=cell.stride,
        threads=cell.threads,
        out_dtype=cell.dtype,
    )


def predicted(cell: Cell, contender: Contender, task: Task) -> float | None:
    """Return the seconds that the planner expects of a contender, None where it knows none."""
    if contender.like is None or contender.like == AUTO:
        return None
    return planned(cell, task.kernel).costs.get(contender.like)
