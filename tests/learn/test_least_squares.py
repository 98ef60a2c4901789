"""The kernel is found: for every preset, size, border and kind of pair."""

import numpy as np
import pytest
from reference import correlate as reference_correlate

import convtool
from convtool.convolution.borders import RULES
from convtool.errors import OptionError, PixelTypeError, ShapeError
from convtool.images import samples
from convtool.kernels.presets import PRESETS
from convtool.learn import fit

SINGLES = [name for name, preset in PRESETS.items() if not preset.parts]


@pytest.fixture
def noise(rng):
    return rng.integers(0, 256, (120, 110)).astype(np.uint8)


@pytest.fixture(scope="module")
def picture():
    return samples.load("photograph")[150:350, 200:420]


@pytest.mark.parametrize("name", SINGLES)
def test_every_preset_is_recovered(name, noise):
    kernel = convtool.kernel(name)
    found = fit([(noise, convtool.convolve(noise, kernel))], kernel.shape)
    assert found.decided
    np.testing.assert_allclose(found.kernel, kernel, rtol=0, atol=1e-6)
    assert found.r2 > 1 - 1e-9
    assert found.windows == (121 - kernel.shape[0]) * (111 - kernel.shape[1])


@pytest.mark.parametrize("name", [n for n in PRESETS if PRESETS[n].combination == "magnitude"])
def test_pairs_are_no_convolution_and_that_shows(name, noise, picture):
    """The magnitude of two kernels' answers is the work of no kernel: little is explained."""
    for before in (noise, picture):
        found = fit([(before, convtool.gradient_magnitude(before, name))], 3, bias=True)
        assert found.r2 < 0.5


@pytest.mark.parametrize("name", SINGLES)
def test_every_preset_is_recovered_from_a_photograph(name, picture):
    kernel = convtool.kernel(name)
    size = tuple(max(7, side) for side in kernel.shape)
    inside = tuple(
        slice(room // 2 - side // 2, room // 2 - side // 2 + side)
        for room, side in zip(size, kernel.shape, strict=True)
    )
    found = fit([(picture, convtool.convolve(picture, kernel))], size)
    expected = np.zeros(size)
    expected[inside] = kernel
    np.testing.assert_allclose(found.kernel, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 4), (4, 1), (5, 5)])
@pytest.mark.parametrize("border", RULES)
def test_border_pixels_are_handled_where_the_border_is_known(size, border, rng):
    before = rng.random((23, 19))
    kernel = rng.normal(size=size)
    after = reference_correlate(before, kernel, border=border, flipped=True)
    found = fit([(before, after)], size, border=border)
    np.testing.assert_allclose(found.kernel, kernel, atol=1e-10)
    assert found.windows == before.size
    inner = fit([(before, after)], size)
    np.testing.assert_allclose(inner.kernel, kernel, atol=1e-10)
    assert inner.windows == (24 - size[0]) * (20 - size[1])


def test_picture_without_its_border_is_recognised_by_its_size(rng):
    before = rng.random((30, 40))
    after = convtool.convolve(before, "emboss", mode="valid")
    np.testing.assert_allclose(
        fit([(before, after)], 3).kernel, convtool.kernel("emboss"), atol=1e-9
    )


def test_several_pairs_decide_what_one_leaves_open(rng):
    columns = np.tile(rng.random(30), (20, 1))
    pairs = [(one, convtool.convolve(one, "sobel-vertical")) for one in (columns, columns.T.copy())]
    alone = fit(pairs[:1], 3)
    assert not alone.decided
    assert alone.rank == 3
    both = fit(pairs, 3)
    assert both.rank > alone.rank


def test_colours_share_a_kernel(rng):
    before = rng.random((30, 20, 3))
    found = fit([(before, convtool.convolve(before, "scharr-vertical"))], 3)
    np.testing.assert_allclose(found.kernel, convtool.kernel("scharr-vertical"), atol=1e-10)
    assert found.windows == 3 * 28 * 18


def test_bias_is_found_or_proposed(rng):
    before = rng.integers(0, 256, (60, 50)).astype(np.uint8)
    after = convtool.convolve(before, "laplacian-4") + 128
    found = fit([(before, after)], 3, bias=True)
    assert found.bias == pytest.approx(128, abs=1e-3)
    assert found.unknowns == 10
    without = fit([(before, after)], 3)
    assert without.bias == 0
    assert without.better_bias == pytest.approx(128, abs=1e-3)
    assert without.residual_with_bias < 0.01 < without.residual
    np.testing.assert_allclose(without.kernel_with_bias, found.kernel)


