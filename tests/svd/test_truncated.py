"""The truncated decomposition: every method against LAPACK's singular values, on hard spectra."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from svd.spectra import COLUMNS, MATRICES, ROWS, K, matrix_of, singular_values

from convtool.errors import OptionError, PixelTypeError, ShapeError
from convtool.svd.orthonormal import orthonormal_rows
from convtool.svd.planner import plan
from convtool.svd.solvers import SOLVERS, methods, solver
from convtool.svd.start import can_guess
from convtool.svd.threads import product, there_and_back
from convtool.svd.triples import Doubt, energy
from convtool.svd.truncated import decompose

WORST_DB = 0.01


def _solved(name, matrix, k):
    return solver(name)(matrix, k, energy(matrix))


def loss_db(matrix, triples, k):
    """Return how far the PSNR at k is below the best, but for rounding of the matrix itself."""
    wide = np.asarray(matrix, np.float64)
    values = singular_values(wide)
    best = float((values[k:] ** 2).sum())
    error = float(((wide - np.float64(triples.u) * triples.s @ np.float64(triples.vt)) ** 2).sum())
    rounding = wide.size * (5e-14 * values[0]) ** 2 + 1e-300
    return 10 * np.log10((error + rounding) / (best + rounding))


@pytest.mark.parametrize("method", methods())
@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("k", [1, K])
def test_error_is_the_least_possible(method, name, k):
    matrix = MATRICES[name]
    triples = decompose(matrix, k, method=method)
    assert triples.doubt is Doubt.NONE
    assert loss_db(matrix, triples, k) < WORST_DB


@pytest.mark.parametrize("method", methods())
def test_parts_have_the_shapes_and_the_order_that_is_said(method):
    matrix = MATRICES["spectrum inverse"]
    triples = decompose(matrix, K, method=method)
    assert triples.u.shape == (ROWS, K)
    assert triples.vt.shape == (K, COLUMNS)
    assert (np.diff(triples.s) <= 0).all()
    np.testing.assert_allclose(triples.s, singular_values(matrix)[:K], rtol=5e-3)
    np.testing.assert_allclose(triples.u.T @ triples.u, np.eye(K), atol=1e-5)
    np.testing.assert_allclose(triples.vt @ triples.vt.T, np.eye(K), atol=1e-5)


@pytest.mark.parametrize("name", MATRICES)
def test_tail_is_the_root_of_the_squares_beyond_k(name):
    matrix = MATRICES[name]
    triples = decompose(matrix, K, method="full")
    values = singular_values(matrix)
    expected = np.sqrt((values[K:] ** 2).sum())
    scale = max(1.0, values[0])
    assert np.sqrt(triples.tail) == pytest.approx(expected, rel=1e-9, abs=1e-12 * scale)
    error = np.linalg.norm(np.asarray(matrix, np.float64) - triples.matrix())
    assert error == pytest.approx(expected, rel=1e-9, abs=1e-12 * scale)


def test_all_triples_give_the_matrix_back():
    matrix = MATRICES["noise"]
    triples = decompose(matrix, ROWS)
    np.testing.assert_allclose(triples.matrix(), matrix, atol=1e-12)
    assert triples.squared_error == 0


def test_first_triples_are_those_of_a_smaller_k():
    many = decompose(MATRICES["noise"], K, method="full")
    few = decompose(MATRICES["noise"], 5, method="full")
    np.testing.assert_allclose(many.first(5).matrix(), few.matrix(), atol=1e-12)
    assert many.first(5).tail == pytest.approx(few.tail)


def test_the_same_matrix_gives_the_same_triples():
    matrix = MATRICES["bright noise"]
    first, second = (decompose(matrix, K, method="lanczos") for _ in range(2))
    np.testing.assert_array_equal(first.u, second.u)


def test_every_copy_of_a_multiple_singular_value_is_found():
    i = np.arange(ROWS)
    matrix = matrix_of(np.where(i < 16, 10.0, np.where(i < 20, 5.0, 0.1)))
    triples = _solved("lanczos", matrix, 20)
    np.testing.assert_allclose(triples.s, [10.0] * 16 + [5.0] * 4, rtol=1e-4)


def test_gram_says_where_it_is_not_good_enough():
    fine, steep = MATRICES["spectrum inverse"], MATRICES["spectrum steep"]
    assert _solved("gram", fine, K).doubt is Doubt.NONE
    assert _solved("gram", steep[:, ::-1], 30).doubt is Doubt.PRECISION


def test_single_precision_says_where_it_is_not_good_enough():
    matrix = MATRICES["spectrum deep step"]
    assert _solved("lanczos", matrix, K).doubt is Doubt.PRECISION
    assert _solved("lanczos", matrix.astype(np.float64), K).doubt is Doubt.NONE


@given(
    rows=st.integers(1, 30),
    columns=st.integers(1, 30),
    seed=st.integers(0, 99),
    method=st.sampled_from(methods()),
    data=st.data(),
)
def test_any_shape_any_k(rows, columns, seed, method, data):
    k = data.draw(st.integers(1, min(rows, columns)))
    matrix = np.random.default_rng(seed).integers(0, 256, (rows, columns)).astype(np.uint8)
    triples = decompose(matrix, k, method=method)
    assert triples.u.shape == (rows, k)
    assert triples.vt.shape == (k, columns)
    assert loss_db(matrix, triples, k) < WORST_DB


@pytest.mark.parametrize("k", [0, -1, 5])
def test_k_beyond_the_possible_is_refused_with_the_largest(k):
    with pytest.raises(OptionError, match="4×9 has 4 singular values, give 1 to 4"):
        decompose(np.ones((4, 9)), k)


def test_what_is_no_matrix_is_refused():
    with pytest.raises(ShapeError, match="two dimensions"):
        decompose(np.ones(4), 1)
    with pytest.raises(ShapeError, match="empty"):
        decompose(np.ones((0, 4)), 1)
    with pytest.raises(PixelTypeError, match="NaN"):
        decompose(np.array([[1.0, np.nan]]), 1)
    with pytest.raises(PixelTypeError, match="complex"):
        decompose(np.ones((2, 2), complex), 1)
    with pytest.raises(OptionError, match="'svds' is not known; one of auto, full"):
        decompose(np.ones((2, 2)), 1, method="svds")


def test_plan_takes_the_cheapest_and_says_so():
    chosen = plan(3000, 4000, 50)
    assert chosen.method == "lanczos"
    assert set(chosen.costs) == set(SOLVERS)
    assert chosen.costs["lanczos"] == min(chosen.costs.values())
    assert "cheapest" in chosen.reason
    assert plan(1080, 1920, 50, method="gram").method == "gram"
    assert plan(40, 40, 10).method in SOLVERS
    assert plan(500, 500, 500).method == "full"


@pytest.mark.parametrize("pattern", ["smooth", "checkerboard", "stripes", "hidden in every fourth"])
def test_a_guessed_start_hides_nothing(pattern, rng):
    y, x = np.mgrid[:300, :400]
    picture = 90 + 60 * np.sin(y / 31 + x / 47) + 40 * (x > y) + 4 * rng.standard_normal(x.shape)
    picture += {
        "smooth": 0 * x,
        "checkerboard": 25 * ((x + y) % 2),
        "stripes": 25 * (x % 2) + 15 * (y % 3),
        "hidden in every fourth": np.where((x % 4 > 0) & (y % 4 > 0), 30 * np.cos(2.1 * x * y), 0),
    }[pattern]
    matrix = np.rint(picture).astype(np.uint8)
    assert can_guess(300, 400, 6)
    for k in (1, 6):
        triples = decompose(matrix, k, method="lanczos")
        assert loss_db(matrix, triples, k) < WORST_DB


@given(
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    rank=st.integers(0, 12),
    have=st.integers(0, 12),
    seed=st.integers(0, 99),
)
def test_rows_become_orthonormal(rows, columns, rank, have, seed):
    rng = np.random.default_rng(seed)
    held = orthonormal_rows(rng.standard_normal((have, columns)), np.zeros((0, columns)))
    np.testing.assert_allclose(held @ held.T, np.eye(len(held)), atol=1e-12)
    block = rng.standard_normal((rows, rank)) @ rng.standard_normal((rank, columns))
    block -= (block @ held.T) @ held
    found = orthonormal_rows(block, held)
    assert len(found) <= rows
    assert len(found) + len(held) <= columns
    np.testing.assert_allclose(found @ found.T, np.eye(len(found)), atol=1e-10)
    np.testing.assert_allclose(found @ held.T, 0, atol=1e-10)


@pytest.mark.parametrize("threads", ["1", "3"])
def test_products_do_not_depend_on_the_threads(threads, rng, monkeypatch):
    matrix = rng.random((600, 1000), dtype=np.float32)
    rows = rng.random((5, 600), dtype=np.float32)
    expected = there_and_back(rows, matrix)
    np.testing.assert_allclose(expected[0], rows @ matrix, rtol=1e-5)
    np.testing.assert_allclose(expected[1], rows @ matrix @ matrix.T, rtol=1e-5)
    monkeypatch.setenv("CONVTOOL_NUM_THREADS", threads)
    for one, other in zip(expected, there_and_back(rows, matrix), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(product(rows, matrix), expected[0])
