"""Sizes and anchors, as formulas and as SciPy has them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

import convtool
from convtool.convolution.geometry import MODES, geometry, pair
from convtool.errors import OptionError, ShapeError

SIDE, TAPS, PAD, STRIDE = (
    st.integers(1, 60),
    st.integers(1, 20),
    st.integers(0, 9),
    st.integers(1, 7),
)


@given(
    size=st.tuples(SIDE, SIDE),
    taps=st.tuples(TAPS, TAPS),
    padding=st.tuples(PAD, PAD),
    stride=st.tuples(STRIDE, STRIDE),
)
def test_padding_gives_the_usual_formula(size, taps, padding, stride):
    room = [n + 2 * p - k for n, k, p in zip(size, taps, padding, strict=True)]
    if min(room) < 0:
        with pytest.raises(ShapeError, match="no output is left"):
            geometry(size, taps, padding=padding, stride=stride)
        return
    layout = geometry(size, taps, padding=padding, stride=stride)
    assert layout.shape == tuple(r // s + 1 for r, s in zip(room, stride, strict=True))


@given(
    size=st.tuples(SIDE, SIDE),
    taps=st.tuples(TAPS, TAPS),
    stride=st.tuples(STRIDE, STRIDE),
    mode=st.sampled_from(MODES),
)
def test_modes_keep_every_sth_of_the_dense_answer(size, taps, stride, mode):
    dense = [
        {"same": n, "full": n + k - 1, "valid": n - k + 1}[mode]
        for n, k in zip(size, taps, strict=True)
    ]
    if min(dense) < 1:
        with pytest.raises(ShapeError, match="no output is left"):
            geometry(size, taps, mode=mode, stride=stride)
        return
    layout = geometry(size, taps, mode=mode, stride=stride)
    assert layout.shape == tuple(len(range(0, d, s)) for d, s in zip(dense, stride, strict=True))


@pytest.mark.parametrize("taps", range(1, 9))
def test_anchor_is_scipys(taps):
    impulse = np.zeros((1, 21))
    impulse[0, 10] = 1
    kernel = np.arange(1.0, taps + 1)[None]
    for ours, theirs in (
        (convtool.convolve, ndimage.convolve),
        (convtool.correlate, ndimage.correlate),
    ):
        assert ours(impulse, kernel).tolist() == theirs(impulse, kernel).tolist()


def test_anchor_of_an_even_kernel():
    assert geometry((9, 9), (4, 2), flipped=False).rows.start == -2
    assert geometry((9, 9), (4, 2), flipped=True).rows.start == -1
    assert geometry((9, 9), (4, 2), flipped=False).columns.start == -1
    assert geometry((9, 9), (4, 2), flipped=True).columns.start == 0


def test_padding_takes_the_place_of_same():
    assert geometry((9, 9), (3, 3), padding=0).shape == (7, 7)
    assert geometry((9, 9), (3, 3), mode="valid", padding=(1, 2)).shape == (9, 11)


def test_stride_longer_than_the_image_keeps_the_first():
    image = np.arange(12.0).reshape(3, 4)
    assert convtool.convolve(image, "identity", stride=(9, 9)).tolist() == [[0.0]]


@pytest.mark.parametrize("value", [1, (2, 3), [2, 3], np.int32(4), (np.uint8(1), 2)])
def test_pair(value):
    numbers = pair(value, "stride", 1)
    assert all(type(n) is int for n in numbers)
    assert numbers == tuple(np.broadcast_to(value, 2))


def test_pair_says_what_it_is_for():
    with pytest.raises(OptionError, match="padding must be at least 0, not"):
        pair((1, -1), "padding", 0)
    with pytest.raises(OptionError, match="padding must be a whole number or a pair of them"):
        pair(None, "padding", 0)


@pytest.mark.parametrize("padding", [10**20, 2**63 - 1, (0, 2**60), 10**9])
def test_padding_beyond_all_memory_is_refused(padding):
    with pytest.raises(ShapeError, match="more than any memory holds; use less padding"):
        geometry((9, 9), (3, 3), padding=padding)
