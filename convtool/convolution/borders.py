"""The border table: what lies beyond the image's edge, as indices into the image.

A border is nothing but a rule that sends an index outside ``0 … n-1`` back inside (or to "no
pixel", which takes ``cval``). Every engine reads its windows through these tables, so a border
exists once.

References
----------
The names are those of ``scipy.ndimage``; each alias is the word of another library for the same
rule (see :data:`ALIASES`).
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from convtool.errors import OptionError, check_choice

Indices = NDArray[np.intp]

OUTSIDE = -1
"""The index that stands for "no pixel: take cval"."""


def _reflect(index: Indices, n: int) -> Indices:
    index = index % (2 * n)
    return np.where(index < n, index, 2 * n - 1 - index)


def _mirror(index: Indices, n: int) -> Indices:
    if n == 1:
        return np.zeros_like(index)
    index = index % (2 * n - 2)
    return np.where(index < n, index, 2 * n - 2 - index)


def _nearest(index: Indices, n: int) -> Indices:
    return np.clip(index, 0, n - 1)


def _wrap(index: Indices, n: int) -> Indices:
    return index % n


def _constant(index: Indices, n: int) -> Indices:
    return np.where((index >= 0) & (index < n), index, OUTSIDE)


RULES: dict[str, Callable[[Indices, int], Indices]] = {
    "reflect": _reflect,
    "mirror": _mirror,
    "nearest": _nearest,
    "wrap": _wrap,
    "constant": _constant,
}
"""Each border's rule: ``dcba|abcd|dcba``, ``dcb|abcd|cba``, ``aaa|abcd|ddd``, ``bcd|abcd|abc``,
``cval|abcd|cval``."""

ALIASES = {
    "symmetric": "reflect",
    "reflect-101": "mirror",
    "replicate": "nearest",
    "edge": "nearest",
    "zero": "constant",
}
"""NumPy's and OpenCV's names; ``zero`` is ``constant`` with ``cval`` 0, whatever was given."""

BORDERS: dict[str, str] = {name: name for name in RULES} | ALIASES
"""Every name that a border may be given by, and the rule that it names."""


def resolve(border: object, cval: object) -> tuple[str, float]:
    """Return the rule that a border's name means, and the value outside the image.

    Raises
    ------
    OptionError
        If no border has that name, or ``cval`` is not a real number.

    Examples
    --------
    >>> resolve("replicate", 7.0)
    ('nearest', 7.0)
    >>> resolve("zero", 7.0)
    ('constant', 0.0)
    """
    check_choice("border", border, BORDERS)
    try:
        value = float(cval)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise OptionError(f"cval must be a number, not {cval!r}") from error
    return BORDERS[str(border)], 0.0 if border == "zero" else value


@lru_cache(maxsize=64)
def table(n: int, start: int, stop: int, rule: str) -> Indices:
    """Return where the positions ``start … stop-1`` of a line of ``n`` pixels are read.

    Parameters
    ----------
    n : int
        Number of pixels, at least 1.
    start, stop : int
        The positions wanted; 0 is the first pixel, negative ones lie before it.
    rule : str
        A key of :data:`RULES`.

    Returns
    -------
    ndarray of intp, shape (stop - start,)
        Indices from 0 to n-1, or :data:`OUTSIDE`; read-only, since it is kept for the next call.

    Examples
    --------
    >>> table(4, -3, 7, "reflect").tolist()
    [2, 1, 0, 0, 1, 2, 3, 3, 2, 1]
    >>> table(4, -3, 7, "mirror").tolist()
    [3, 2, 1, 0, 1, 2, 3, 2, 1, 0]
    """
    indices = RULES[rule](np.arange(start, stop, dtype=np.intp), n)
    indices.flags.writeable = False
    return indices
