"""Kernels that are products of factors, against SciPy's one-dimensional filters."""

from itertools import product

import numpy as np
import pytest
from scipy import ndimage

from convtool.errors import OptionError, ShapeError
from convtool.filters import edges, products
from convtool.filters.products import borders_of, product_correlated
from convtool.filters.values import Values

RULES = ("reflect", "constant", "nearest", "mirror", "wrap")


def values_of(image, unit=1.0):
    return Values(image, unit, np.dtype(np.float64))


def passes(image, factors, rules, cval):
    """Return what passes along one axis after the other give; cval is filtered with the image."""
    for axis, taps in factors.items():
        image = ndimage.correlate1d(image, taps, axis, mode=rules[axis], cval=cval)
        cval = cval * taps.sum()
    return image


@pytest.mark.parametrize("shape", [(30,), (12, 17), (12, 17, 3), (6, 9, 7), (4, 5, 6, 7)])
@pytest.mark.parametrize("rule", RULES)
def test_any_axes(rng, shape, rule):
    image = rng.normal(size=shape)
    for chosen in product([False, True], repeat=len(shape)):
        factors = {
            axis: rng.normal(size=2 * axis + 3) for axis, is_one in enumerate(chosen) if is_one
        }
        rules = (rule,) * len(shape)
        answer = product_correlated(values_of(image), factors, rules, 0.3)
        np.testing.assert_allclose(answer, passes(image, factors, rules, 0.3), atol=1e-11)


@pytest.mark.parametrize("rules", [*product(RULES, repeat=2)])
def test_a_border_for_each_axis(rng, rules):
    image = rng.normal(size=(9, 11))
    factors = {0: np.array([1.0, 2, 4]), 1: np.array([1.0, -3, 1, 5, 1])}
    answer = product_correlated(values_of(image), factors, rules, 0.5)
    np.testing.assert_allclose(answer, passes(image, factors, rules, 0.5), atol=1e-12)


def test_a_magnitude_with_a_border_for_each_axis(rng):
    image = rng.normal(size=(9, 11))
    rules = ("wrap", "nearest")
    parts = [passes(image, edges._factors(edges.SOBEL, 2, axis), rules, 0.0) for axis in range(2)]
    expected = np.sqrt((parts[0] ** 2 + parts[1] ** 2) / 2)
    np.testing.assert_allclose(edges.sobel(image, mode=rules), expected, atol=1e-12)


def test_long_factors_are_not_multiplied_out(rng):
    image = rng.normal(size=(40, 50))
    taps = rng.normal(size=131)
    assert taps.size**2 > products.MOST_FUSED
    answer = product_correlated(values_of(image), {0: taps, 1: taps}, ("mirror",) * 2, 0.0)
    expected = passes(image, {0: taps, 1: taps}, ("mirror",) * 2, 0.0)
    np.testing.assert_allclose(answer, expected, atol=1e-9)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_out_and_unit(rng, order, dtype):
    image = rng.integers(0, 99, (6, 7, 8)).astype(np.uint8)
    factors = dict.fromkeys(range(3), np.array([1.0, 2, 1]) / 4)
    out = np.empty(image.shape, dtype, order)
    answer = product_correlated(values_of(image, 0.5), factors, ("wrap",) * 3, 0.0, out)
    assert answer is out
    expected = passes(image * 0.5, factors, ("wrap",) * 3, 0.0)
    np.testing.assert_allclose(out, expected, rtol=1e-6)
    with pytest.raises(ShapeError, match="out has shape"):
        product_correlated(values_of(image), factors, ("wrap",) * 3, 0.0, np.empty(3))


def test_borders():
    assert borders_of(["grid-mirror", "symmetric", "grid-constant"], 3) == (
        "reflect",
        "reflect",
        "constant",
    )
    with pytest.raises(OptionError, match="2 names for an image of 3"):
        borders_of(["wrap", "wrap"], 3)
    with pytest.raises(OptionError, match="'bend' is not known"):
        borders_of("bend", 2)
