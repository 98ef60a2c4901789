"""Find the known kernel nearest to a learned one, and its transformation."""

import re
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import numpy as np

from convtool.kernels.presets import PRESETS
from convtool.kernels.spec import KernelSpec, parse
from convtool.kernels.weights import Weights
from convtool.records import Record


class Turn(Record):
    """One of the eight rotations and reflections of a kernel."""

    words: str
    """A description."""
    apply: Callable[[Weights], Weights]
    """The transformation."""


TURNS: dict[str, Turn] = {
    "none": Turn("as it is", lambda k: k),
    "half": Turn("turned by half a circle", lambda k: k[::-1, ::-1]),
    "left-right": Turn("mirrored left to right", lambda k: k[:, ::-1]),
    "up-down": Turn("mirrored upside down", lambda k: k[::-1]),
    "transposed": Turn("transposed, rows and columns exchanged", lambda k: k.T),
    "anti-transposed": Turn("transposed and turned by half a circle", lambda k: k[::-1, ::-1].T),
    "left": Turn("turned by a quarter to the left", np.rot90),
    "right": Turn("turned by a quarter to the right", lambda k: np.rot90(k, -1)),
}
"""The eight transformations, the more likely first."""


class Match(Record, eq=False):
    """A known kernel that resembles a learned one."""

    spec: str
    """The known kernel, as `convtool.kernel` takes it."""
    name: str
    """Its preset's name."""
    turn: str
    """A key of `TURNS`: its transformation."""
    shift: tuple[int, int]
    """Its shift: rows down, columns to the right."""
    scale: float
    """Its factor."""
    cosine: float
    """The cosine similarity of the two, from 0 to 1, independent of the scale."""
    difference: float
    """The largest difference of a learned weight from `weights`."""
    weights: Weights
    """The known kernel, transformed, shifted and scaled, in the learned one's shape."""
    given: Weights
    """The known kernel of the spec."""


