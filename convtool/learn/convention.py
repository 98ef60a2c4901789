"""Detect the convention of another program: flip, scale, rounding and border.

Programs use different names for the same operation and the same name for different ones. A pair of
pictures shows which one a program performs.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from convtool.convolution import borders
from convtool.convolution.api import convolve
from convtool.learn.least_squares import Learned, Pixels, framed
from convtool.learn.nearest import TURNS, Match, plain
from convtool.records import Record, replace

SURE, ALMOST = 0.99999, 0.999
"""Smallest cosines for a match with the known kernel, and with its rounded weights."""

_ROUNDED = 1 << 20
_FEWEST = 32
_SHARE = 0.97
_LEVEL = 0.5
_DOUBT = 1e-3
_NO_BIAS = 1e-6

COPIED = "copied"
"""The border name of a program that copies the pixels at the edge unchanged."""


class Program(Record):
    """The default convention of a program."""

    turn: str
    """A key of `TURNS`: the transformation of the kernel to an equivalent convolution kernel."""
    border: str
    """The border's rule, a key of `borders.RULES`, or `COPIED`."""
    normalises: bool = False
    """Whether it divides the kernel by its sum."""
    moved: int = 0
    """The shift of an even kernel's output against SciPy's, down and to the right, in pixels."""
    rounding: str | None = None
    """``nearest`` or ``down``; None if that depends on the output type."""


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
"""Programs with their default options, determined by experiments: OpenCV 5.0, libvips 8.14,
ImageMagick 6.9, GraphicsMagick 1.3, Pillow 13, SciPy 1.17."""


class Convention(Record):
    """The convention of a program, inferred from a pair of pictures; None where undetermined."""

    flips: bool | None
    """True if it convolves (flips the kernel), False if it correlates."""
    turn: str
    """A key of `TURNS`: the transformation of the known kernel to the convolution kernel."""
    scale: float
    """The factor of the known kernel's weights."""
    normalises: bool | None
    """Whether the factor is the reciprocal of their sum; None if the sum is 0 or 1."""
    moved: tuple[int, int]
    """The shift of the picture against SciPy's: rows down, columns to the right."""
    borders: tuple[str, ...]
    """The possible borders: `borders.RULES`, or `COPIED`. Within one pixel of the edge ``reflect``
    and ``nearest`` are identical."""
    rounding: str | None
    """``nearest`` or ``down``, for integers."""
    programs: tuple[str, ...]
    """The matching programs of `PROGRAMS`."""
    sentences: tuple[str, ...]
    """The same as text."""


def convention(
    learned: Learned, match: Match, pairs: Sequence[tuple[Pixels, Pixels]]
) -> Convention:
    """Infer the convention of the program that made the pairs.

    Parameters
    ----------
    learned : Learned
        The fitted kernel.
    match : Match
        The matching known kernel.
    pairs : sequence of (ndarray, ndarray)
        The pairs of the fit; the first one is used for border and rounding.

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
    """Return whether a program follows the convention, for the known kernel or a multiple."""
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
    """Return the shift of a picture against SciPy's output with the same kernel."""
    even = tuple(1 - side % 2 for side in match.given.shape)
    correlated = match.turn == "half" or (symmetric and match.shift == even)
    down, right = match.shift
    return (down - even[0], right - even[1]) if correlated else (down, right)


def _near(match: Match, other: float) -> bool:
    """Return whether a match's scale equals a number within the match's precision."""
    tolerance = max(2e-3, float(np.sqrt(2 * (1 - match.cosine))))
    return abs(match.scale - other) <= tolerance * abs(other)


def _first_plane(pair: tuple[Pixels, Pixels]) -> tuple[Pixels, Pixels]:
    before, after = (one if one.ndim == 2 else one[:, :, 0] for one in pair)
    return before, after


