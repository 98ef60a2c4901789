"""The works: their kernels, their cells, their opponents."""

import numpy as np
import pytest

from convtool.bench.cells import WORKS, Cell, Grid, drawn_image, sigma_of, work_named
from convtool.bench.peers import PEERS
from convtool.bench.task import task
from convtool.convolution.engines import factoring
from convtool.errors import OptionError


@pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)
def test_work_names_peers_that_exist(work):
    assert set(work.peers) <= set(PEERS)
    assert work_named(work.name) is work


def test_every_peer_is_somebodys():
    named = {name for work in WORKS.values() for name in work.peers}
    assert set(PEERS) - named == {"scipy.ndimage.convolve", "scipy.signal.fftconvolve"}


@pytest.mark.parametrize("size", [3, 5, 21])
def test_kernels_have_the_rank_that_their_work_says(size):
    cell = Cell("", 64, 64, kernel=size)

    def rank(work, cell=cell):
        return factoring(work_named(work).kernels(cell), np.dtype(np.float32)).rank

    assert rank("dense") == rank("dense-uint8") == rank("strided") == size
    assert rank("gaussian") == rank("box") == 1
    for number in (2, 3, 4):
        if number <= size:
            low = Cell("rank", 64, 64, kernel=size, rank=number)
            assert rank("rank", low) == number


@pytest.mark.parametrize("work", ["dense", "gaussian", "box"])
def test_kernels_keep_the_brightness(work):
    kernel = work_named(work).kernels(Cell(work, 9, 9, kernel=7))
    assert kernel.sum() == pytest.approx(1, abs=1e-14)


def test_gaussian_is_the_one_that_its_peer_is_asked_for():
    kernel = work_named("gaussian").kernels(Cell("gaussian", 9, 9, kernel=9))
    x = np.arange(-4, 5)
    row = np.exp(-(x**2) / (2 * sigma_of(9) ** 2))
    np.testing.assert_allclose(kernel, np.outer(row, row) / row.sum() ** 2, atol=1e-15)


def test_grid_takes_each_works_types_unless_others_are_given():
    def cells(*dtypes):
        works = ("dense", "sobel", "strided")
        found = Grid(((10, 11, 1),), (3, 5), works, dtypes, threads=2).cells()
        return [(cell.work, cell.dtype, cell.kernel, cell.stride) for cell in found]

    assert cells("uint16") == [
        *(("dense", "uint16", 3, 1), ("dense", "uint16", 5, 1), ("sobel", "uint16", 3, 1)),
        *(("strided", "uint16", 3, 2), ("strided", "uint16", 3, 4)),
        *(("strided", "uint16", 5, 2), ("strided", "uint16", 5, 4)),
    ]
    assert [dtype for work, dtype, _, _ in cells() if work == "dense"] == ["float32"] * 2
    assert [dtype for work, dtype, _, _ in cells() if work == "sobel"] == ["uint8", "float32"]


def test_shapes():
    cell = Cell("strided", 10, 11, 3, stride=4)
    assert cell.shape == (10, 11, 3)
    assert cell.out_shape == (3, 3, 3)
    assert cell.outputs == 27
    assert Cell("box", 10, 11).shape == (10, 11)


def test_images_use_the_whole_range_and_are_the_same_each_time():
    image = drawn_image((64, 64), "uint8")
    assert (image.min(), image.max()) == (0, 255)
    floats = drawn_image((64, 64), "float32")
    assert (floats.min(), floats.max()) == (0, 1)
    np.testing.assert_array_equal(np.rint(floats * 255), image)


def test_picture_is_converted_to_the_cells_type():
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4)
    job = task(Cell("box", 3, 4, dtype="float32"), picture)
    assert job.image.dtype == np.float32
    np.testing.assert_array_equal(job.image, picture)


def test_unknown_work_names_the_known_ones():
    with pytest.raises(OptionError, match="'nix' is not known; one of dense, dense-uint8"):
        work_named("nix")
