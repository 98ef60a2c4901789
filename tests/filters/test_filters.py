"""What `convtool.filters` offers, and where it is not scikit-image's to decide."""

import numpy as np
import pytest

from convtool import filters
from convtool.errors import OptionError, ShapeError


def test_every_name_is_there_and_no_other():
    assert filters.__all__ == sorted(filters._HOMES) == dir(filters)
    for name in filters.__all__:
        assert getattr(filters, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'median'"):
        _ = filters.median


@pytest.mark.parametrize("axis", [-1, 2])
def test_unsharp_masking_takes_a_negative_axis(rng, axis):
    image = rng.random((12, 13, 3))
    expected = np.stack([filters.unsharp_mask(plane) for plane in np.moveaxis(image, 2, 0)], 2)
    answer = filters.unsharp_mask(image, channel_axis=axis)
    np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", ["sobel", "gaussian", "unsharp_mask", "laplace", "farid"])
def test_images_without_pixels(name):
    answer = getattr(filters, name)(np.zeros((0, 5), np.float32))
    assert answer.shape == (0, 5)
    assert answer.dtype == np.float32


@pytest.mark.parametrize("name", ["sobel", "laplace"])
def test_a_number_has_no_edges(name):
    with pytest.raises(ShapeError, match="a single number"):
        getattr(filters, name)(3.0)


def test_lists_are_images():
    assert filters.sobel_v([[0, 1], [0, 1]]).shape == (2, 2)


@pytest.mark.parametrize("axis", [2, -3, (0, 5)])
def test_an_axis_out_of_bounds(axis):
    with pytest.raises(OptionError, match="out of bounds for an image of 2"):
        filters.sobel(np.eye(3), axis=axis)


def test_sigmas_and_axes_have_to_match():
    with pytest.raises(OptionError, match="sigma has 3 numbers for 2 axes"):
        filters.gaussian(np.eye(3), [1, 2, 3])
    with pytest.raises(OptionError, match="channel_axis 5 is out of bounds"):
        filters.gaussian(np.eye(3), channel_axis=5)


def test_an_image_is_not_overwritten(rng):
    image = rng.random((20, 30))
    kept = image.copy()
    for name in filters.__all__:
        if name == "gabor_kernel":
            continue
        more = {"difference_of_gaussians": (1,), "gabor": (0.2,)}.get(name, ())
        getattr(filters, name)(image, *more)
        np.testing.assert_array_equal(image, kept, err_msg=name)
    assert not np.shares_memory(filters.gaussian(image, 0), image)
