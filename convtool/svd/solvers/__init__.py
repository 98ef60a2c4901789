"""The registry of solvers for the k strongest singular triples, imported on use."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.errors import OptionError
from convtool.records import Record
from convtool.svd.threads import one_thread, suited_to
from convtool.svd.triples import Triples

FloatArray = NDArray[np.floating[Any]]
Solver = Callable[[FloatArray, int, float], Triples]


class SolverEntry(Record):
    """A registry entry.

    Attributes
    ----------
    module : str
        The module with the function ``solve(matrix, k, total)``.
    iterative : bool
        Whether it runs large products on convtool's threads, so that LAPACK should use only one.
    """

    module: str
    iterative: bool


SOLVERS = {
    "full": SolverEntry("convtool.svd.solvers.full", iterative=False),
    "gram": SolverEntry("convtool.svd.solvers.gram", iterative=False),
    "randomized": SolverEntry("convtool.svd.solvers.randomized", iterative=True),
    "lanczos": SolverEntry("convtool.svd.solvers.lanczos", iterative=True),
}


def methods() -> tuple[str, ...]:
    """Return the valid values of `method`.

    Examples
    --------
    >>> methods()
    ('auto', 'full', 'gram', 'randomized', 'lanczos')
    """
    return ("auto", *SOLVERS)


def solver(name: str) -> Solver:
    """Look up the function of a solver.

    Raises
    ------
    OptionError
        If the solver is unknown.
    """
    if name not in SOLVERS:
        raise OptionError(f"method {name!r}: choose one of {', '.join(methods())}")
    entry = SOLVERS[name]
    function: Solver = import_module(entry.module).solve

    def solve(matrix: FloatArray, k: int, total: float) -> Triples:
        with one_thread() if entry.iterative else suited_to(matrix.size):
            return function(matrix, k, total)

    return solve
