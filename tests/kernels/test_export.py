"""A kernel pasted into another tool gives the convolution that convtool gives."""

import re
import shlex

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from convtool.errors import KernelError
from convtool.kernels.export import FORMATS, export, numeral
from convtool.kernels.presets import PRESETS
from convtool.kernels.spec import kernel, parse

LITERALS = (
    "2x3:1,2,3,4,5,6",
    "3x2:1,2,3,4,5,6",
    "4x4:1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,1/3",
    "1x1:-2.5",
    "1x4:1e-7,1e20,0,-3",
)
SPECS = (*PRESETS, *LITERALS)
SINGLES = tuple(spec for spec in SPECS if not parse(spec).is_group)


@pytest.fixture
def image(rng):
    return rng.random((31, 45), dtype=np.float32)


def convolved(image, spec):
    weights = kernel(spec)
    image = image.astype(np.float64)
    if weights.ndim == 2:
        return ndimage.convolve(image, weights, mode="reflect")
    combine = np.hypot if parse(spec).is_gradient else np.maximum
    return combine.reduce([ndimage.convolve(image, single, mode="reflect") for single in weights])


def assert_close(answer, expected):
    np.testing.assert_allclose(answer, expected, rtol=0, atol=4e-6 * max(1, abs(expected).max()))


@pytest.mark.parametrize("spec", SPECS)
def test_opencv_lines_run_and_agree(spec, image):
    scope = {"image": image}
    exec(export(parse(spec), "opencv"), scope)
    assert scope["filtered"].dtype == np.float32
    assert_close(scope["filtered"], convolved(image, spec))


@pytest.mark.parametrize("spec", SPECS)
def test_numpy_expression_is_the_kernel(spec):
    weights = eval(export(parse(spec), "numpy"), {"np": np})
    assert weights.dtype == np.float64
    np.testing.assert_array_equal(weights, kernel(spec))


def correlated_with_centre(image, weights):
    """What a tool that correlates gives for an odd mask, whose anchor is the centre."""
    assert weights.shape[0] % 2 == weights.shape[1] % 2 == 1
    return ndimage.correlate(image.astype(np.float64), weights, mode="reflect")


@pytest.mark.parametrize("spec", SINGLES)
def test_vips_matrix_correlates_to_the_convolution(spec, image):
    head, *lines = export(parse(spec), "vips").splitlines()
    columns, rows, scale, offset = map(int, head.split())
    weights = np.array([list(map(float, line.split())) for line in lines])
    assert (weights.shape, scale, offset) == ((rows, columns), 1, 0)
    assert_close(correlated_with_centre(image, weights), convolved(image, spec))


@pytest.mark.parametrize("spec", SINGLES)
def test_gmic_mask_correlates_to_the_convolution(spec, image):
    mask, *rest = shlex.split(export(parse(spec), "gmic"))
    assert rest == ["correlate[0]", "[1],3", "remove[1]"]
    weights = np.array([list(map(float, row.split(","))) for row in mask[1:-1].split(";")])
    assert_close(correlated_with_centre(image, weights), convolved(image, spec))


@pytest.mark.parametrize("spec", SINGLES)
def test_imagemagick_kernel_convolves_about_its_origin(spec, image):
    *options, text = shlex.split(export(parse(spec), "imagemagick"))
    assert options == ["-virtual-pixel", "mirror", "-morphology", "Convolve"]
    head = re.match(r"(\d+)x(\d+)(?:\+(\d+)\+(\d+))?:", text)
    columns, rows = int(head[1]), int(head[2])
    numbers = re.split(r"[,\s]+", text[head.end() :].strip())
    weights = np.array(numbers, float).reshape(rows, columns)
    x, y = (int(head[3]), int(head[4])) if head[3] else ((columns - 1) // 2, (rows - 1) // 2)
    padded = np.pad(image.astype(np.float64), 40, mode="symmetric")
    answer = np.zeros_like(padded)
    for i, j in np.ndindex(weights.shape):
        answer += weights[i, j] * np.roll(padded, (i - y, j - x), axis=(0, 1))
    assert_close(answer[40:-40, 40:-40], convolved(image, spec))


@pytest.mark.parametrize(
    ("spec", "form"), [*((spec, "csv") for spec in SINGLES), *((spec, "json") for spec in SPECS)]
)
def test_csv_and_json_are_read_again(spec, form, tmp_path):
    parsed = parse(spec)
    file = tmp_path / f"kernel.{form}"
    file.write_text(export(parsed, form))
    np.testing.assert_array_equal(kernel(str(file)), parsed.weights)


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_says_what_it_is_and_refuses_groups_it_cannot_hold(form):
    assert FORMATS[form].summary
    assert FORMATS[form].note
    if FORMATS[form].groups:
        assert export(parse("sobel"), form)
        assert export(parse("kirsch"), form)
    else:
        with pytest.raises(KernelError, match="take sobel-horizontal or sobel-vertical"):
            export(parse("sobel"), form)
        with pytest.raises(
            KernelError, match=r"group of 8; take kirsch:angle=0, \.\.\. or kirsch:"
        ):
            export(parse("kirsch"), form)


def test_unknown_form_is_refused():
    with pytest.raises(KernelError, match="numpy, opencv, imagemagick, vips, gmic, csv, json"):
        export(parse("sobel"), "matlab")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numerals_read_back_exactly(value):
    assert float(numeral(value)) == value


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
        elements=st.floats(allow_nan=False, allow_infinity=False),
    )
)
def test_any_kernel_reads_back_from_a_literal(weights):
    rows, columns = weights.shape
    numbers = ",".join(numeral(value) for value in weights.ravel().tolist())
    np.testing.assert_array_equal(kernel(f"{rows}x{columns}:{numbers}"), weights)
