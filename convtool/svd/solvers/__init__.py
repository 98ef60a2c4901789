"""The registry of solvers for the k strongest singular triples, imported on use."""

from collections.abc import Callable
from importlib import import_module

from convtool.errors import check_choice
from convtool.kernels.weights import FloatArray
from convtool.records import Record
from convtool.svd.threads import one_thread, suited_to
from convtool.svd.triples import Triples

Solver = Callable[[FloatArray, int, float], Triples]
"""``solve(matrix, k, total)``: the matrix is finite, float32 or float64, of shape (M, N), M ≤ N; k
is 1 to M; ``total`` is the matrix's energy. Unless the triples say that they are in doubt, the PSNR
at k is within 0.005 dB of the best."""


class SolverEntry(Record):
    """A registry entry."""

    module: str
    """The module with the function ``solve(matrix, k, total)``."""
    iterative: bool
    """Whether it runs large products on convtool's threads, so that LAPACK should use only one."""


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
    check_choice("method", name, SOLVERS)
    entry = SOLVERS[name]
    function: Solver = import_module(entry.module).solve

    def solve(matrix: FloatArray, k: int, total: float) -> Triples:
        with one_thread() if entry.iterative else suited_to(matrix.size):
            return function(matrix, k, total)

    return solve
