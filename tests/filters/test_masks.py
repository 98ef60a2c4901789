"""Masks, against SciPy's erosion."""

import numpy as np
import pytest
from scipy import ndimage

from convtool.filters.masks import eroded, masked


@pytest.mark.parametrize("shape", [(), (1,), (2,), (9,), (1, 7), (12, 13), (5, 6, 7)])
def test_erosion(rng, shape):
    mask = np.asarray(rng.random(shape) < 0.9)
    if mask.ndim:
        footprint = ndimage.generate_binary_structure(mask.ndim, mask.ndim)
        expected = ndimage.binary_erosion(mask, footprint, border_value=0)
        np.testing.assert_array_equal(eroded(mask), expected)


def test_any_number_but_zero_counts():
    answer = masked(np.ones((3, 3)), np.full((3, 3), 7))
    assert answer.tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
