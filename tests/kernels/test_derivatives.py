"""Derivatives, Laplacians and compass kernels beside those of OpenCV, SciPy and scikit-image."""

import cv2
import numpy as np
import pytest
from scipy import ndimage

import convtool
from convtool.kernels.compass import ANGLES
from convtool.kernels.spec import kernel

ORDERS = [(1, 0), (0, 1), (2, 0), (0, 2), (1, 1), (2, 1)]


@pytest.mark.parametrize("size", [3, 5, 7, 9, 31])
@pytest.mark.parametrize(("dx", "dy"), ORDERS)
def test_sobel_of_any_size_and_order_is_opencvs(size, dx, dy):
    row, column = cv2.getDerivKernels(dx, dy, size, ktype=cv2.CV_64F)
    np.testing.assert_array_equal(
        kernel(f"sobel:size={size},dx={dx},dy={dy}"), np.outer(column, row)
    )


@pytest.mark.parametrize("size", [3, 5, 7])
def test_the_pair_of_a_size_is_opencvs(size):
    down, right = (cv2.getDerivKernels(*d, size, ktype=cv2.CV_64F) for d in ((0, 1), (1, 0)))
    expected = [np.outer(column, row) for row, column in (down, right)]
    np.testing.assert_array_equal(kernel(f"sobel:size={size}"), expected)
    np.testing.assert_array_equal(kernel(f"sobel-horizontal:{size}"), expected[0])
    np.testing.assert_array_equal(kernel(f"sobel-vertical:{size}"), expected[1])


def test_sobel_of_five_and_its_second_derivative_are_the_numbers_of_the_books():
    np.testing.assert_array_equal(
        kernel("sobel:dx=1,size=5"), np.outer([1, 4, 6, 4, 1], [-1, -2, 0, 2, 1])
    )
    np.testing.assert_array_equal(kernel("sobel:dy=2"), np.outer([1, -2, 1], [1, 2, 1]))


def test_scharr_is_opencvs():
    down, right = kernel("scharr")
    for found, order in ((down, (0, 1)), (right, (1, 0))):
        row, column = cv2.getDerivKernels(*order, cv2.FILTER_SCHARR, ktype=cv2.CV_64F)
        np.testing.assert_array_equal(found, np.outer(column, row))


@pytest.mark.parametrize("size", [3, 5, 7])
def test_laplacian_of_a_size_is_opencvs(size, rng):
    image = rng.integers(0, 256, (20, 24)).astype(np.float64)
    theirs = cv2.Laplacian(image, cv2.CV_64F, ksize=size, borderType=cv2.BORDER_REFLECT)
    ours = convtool.convolve(image, f"laplacian-sobel:size={size}")
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9 * abs(theirs).max())


def test_laplacian_of_three_is_opencvs_matrix():
    np.testing.assert_array_equal(kernel("laplacian-sobel"), [[2, 0, 2], [0, -8, 0], [2, 0, 2]])


# skimage.filters.edges.HFARID_WEIGHTS, rounded: convolution there has the other sign.
HFARID = [
    [0.00412760285, 0.02730814973, 0.04673225765, 0.02730814973, 0.00412760285],
    [0.010420, 0.068938, 0.117974, 0.068938, 0.010420],
    [0, 0, 0, 0, 0],
    [-0.010420, -0.068938, -0.117974, -0.068938, -0.010420],
    [-0.00412760285, -0.02730814973, -0.04673225765, -0.02730814973, -0.00412760285],
]


def test_farid_is_scikit_images():
    np.testing.assert_allclose(kernel("farid-horizontal"), np.negative(HFARID), atol=5e-7)
    ramp = np.tile(np.arange(20.0)[:, np.newaxis], (1, 20))
    slope = convtool.gradient_magnitude(ramp, "farid")[5:15, 5:15]
    np.testing.assert_allclose(slope, 2 * (0.109603762960254 * 2 + 0.276690988455557), rtol=1e-12)


def test_frei_chen_weighs_the_middle_by_root_two():
    root = 2**0.5
    np.testing.assert_array_equal(
        kernel("frei-chen"),
        [
            [[-1, -root, -1], [0, 0, 0], [1, root, 1]],
            [[-1, 0, 1], [-root, 0, root], [-1, 0, 1]],
        ],
    )


