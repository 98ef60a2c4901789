"""Find the preset kernels that a learned filter resembles.

Filtering convolves and a layer correlates, so presets are rotated by 180° before the comparison: a
filter that resembles ``sobel-horizontal`` does to a picture what ``convtool filter --kernel
sobel-horizontal`` does.
"""

import numpy as np

from convtool.kernels.presets import PRESETS
from convtool.kernels.spec import kernel
from convtool.nn._types import Array
from convtool.records import Record

_SAME = 1e-9


class Likeness(Record):
    """How much a filter resembles a preset."""

    preset: str
    turn: int
    """Counter-clockwise rotation of the preset in degrees: 0, 90, 180 or 270."""
    negated: bool
    """Whether the preset's sign is changed."""
    cosine: float
    """Cosine similarity of the two: 1 where they differ only by a factor."""


def nearest_presets(weights: Array, count: int = 3) -> list[Likeness]:
    """Return the presets that a filter resembles most, over signs and quarter turns.

    Presets that differ only by a factor, a sign or a quarter turn appear once.

    Parameters
    ----------
    weights : ndarray, shape (KH, KW)
        As stored in a layer: not flipped.
    count : int

    Returns
    -------
    list of Likeness
        The most similar first; empty for a filter of zeros.

    Examples
    --------
    >>> nearest_presets(np.array([[3.0, 0, -3], [6, 0, -6], [3, 0, -3]]), 1)
    [Likeness(preset='sobel-vertical', turn=0, negated=False, cosine=1.0)]
    """
    if not weights.any():
        return []
    asked = weights[::-1, ::-1].astype(np.float64)
    found = []
    for name, preset in PRESETS.items():
        if preset.parts:
            continue
        found.append(_best(name, kernel(name), asked))
    found.sort(key=lambda x: (-round(x.cosine, 9), x.negated, x.turn))
    kept: list[Likeness] = []
    for likeness in found:
        own = kernel(likeness.preset)
        if all(_best("", kernel(k.preset), own).cosine < 1 - _SAME for k in kept):
            kept.append(likeness)
        if len(kept) == count:
            break
    return kept


def _best(name: str, preset: Array, asked: Array) -> Likeness:
    """Return the most similar sign and rotation of a preset; the simplest among equals."""
    options = []
    for turns in range(4):
        cosine = _cosine(np.rot90(preset, turns), asked)
        options += [(cosine, False, 90 * turns), (-cosine, True, 90 * turns)]
    cosine, negated, turn = min(options, key=lambda x: (-round(x[0], 9), x[1], x[2]))
    return Likeness(name, turn, negated, round(cosine, 12))


def _cosine(a: Array, b: Array) -> float:
    size = [max(pair) for pair in zip(a.shape, b.shape, strict=True)]
    one, other = _framed(a, size), _framed(b, size)
    return float((one * other).sum() / np.sqrt(np.square(one).sum() * np.square(other).sum()))


def _framed(matrix: Array, size: list[int]) -> Array:
    """Zero-pad a matrix to a size, centred."""
    before = [(n - m) // 2 for n, m in zip(size, matrix.shape, strict=True)]
    frame = np.zeros(size)
    rows, columns = (slice(b, b + m) for b, m in zip(before, matrix.shape, strict=True))
    frame[rows, columns] = matrix
    return frame
