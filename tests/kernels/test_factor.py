"""Rank and factors: exact where they can be, up to rounding everywhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from convtool.errors import KernelError
from convtool.kernels.factor import cheap_factors, factor, is_separable, rank, truncated_svd
from convtool.kernels.rational import exact_factors, own_lines, whole_numbers
from convtool.kernels.spec import kernel

shapes = hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)
matrices = hnp.arrays(np.float64, shapes, elements=st.floats(-1e3, 1e3, width=32))


@given(matrices)
def test_factors_sum_to_the_matrix(matrix):
    factors = factor(matrix)
    assert factors.columns.shape == (len(factors.rows), matrix.shape[0])
    assert factors.rows.shape[1] == matrix.shape[1]
    assert factors.singular_values.shape == (min(matrix.shape),)
    tolerance = 2e-14 * max(matrix.shape) * abs(matrix).max()
    np.testing.assert_allclose(factors.matrix(), matrix, rtol=0, atol=tolerance)


@given(matrices, st.integers(-250, 250))
def test_factors_hold_at_any_magnitude(matrix, exponent):
    scaled = np.ldexp(matrix, exponent)
    factors = factor(scaled)
    tolerance = 2e-14 * max(matrix.shape) * abs(scaled).max()
    np.testing.assert_allclose(factors.matrix(), scaled, rtol=0, atol=tolerance)


@given(
    hnp.arrays(np.float64, st.integers(1, 12), elements=st.integers(-50, 50)),
    hnp.arrays(np.float64, st.integers(1, 12), elements=st.integers(-50, 50)),
)
def test_integer_outer_product_is_factored_exactly(column, row):
    matrix = np.outer(column, row)
    factors = factor(matrix)
    assert len(factors.columns) == 1
    np.testing.assert_array_equal(factors.matrix(), matrix)
    np.testing.assert_array_equal(factors.columns, np.rint(factors.columns))
    np.testing.assert_array_equal(factors.rows, np.rint(factors.rows))
    assert is_separable(matrix)
    assert rank(matrix) == bool(matrix.any())


@given(matrices)
def test_singular_values_are_numpys(matrix):
    expected = np.linalg.svd(matrix, compute_uv=False)
    np.testing.assert_allclose(
        factor(matrix).singular_values, expected, rtol=0, atol=1e-13 * max(1, expected[0])
    )


def test_sobel_gives_its_own_one_dimensional_factors():
    horizontal, vertical = (factor(single) for single in kernel("sobel"))
    np.testing.assert_array_equal(horizontal.columns, [[-1, 0, 1]])
    np.testing.assert_array_equal(horizontal.rows, [[1, 2, 1]])
    np.testing.assert_array_equal(vertical.columns, [[1, 2, 1]])
    np.testing.assert_array_equal(vertical.rows, [[-1, 0, 1]])


@given(
    hnp.arrays(np.float64, st.integers(1, 12), elements=st.integers(-50, 50)),
    hnp.arrays(np.float64, st.integers(1, 12), elements=st.integers(-50, 50)),
    st.sampled_from([1 / 9, 0.1, 1 / 7, 3.3, 2.0**-40, 1e-30]),
)
def test_scaled_integer_outer_product_keeps_whole_numbers(column, row, scale):
    factors = factor(np.outer(column, row) * scale)
    assert len(factors.columns) == 1
    assert factors.whole
    assert factors.exact
    assert whole_numbers(factors.columns[0]) is not None
    assert whole_numbers(factors.rows[0]) is not None
    largest = np.abs(np.outer(column, row)).max() * scale
    np.testing.assert_allclose(
        factors.matrix(), np.outer(column, row) * scale, rtol=0, atol=4e-16 * largest
    )


def test_the_common_factor_spares_the_line_that_sums_to_zero():
    smooth, difference = np.array([1.0, 2, 1]), np.array([-1.0, 0, 1])
    factors = factor(np.outer(smooth, difference) / 3)
    np.testing.assert_array_equal(factors.columns, [smooth / 3])
    np.testing.assert_array_equal(factors.rows, [difference])
    factors = factor(np.outer(difference, smooth) / 3)
    np.testing.assert_array_equal(factors.columns, [difference])
    np.testing.assert_array_equal(factors.rows, [smooth / 3])


@pytest.mark.parametrize("size", [3, 5, 9, 15])
def test_binomial_gaussians_and_boxes_have_whole_lines(size):
    line = factor(kernel(f"gaussian:size={size}")).columns[0]
    np.testing.assert_array_equal(line, np.rint(line))
    assert line.sum() == 2 ** (size - 1)
    np.testing.assert_array_equal(factor(kernel(f"box:size={size}")).columns[0], np.ones(size))


@pytest.mark.parametrize(
    "spec", ["laplacian-4", "laplacian-8", "cross", "line-falling", "sharpen-9", "emboss"]
)
@pytest.mark.parametrize("scale", [1, 1 / 3, 5])
def test_small_presets_of_higher_rank_have_exact_factors(spec, scale):
    matrix = kernel(spec) * scale
    factors = factor(matrix)
    assert factors.exact
    assert len(factors.columns) == rank(matrix) > 1
    np.testing.assert_array_equal(factors.columns, np.rint(factors.columns))
    np.testing.assert_allclose(factors.matrix(), matrix, rtol=0, atol=4e-16 * abs(matrix).max())


@given(hnp.arrays(np.float64, shapes, elements=st.integers(-20, 20)))
def test_exact_factors_are_exact(matrix):
    found = exact_factors(matrix, max(1, int(np.linalg.matrix_rank(matrix))))
    if found is not None:
        columns, rows = found
        np.testing.assert_array_equal(columns.T @ rows, matrix)
        assert len(columns) == max(1, np.linalg.matrix_rank(matrix))


def test_elimination_that_would_round_is_given_up():
    line, other = np.arange(1.0, 22) ** 2, np.arange(21.0) * 7 + 5
    matrix = np.outer(line, other) + np.outer(other[::-1], line % 11 + 3)
    assert exact_factors(matrix, 2) is None
    factors = factor(matrix)
    assert len(factors.columns) == 2
    assert factors.whole
    assert not factors.exact


@given(
    hnp.arrays(np.int64, st.integers(1, 12), elements=st.integers(-(2**12), 2**12)),
    st.floats(1e-3, 1e3),
)
def test_multiples_of_one_number_are_found(whole, factor_):
    found = whole_numbers(whole * factor_)
    assert found is not None
    divisor = max(1, np.gcd.reduce(whole))
    np.testing.assert_array_equal(found.numbers, whole // divisor)
    np.testing.assert_allclose(found.numbers * found.factor, whole * factor_, rtol=1e-14)


def test_what_is_no_multiple_of_one_number(rng):
    for values in (rng.standard_normal(4), rng.random(9).astype(np.float32), kernel("disk")):
        assert whole_numbers(values) is None
    assert not factor(kernel("log")).whole


@pytest.mark.parametrize("shape", [(2, 4), (4, 2), (3, 3)])
def test_own_lines_sum_to_the_matrix(rng, shape):
    matrix = rng.standard_normal(shape)
    columns, rows = own_lines(matrix)
    assert len(columns) == min(shape)
    np.testing.assert_array_equal(columns.T @ rows, matrix)


@pytest.mark.slow
class TestLargeKernels:
    @pytest.mark.parametrize(
        ("spec", "expected"),
        [
            ("gaussian:sigma=32", 1),
            ("box:size=4095x300", 1),
            ("log:sigma=30,size=257", 2),
            ("dog:sigma=100,size=1025", 2),
        ],
    )
    def test_low_rank_is_found(self, spec, expected):
        matrix = kernel(spec)
        for factors in (factor(matrix), cheap_factors(matrix)):
            assert len(factors.columns) == expected
            np.testing.assert_allclose(
                factors.matrix(), matrix, rtol=0, atol=1e-14 * abs(matrix).max()
            )
        assert rank(matrix) == expected

    @pytest.mark.parametrize("ranks", [3, 20, 32])
    def test_values_and_products_are_those_of_the_whole_decomposition(self, rng, ranks):
        matrix = rng.standard_normal((300, ranks)) @ rng.standard_normal((ranks, 200))
        factors = cheap_factors(matrix)
        assert len(factors.columns) == ranks == rank(matrix)
        expected = np.linalg.svd(matrix, compute_uv=False)
        np.testing.assert_allclose(factors.singular_values, expected, atol=1e-11 * expected[0])
        np.testing.assert_allclose(factors.matrix(), matrix, rtol=0, atol=1e-12 * expected[0])

    def test_higher_ranks_are_left_alone(self, rng):
        matrix = rng.standard_normal((200, 40)) @ rng.standard_normal((40, 180))
        assert cheap_factors(matrix) is None
        assert rank(matrix) == 40
        assert len(factor(matrix).columns) == 40

    def test_one_small_deviation_is_not_lost(self):
        matrix = kernel("gaussian:sigma=32").copy()
        matrix[7, 200] += 1e-6 * matrix.max()
        factors = cheap_factors(matrix)
        assert len(factors.columns) == 2
        np.testing.assert_allclose(factors.matrix(), matrix, rtol=0, atol=1e-13 * matrix.max())

    def test_found_the_same_each_time(self):
        matrix = kernel("log:sigma=30,size=257")
        one, other = cheap_factors(matrix), cheap_factors(matrix.copy())
        np.testing.assert_array_equal(one.columns, other.columns)
        np.testing.assert_array_equal(one.rows, other.rows)


def test_zeros_are_exact():
    padded = np.pad(kernel("disk:radius=3"), ((2, 1), (0, 3)))
    factors = factor(padded)
    assert len(factors.columns) > 1
    assert not factors.columns[:, [0, 1, -1]].any()
    assert not factors.rows[:, -3:].any()
    cross = factor(kernel("cross"))
    assert not np.signbit(cross.rows[cross.rows == 0]).any()


def test_asked_rank_gives_the_nearest_matrix():
    matrix = kernel("disk")
    values = np.linalg.svd(matrix, compute_uv=False)
    for k in (1, 2, 3):
        factors = factor(matrix, rank=k)
        assert factors.columns.shape == (k, 11)
        assert np.linalg.norm(factors.matrix() - matrix) == pytest.approx(
            np.sqrt((values[k:] ** 2).sum()), rel=1e-9
        )
    assert len(factor(matrix, rank=99).columns) == rank(matrix) == 5


def test_tolerance_decides_what_counts_as_zero():
    rounded = np.round(kernel("gaussian:sigma=1,size=5"), 4)
    assert rank(rounded) > 1
    assert rank(rounded, rtol=1e-3) == 1
    assert len(factor(rounded, rtol=1e-3).columns) == 1


def test_zero_matrix_has_rank_0_and_one_pair_of_zeros():
    factors = factor(np.zeros((2, 3)))
    assert rank(np.zeros((2, 3))) == 0
    assert factors.columns.shape == (1, 2)
    assert not factors.matrix().any()
    assert factors.singular_values.tolist() == [0, 0]


@pytest.mark.parametrize("shape", [(30, 20), (20, 30)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_truncated_svd_computes_in_the_dtype_of_the_matrix(rng, shape, dtype):
    matrix = rng.standard_normal(shape).astype(dtype)
    u, values, vt = truncated_svd(matrix, 7)
    assert (u.shape, values.shape, vt.shape) == ((shape[0], 7), (20,), (7, shape[1]))
    assert {u.dtype, values.dtype, vt.dtype} == {np.dtype(dtype)}
    assert (vt[np.arange(7), abs(vt).argmax(axis=1)] > 0).all()
    tolerance = 100 * np.finfo(dtype).eps
    np.testing.assert_allclose(u.T @ u, np.eye(7), atol=tolerance)
    np.testing.assert_allclose(vt @ vt.T, np.eye(7), atol=tolerance)
    error = np.linalg.norm(matrix - (u * values[:7]) @ vt)
    assert error == pytest.approx(np.sqrt((values[7:] ** 2).sum()), rel=1e-4)
    factors = factor(matrix)
    assert {factors.columns.dtype, factors.rows.dtype, factors.singular_values.dtype} == {
        np.dtype(dtype)
    }


@pytest.mark.parametrize("bad", [[[np.nan]], [[np.inf]], [1, 2], np.zeros((0, 2)), [[1j]]])
def test_what_is_no_matrix_is_refused(bad):
    with pytest.raises(KernelError):
        factor(bad)
    with pytest.raises(KernelError):
        rank(bad)


def test_rank_below_1_is_refused():
    with pytest.raises(KernelError, match="at least 1"):
        factor([[1]], rank=0)
