"""What lies beyond the edge, against NumPy's pad and the written-out patterns."""

import numpy as np
import pytest
from conftest import tolerance
from hypothesis import given
from hypothesis import strategies as st

import convtool
from convtool.convolution import borders
from convtool.convolution.engines import ENGINES
from convtool.errors import OptionError

NUMPY_WORDS = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge", "wrap": "wrap"}
PATTERNS = {
    "reflect": "dcba|abcd|dcba",
    "mirror": "cdcb|abcd|cbab",
    "nearest": "aaaa|abcd|dddd",
    "wrap": "abcd|abcd|abcd",
    "constant": "....|abcd|....",
}


@pytest.mark.parametrize("rule", sorted(borders.RULES))
def test_pattern(rule):
    indices = borders.table(4, -4, 8, rule)
    letters = "".join("." if i == borders.OUTSIDE else "abcd"[i] for i in indices)
    assert letters == PATTERNS[rule].replace("|", "")


def test_every_rule_has_a_pattern():
    assert PATTERNS.keys() == borders.RULES.keys()
    assert set(borders.BORDERS.values()) == set(borders.RULES)


@given(
    n=st.integers(1, 12),
    before=st.integers(0, 40),
    after=st.integers(0, 40),
    rule=st.sampled_from(sorted(NUMPY_WORDS)),
)
def test_is_what_numpy_pads(n, before, after, rule):
    line = np.arange(n)
    padded = np.pad(line, (before, after), mode=NUMPY_WORDS[rule])
    assert borders.table(n, -before, n + after, rule).tolist() == padded.tolist()


@given(n=st.integers(1, 12), start=st.integers(-40, 40), rule=st.sampled_from(sorted(PATTERNS)))
def test_any_part_of_the_table(n, start, rule):
    whole = borders.table(n, -40, 80, rule)
    assert borders.table(n, start, start + 9, rule).tolist() == whole[start + 40 :][:9].tolist()


@pytest.mark.parametrize(("alias", "rule"), borders.ALIASES.items())
def test_alias_is_its_rule(alias, rule, rng):
    image, kernel = rng.normal(size=(5, 6)), rng.normal(size=(3, 4))
    np.testing.assert_array_equal(
        convtool.convolve(image, kernel, border=alias),
        convtool.convolve(image, kernel, border=rule),
    )


def test_zero_forgets_cval():
    assert borders.resolve("zero", 5.0) == ("constant", 0.0)
    assert borders.resolve("constant", 5) == ("constant", 5.0)
    image = np.ones((2, 2))
    assert convtool.convolve(image, "box", border="zero", cval=9)[0, 0] == pytest.approx(4 / 9)
    assert convtool.convolve(image, "box", border="constant", cval=9)[0, 0] == pytest.approx(49 / 9)


def test_cval_is_in_units_of_the_image():
    image = np.full((3, 3), 200, np.uint8)
    same = convtool.convolve(image, "box", border="constant", cval=200, dtype=np.uint8)
    np.testing.assert_array_equal(same, image)


@pytest.mark.parametrize("engine", ["auto", *convtool.engines()])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
@pytest.mark.parametrize("cval", [7, 1.5, -3, 70000.25, np.nan, np.inf])
def test_cval_need_not_fit_the_images_type(engine, dtype, cval):
    image = np.full((80, 90), 10, dtype)
    answer = convtool.convolve(image, np.ones((3, 3)), border="constant", cval=cval, engine=engine)
    expected = np.full((80, 90), 90.0)
    expected[[0, -1]] = expected[:, [0, -1]] = 60 + 3 * cval if np.isfinite(cval) else cval
    if np.isfinite(cval):
        expected[[0, 0, -1, -1], [0, -1, 0, -1]] = 40 + 5 * cval
    spreads = engine != "auto" and not ENGINES[engine].local
    if spreads and not np.isfinite(cval):
        assert not np.isfinite(answer[0]).any()
        return
    reach = [10, cval] if np.isfinite(cval) else [10]
    atol = tolerance(answer.dtype, reach, np.ones((3, 3)))
    np.testing.assert_allclose(answer, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("engine", convtool.engines())
@pytest.mark.parametrize("border", sorted(borders.BORDERS))
def test_one_pixel_under_a_large_kernel(engine, border):
    answer = convtool.convolve([[2.0]], np.ones((7, 5)), border=border, cval=1, engine=engine)
    expected = {"constant": 2 + 34, "zero": 2}.get(border, 2 * 35)
    assert answer.tolist() == [[pytest.approx(expected)]]


@pytest.mark.parametrize("border", ["reflect_101", "", None, 0, ("wrap",)])
def test_unknown_name_lists_the_valid_ones(border):
    with pytest.raises(OptionError, match="is not known; one of reflect, mirror, nearest, wrap"):
        borders.resolve(border, 0)
