"""The normal equations: summed by distances, they are those of the windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convtool.learn.sums import lag_sums, window_sums


def _windows(before, size):
    views = np.lib.stride_tricks.sliding_window_view(before.astype(float), size)
    flat = views.reshape(-1, size[0] * size[1])
    return np.hstack([flat, np.ones((len(flat), 1))])


@given(
    size=st.tuples(st.integers(1, 6), st.integers(1, 11)),
    more=st.tuples(st.integers(0, 30), st.integers(0, 40)),
    seed=st.integers(0, 2**32 - 1),
)
def test_lags_give_what_windows_give_exactly(size, more, seed):
    rng = np.random.default_rng(seed)
    shape = [2 * side + extra for side, extra in zip(size, more, strict=True)]
    before = rng.integers(0, 256, shape).astype(np.uint8)
    inner = [total - side + 1 for total, side in zip(shape, size, strict=True)]
    after = rng.integers(0, 256, inner).astype(np.uint8)
    x, y = _windows(before, size), after.ravel().astype(float)
    for sums in (lag_sums(before, after, size), window_sums(before, after, size)):
        np.testing.assert_array_equal(sums.gram, x.T @ x)
        np.testing.assert_array_equal(sums.moment, x.T @ y)
        assert sums.square == y @ y
        assert sums.count == y.size


def test_strips_do_not_show(monkeypatch, rng):
    before = rng.integers(0, 256, (40, 30))
    after = before[2:-1, 1:-1]
    whole = lag_sums(before, after, (4, 3))
    monkeypatch.setattr("convtool.learn.sums._STRIP", 70)
    monkeypatch.setattr("convtool.learn.sums._WINDOW_BYTES", 5000)
    for sums in (lag_sums, window_sums):
        parts = sums(before, after, (4, 3))
        np.testing.assert_array_equal(parts.gram, whole.gram)
        np.testing.assert_array_equal(parts.moment, whole.moment)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_chosen_windows_and_the_others_make_all(share, rng):
    before = rng.integers(0, 256, (20, 25))
    after = rng.integers(0, 256, (18, 21))
    chosen = rng.random(after.shape) < share
    some = window_sums(before, after, (3, 5), chosen)
    rest = lag_sums(before, after, (3, 5)) - some
    np.testing.assert_array_equal(rest.gram, window_sums(before, after, (3, 5), ~chosen).gram)
    assert some.count == chosen.sum()
    assert (some + rest).count == after.size
