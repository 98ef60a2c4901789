"""Rank and factors: exact where they can be, up to rounding everywhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from convtool.errors import KernelError
from convtool.kernels.factor import factor, is_separable, rank, truncated_svd
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
