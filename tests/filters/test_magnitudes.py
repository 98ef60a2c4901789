"""Magnitudes of pairs: both ways to make them give the same."""

import numpy as np
import pytest

from convtool.filters import edges, magnitudes, roberts_cross
from convtool.filters.magnitudes import pair_magnitude
from convtool.filters.values import values_of

DOWN = np.outer(edges.FARID.difference, edges.FARID.smooth)
PAIRS = {
    "odd": np.stack([DOWN, DOWN.T]),
    "even": np.stack([roberts_cross.POSITIVE, roberts_cross.NEGATIVE]),
}


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
@pytest.mark.parametrize("border", ["reflect", "constant", "wrap"])
@pytest.mark.parametrize("pair", PAIRS)
def test_small_images_and_others(rng, monkeypatch, pair, border, dtype):
    values = values_of((rng.random((40, 50)) * 100).astype(dtype))
    small = pair_magnitude(values, PAIRS[pair], border, 0.5)
    monkeypatch.setattr(magnitudes, "SMALL", 0)
    large = pair_magnitude(values, PAIRS[pair], border, 0.5)
    assert small.dtype == large.dtype == values.dtype
    np.testing.assert_allclose(small, large, rtol=0, atol=1e-6 * float(large.max()))
