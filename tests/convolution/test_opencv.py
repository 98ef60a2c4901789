"""The adapter to OpenCV rounds to whole numbers itself, as precisely as this project does."""

import numpy as np
import pytest

from convtool.convolution.api import filtered
from convtool.convolution.engines import opencv
from convtool.kernels.spec import parse

RNG = np.random.default_rng(16)
GAUSSIAN = parse("gaussian:sigma=1.3").weights
KERNELS = {
    "Gaussian": GAUSSIAN,
    "box": np.full((5, 5), 1 / 25),
    "one row": np.array([[0.25, 0.5, 0.25]]),
    "asymmetric": np.outer(RNG.uniform(-1, 1, 4), RNG.uniform(-1, 1, 7)),
    "large": np.outer(RNG.uniform(-200, 200, 3), RNG.uniform(-20, 20, 3)),
    "beyond 32 bits": 1e5 * GAUSSIAN,
}


@pytest.mark.parametrize("image_type", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("answer_type", [np.uint8, np.uint16])
@pytest.mark.parametrize("name", KERNELS)
def test_rounds_and_saturates_sums_in_float32(name, image_type, answer_type):
    peak = 1 << (16 if image_type == np.uint16 else 8)
    image = RNG.integers(0, peak, (160, 90, 3)).astype(image_type)
    how = {"engine": "opencv:rank=1", "border": "mirror"}
    rounded = filtered(image, (KERNELS[name],), True, dtype=answer_type, **how)
    exact = filtered(image.astype(float), (KERNELS[name],), True, engine="direct", border="mirror")
    largest = float(np.abs(KERNELS[name]).sum()) * peak
    off = np.abs(rounded - np.clip(exact, 0, np.iinfo(answer_type).max))
    assert off.max() <= 0.5 + 4 * np.finfo(np.float32).eps * largest


def test_no_sum_is_of_weights_rounded_to_8_bits():
    image = np.zeros((64, 64), np.uint8)
    image[32, 32] = 255
    answer = filtered(image, (GAUSSIAN,), True, engine="opencv:rank=1", dtype=np.uint8)
    top = 32 - GAUSSIAN.shape[0] // 2
    inner = answer[top : top + len(GAUSSIAN), top : top + len(GAUSSIAN)]
    np.testing.assert_array_equal(inner, np.rint(255 * GAUSSIAN).astype(np.uint8))


@pytest.mark.parametrize("cval", [0.5, -3.0, 300.0, 7.0])
def test_values_outside_that_no_pixel_can_have(cval):
    image = RNG.integers(0, 256, (40, 50), np.uint8)
    how = {"border": "constant", "cval": cval}
    answer = filtered(image, (GAUSSIAN,), True, engine="opencv", dtype=np.uint8, **how)
    padded = np.pad(image.astype(float), 9, constant_values=cval)
    expected = filtered(padded, (GAUSSIAN,), True, engine="direct")[9:-9, 9:-9]
    assert np.abs(answer - np.clip(expected, 0, 255)).max() <= 0.5 + 1e-4


@pytest.mark.parametrize("border", ["reflect", "wrap", "constant"])
@pytest.mark.parametrize("shape", [(70, 2500), (70, 900, 3)])
def test_wide_images_are_cut_into_columns_that_fit_together(shape, border):
    image = RNG.integers(0, 256, shape, np.uint8)
    kernel = np.outer(RNG.uniform(0, 1, 61), RNG.uniform(-1, 1, 5)) / 60
    how = {"border": border, "cval": 9.0}
    width = opencv._narrow(shape[1], kernel.shape, image[0, 0].size * 4)
    assert shape[1] / 4 < width < shape[1]
    answer = filtered(image, (kernel,), True, engine="opencv:rank=1", dtype=np.int16, **how)
    exact = filtered(image.astype(float), (kernel,), True, engine="direct", **how)
    assert np.abs(answer - exact).max() <= 0.5 + 1e-3
