"""The oracle against SciPy on the whole image, and what it calls an error."""

import numpy as np
import pytest
from scipy import ndimage

from convtool.bench import oracle
from convtool.bench.cells import Cell
from convtool.bench.task import task


def whole(job):
    """Return the answer in float64, from scipy.ndimage."""
    image = job.image.astype(np.float64)
    weights = job.kernel.reshape(job.kernel.shape + (1,) * (image.ndim - 2))
    stride = job.cell.stride
    return ndimage.correlate(image, weights, mode="reflect")[::stride, ::stride]


@pytest.mark.parametrize(
    "cell",
    [
        Cell("dense", 40, 50, kernel=5),
        Cell("dense", 40, 50, 3, kernel=4),
        Cell("strided", 41, 50, 1, kernel=7, stride=4),
        Cell("dense", 6, 5, kernel=31),
    ],
    ids=lambda cell: cell.title,
)
def test_patches_are_those_of_scipy(cell):
    job = task(cell)
    answer = whole(job)
    assert oracle.error(job, answer) < 1e-14
    height, width = min(3, answer.shape[0]), min(2, answer.shape[1])
    patch = oracle.expected(job, 0, 0, (height, width))
    np.testing.assert_allclose(patch, answer[:height, :width], atol=1e-14)


def test_error_is_relative_to_what_the_kernel_could_make():
    job = task(Cell("box", 40, 50, kernel=3))
    answer = whole(job)
    answer[-1, -1] += 0.25
    assert oracle.error(job, answer) == pytest.approx(0.25)
    assert oracle.error(job, answer) > oracle.tolerated(job, True)


def test_error_of_integers_is_in_their_steps():
    job = task(Cell("box", 40, 50, dtype="uint8"))
    answer = np.rint(whole(job)).astype(np.uint8)
    assert 0.4 < oracle.error(job, answer) <= 0.5
    answer[0, 0] += 2
    assert oracle.error(job, answer) > oracle.tolerated(job, True)


def test_gradients_are_lengths_and_saturate():
    job = task(Cell("sobel", 30, 30, dtype="uint8"))
    image = job.image.astype(np.float64)
    down = ndimage.correlate(image, job.kernel[0], mode="reflect")
    right = ndimage.correlate(image, job.kernel[1], mode="reflect")
    lengths = np.minimum(np.hypot(down, right), 255)
    np.testing.assert_allclose(oracle.expected(job, 0, 0, (30, 30)), lengths, atol=1e-12)


def test_nan_is_an_error():
    job = task(Cell("box", 40, 50))
    answer = whole(job)
    answer[0, 0] = np.nan
    assert oracle.error(job, answer) == np.inf
