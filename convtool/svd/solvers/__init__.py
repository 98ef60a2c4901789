"""The ways to compute the k strongest singular triples: a registry, each imported on use."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.errors import OptionError
from convtool.svd.triples import Triples

FloatArray = NDArray[np.floating[Any]]
Solver = Callable[[FloatArray, int], Triples]


@dataclass(frozen=True)
class SolverEntry:
    """A solver as the registry knows it.

    Attributes
    ----------
    module : str
        The module whose function ``solve(matrix, k)`` it is.
    summary : str
        One line for people.
    """

    module: str
    summary: str


SOLVERS = {
    "full": SolverEntry(
        "convtool.svd.solvers.full", "LAPACK's whole decomposition in float64: the yardstick"
    ),
    "gram": SolverEntry(
        "convtool.svd.solvers.gram", "eigenvectors of A·Aᵀ in float64, while σ/σ₁ stays above 1e-7"
    ),
    "randomized": SolverEntry(
        "convtool.svd.solvers.randomized", "power iteration of a random block, with a residual test"
    ),
    "lanczos": SolverEntry(
        "convtool.svd.solvers.lanczos", "a block Krylov subspace, with a residual test"
    ),
}


def methods() -> tuple[str, ...]:
    """Return the names that `method` may have.

    Examples
    --------
    >>> methods()
    ('auto', 'full', 'gram', 'randomized', 'lanczos')
    """
    return ("auto", *SOLVERS)


def solver(name: str) -> Solver:
    """Return the function of a solver.

    Raises
    ------
    OptionError
        Where no solver has that name.
    """
    if name not in SOLVERS:
        raise OptionError(f"method {name!r}: choose one of {', '.join(methods())}")
    function: Solver = import_module(SOLVERS[name].module).solve
    return function
