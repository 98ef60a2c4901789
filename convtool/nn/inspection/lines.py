"""Measure a filter's responses to straight lines.

Each line is a window that is 1 on the line and 0 elsewhere. A layer correlates, so a filter's
response to a line is the sum of its weights on the line, plus its bias.
"""

from collections.abc import Mapping

import numpy as np

from convtool.nn._types import Array
from convtool.nn.layers import Conv2D
from convtool.nn.preprocessing import Preprocessing
from convtool.records import Record

_ALIKE = 0.1
_PLACES: dict[str, tuple[str, str, str]] = {
    "vertical": ("at the left", "in the middle", "at the right"),
    "horizontal": ("at the top", "in the middle", "at the bottom"),
}


def line_patterns(height: int, width: int) -> dict[str, Array]:
    """Return the straight lines of a window by name: each column, each row, two diagonals.

    A window that is not square has no diagonals.

    Returns
    -------
    dict of str to ndarray, shape (height, width)
        1 on the line, 0 elsewhere; eight of them for 3x3.

    Examples
    --------
    >>> patterns = line_patterns(3, 3)
    >>> len(patterns)
    8
    >>> patterns["vertical line at the right"]
    array([[0., 0., 1.],
           [0., 0., 1.],
           [0., 0., 1.]])
    """
    patterns: dict[str, Array] = {}
    for direction, count in (("vertical", width), ("horizontal", height)):
        for place in range(count):
            pattern = np.zeros((height, width))
            pattern[(slice(None), place) if direction == "vertical" else place] = 1
            patterns[f"{direction} line {_where(direction, place, count)}"] = pattern
    if height == width > 1:
        patterns["falling diagonal"] = np.eye(height)
        patterns["rising diagonal"] = np.eye(height)[::-1].copy()
    return patterns


def _where(direction: str, place: int, count: int) -> str:
    if count == 3:
        return _PLACES[direction][place]
    return f"in {'column' if direction == 'vertical' else 'row'} {place + 1} of {count}"


class Probe(Record):
    """One filter's responses."""

    number: int
    """The filter, counted from 1."""
    bias: float
    responses: Mapping[str, float]
    """For each line the sum of the weights on it, over all channels, plus the bias."""
    seen: Mapping[str, float]
    """The responses to a white line on black after the model's preprocessing."""
    words: str
    """A sentence that names the strongest and weakest responses."""


def probe(layer: Conv2D, preprocessing: Preprocessing | None = None) -> list[Probe]:
    """Measure the response of each filter of a layer to straight lines.

    Parameters
    ----------
    layer : Conv2D
        The first layer of a network, whose input is the picture.
    preprocessing : Preprocessing, optional

    Examples
    --------
    >>> layer = Conv2D(1, 1, 3, rng=0)
    >>> layer.params["weight"][...] = [[-1, 3, -2]] * 3
    >>> print(probe(layer)[0].words)
    answers most to a vertical line in the middle (+9); least to a vertical line at the right (-6)
    """
    params = layer.params
    weights = params["weight"].astype(np.float64).sum(axis=1)
    biases = params["bias"].astype(np.float64) if "bias" in params else np.zeros(len(weights))
    gain, offset = preprocessing.line if preprocessing is not None else (1 / 255, 0.0)
    patterns = line_patterns(*layer.kernel_size)
    probes = []
    for number, (weight, bias) in enumerate(zip(weights, biases.tolist(), strict=True), 1):
        sums = {name: float((weight * pattern).sum()) for name, pattern in patterns.items()}
        dark = offset * float(weight.sum()) + bias
        seen = {name: 255 * gain * value + dark for name, value in sums.items()}
        responses = {name: value + bias for name, value in sums.items()}
        probes.append(Probe(number, bias, responses, seen, _words(seen, weight * 255 * gain)))
    return probes


def probe_kernel(kernel: Array, bias: float = 0.0) -> Probe:
    """Measure the response of one kernel, correlated, to straight lines of 1 on 0.

    Examples
    --------
    >>> probe_kernel(np.array([[-1, 0, 1], [-1, 0, 1], [0, 1, 2.0]]), -0.67).responses[
    ...     "falling diagonal"
    ... ].__round__(2)
    0.33
    """
    layer = Conv2D(1, 1, (kernel.shape[0], kernel.shape[1]), rng=0, dtype="float64")
    layer.params["weight"][0, 0] = kernel
    layer.params["bias"][0] = bias
    return probe(layer)[0]


def _words(seen: Mapping[str, float], weight: Array) -> str:
    if not weight.any():
        return "is empty: it answers to nothing"
    order = sorted(seen, key=lambda name: -seen[name])
    best, least = order[0], order[-1]
    if seen[best] - seen[least] < _ALIKE * float(np.abs(weight).sum()):
        return f"answers to all lines nearly alike ({seen[least]:+.3g} to {seen[best]:+.3g})"
    second = order[1]
    also = ""
    if seen[second] > 0 and seen[second] >= seen[best] / 2:
        also = f", then to a {second} ({seen[second]:+.3g})"
    return (
        f"answers most to a {best} ({seen[best]:+.3g}){also};"
        f" least to a {least} ({seen[least]:+.3g})"
    )
