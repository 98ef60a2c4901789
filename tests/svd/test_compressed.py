"""Compression of pictures: exactness, colours, tiles, targets, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convtool
from convtool.errors import OptionError, PixelTypeError, ShapeError
from convtool.images import samples
from convtool.images.tone import to_gray
from convtool.svd.compressed import compress, largest_k
from convtool.svd.fileformat import BLOCKS
from convtool.svd.metrics import mse
from convtool.svd.planes import COLORINGS
from convtool.svd.targets import k_for_energy, k_for_psnr, spectrum


@pytest.fixture(scope="module")
def photograph():
    return np.ascontiguousarray(samples.load("photograph")[100:260, 50:250])


@pytest.mark.parametrize("k", [1, 7, 40, 160])
def test_error_is_the_root_of_the_squares_beyond_k(photograph, k):
    gray = to_gray(photograph).astype(np.float64)
    values = np.linalg.svd(gray, compute_uv=False)
    small = compress(gray, k, method="full")
    expected = np.sqrt((values[k:] ** 2).sum())
    assert np.linalg.norm(gray - small.values()) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert np.sqrt(small.mse * gray.size) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert small.energy == pytest.approx((values[:k] ** 2).sum() / (values**2).sum(), rel=1e-12)


@pytest.mark.parametrize("color", COLORINGS)
@pytest.mark.parametrize("block", [None, *BLOCKS])
@pytest.mark.parametrize("k", [1, 3, 8])
def test_what_is_said_is_what_is_measured(photograph, color, block, k):
    small = compress(photograph, k, color=color, block=block)
    original = to_gray(photograph) if color == "gray" else photograph
    assert small.values().shape == original.shape
    assert mse(original, small.values()) == pytest.approx(small.mse, rel=1e-4, abs=1e-6)
    picture = small.reconstruct()
    assert picture.dtype == np.uint8
    assert mse(original, picture) <= 1.005 * small.mse + 0.1
    assert small.ratio == small.stored / original.size


def test_stored_numbers_are_k_times_one_and_both_sides(photograph):
    rows, columns = photograph.shape[:2]
    assert compress(photograph, 5, color="gray").stored == 5 * (1 + rows + columns)
    assert compress(photograph, 5).stored == 3 * 5 * (1 + rows + columns)
    assert compress(photograph, 5, color="joint").stored == 5 * (1 + rows + 3 * columns)
    assert compress(photograph, 2, color="gray", block=8).stored == 2 * 500 * 17


def test_tiles_keep_the_strongest_products_of_all(photograph):
    gray = to_gray(photograph)[:64, :64]
    tiles = gray.reshape(8, 8, 8, 8).transpose(0, 2, 1, 3).reshape(64, 8, 8).astype(np.float64)
    values = np.sort(np.linalg.svd(tiles, compute_uv=False).ravel())[::-1]
    small = compress(gray, 2, block=8)
    assert small.parts[0].squared_error == pytest.approx((values[128:] ** 2).sum(), rel=1e-4)
    fixed = [np.linalg.svd(tile, compute_uv=False)[2:] for tile in tiles]
    assert small.parts[0].squared_error < sum(float((one**2).sum()) for one in fixed)


@pytest.mark.parametrize("shape", [(19, 33), (8, 50), (33, 19, 3)])
def test_tiles_at_the_edges_are_smaller(shape, rng):
    picture = rng.integers(0, 256, shape).astype(np.uint8)
    whole = compress(picture, 8, block=8)
    np.testing.assert_array_equal(whole.reconstruct(), picture)
    few = compress(picture, 3, block=8)
    assert mse(picture, few.values()) == pytest.approx(few.mse, rel=1e-4)


@pytest.mark.parametrize("color", COLORINGS)
@pytest.mark.parametrize("block", [None, 16])
@pytest.mark.parametrize("level", [25.0, 32.0])
def test_target_psnr_is_met_by_the_smallest_k(photograph, color, block, level):
    small = compress(photograph, target_psnr=level, color=color, block=block)
    assert small.psnr >= level - 0.006
    if small.k > 1:
        assert small.first(small.k - 1).psnr < level


@pytest.mark.parametrize("block", [None, 8])
@pytest.mark.parametrize("ratio", [0.3, 0.5, 1.0])
def test_target_ratio_is_the_largest_k_within(photograph, block, ratio):
    small = compress(photograph, target_ratio=ratio, block=block)
    assert small.ratio <= ratio
    assert compress(photograph, small.k + 1, block=block).ratio > ratio


def test_energy_is_held_by_the_smallest_k(photograph):
    small = compress(photograph, energy=0.998)
    assert small.energy >= 0.998 - 1e-6
    assert small.first(small.k - 1).energy < 0.998
    assert compress(photograph, energy=1.0).psnr > 100


def test_spectrum_agrees_with_the_approximations(photograph):
    matrices = [photograph[:, :, c].astype(np.float32) for c in range(3)]
    known = spectrum(matrices)
    for k in (1, 20, 159):
        small = compress(photograph, k, method="full")
        assert known.left[k] == pytest.approx(small.mse * photograph.size, rel=1e-6)
        assert known.stored[k] == small.stored
    assert k_for_psnr(known, 10.0, 255.0) == 1
    assert k_for_energy(known, 1e-9) == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_every_depth_comes_back_in_its_depth(dtype, rng):
    peak = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    picture = (rng.random((20, 24)) * peak).astype(dtype)
    small = compress(picture, 20)
    assert small.psnr == np.inf
    assert small.reconstruct().dtype == dtype
    if np.dtype(dtype).kind == "u":
        np.testing.assert_array_equal(small.reconstruct(), picture)
    else:
        np.testing.assert_allclose(small.reconstruct(), picture, atol=1e-6)


@pytest.mark.parametrize(
    "picture", [np.full((1, 1), 9, np.uint8), np.full((40, 30, 3), 77, np.uint8)]
)
def test_one_pixel_and_one_colour_lose_nothing(picture):
    small = compress(picture, 1)
    assert small.mse == 0
    assert small.psnr == np.inf
    np.testing.assert_array_equal(small.reconstruct(), picture)


def test_alpha_is_a_channel_and_grey_leaves_it_out(rng):
    picture = rng.integers(0, 256, (12, 10, 4)).astype(np.uint8)
    assert len(compress(picture, 2).parts) == 4
    assert compress(picture, 10).reconstruct().shape == (12, 10, 4)
    assert compress(picture, 2, color="gray").reconstruct().shape == (12, 10)
    assert compress(picture[:, :, :2], 2, color="gray").reconstruct().shape == (12, 10)


@given(rows=st.integers(1, 24), columns=st.integers(1, 24), seed=st.integers(0, 50), data=st.data())
def test_error_falls_and_numbers_grow_with_k(rows, columns, seed, data):
    picture = np.random.default_rng(seed).integers(0, 256, (rows, columns)).astype(np.uint8)
    k = data.draw(st.integers(1, min(rows, columns)))
    small = compress(picture, k)
    below = [small.first(j) for j in range(1, k + 1)]
    errors = [one.mse for one in below]
    assert errors == sorted(errors, reverse=True)
    assert [one.stored for one in below] == sorted(one.stored for one in below)


def test_impossible_wishes_are_refused(photograph):
    with pytest.raises(OptionError, match="k 0: a picture of 200×160 pixels allows 1 to 160"):
        compress(photograph, 0)
    with pytest.raises(OptionError, match="allows 1 to 160"):
        compress(photograph, 161)
    with pytest.raises(OptionError, match="tiles of 8×8 allows 1 to 8"):
        compress(photograph, 9, block=8)
    with pytest.raises(OptionError, match="k and psnr given"):
        compress(photograph, 3, target_psnr=30)
    with pytest.raises(OptionError, match="none given"):
        compress(photograph)
    with pytest.raises(OptionError, match=r"energy 1\.5: give a number above 0 and up to 1"):
        compress(photograph, energy=1.5)
    with pytest.raises(OptionError, match="ratio nan"):
        compress(photograph, target_ratio=float("nan"))
    with pytest.raises(OptionError, match="k of 1 takes"):
        compress(photograph, target_ratio=1e-4)
    with pytest.raises(OptionError, match="block 7: choose one of 8, 16, 32"):
        compress(photograph, 3, block=7)
    with pytest.raises(OptionError, match="color 'rgb'"):
        compress(photograph, 3, color="rgb")
    with pytest.raises(PixelTypeError, match="NaN"):
        compress(np.array([[0.0, np.nan]]), 1)
    with pytest.raises(PixelTypeError, match="NaN"):
        compress(np.array([[0.0, np.nan]] * 9), 1, block=8)
    with pytest.raises(ShapeError, match="no pixels"):
        compress(np.zeros((0, 4), np.uint8), 1)
    with pytest.raises(OptionError, match="there are 5 triples"):
        compress(photograph, 5).first(6)


def test_joint_allows_as_many_as_the_wide_matrix(photograph):
    image = convtool.images.image.as_image(np.ascontiguousarray(photograph[:, :20]))
    assert largest_k(image, "joint", None) == 60
    assert largest_k(image, "channels", None) == 20