def specs(size: tuple[int, int]) -> Iterator[str]:
    """Yield the specs to compare with a kernel of some size: presets with several parameters.

    Examples
    --------
    >>> "box:size=5" in list(specs((7, 7)))
    True
    """
    yield from (name for name, preset in PRESETS.items() if not preset.parts)
    least, most = min(size), max(size)
    for side in range(2, most + 1):
        yield f"box:size={side}"
    yield from (f"box:size={size[0]}x1", f"box:size=1x{size[1]}")
    for side in range(5, most + 1, 2):
        yield f"gaussian:size={side}"
    for tenths in range(3, 3 * most, 1 + most // 10):
        sigma = f"sigma={tenths / 10:g}"
        yield from (f"{name}:{sigma}" for name in ("gaussian", "unsharp", "log"))
        for side in range(3, least + 1, 2 + least // 9 * 2):
            yield f"gaussian:{sigma},size={side}"
    for half in range(2, most):
        yield f"disk:radius={half / 2:g}"
    for length in range(2, most + 1):
        for angle in (0, 45, 90, 135):
            yield f"motion:length={length},angle={angle}"


def nearest(learned: Weights, given: KernelSpec | None = None, *, count: int = 3) -> list[Match]:
    """Return the known kernels most similar to a learned one, the nearest first.

    Parameters
    ----------
    learned : ndarray
        float64, shape (KH, KW).
    given : KernelSpec, optional
        The kernel to compare with, instead of all presets.
    count : int
        The largest number of matches, with different names.

    Returns
    -------
    list of Match
        Empty for a kernel of zeros, or if `given` is larger than its shape.

    Examples
    --------
    >>> found = nearest(-2 * parse("sobel-vertical").weights)[0]
    >>> found.name, found.turn, found.scale
    ('sobel-vertical', 'half', 2.0)
    """
    if not learned.any():
        return []
    known = [given] if given else [parse(spec) for spec in specs(_extent(learned.shape))]
    matches = [found for one in known for found in _laid(learned, one)]
    if matches and not given:
        closest = max(matches, key=lambda one: one.cosine)
        finer = [parse(spec) for spec in _finer(closest.spec)]
        matches += [found for one in finer for found in _laid(learned, one)]
    best: dict[str, Match] = {}
    while matches and len(best) < count:
        least = min(1 - one.cosine for one in matches)
        alike = [one for one in matches if 1 - one.cosine <= least + 1e-7]
        first = min(alike, key=_oddness)
        best[first.name] = first
        matches = [one for one in matches if one.name != first.name]
    return list(best.values())


def _finer(spec: str) -> Iterator[str]:
    """Yield specs with standard deviations around a spec's own, in steps of 0.01."""
    found = re.fullmatch(r"(\w+:sigma=)([\d.]+)(.*)", spec)
    if found:
        middle = round(100 * float(found[2]))
        for hundredths in range(max(10, middle - 10), middle + 11):
            yield f"{found[1]}{hundredths / 100:g}{found[3]}"


def _extent(shape: Sequence[int]) -> tuple[int, int]:
    return shape[0], shape[1]


def _oddness(match: Match) -> tuple[bool, bool, int, int, int]:
    """Return the sort key of equally good matches: the simplest first."""
    return (
        match.scale < 0,
        not abs(match.scale - 1) < 0.01,
        list(TURNS).index(match.turn),
        abs(match.shift[0]) + abs(match.shift[1]),
        len(match.spec),
    )


def _laid(learned: Weights, known: KernelSpec) -> Iterator[Match]:
    """Yield the match of a known kernel in each orientation, at its best shift."""
    seen: list[Weights] = []
    for turn, way in TURNS.items():
        weights = way.apply(known.weights)
        if any(np.array_equal(weights, one) for one in seen):
            continue
        seen.append(weights)
        if all(side <= room for side, room in zip(weights.shape, learned.shape, strict=True)):
            yield _placed(learned, known, turn, weights)


def _placed(learned: Weights, known: KernelSpec, turn: str, weights: Weights) -> Match:
    views = np.lib.stride_tricks.sliding_window_view(learned, _extent(weights.shape))
    products = np.einsum("yxij,ij->yx", views, weights)
    middle = [
        room // 2 - side // 2 for room, side in zip(learned.shape, weights.shape, strict=True)
    ]
    here = products[tuple(middle)]
    # The centre is preferred unless another shift is better by more than rounding.
    place = np.unravel_index(int(np.abs(products).argmax()), products.shape)
    if abs(here) >= abs(products[place]) * (1 - 1e-9):
        place = (np.intp(middle[0]), np.intp(middle[1]))
    power = float(np.square(weights).sum()) or 1.0
    product = float(products[place])
    scale = product / power
    whole = np.zeros_like(learned)
    whole[place[0] : place[0] + len(weights), place[1] : place[1] + weights.shape[1]] = weights
    return Match(
        spec=known.text,
        name=known.name,
        turn=turn,
        shift=(int(place[0]) - middle[0], int(place[1]) - middle[1]),
        scale=scale,
        cosine=min(1.0, abs(product) / float(np.sqrt(power * np.square(learned).sum()))),
        difference=float(np.abs(learned - scale * whole).max()),
        weights=scale * whole,
        given=known.weights,
    )


def plain(scale: float, tolerance: float = 2e-3) -> Fraction | None:
    """Return the integer or simple fraction that equals a scale within a relative tolerance.

    Examples
    --------
    >>> plain(0.06251)
    Fraction(1, 16)
    >>> plain(0.7713) is None
    True
    """
    for most in (1, 2, 3, 4, 6, 8, 9, 16, 25, 32, 48, 64, 81, 128, 255, 256):
        for value in (Fraction(scale).limit_denominator(most), _divisor(scale, most)):
            if value and abs(float(value) - scale) <= tolerance * abs(scale):
                simple = value.numerator in (1, -1) or value.denominator in (1, 2, 4)
                if simple:
                    return value
    return None


def _divisor(scale: float, most: int) -> Fraction | None:
    return Fraction(1, round(1 / scale)) if scale and 1 <= abs(1 / scale) <= most else None
