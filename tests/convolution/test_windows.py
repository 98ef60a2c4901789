"""Rows of an answer from rows of the image: bit for bit those of the whole answer."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import convtool
from convtool.convolution import api
from convtool.convolution.borders import RULES
from convtool.convolution.engines import ENGINES
from convtool.convolution.geometry import MODES, geometry
from convtool.convolution.source import runs_of
from convtool.convolution.windows import Windows
from convtool.errors import OptionError

GAUSSIAN = convtool.kernel("gaussian:sigma=2,size=9")


def in_parts(image, kernels, flipped, options, spans_at_once, dtype=None):
    """Compute an answer band by band, each from the rows that it reaches and no others."""
    how = dict(options)
    layout = geometry(
        image.shape[:2],
        kernels[0].shape,
        mode=how.pop("mode", "same"),
        padding=how.pop("padding", None),
        stride=how.pop("stride", 1),
        flipped=flipped,
    )
    windows = Windows(image.shape, image.dtype, kernels, flipped, layout, out_dtype=dtype, **how)
    parts, first = [], 0
    while first < windows.shape[0]:
        last = min(windows.shape[0], first + spans_at_once)
        rows = windows.covering((first, last))
        assert rows[0] == first
        held = windows.reach(rows)
        pixels = np.concatenate([image[a:b] for a, b in held])
        parts.append(windows.compute(rows, pixels, held))
        first = rows[1]
    assert windows.shape == np.concatenate(parts).shape
    return np.concatenate(parts)


def whole(image, kernels, flipped, options, dtype=None):
    return api.filtered(image, kernels, flipped, dtype=dtype, **options)


def image_of(rng, shape, dtype):
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


@st.composite
def problems(draw):
    """Images higher than any engine's pieces, and kernels of every size beside them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    height, width = draw(st.integers(1, 500)), draw(st.integers(1, 60))
    shape = (height, width, *draw(st.sampled_from([(), (2,), (3,)])))
    dtype = draw(st.sampled_from(["uint8", "uint16", "float32", "float64"]))
    kind = draw(st.sampled_from(["dense", "sparse", "box", "gaussian"]))
    size = draw(st.integers(1, 31)), draw(st.integers(1, 12))
    kernel = rng.normal(size=size)
    if kind == "sparse":
        kernel *= rng.random(size) < 0.4
    elif kind == "box":
        kernel = np.full(size, 1 / np.prod(size))
    elif kind == "gaussian":
        kernel = GAUSSIAN
    options = {
        "border": draw(st.sampled_from(sorted(RULES))),
        "cval": draw(st.sampled_from([0.0, 7.0])),
        "stride": draw(st.sampled_from([1, 1, 2, (3, 2)])),
    }
    if draw(st.booleans()):
        options["padding"] = (draw(st.integers(0, 40)), draw(st.integers(0, 6)))
        room = [
            s + 2 * p - k for s, p, k in zip(shape, options["padding"], kernel.shape, strict=False)
        ]
        if min(room) < 0:
            del options["padding"]
    elif height >= kernel.shape[0] and width >= kernel.shape[1]:
        options["mode"] = draw(st.sampled_from(MODES))
    return (
        image_of(rng, shape, dtype),
        kernel,
        options,
        draw(st.booleans()),
        draw(st.integers(1, 300)),
    )


@pytest.mark.parametrize("engine", ["auto", *ENGINES])
@given(problem=problems())
def test_parts_are_those_of_the_whole(engine, problem):
    image, kernel, options, flipped, rows = problem
    options = {**options, "engine": engine}
    answer = in_parts(image, (kernel,), flipped, options, rows)
    expected = whole(image, (kernel,), flipped, options)
    assert answer.dtype == expected.dtype
    assert np.array_equal(answer, expected, equal_nan=True)


@pytest.mark.parametrize("border", sorted(RULES))
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("size", [1, 2, 15, 75])
def test_every_engine_border_and_size(engine, border, dtype, size, rng):
    image = image_of(rng, (700, 40, 3), dtype)
    kernel = rng.normal(size=(size, min(size, 5)))
    options = {"border": border, "cval": 3.0, "engine": engine}
    answer = in_parts(image, (kernel,), True, options, 64)
    assert np.array_equal(answer, whole(image, (kernel,), True, options))


@pytest.mark.parametrize("kernel", [np.full((9, 9), 1 / 81), GAUSSIAN], ids=["box", "gaussian"])
@pytest.mark.parametrize("border", sorted(RULES))
def test_fixed_point_too(kernel, border, rng):
    image = image_of(rng, (1003, 64, 3), "uint8")
    options = {"border": border, "engine": "numba"}
    answer = in_parts(image, (kernel,), True, options, 100, dtype=np.uint8)
    assert np.array_equal(answer, whole(image, (kernel,), True, options, np.uint8))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_length_of_two_kernels(engine, rng):
    image = image_of(rng, (600, 50), "uint16")
    pair = tuple(convtool.kernel("sobel"))
    answer = in_parts(image, pair, False, {"engine": engine}, 90)
    assert np.array_equal(answer, whole(image, pair, False, {"engine": engine}))


@pytest.mark.parametrize("border", sorted(set(RULES) - {"wrap"}))
def test_nan_stays_where_it_is(border, rng):
    image = image_of(rng, (900, 40), "float32")
    image[300, 7] = np.nan
    kernel = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0], [3.0, 0.0, 1.0]])
    options = {"border": border, "engine": "numba"}
    answer = in_parts(image, (kernel,), True, options, 50)
    assert np.isnan(answer).sum() == np.count_nonzero(kernel)
    assert np.array_equal(answer, whole(image, (kernel,), True, options), equal_nan=True)


def test_rows_that_cannot_be_made_alone_are_refused():
    layout = geometry((500, 40), (3, 3))
    windows = Windows((500, 40), np.dtype("f4"), (np.ones((3, 3)),), True, layout, engine="numba")
    with pytest.raises(OptionError, match=r"rows \(1, 5\)"):
        windows.compute((1, 5), np.zeros((500, 40), "f4"), ((0, 500),))


def test_the_rows_beyond_both_ends_are_reached():
    layout = geometry((1000, 8), (5, 5))
    kind = ((1000, 8), np.dtype("f4"), (np.ones((5, 5)),), True, layout)
    windows = Windows(*kind, border="wrap", engine="numba")
    rows = windows.covering((0, 1))
    assert windows.reach(rows) == ((0, rows[1] + 2), (998, 1000))


@given(st.lists(st.integers(-1, 30), min_size=1))
@example([-1])
def test_runs_name_each_row_once(rows):
    spans = runs_of(np.array(rows))
    named = {row for first, last in spans for row in range(first, last)}
    assert named == ({row for row in rows if row >= 0} or {0})
    assert all(a[1] < b[0] for a, b in itertools.pairwise(spans))
