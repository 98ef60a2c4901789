"""8-bit images by kernels of rank 1 in 16 bits: exact sums of whole numbers, rounded products."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import convtool
from convtool.convolution.borders import RULES
from convtool.convolution.engines.jit import whole
from convtool.convolution.engines.jit.uint8 import constants
from convtool.convolution.engines.jit.whole import LIFT, PATTERNS, division
from convtool.convolution.engines.uint16_sums import (
    FRACTION,
    LONGEST,
    WORST,
    uint16_products,
    uint16_sums,
)

SHAPES = [
    (1, 140),
    (9, 1),
    (5, 7),
    (5, 16),
    (6, 33),
    (70, 131),
    (37, 64),
    (37, 45, 3),
    (21, 32, 4),
    (33, 40, 7),
]
"""Widths around one vector and two of any processor."""

KERNELS = {
    "box 3×3": np.full((3, 3), 1 / 9),
    "box 5×5": np.full((5, 5), 1 / 25),
    "box 7×7": np.full((7, 7), 1 / 49),
    "box 3×5": np.full((3, 5), 1 / 15),
    "box 4×4": np.full((4, 4), 1 / 16),
    "box 15×15": np.full((15, 15), 1 / 225),
    "row of thirteen": np.full((1, 13), 1 / 13),
    "column of thirteen": np.full((13, 1), 1 / 13),
    "pair": np.full((1, 2), 1 / 2),
    "binomial 3×3": np.outer([1, 2, 1], [1, 2, 1]) / 16,
    "binomial 5×5": np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256,
    "binomial 5×3": np.outer([1, 4, 6, 4, 1], [1, 2, 1]) / 64,
    "not symmetric": np.outer([1, 2, 0, 5], [3, 4, 1]) / 64,
    "not of sum 1": np.outer([1, 2, 1], [2, 3, 2]) / 128,
}


def _drawn(shape):
    """Return noise with many pixels of 255, for which sums are largest."""
    pixels = np.random.default_rng(sum(shape)).integers(0, 512, shape)
    return np.minimum(pixels, 255).astype(np.uint8)


def _answer(image, kernel, **options):
    return convtool.correlate(image, kernel, engine="numba", dtype="u1", axes=(0, 1), **options)


def _exact(image, kernel, **options):
    """Return the rounded answer, from sums of whole numbers in float64, which hold them exactly."""
    sums = uint16_sums(kernel)
    whole_kernel = np.outer(sums.column, sums.row).astype(np.float64)
    added = convtool.correlate(
        image.astype(np.float64), whole_kernel, engine="direct", axes=(0, 1), **options
    )
    return np.rint(added / sums.divisor)


@pytest.mark.parametrize("border", sorted(RULES))
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", KERNELS)
def test_are_exact_and_halves_go_to_even(name, shape, border):
    image, options = _drawn(shape), {"border": border, "cval": 37.0}
    answer = _answer(image, KERNELS[name], threads=2, **options)
    np.testing.assert_array_equal(answer, _exact(image, KERNELS[name], **options))


@pytest.mark.parametrize("mode", ["valid", "full"])
@pytest.mark.parametrize("shape", [(70, 131), (37, 45, 3)])
@pytest.mark.parametrize("name", KERNELS)
def test_other_modes(name, shape, mode):
    image = _drawn(shape)
    answer = _answer(image, KERNELS[name], mode=mode)
    np.testing.assert_array_equal(answer, _exact(image, KERNELS[name], mode=mode))


@given(
    column=st.lists(st.integers(0, 9), min_size=1, max_size=LONGEST),
    row=st.lists(st.integers(0, 9), min_size=1, max_size=LONGEST),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_whole_numbers_over_a_power_of_two(column, row, seed):
    kernel = np.outer(column, row) / 256
    assume(np.count_nonzero(kernel) > 1)
    image = np.random.default_rng(seed).choice(np.array([0, 1, 128, 254, 255], np.uint8), (23, 90))
    expected = convtool.correlate(image.astype(np.float64), kernel, engine="direct", axes=(0, 1))
    assert (uint16_sums(kernel) is not None) == (sum(column) * sum(row) <= 256)
    np.testing.assert_array_equal(_answer(image, kernel), np.clip(np.rint(expected), 0, 255))


@pytest.mark.parametrize("value", [0, 1, 128, 255])
@pytest.mark.parametrize("name", sorted(set(KERNELS) - {"not of sum 1"}))
def test_a_flat_image_stays_as_it_is(name, value):
    kernel, image = KERNELS[name], np.full((40, 150), value, np.uint8)
    expected = np.rint(value * kernel.sum())
    assert np.all(_answer(image, kernel) == expected)


@pytest.mark.parametrize("cval", [-3.0, 2.25, 300.0])
def test_values_outside_that_are_no_pixels(cval):
    image, kernel = _drawn((40, 150)), KERNELS["binomial 5×5"]
    answer = _answer(image, kernel, border="constant", cval=cval)
    expected = np.clip(_exact(image, kernel, border="constant", cval=cval), 0, 255)
    np.testing.assert_array_equal(answer, expected)


@pytest.mark.parametrize("rows", range(1, 12))
def test_any_number_of_rows_and_of_threads(rows):
    image, kernel = _drawn((rows, 50, 3)), KERNELS["binomial 3×3"]
    for threads in (1, 3):
        answer = _answer(image, kernel, threads=threads)
        np.testing.assert_array_equal(answer, _exact(image, kernel))


@pytest.mark.parametrize("name", ["box 5×5", "binomial 5×5"])
def test_strips_threads_and_rows_apart_in_memory(name):
    base = _drawn((460, 220))
    image, held = base[3:450, 11:195], np.full((460, 200), 7, np.uint8)
    out = held[2:449, 9:193]
    expected = _exact(image, KERNELS[name])
    for threads in (1, 2, 5):
        out[:] = 0
        _answer(image, KERNELS[name], out=out, threads=threads)
        np.testing.assert_array_equal(out, expected)
    for rest in (held[:2], held[449:], held[:, :9], held[:, 193:]):
        assert np.all(rest == 7)


@pytest.mark.parametrize("name", ["box 3×3", "binomial 3×3"])
def test_a_part_is_the_same_as_in_the_whole(name):
    image = _drawn((300, 170, 3))
    complete = _answer(image, KERNELS[name], mode="valid")
    part = _answer(image[100:180], KERNELS[name], mode="valid")
    np.testing.assert_array_equal(part, complete[100:178])


class TestUint16Sums:
    @pytest.mark.parametrize(
        "kernel",
        [
            np.eye(3),  # of full rank
            np.outer([1, 2, 1], [-1, 0, 1]) / 4,  # with negative weights
            np.full((3, 3), 1 / 8),  # answers may saturate
            np.full((4, 3), 1 / 12),  # answers may lie halfway, and 12 is no power of two
            np.outer([1, 1, 1], [1, 4, 1]) / 27,  # an odd divisor, weights of several values
            np.full((17, 1), 1 / 17),  # too long
            np.outer(*[[1, 6, 15, 20, 15, 6, 1]] * 2) / 4096,  # sums beyond 16 bits
            convtool.kernel("gaussian:sigma=1,size=5"),  # no whole numbers
            np.array([[1.0]]),
            np.zeros((3, 3)),
        ],
    )
    def test_leaves_other_kernels_alone(self, kernel):
        assert uint16_sums(kernel) is None

    def test_finds_whole_numbers_in_lowest_terms(self):
        kernel = np.outer([2, 4, 2], [3, 6, 3]) / 96
        assert uint16_sums(kernel) == ((1, 2, 1), (1, 2, 1), 16)
        assert uint16_sums(np.full((3, 5), 1 / 15)) == ((1,) * 3, (1,) * 5, 15)


@pytest.mark.skipif(
    not constants()[1], reason="the processor has no instruction that rounds products of int16"
)
class TestUint16Products:
    @pytest.mark.parametrize("border", sorted(RULES))
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("size", [3, 5])
    def test_are_within_the_limit(self, size, shape, border):
        image, kernel = _drawn(shape), convtool.kernel(f"gaussian:sigma={size / 6},size={size}")
        options = {"border": border, "cval": 200.0}
        assert uint16_products(kernel) is not None
        answer = _answer(image, kernel, **options).astype(np.float64)
        exact = convtool.correlate(
            image.astype(np.float64), kernel, engine="direct", axes=(0, 1), **options
        )
        assert np.abs(answer - exact).max() < 0.5 + WORST
        assert np.abs(answer - np.rint(exact)).sum() <= 0.05 * exact.size

    @given(seed=st.integers(0, 2**32 - 1), size=st.sampled_from([3, 5]), gain=st.floats(0.3, 1))
    def test_any_weights_of_sum_1_or_less(self, seed, size, gain):
        rng = np.random.default_rng(seed)
        column, row = rng.uniform(0.01, 1, (2, size))
        kernel = np.outer(column / column.sum(), gain * row / row.sum())
        assume(uint16_products(kernel) is not None)
        image = rng.choice(np.array([0, 1, 128, 254, 255], np.uint8), (23, 90))
        answer = _answer(image, kernel).astype(np.float64)
        exact = convtool.correlate(image.astype(np.float64), kernel, engine="direct", axes=(0, 1))
        assert np.abs(answer - exact).max() < 0.5 + WORST

    @pytest.mark.parametrize("value", range(256))
    @pytest.mark.parametrize("spec", ["sigma=0.5,size=3", "sigma=1,size=5"])
    def test_a_flat_image_stays_as_it_is(self, spec, value):
        image = np.full((9, 70), value, np.uint8)
        answer = _answer(image, convtool.kernel(f"gaussian:{spec}"))
        np.testing.assert_array_equal(answer, image)

    def test_their_limits_are_those_of_the_code(self):
        assert LIFT == FRACTION

    def test_widths_change_no_bit(self):
        image, kernel = _drawn((30, 200)), convtool.kernel("gaussian:sigma=1,size=5")
        complete = _answer(image, kernel, mode="valid")
        for width in (1, 3, 14, 15, 16, 17, 31, 32, 33, 63, 64, 65, 130):
            part = _answer(image[:, 20 : 24 + width], kernel, mode="valid")
            np.testing.assert_array_equal(part, complete[:, 20 : 20 + width])

    @pytest.mark.parametrize(
        "kernel",
        [
            np.outer([1, 2, 1], [1, 2, 1]) / 16,  # whole numbers
            convtool.kernel("gaussian:sigma=1,size=7"),
            1.01 * convtool.kernel("gaussian:sigma=1,size=3"),  # answers may saturate
            -convtool.kernel("gaussian:sigma=1,size=3"),
            convtool.kernel("gaussian:sigma=0.05,size=3"),  # as good as a single weight
            convtool.kernel("log:sigma=0.5,size=3"),
        ],
    )
    def test_leave_other_kernels_alone(self, kernel):
        assert uint16_products(kernel) is None

    def test_a_plan_names_them(self):
        plan = convtool.plan(
            (600, 800), "uint8", "gaussian:sigma=1,size=5", engine="numba", out_dtype="uint8"
        )
        assert plan.rank == 1
        assert "8 bits and rank 1: 10 multiply-adds a pixel, in int16" in plan.reason


class TestDivision:
    @pytest.mark.parametrize("divisor", [*range(3, 257, 2), *(1 << bits for bits in range(1, 9))])
    def test_is_exact_for_every_sum(self, divisor):
        made = division(divisor)
        sums = np.arange(255 * divisor + 1)
        odd = made.halves * (sums * made.multiplier >> 16 & 1)
        assert (sums + made.bias + odd).max() < 1 << 16
        assert 0 < made.multiplier < 1 << 16
        answers = (sums + made.bias + odd) * made.multiplier >> 16 + made.shift
        np.testing.assert_array_equal(answers, np.rint(sums / divisor))


def test_each_pattern_has_a_kernel_here():
    lines = {line for kernel in KERNELS.values() for line in uint16_sums(kernel)[:2]}
    taken = {whole._pattern(line, False) for line in lines}
    assert taken == {pattern for pattern in PATTERNS if not pattern.rounded}


@pytest.mark.parametrize("name", KERNELS)
def test_a_plan_names_it(name):
    kernel = KERNELS[name]
    plan = convtool.plan((600, 800), "uint8", kernel, engine="numba", out_dtype="uint8")
    adds = sum(kernel.shape) - 2
    assert (plan.engine, plan.rank) == ("numba", 1)
    assert f"8 bits, whole numbers of rank 1: {adds} adds a pixel, in uint16" in plan.reason
    for other in ({"out_dtype": "float32"}, {"out_dtype": "uint8", "stride": 2}):
        reason = convtool.plan((600, 800), "uint8", kernel, engine="numba", **other).reason
        assert "uint16" not in reason