def _borders(before: Pixels, after: Pixels, learned: Learned) -> tuple[str, ...]:
    """Return the borders that explain the pixels at the edge; empty if undetermined."""
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
    """Return the part of a padded picture in the windows of some pixels."""
    spans = [part.indices(total)[:2] for part, total in zip(edge, shape, strict=True)]
    rows, columns = (slice(a, b + k - 1) for (a, b), k in zip(spans, size, strict=True))
    return np.ascontiguousarray(around[rows, columns])


def _distance(found: Sequence[Pixels], expected: Sequence[Pixels], bias: float) -> float:
    """Return the root mean square of differences, with values clipped to the type's range."""
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
    """Return the rounding of the output to integers, None if undetermined."""
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
        """Return the matching share of the rounded values, and of all values."""
        name, bias = one
        over = exact + bias - given
        # For a half both neighbours are nearest: the choice depends on the last bit.
        nearest = np.abs(over) <= 0.5 + _DOUBT
        fits = nearest if name == "nearest" else (over > -_DOUBT) & (over < 1 - _DOUBT)
        return float(np.mean(fits[shows])), float(np.mean(fits[inside]))

    best = max(found, key=shares)
    return best[0] if shares(best)[0] >= _SHARE else None


_TURN_SENTENCES: Mapping[str, str] = {
    "none": "it convolves: the kernel is flipped",
    "half": "it correlates: the kernel is not flipped",
}


def _turn_sentence(match: Match, flips: bool | None) -> str:
    if match.turn in _TURN_SENTENCES and flips is not None:
        sentence = _TURN_SENTENCES[match.turn]
        if np.array_equal(match.given, -match.given[::-1, ::-1]):
            sentence += "; for this kernel that is the same as a change of sign"
        return sentence
    if match.turn == "none":
        return "this kernel is symmetric, so it may convolve or correlate"
    return f"the kernel is {TURNS[match.turn].words}"


def _scale_sentence(match: Match, total: float) -> str:
    scale, magnitude = match.scale, float(np.abs(match.given).sum())
    fraction = plain(scale)
    if _near(match, 1.0):
        told = "" if abs(total) < 1e-9 or abs(total - 1) < 1e-9 else f", not divided by {total:.6g}"
        return f"the weights are unchanged{told}"
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
        f"the weights differ from its own by up to {match.difference:.3g}: the program may "
        "round them, as libvips does with --precision integer"
    ]


def _shift_sentences(match: Match, moved: tuple[int, int]) -> list[str]:
    words = {0: ("down", "up"), 1: ("to the right", "to the left")}
    parts = [f"{abs(by)} {words[axis][by < 0]}" for axis, by in enumerate(moved) if by]
    if not parts:
        return []
    even = any(side % 2 == 0 for side in match.given.shape)
    why = ": its anchor of an even kernel is another" if even else ""
    return [f"the picture is shifted {' and '.join(parts)} against SciPy's{why}"]


def _bias_sentences(learned: Learned, before: Pixels) -> list[str]:
    peak = float(np.iinfo(before.dtype).max) if before.dtype.kind in "ui" else 1.0
    if abs(learned.bias) > _NO_BIAS * peak:
        half = abs(learned.bias - peak / 2) <= 0.01 * peak
        words = ", half of white: 0 becomes grey" if half else ""
        return [f"{learned.bias:.6g} is added{words}"]
    large = abs(learned.better_bias) > 0.004 * peak
    if large and learned.residual_with_bias < 0.5 * learned.residual:
        return [
            f"{learned.better_bias:.6g} seems to be added: with `bias=True` the residual is "
            f"{learned.residual_with_bias:.4g} instead of {learned.residual:.4g}"
        ]
    return []


def _border_sentences(found: tuple[str, ...]) -> list[str]:
    if not found:
        return []
    rules = [name for name in found if name != COPIED]
    sentence = f"the border is {' or '.join(rules)}" if rules else ""
    left = "the pixels at the edge are unchanged" if COPIED in found else ""
    return [" or ".join(filter(None, (sentence, left)))]


def _rounding_sentences(rounding: str | None) -> list[str]:
    if rounding is None:
        return []
    words = "rounded to the nearest" if rounding == "nearest" else "rounded down to the next"
    return [f"values are {words} integer"]
