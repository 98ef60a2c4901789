"""Detect the convention of another program: flip, scale, rounding and border.

Programs call the same thing by different names and different things by the same. A pair of pictures
tells which it was.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from convtool.convolution import borders
from convtool.convolution.api import convolve
from convtool.learn.least_squares import Learned, Pixels, framed
from convtool.learn.nearest import TURNS, Match, plain
from convtool.records import Record, replace

SURE, ALMOST = 0.99999, 0.999
"""Cosines from which on a learned kernel is the known one, or that one with rounded weights."""

_ROUNDED = 1 << 20
_FEWEST = 32
_SHARE = 0.97
_LEVEL = 0.5
_DOUBT = 1e-3
_NO_BIAS = 1e-6

COPIED = "copied"
"""The word for a program that leaves the pixels at the edge as they were."""


class Program(Record):
    """How a program filters, where it is not told otherwise.

    Attributes
    ----------
    turn : str
        A key of `TURNS`: how the kernel it is given lies in a convolution.
    border : str
        What it takes beyond the edge, a key of `borders.RULES`, or `COPIED`.
    normalises : bool
        Whether it divides the kernel by its sum.
    moved : int
        By how many pixels down and to the right an even kernel lies beside SciPy's.
    rounding : str or None
        ``nearest`` or ``down``; None where that depends on how its answer is stored.
    """

    turn: str
    border: str
    normalises: bool = False
    moved: int = 0
    rounding: str | None = None


PROGRAMS: dict[str, Program] = {
    "convtool filter": Program("none", "reflect", rounding="nearest"),
    "convtool filter --correlate": Program("half", "reflect", rounding="nearest"),
    "scipy.ndimage.convolve": Program("none", "reflect"),
    "scipy.ndimage.correlate": Program("half", "reflect"),
    "OpenCV filter2D": Program("half", "mirror", rounding="nearest"),
    "libvips conv": Program("half", "nearest"),
    "ImageMagick -morphology Convolve": Program("none", "nearest", moved=1, rounding="down"),
    "ImageMagick -convolve": Program("half", "nearest", normalises=True, rounding="down"),
    "GraphicsMagick -convolve": Program("half", "nearest", normalises=True, rounding="down"),
    "Pillow ImageFilter.Kernel": Program("left-right", COPIED, normalises=True, rounding="nearest"),
}
"""Programs as they are without options, found out by giving them kernels and pictures: OpenCV 5.0,
libvips 8.14, ImageMagick 6.9, GraphicsMagick 1.3, Pillow 13, SciPy 1.17."""


class Convention(Record):
    """What a pair of pictures tells of the program that made it; None where it does not tell.

    Attributes
    ----------
    flips : bool or None
        True where it convolves (turns the kernel it is given), False where it correlates.
    turn : str
        A key of `TURNS`: how the known kernel lies in a convolution.
    scale : float
        What the weights of the known kernel were multiplied by.
    normalises : bool or None
        Whether that is one over their sum; None where the sum is 0 or 1.
    moved : (int, int)
        By how many rows down and columns to the right the picture lies beside SciPy's.
    borders : tuple of str
        What it may take beyond the edge: `borders.RULES`, or `COPIED`. Within one pixel of the
        edge ``reflect`` and ``nearest`` are alike.
    rounding : str or None
        ``nearest`` or ``down``, for whole numbers.
    programs : tuple of str
        Those of `PROGRAMS` that do all this.
    sentences : tuple of str
        The same in words.
    """

    flips: bool | None
    turn: str
    scale: float
    normalises: bool | None
    moved: tuple[int, int]
    borders: tuple[str, ...]
    rounding: str | None
    programs: tuple[str, ...]
    sentences: tuple[str, ...]


def convention(
    learned: Learned, match: Match, pairs: Sequence[tuple[Pixels, Pixels]]
) -> Convention:
    """Infer the convention of the program that made the pairs.

    Parameters
    ----------
    learned : Learned
        The kernel that was found.
    match : Match
        The known kernel that it is.
    pairs : sequence of (ndarray, ndarray)
        What it was learned from; the first of them is asked for border and rounding.

    Returns
    -------
    Convention

    Examples
    --------
    >>> from convtool.kernels.spec import KernelSpec
    >>> from convtool.learn import fit
    >>> from convtool.learn.nearest import nearest
    >>> before = np.random.default_rng(0).random((40, 50))
    >>> kernel = np.outer([1, 2, 3, 4, 5], [1, 1, 2, 2, 9])
    >>> pair = before, convolve(before, kernel[::-1, ::-1], border="nearest")
    >>> learned = fit([pair], 5)
    >>> given = KernelSpec("", "mine", kernel * 1.0)
    >>> found = convention(learned, nearest(learned.kernel, given)[0], [pair])
    >>> found.flips, found.borders, found.programs
    (False, ('nearest',), ('libvips conv',))
    """
    before, after = _first_plane(pairs[0])
    given, total = match.given, float(match.given.sum())
    symmetric = np.array_equal(given, given[::-1, ::-1])
    flips = None if symmetric else {"none": True, "half": False}.get(match.turn)
    neutral = abs(total) < 1e-9 or abs(total - 1) < 1e-9
    normalises = None if neutral else _near(match, 1 / total)
    known = Convention(
        flips=flips,
        turn=match.turn,
        scale=match.scale,
        normalises=normalises,
        moved=_moved(match, symmetric),
        borders=_borders(before, after, learned),
        rounding=_rounding(before, after, learned, match),
        programs=(),
        sentences=(),
    )
    sentences = (
        _turn_sentence(match, flips),
        _scale_sentence(match, total),
        *_weight_sentences(match),
        *_shift_sentences(match, known.moved),
        *_bias_sentences(learned, before),
        *_border_sentences(known.borders),
        *_rounding_sentences(known.rounding),
    )
    programs = tuple(name for name, one in PROGRAMS.items() if _does(one, match, known))
    return replace(known, sentences=sentences, programs=programs)


def _does(program: Program, match: Match, known: Convention) -> bool:
    """Return whether a program, given the known kernel or a multiple of it, does all this."""
    lies = TURNS[match.turn].apply(match.given)
    alike = np.array_equal(lies, TURNS[program.turn].apply(match.given))
    moved = tuple(program.moved * (1 - side % 2) for side in match.given.shape)
    return (
        alike
        and match.scale > 0
        and moved == known.moved
        and (not known.borders or program.border in known.borders)
        and not (program.normalises and known.normalises is False)
        and (None in (program.rounding, known.rounding) or program.rounding == known.rounding)
    )


def _moved(match: Match, symmetric: bool) -> tuple[int, int]:
    """Return how a picture lies beside the one that SciPy makes by the same means."""
    even = tuple(1 - side % 2 for side in match.given.shape)
    correlated = match.turn == "half" or (symmetric and match.shift == even)
    down, right = match.shift
    return (down - even[0], right - even[1]) if correlated else (down, right)


def _near(match: Match, other: float) -> bool:
    """Return whether a match's scale is some number, as precisely as it is a match."""
    tolerance = max(2e-3, float(np.sqrt(2 * (1 - match.cosine))))
    return abs(match.scale - other) <= tolerance * abs(other)


