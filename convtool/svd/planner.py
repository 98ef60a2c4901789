"""Solver selection by a cost model, a pure function of sizes and dtype."""

from convtool.errors import check_choice
from convtool.notebook import costs_html
from convtool.records import Record
from convtool.svd.solvers import SOLVERS, methods
from convtool.svd.start import block_size, can_guess, guessed_size

_SINGLE_RATE = 1.1e11
_DOUBLE_RATE = 5.5e10
_EIGEN_SECONDS = 1.7e-10
_FULL_SECONDS = 3.0e-10
_CALL_SECONDS = 4e-5
_LANCZOS_BLOCKS = 3
_RANDOMIZED_ROUNDS = 10


class SvdPlan(Record):
    """The selected solver and the reason.

    Attributes
    ----------
    method : str
        The solver's name.
    costs : dict of str to float
        Estimated seconds of each solver on two cores; only their order is relevant.
    reason : str
        A one-line explanation.
    """

    method: str
    costs: dict[str, float]
    reason: str

    def _repr_html_(self) -> str:
        """Return what a notebook shows: a table of the costs."""
        return costs_html(self.costs, self.method, f"{self.method}: {self.reason}")


def plan(rows: int, columns: int, k: int, *, single: bool = True, method: str = "auto") -> SvdPlan:
    """Select the solver for the k strongest singular triples of a matrix.

    Parameters
    ----------
    rows, columns : int
        The matrix's shape.
    k : int
        Number of triples, 1 to min(rows, columns).
    single : bool
        Whether the matrix is float32.
    method : str
        ``auto`` for the fastest, or a solver's name.

    Returns
    -------
    SvdPlan

    Raises
    ------
    OptionError
        If the solver is unknown.

    Notes
    -----
    The cost model counts multiplications and eigenvalue problems, at rates measured on two cores.
    For iterative solvers it assumes the number of iterations that photographs take.

    Examples
    --------
    >>> plan(1080, 1920, 50).method
    'lanczos'
    >>> plan(1080, 1920, 1080).method
    'full'
    """
    check_choice("method", method, methods())
    costs = {
        name: _COSTS[name](min(rows, columns), max(rows, columns), k, single) for name in SOLVERS
    }
    if method != "auto":
        return SvdPlan(method, costs, f"{method}: asked for")
    if k == min(rows, columns):
        return SvdPlan("full", costs, "full: every singular value is wanted")
    best = min(costs, key=costs.__getitem__)
    return SvdPlan(best, costs, f"{best}: cheapest by the cost model")


def _full(m: int, n: int, k: int, single: bool) -> float:
    return _CALL_SECONDS + _FULL_SECONDS * m * m * n


def _gram(m: int, n: int, k: int, single: bool) -> float:
    products = (m * m * n + 2.0 * m * n * k) / _DOUBLE_RATE
    return 3 * _CALL_SECONDS + products + _EIGEN_SECONDS * m**3 + 1e-7 * m * m


def _passes(m: int, n: int, count: float, width: int, single: bool) -> float:
    return count * 2.0 * m * n * width / (_SINGLE_RATE if single else _DOUBLE_RATE)


def _lanczos(m: int, n: int, k: int, single: bool) -> float:
    width = guessed_size(k) if can_guess(m, n, k) else block_size(k)
    if width > m // 3:
        return _full(m, n, k, single) * 4
    basis = width * _LANCZOS_BLOCKS
    eigen = _EIGEN_SECONDS * basis**3 + 1e-7 * basis**2
    upkeep = 8.0 * (m + n) * basis * width / _DOUBLE_RATE
    return (
        20 * _CALL_SECONDS * _LANCZOS_BLOCKS
        + _passes(m, n, 1 + 2 * _LANCZOS_BLOCKS, width, single)
        + upkeep
        + eigen
    )


def _randomized(m: int, n: int, k: int, single: bool) -> float:
    width = block_size(k)
    upkeep = _RANDOMIZED_ROUNDS * (8.0 * (m + n) * width**2 / _DOUBLE_RATE + 1e-7 * width**2)
    return (
        15 * _CALL_SECONDS * _RANDOMIZED_ROUNDS
        + _passes(m, n, 1 + 2 * _RANDOMIZED_ROUNDS, width, single)
        + upkeep
    )


_COSTS = {"full": _full, "gram": _gram, "randomized": _randomized, "lanczos": _lanczos}
