"""The contenders: convtool's engines, the planner's choice, and functions of other libraries."""

from collections.abc import Iterable
from functools import partial
from typing import cast

import numpy as np

from convtool.bench.cells import WORKS, Cell, Kernel
from convtool.bench.peers import PEERS
from convtool.bench.task import Prepare, Ready, Task
from convtool.convolution import api, gradient
from convtool.convolution.engines import ENGINES, entry
from convtool.convolution.planner import Plan
from convtool.convolution.types import Engine
from convtool.records import Record

AUTO = "auto"
"""The name of the planner's choice as a contender."""


class Contender(Record):
    """An implementation to time."""

    name: str
    """An engine, ``auto``, or a function of another library."""
    prepare: Prepare
    """Prepares a task and returns a callable."""
    own: bool
    """Whether the contender is convtool."""
    like: str | None
    """The engine whose predicted cost approximates its own; None without a prediction."""


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
            engine=cast(Engine, engine),
            threads=task.cell.threads,
        )

    return prepare


def engine(name: str) -> Contender:
    """Return an engine as a contender; ``auto`` is the planner's choice.

    Parameters
    ----------
    name : str
        The engine's name, optionally with a rank as in ``separable:rank=2``.

    Raises
    ------
    OptionError
        If the engine is unknown.
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
    """Return the peers for the works of these cells, each once."""
    names = [name for cell in cells for name in WORKS[cell.work].peers]
    return [peer(name) for name in dict.fromkeys(names)]


def warm() -> None:
    """Call every engine once, so that imports and compilation are not timed."""
    image = np.zeros((32, 32), np.float32)
    for name in ENGINES:
        api.correlate(image, np.ones((3, 3)), engine=cast(Engine, name))


def planned(cell: Cell, kernel: Kernel) -> Plan:
    """Return the planner's choice for a cell with a kernel or a gradient pair."""
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
    """Return the planner's estimate of a contender's time, or None without one."""
    if contender.like is None or contender.like == AUTO:
        return None
    return planned(cell, task.kernel).costs.get(contender.like)
