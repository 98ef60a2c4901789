"""Calls of each filter, as random arguments that SciPy takes."""

import numpy as np
from hypothesis import strategies as st

MODES = ("reflect", "mirror", "nearest", "wrap", "constant", "grid-mirror", "grid-wrap")
INTEGERS = tuple(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32))
PIXELS = (*INTEGERS, "int64", "uint64", "float32", "float64", "bool")
OUTPUTS = (*INTEGERS, "int64", "float32", "float64")
CVALS = st.sampled_from([0.0, 2.5, -7.0, 300.0])


def pixels(draw, rank):
    """Return an array of random pixels: noise, a flat area or both."""
    shape = draw(st.tuples(*[st.integers(1, 40)] * rank))
    dtype = np.dtype(draw(st.sampled_from(PIXELS)))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    span = draw(st.sampled_from([2, 200, 30000]))
    values = generator.normal(size=shape) * span
    values[generator.random(shape) < draw(st.sampled_from([0, 0.5, 1]))] = 7
    return np.abs(values).astype(dtype) if dtype.kind in "ub" else values.astype(dtype)


def weights(draw, shape):
    """Return weights: whole numbers or not, the same from both ends, opposite or neither."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = generator.normal(size=shape)
    if draw(st.booleans()):
        values = np.round(values * 3)
    sign = draw(st.sampled_from([0, 1, -1]))
    return values + sign * np.flip(values)


def one_mode(draw, rank):
    return draw(st.sampled_from(MODES))


def modes(draw, rank):
    if draw(st.booleans()):
        return one_mode(draw, rank)
    return [one_mode(draw, rank) for _ in range(rank)]


def origin(draw, taps):
    return draw(st.integers(-(taps // 2), (taps - 1) // 2))


def axis(draw, rank):
    return draw(st.integers(-rank, rank - 1))


def line(draw, rank):
    taps = draw(st.integers(1, 12))
    return (weights(draw, taps), axis(draw, rank)), {
        "mode": one_mode(draw, rank),
        "cval": draw(CVALS),
        "origin": origin(draw, taps),
    }


def convolved_line(draw, rank):
    arguments, options = line(draw, rank)
    taps = len(arguments[0])
    return arguments, options | {"origin": -options["origin"] - (taps % 2 == 0)}


def dense(draw, rank):
    shape = draw(st.tuples(*[st.integers(1, 4)] * min(rank, 3)))
    values = weights(draw, shape).reshape((1,) * (rank - len(shape)) + shape)
    return (values,), {"mode": one_mode(draw, rank), "cval": draw(CVALS)}


def gaussian(draw, rank):
    sigma = st.floats(0.3, 3)
    options = {"mode": modes(draw, rank), "cval": draw(CVALS), "order": draw(st.integers(0, 3))}
    return (draw(st.one_of(sigma, st.tuples(*[sigma] * rank))),), options


def gaussian_line(draw, rank):
    options = {"mode": one_mode(draw, rank), "cval": draw(CVALS), "radius": draw(st.integers(0, 9))}
    return (draw(st.floats(0.3, 3)), axis(draw, rank), draw(st.integers(0, 2))), options


def of_gaussians(draw, rank):
    return (draw(st.floats(0.3, 3)),), {"mode": modes(draw, rank), "cval": draw(CVALS)}


def plain(draw, rank):
    return (), {"mode": modes(draw, rank), "cval": draw(CVALS)}


def edges(draw, rank):
    return (axis(draw, rank),), {"mode": modes(draw, rank), "cval": draw(CVALS)}


def mean(draw, rank):
    size = draw(st.integers(2, 20))
    return (size,), {
        "mode": modes(draw, rank),
        "cval": draw(CVALS),
        "origin": origin(draw, size),
    }


def mean_line(draw, rank):
    size = draw(st.integers(1, 40))
    return (size, axis(draw, rank)), {
        "mode": one_mode(draw, rank),
        "cval": draw(CVALS),
        "origin": origin(draw, size),
    }


CALLS = {
    "correlate": dense,
    "correlate1d": line,
    "convolve": dense,
    "convolve1d": convolved_line,
    "gaussian_filter": gaussian,
    "gaussian_filter1d": gaussian_line,
    "gaussian_gradient_magnitude": of_gaussians,
    "gaussian_laplace": of_gaussians,
    "laplace": plain,
    "prewitt": edges,
    "sobel": edges,
    "uniform_filter": mean,
    "uniform_filter1d": mean_line,
}
"""Each filter, and what draws its arguments."""