def test_clipped_values_do_not_bend_the_kernel(rng):
    before = rng.integers(0, 256, (90, 80)).astype(np.uint8)
    after = convtool.convolve(before, "emboss", dtype=np.uint8)
    found = fit([(before, after)], 3)
    assert found.clipped > 1000
    np.testing.assert_allclose(found.kernel, convtool.kernel("emboss"), atol=1e-9)
    few = fit([(before, convtool.convolve(before, "box", dtype=np.uint8) // 2 * 2)], 3)
    np.testing.assert_allclose(few.kernel, convtool.kernel("box"), atol=1e-2)


@pytest.mark.parametrize("kind", [np.float64, np.uint8])
def test_answer_does_not_depend_on_threads(kind, noise, monkeypatch):
    after = convtool.convolve(noise, "gaussian:sigma=1").astype(kind)
    after[5, 5] = 255
    found = []
    for threads in ("1", "3"):
        monkeypatch.setenv("CONVTOOL_NUM_THREADS", threads)
        found.append(fit([(noise, after)], 5))
    np.testing.assert_array_equal(found[0].kernel, found[1].kernel)
    assert found[0].residual == found[1].residual


@pytest.mark.parametrize("kind", ["few", "many"])
def test_few_and_many_clipped_values(kind, rng, monkeypatch):
    monkeypatch.setattr("convtool.learn.least_squares._ENOUGH", 500)
    before = rng.integers(0, 200, (70, 60)).astype(np.uint8)
    after = convtool.convolve(before, "identity", dtype=np.uint8)
    after[2 : 5 if kind == "few" else 40, 2:30] = 255
    found = fit([(before, after)], 3)
    assert found.clipped
    np.testing.assert_allclose(found.kernel, convtool.kernel("identity"), atol=1e-9)


def test_least_squares_is_that_of_numpy(rng):
    before, after = rng.random((17, 16)), rng.random((17, 16))
    windows = np.lib.stride_tricks.sliding_window_view(before, (3, 3)).reshape(-1, 9)
    values = after[1:-1, 1:-1].ravel()
    answer, error, *_ = np.linalg.lstsq(windows, values)
    found = fit([(before, after)], 3)
    np.testing.assert_allclose(found.kernel.ravel()[::-1], answer, atol=1e-10)
    assert found.residual == pytest.approx(np.sqrt(error[0] / values.size))
    spread = np.square(values - values.mean()).sum()
    assert found.r2 == pytest.approx(1 - error[0] / spread)


def test_ridge_is_that_of_its_formula(rng):
    before, after = rng.random((17, 16)), rng.random((17, 16))
    windows = np.lib.stride_tricks.sliding_window_view(before, (3, 3)).reshape(-1, 9)
    values = after[1:-1, 1:-1].ravel()
    gram = windows.T @ windows / len(values) + 0.3 * np.eye(9)
    expected = np.linalg.solve(gram, windows.T @ values / len(values))
    found = fit([(before, after)], 3, l2=0.3)
    np.testing.assert_allclose(found.kernel.ravel()[::-1], expected, atol=1e-12)


def test_flat_pictures_leave_the_kernel_open():
    flat = np.full((20, 20), 7, np.uint8)
    found = fit([(flat, np.full((20, 20), 14, np.uint8))], 3)
    assert (found.rank, found.unknowns, found.decided) == (1, 9, False)
    np.testing.assert_allclose(found.kernel, 2 / 9)
    assert found.r2 == 1


@pytest.mark.parametrize(
    ("before", "after", "size", "error", "words"),
    [
        (np.ones((9, 9)), np.ones((9, 8)), 3, ShapeError, "must be alike, or after 7×7"),
        (np.ones((9, 9)), np.ones((9, 9, 3)), 3, ShapeError, "the same channels"),
        (np.ones((2, 9)), np.ones((2, 9)), 3, ShapeError, "does not fit"),
        (np.ones(9), np.ones(9), 1, ShapeError, "before: a picture is"),
        (np.full((9, 9), np.nan), np.ones((9, 9)), 3, PixelTypeError, "NaN"),
        (np.ones((99, 99)), np.ones((99, 99)), 33, OptionError, "1089 weights"),
        (np.ones((9, 9)), np.ones((9, 9)), 0, OptionError, "at least 1"),
    ],
)
def test_what_cannot_be_learned_is_said(before, after, size, error, words):
    with pytest.raises(error, match=words):
        fit([(before, after)], size)


def test_other_nonsense_is_refused(rng):
    image = rng.random((9, 9))
    with pytest.raises(OptionError, match="l2"):
        fit([(image, image)], 3, l2=-1.0)
    with pytest.raises(OptionError, match="border 'odd'"):
        fit([(image, image)], 3, border="odd")
    with pytest.raises(OptionError, match="no pictures are given"):
        fit([], 3)