def _first_plane(pair: tuple[Pixels, Pixels]) -> tuple[Pixels, Pixels]:
    before, after = (one if one.ndim == 2 else one[:, :, 0] for one in pair)
    return before, after


def _borders(before: Pixels, after: Pixels, learned: Learned) -> tuple[str, ...]:
    """Return which borders explain the pixels at the edge; none where it does not show."""
    kernel, bias = learned.kernel_with_bias, learned.better_bias
    size = kernel.shape[0], kernel.shape[1]
    if before.shape != after.shape or size == (1, 1):
        return ()
    high, wide = (max(1, (side - 1) // 2) for side in size)
    edges = (np.s_[:high, :], np.s_[-high:, :], np.s_[:, :wide], np.s_[:, -wide:])
    found = [after[edge] for edge in edges]
    errors: dict[str, float] = {COPIED: _distance(found, [before[edge] for edge in edges], 0.0)}
    for rule in borders.RULES:
        around = framed(before, size, rule)
        views = [_seen(around, edge, before.shape, size) for edge in edges]
        expected = [convolve(view, kernel, mode="valid") for view in views]
        errors[rule] = _distance(found, expected, bias)
    level = _LEVEL if after.dtype.kind in "ui" else 0.0
    slight = 1e-6 * float(np.abs(after).max(initial=1))
    least = min(errors.values())
    alike = tuple(n for n, one in errors.items() if one <= 1.2 * least + level / 10 + slight)
    explained = least <= 3 * learned.residual_with_bias + level + slight
    return alike if explained and len(alike) < len(errors) else ()


def _seen(
    around: Pixels, edge: tuple[slice, slice], shape: tuple[int, ...], size: tuple[int, int]
) -> Pixels:
    """Return what the windows of some pixels see of a framed picture."""
    spans = [part.indices(total)[:2] for part, total in zip(edge, shape, strict=True)]
    rows, columns = (slice(a, b + k - 1) for (a, b), k in zip(spans, size, strict=True))
    return np.ascontiguousarray(around[rows, columns])


def _distance(found: Sequence[Pixels], expected: Sequence[Pixels], bias: float) -> float:
    """Return the root mean square of differences, values beyond the type's range cut off."""
    total, count = 0.0, 0
    for one, other in zip(found, expected, strict=True):
        values = other.astype(np.float64) + bias
        if one.dtype.kind in "ui":
            limits = np.iinfo(one.dtype)
            values = np.clip(values, limits.min, limits.max)
        total += float(np.square(one - values).sum())
        count += one.size
    return float(np.sqrt(total / count))


def _rounding(before: Pixels, after: Pixels, learned: Learned, match: Match) -> str | None:
    """Return how whole numbers were made of the exact ones, None where it does not show."""
    if after.dtype.kind not in "ui" or before.shape != after.shape:
        return None
    fraction = plain(match.scale)
    exactly = 1.0 if fraction is None else float(fraction) / match.scale
    weights = match.weights * exactly
    high, wide = weights.shape
    rows = min(len(before), high - 1 + max(1, _ROUNDED // before.shape[1]))
    exact = convolve(before[:rows].astype(np.float64), weights, mode="valid")
    top, left = (high - 1) // 2, (wide - 1) // 2
    given = after[top : top + exact.shape[0], left : left + exact.shape[1]]
    limits = np.iinfo(after.dtype)
    inside = (given > limits.min) & (given < limits.max)
    shows = inside & (np.abs(exact - np.rint(exact)) > _DOUBT)
    if np.count_nonzero(shows) < _FEWEST:
        return None
    low = int(np.floor(learned.better_bias))
    found = [(name, bias) for name in ("down", "nearest") for bias in (low, low + 1)]

    def shares(one: tuple[str, int]) -> tuple[float, float]:
        """Return which share of what was rounded fits, and of all."""
        name, bias = one
        over = exact + bias - given
        # Of a half both neighbours are nearest: which one is taken hangs on the last bit.
        nearest = np.abs(over) <= 0.5 + _DOUBT
        fits = nearest if name == "nearest" else (over > -_DOUBT) & (over < 1 - _DOUBT)
        return float(np.mean(fits[shows])), float(np.mean(fits[inside]))

    best = max(found, key=shares)
    return best[0] if shares(best)[0] >= _SHARE else None


_TURN_SENTENCES: Mapping[str, str] = {
    "none": "it convolves: the kernel is flipped, as the word has it",
    "half": "it correlates: the kernel is laid on as it is, not flipped",
}


def _turn_sentence(match: Match, flips: bool | None) -> str:
    if match.turn in _TURN_SENTENCES and flips is not None:
        sentence = _TURN_SENTENCES[match.turn]
        if np.array_equal(match.given, -match.given[::-1, ::-1]):
            sentence += "; for this kernel that is the same as a change of sign"
        return sentence
    if match.turn == "none":
        return "a half turn leaves this kernel as it is, so it may convolve or correlate"
    return f"the kernel is {TURNS[match.turn].words}"


def _scale_sentence(match: Match, total: float) -> str:
    scale, magnitude = match.scale, float(np.abs(match.given).sum())
    fraction = plain(scale)
    if _near(match, 1.0):
        told = "" if abs(total) < 1e-9 or abs(total - 1) < 1e-9 else f", not divided by {total:.6g}"
        return f"the weights are taken as they are{told}"
    if abs(total) > 1e-9 and _near(match, 1 / total):
        return f"the weights are divided by their sum, {total:.6g}"
    if _near(match, 1 / magnitude):
        return f"the weights are divided by the sum of their magnitudes, {magnitude:.6g}"
    if fraction is not None and abs(fraction.numerator) == 1 and fraction.denominator > 1:
        sign = "minus " if fraction < 0 else ""
        return f"the weights are divided by {sign}{fraction.denominator}"
    return f"the weights are multiplied by {fraction if fraction is not None else f'{scale:.6g}'}"


def _weight_sentences(match: Match) -> list[str]:
    if match.cosine >= SURE or match.cosine < ALMOST:
        return []
    return [
        f"the weights are only nearly its own, by up to {match.difference:.3g}: the program may "
        "round them, as libvips does with --precision integer"
    ]


def _shift_sentences(match: Match, moved: tuple[int, int]) -> list[str]:
    words = {0: ("down", "up"), 1: ("to the right", "to the left")}
    parts = [f"{abs(by)} {words[axis][by < 0]}" for axis, by in enumerate(moved) if by]
    if not parts:
        return []
    even = any(side % 2 == 0 for side in match.given.shape)
    why = ": an even kernel has no middle, and its anchor is another" if even else ""
    return [f"the picture lies {' and '.join(parts)} of where SciPy puts it{why}"]


def _bias_sentences(learned: Learned, before: Pixels) -> list[str]:
    peak = float(np.iinfo(before.dtype).max) if before.dtype.kind in "ui" else 1.0
    if abs(learned.bias) > _NO_BIAS * peak:
        half = abs(learned.bias - peak / 2) <= 0.01 * peak
        words = ", half of white: what is 0 becomes grey" if half else ""
        return [f"{learned.bias:.6g} is added{words}"]
    large = abs(learned.better_bias) > 0.004 * peak
    if large and learned.residual_with_bias < 0.5 * learned.residual:
        return [
            f"{learned.better_bias:.6g} seems to be added: with --bias the residual is "
            f"{learned.residual_with_bias:.4g} instead of {learned.residual:.4g}"
        ]
    return []


def _border_sentences(found: tuple[str, ...]) -> list[str]:
    if not found:
        return []
    rules = [name for name in found if name != COPIED]
    sentence = f"beyond the edge it takes {' or '.join(rules)}" if rules else ""
    left = "the pixels at the edge are left as they were" if COPIED in found else ""
    return [" or ".join(filter(None, (sentence, left)))]


def _rounding_sentences(rounding: str | None) -> list[str]:
    if rounding is None:
        return []
    words = "rounded to the nearest" if rounding == "nearest" else "cut down to the next lower"
    return [f"values are {words} whole number"]
