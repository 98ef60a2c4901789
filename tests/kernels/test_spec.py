"""Text to kernel: every form, and an error that says what is wrong and what would be right."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convtool.errors import KernelError
from convtool.kernels import numerals
from convtool.kernels.argument import as_kernel
from convtool.kernels.presets import PRESETS
from convtool.kernels.spec import kernel, parse, parse_single

SHARPEN = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]


def test_literal_is_read_row_by_row():
    np.testing.assert_array_equal(kernel("3x3:0,-1,0,-1,5,-1,0,-1,0"), SHARPEN)
    np.testing.assert_array_equal(kernel("2x3:1,2,3,4,5,6"), [[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(kernel(" 1x3: 1, 0, -1 "), [[1, 0, -1]])
    assert parse("1x3:1,0,-1").name == "1x3"


def test_numbers_may_be_fractions_and_exponents():
    np.testing.assert_array_equal(kernel("1x4:1/9,-3/4,1e-3,.5"), [[1 / 9, -0.75, 0.001, 0.5]])


def test_every_form_takes_normalize_then_scale(tmp_path):
    np.testing.assert_allclose(
        kernel("1x3:1,2,1,normalize=sum,scale=2"), [[0.5, 1, 0.5]], rtol=1e-15
    )
    np.testing.assert_allclose(
        kernel("1x3:1,2,1,scale=2,normalize=sum"), [[0.5, 1, 0.5]], rtol=1e-15
    )
    np.testing.assert_array_equal(kernel("1x2:-1,3,normalize=abs"), [[-0.25, 0.75]])
    np.testing.assert_array_equal(kernel("1x2:-1,3,normalize=none"), [[-1, 3]])
    np.testing.assert_array_equal(kernel("sobel-vertical:scale=1/4")[1], [-0.5, 0, 0.5])
    file = tmp_path / "edge.csv"
    file.write_text("1,0,-1\n")
    np.testing.assert_array_equal(kernel(f"{file}:scale=0.25"), [[0.25, 0, -0.25]])
    np.testing.assert_array_equal(kernel(f"{file}:normalize=abs,scale=2"), [[1, 0, -1]])


def test_scale_and_normalize_apply_to_each_of_a_pair():
    pair = kernel("scharr:normalize=abs,scale=2")
    assert pair.shape == (2, 3, 3)
    np.testing.assert_allclose(abs(pair).sum(axis=(1, 2)), [2, 2], rtol=1e-15)


def test_preset_takes_parameters_in_any_order():
    expected = kernel("gaussian:sigma=2,size=15")
    assert expected.shape == (15, 15)
    np.testing.assert_array_equal(kernel("gaussian: size = 15 , sigma = 2"), expected)


def test_existing_file_wins_also_with_colons_and_commas_in_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("3x3:1,2.csv", "a:scale=2.csv", "a,b=c:d.txt", "sobel:x.csv"):
        (tmp_path / name).write_text("7\n")
        np.testing.assert_array_equal(kernel(name), [[7]])
        np.testing.assert_array_equal(kernel(f"{name}:scale=2"), [[14]])
        assert parse(name).name == name
    (tmp_path / "sobel").write_text("7\n")
    assert kernel("sobel").shape == (2, 3, 3)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("", "empty"),
        ("sobell", "did you mean sobel"),
        ("gausian:sigma=2", "did you mean gaussian"),
        ("Sobel", "did you mean sobel"),
        ("qqqq", "did you mean unsharp, sobel-vertical or sobel-horizontal?"),
        ("edge", "did you mean sobel, scharr or laplacian-8?"),
        ("Edges:scale=2", "did you mean sobel, scharr or laplacian-8?"),
        ("gaussian:sgma=2", "unknown parameter 'sgma'; gaussian takes sigma, size, dx, dy, scale"),
        ("gaussian:sigma=two", "sigma: 'two' is not a finite number"),
        ("gaussian:sigma=0", "out of range; sigma is 0.01 to 511"),
        ("gaussian:sigma=nan", "not a finite number"),
        ("gaussian:sigma=2,sigma=3", "given twice"),
        ("gaussian:0", "sigma: 0 is out of range"),
        ("gaussian:2,sigma=2", "given twice"),
        ("gaussian:sigma=4,1,2", "'2' is not name=value"),
        ("gaussian:size=3,2", "'2' is not name=value"),
        ("gaussian:sigma=2,0", "sigma: 0 is out of range"),
        ("gaussian:dy=1", "a derivative needs sigma"),
        ("gaussian:sigma=2,dy=1.5", "dy: 1.5 is not possible; dy is whole, 0 to 4"),
        ("cross:3", "'3' is not name=value"),
        ("sobel:size=4", "size: 4 is not possible; size is odd, 3 to 31"),
        ("sobel:dx=3", "a derivative of order 3 needs more than 3 taps"),
        ("kirsch:angle=30", "30 is no multiple of 45"),
        ("scharr:size=5", "scharr takes scale, normalize"),
        ("3x3: 1,2,3,4 1,2,3,4 5", "3x3 takes 3 rows of 3 numbers, not rows of '4, 4, 1'"),
        ("3x3: 0,-1,0 -1,5,x 0,-1,0", "row 2, column 3: 'x' is not a finite number"),
        ("gaussian:=2", "not name=value"),
        ("gaussian:sigma=1,", "not name=value"),
        ("gaussian:size=4", "even"),
        ("gaussian:size=3x", "not a size"),
        ("gaussian:size=0", "1 to 4095"),
        ("box:size=4096", "1 to 4095"),
        ("gabor:sigma=500", "need a kernel of"),
        ("cross:size=3", "cross takes scale, normalize"),
        ("3x3:1,2,3,4,5,6,7,8", "3x3 takes 9 numbers, not 8"),
        ("2x2:1,2,3,4,5", "2x2 takes 4 numbers, not 5"),
        ("2x2:1,2,,4", "row 2, column 1: a number is missing"),
        ("2x2:1,2,3,nan", "row 2, column 2: 'nan' is not a finite number"),
        ("1x1:inf", "not a finite number"),
        ("1x1:1e999", "beyond the range"),
        ("1x1:1/0", "divides by zero"),
        ("1x1:1,size=3", "a literal takes scale, normalize"),
        ("1x1:1,normalize=sum,2", "'2' is not name=value"),
        ("0x3:", "1 to 4095"),
        ("99999x99999:1", "1 to 4095"),
        ("sobel:normalize=sum", "sum to zero; take none or abs"),
        ("1x2:0,0,normalize=abs", "sum to zero; take none"),
        ("log:normalize=sum", "sum to zero"),
        ("box:normalize=max", "'max' is none of none, sum, abs"),
        ("box:scale=x", "scale: 'x' is not a finite number"),
        ("1x1:1e300,scale=1e300", "row 1, column 1: inf"),
        ("1x2:1e308,1e308,normalize=sum", "more than float64 holds"),
        ("missing.csv", "no such file"),
        ("missing.csv:scale=2", "no such file"),
        ("C:\\missing.csv:scale=2", "no such file"),
        ("no/such/kernel", "no such file"),
    ],
)
def test_bad_spec_says_what_is_wrong(spec, says):
    with pytest.raises(KernelError) as caught:
        kernel(spec)
    message = str(caught.value)
    assert says in message
    assert message.startswith("kernel ")
    assert "\n" not in message


def test_file_of_unknown_type_is_named(tmp_path):
    file = tmp_path / "kernel.dat"
    file.write_text("1 2")
    with pytest.raises(KernelError, match=r"a kernel file ends in \.txt, \.csv, \.npy, \.json"):
        kernel(str(file))


def test_long_spec_makes_a_short_message():
    with pytest.raises(KernelError) as caught:
        kernel("3x3:" + "1," * 5000)
    assert len(str(caught.value)) < 200


words = st.sampled_from(
    [*PRESETS, "3x3", "1x2", ":", ",", "=", "scale", "normalize", "sum", "1", "-", ".", "/", "nan"]
)


@given(st.one_of(st.text(max_size=40), st.lists(words, max_size=8).map("".join)))
def test_any_text_gives_a_kernel_or_a_kernel_error(text):
    try:
        weights = kernel(text)
    except KernelError as error:
        assert "\n" not in str(error)  # noqa: PT017 - any other outcome fails by itself
    else:
        assert np.isfinite(weights).all()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back_exactly(value):
    assert numerals.number(repr(value)) == value


@given(st.integers(1, 4095), st.integers(1, 4095))
def test_sizes_read_back(rows, columns):
    assert numerals.size(f"{rows}x{columns}") == (rows, columns)
    assert numerals.size(str(rows)) == (rows, rows)


def test_as_kernel_takes_arrays_lists_and_specs():
    np.testing.assert_array_equal(as_kernel([1, 2]), [[1, 2]])
    np.testing.assert_array_equal(as_kernel("sharpen-5"), SHARPEN)
    for array in (
        np.array(SHARPEN, np.int8),
        np.array(SHARPEN, np.float32, order="F"),
        np.array(SHARPEN, np.float16)[::-1, ::-1],
        np.eye(3, dtype=bool),
    ):
        weights = as_kernel(array)
        assert weights.dtype == np.float64
        assert weights.flags.c_contiguous
        np.testing.assert_array_equal(weights, array)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([[1, 2], [3]], "rows of equal length"),
        ([[1, np.nan]], "row 1, column 2: nan"),
        ([[1], [np.inf]], "row 2, column 1: inf"),
        ([], "no entries"),
        (np.zeros((0, 3)), "no entries"),
        (np.zeros((2, 3, 3)), "two dimensions"),
        (5.0, "two dimensions"),
        ([[1j]], "real numbers"),
        ([["a"]], "real numbers"),
        ([[None]], "real numbers"),
        (np.array([["2020-01-01"]], "M8[D]"), "real numbers"),
        ("sobel:scale=2", "a pair of kernels; take sobel-horizontal or sobel-vertical for a"),
    ],
)
def test_as_kernel_refuses_what_is_no_kernel(value, says):
    with pytest.raises(KernelError, match=says):
        as_kernel(value)


def test_each_pair_has_kernels_that_may_be_taken_alone():
    pairs = [name for name, one in PRESETS.items() if one.combination == "magnitude"]
    assert pairs
    for name in pairs:
        with pytest.raises(KernelError, match="pair of kernels") as caught:
            parse_single(name)
        named = re.findall(rf"{name}-\w+", str(caught.value))
        assert [parse_single(one).name for one in named] == list(PRESETS[name].parts)


@pytest.mark.parametrize("name", ["kirsch", "compass"])
def test_a_group_names_its_kernels_that_may_be_taken_alone(name):
    with pytest.raises(KernelError, match=f"group of 8 kernels; take {name}:angle=0, ") as caught:
        as_kernel(name)
    assert f"or {name}:angle=315 for a single one" in str(caught.value)
    assert as_kernel(f"{name}:angle=315").shape == (3, 3)


def test_as_kernel_refuses_what_overflows_float64():
    with pytest.raises(KernelError, match="inf"):
        as_kernel(np.array([[np.longdouble("1e400")]]))


@pytest.mark.parametrize(
    "spec",
    [
        "1x3:1,2,1:normalize=sum,scale=3",
        "1x3:1,2,1,normalize=sum,scale=3",
        "1x3:1,2,1:normalize=sum:scale=3",
        "1x3: 1 2 1 : scale=3 : normalize=sum",
        "{}:normalize=sum,scale=3",
        "{}:normalize=sum:scale=3",
    ],
)
def test_parameters_follow_a_colon_for_literals_as_for_files(spec, tmp_path):
    path = tmp_path / "k.txt"
    path.write_text("1 2 1\n")
    np.testing.assert_array_equal(kernel(spec.format(path)), [[0.75, 1.5, 0.75]])


def test_parameters_of_a_preset_may_be_separated_by_colons():
    expected = kernel("gaussian:sigma=4,1,normalize=none,scale=2")
    np.testing.assert_array_equal(kernel("gaussian:sigma=4,1:normalize=none:scale=2"), expected)
    np.testing.assert_array_equal(kernel("gaussian:4,1:scale=2:normalize=none"), expected)


@pytest.mark.parametrize("name", ["gaussian", "k.csv"])
def test_a_comma_in_place_of_the_colon_is_told(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("k.csv").write_text("1\n")
    with pytest.raises(KernelError, match="parameters follow a colon; give ") as caught:
        kernel(f"{name},scale=2")
    assert f"give '{name}:scale=2'" in str(caught.value)