def test_roberts_is_scikit_images_times_root_two():
    """Its weights there are ROBERTS_PD_WEIGHTS and ROBERTS_ND_WEIGHTS, convolved."""
    image = np.array([[0, 0, 0, 0], [0, 1, 3, 0], [0, 0, 7, 0], [0, 0, 0, 0]], float)
    answer = convtool.gradient_magnitude(image, "roberts")
    np.testing.assert_array_equal(answer[0, 0], np.hypot(0 - 1, 0 - 0))
    np.testing.assert_allclose(answer[1, 1], np.hypot(1 - 7, 3 - 0), rtol=1e-15)
    falling, rising = kernel("roberts")
    np.testing.assert_allclose(
        answer,
        np.hypot(ndimage.convolve(image, falling), ndimage.convolve(image, rising)),
        rtol=1e-15,
    )


@pytest.mark.parametrize("sigma", [(2, 2), (4, 1), (0.7, 3)])
@pytest.mark.parametrize("order", [(0, 0), (1, 0), (0, 1), (2, 0), (1, 2), (3, 4)])
def test_convolution_with_a_gaussian_derivative_is_scipys_filter(sigma, order, rng):
    image = rng.random((40, 50))
    spec = f"gaussian:sigma={sigma[0]},{sigma[1]},dy={order[0]},dx={order[1]}"
    theirs = ndimage.gaussian_filter(image, sigma, order)
    ours = convtool.convolve(image, spec)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-13 * max(1, abs(theirs).max()))


@pytest.mark.parametrize("order", [1, 2])
def test_a_gaussian_derivative_is_the_impulse_response_of_scipy(order):
    impulse = np.zeros(17)
    impulse[8] = 1
    response = ndimage.gaussian_filter1d(impulse, 2, order=order, mode="constant")
    smooth = ndimage.gaussian_filter1d(impulse, 2, mode="constant")
    np.testing.assert_allclose(
        kernel(f"gaussian:sigma=2,dy={order}"), np.outer(response, smooth), atol=1e-17
    )


def test_two_sigmas_are_vertical_and_horizontal_as_scipy_orders_them():
    assert kernel("gaussian:sigma=4,1").shape == (33, 9)
    np.testing.assert_array_equal(kernel("gaussian:4,1"), kernel("gaussian:sigma=4,1"))
    np.testing.assert_array_equal(kernel("gaussian:4,4"), kernel("gaussian:sigma=4"))
    np.testing.assert_array_equal(kernel("gaussian:sigma=4,1,size=5x3").shape, (5, 3))


KIRSCH = {
    0: [[5, -3, -3], [5, 0, -3], [5, -3, -3]],
    45: [[5, 5, -3], [5, 0, -3], [-3, -3, -3]],
    90: [[5, 5, 5], [-3, 0, -3], [-3, -3, -3]],
    180: [[-3, -3, 5], [-3, 0, 5], [-3, -3, 5]],
    270: [[-3, -3, -3], [-3, 0, -3], [5, 5, 5]],
    315: [[-3, -3, -3], [5, 0, -3], [5, 5, -3]],
}
"""As ImageMagick 6.9 shows them for Kirsch:0 and so on."""


@pytest.mark.parametrize(("angle", "weights"), KIRSCH.items())
def test_kirsch_turns_as_imagemagick_turns_it(angle, weights):
    np.testing.assert_array_equal(kernel(f"kirsch:angle={angle}"), weights)
    np.testing.assert_array_equal(kernel(f"kirsch:{angle - 360}"), weights)


def test_compass_is_imagemagicks():
    np.testing.assert_array_equal(kernel("compass:0"), [[1, 1, -1], [1, -2, -1], [1, 1, -1]])
    np.testing.assert_array_equal(kernel("compass:45"), [[1, 1, 1], [1, -2, -1], [1, -1, -1]])


@pytest.mark.parametrize("name", ["kirsch", "compass"])
def test_the_eight_directions_are_closed_under_a_half_turn(name):
    weights = kernel(name)
    assert weights.shape == (8, 3, 3)
    turned = weights[:, ::-1, ::-1]
    np.testing.assert_array_equal(np.roll(turned, len(ANGLES) // 2, axis=0), weights)
    assert (weights.sum(axis=(1, 2)) == 0).all()
