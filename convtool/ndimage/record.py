"""How the last call of each thread was done."""

import threading

from convtool.records import Record

COMPILED, SCIPY = "compiled", "scipy"

NO_FASTER = "there is no faster way here"
NOT_UNDERSTOOD = "it decides on these arguments"


class OtherwiseError(Exception):
    """Why compiled code does not do a call; nothing was written before."""


class Explanation(Record):
    """How a call was done.

    Attributes
    ----------
    function : str
        The function's name.
    route : str
        ``"compiled"``: convtool's own code; ``"scipy"``: SciPy itself.
    steps : tuple of str
        What compiled code did, one after another.
    reason : str
        Why SciPy did it.
    """

    function: str
    route: str
    steps: tuple[str, ...] = ()
    reason: str = ""

    def __repr__(self) -> str:
        return f"{self.function}: {self.route}: {self.reason or '; '.join(self.steps)}"


_last = threading.local()


def note(explanation: Explanation) -> None:
    """Note how a call was done, in place of the one before."""
    _last.explanation = explanation


def explain() -> Explanation | None:
    """Return how this thread's last call of a function of `convtool.ndimage` was done.

    Returns
    -------
    Explanation or None
        Its ``function``, its ``route`` (``"compiled"`` or ``"scipy"``), the ``steps`` of compiled
        code, or the ``reason`` why SciPy itself did it. None before the first call.

    Examples
    --------
    >>> import convtool.ndimage as ndi
    >>> ndi.median_filter([3, 1, 2], 3).tolist()
    [3, 2, 2]
    >>> ndi.explain()
    median_filter: scipy: there is no faster way here
    """
    found: Explanation | None = getattr(_last, "explanation", None)
    return found
