"""`convtool.filters` against scikit-image: signatures, summaries, and every answer."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convtool import filters
from convtool.errors import ConvtoolError

theirs = pytest.importorskip(
    "skimage.filters", reason="scikit-image (convtool[peers]) is not installed"
)

TYPES = (
    *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *("float16", "float32", "float64"),
)
MODES = ("reflect", "constant", "nearest", "mirror", "wrap")
MAGNITUDES = ("sobel", "scharr", "prewitt", "farid")
ALONG_ONE_AXIS = tuple(f"{name}_{axis}" for name in MAGNITUDES for axis in "hv")
CROSS = ("roberts", "roberts_pos_diag", "roberts_neg_diag")
PLANES = (*ALONG_ONE_AXIS, *CROSS)
"""Those that take two dimensions and a mask only."""


def pixels(rng, shape, dtype, scale=1.0):
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return (rng.uniform(-1, 1, shape) * scale).astype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    limits = np.iinfo(dtype)
    image = rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    if image.size > 2:
        image.flat[:2] = limits.min, limits.max
    return image


def check(name, image, *arguments, whole=None, **options):
    """Compare both functions within 1e-6 of the values' range."""
    answer = getattr(filters, name)(image.copy(), *arguments, **options)
    expected = getattr(theirs, name)(image, *arguments, **options)
    if whole is None:
        whole = np.abs(image).max() if image.dtype.kind == "f" and image.size else 1.0
    assert answer.dtype == expected.dtype
    assert answer.shape == expected.shape
    np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-6 * float(whole))


@pytest.mark.parametrize("name", filters.__all__)
def test_signature_and_summary_are_scikit_images(name):
    ours, peer = getattr(filters, name), getattr(theirs, name)
    facts = [
        [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]
        for function in (ours, peer)
    ]
    assert facts[0] == facts[1]
    assert ours.__doc__.splitlines()[0] == peer.__doc__.splitlines()[0]


@st.composite
def images(draw, dimensions=(1, 2, 3, 4), types=TYPES):
    ndim = draw(st.sampled_from(dimensions))
    longest = {1: 40, 2: 24, 3: 9, 4: 6}[ndim]
    shape = draw(st.tuples(*[st.integers(1, longest)] * ndim))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    image = pixels(rng, shape, draw(st.sampled_from(types)))
    layout = draw(st.sampled_from(["plain", "transposed", "every other", "backwards"]))
    views = {"transposed": image.T, "every other": image[::2], "backwards": image[..., ::-1]}
    return views.get(layout, image)


@given(images((2,)), st.sampled_from(PLANES))
def test_filters_of_two_dimensions(image, name):
    check(name, image)


@given(images(), st.sampled_from(MAGNITUDES), st.data())
def test_derivatives_of_any_dimension(image, name, data):
    axes = st.integers(-image.ndim, image.ndim - 1)
    axis = data.draw(st.one_of(st.none(), axes, st.lists(axes, min_size=1, max_size=3)))
    mode = data.draw(st.sampled_from(MODES))
    cval = data.draw(st.sampled_from([0.0, 0.5, -1.0]))
    check(name, image, axis=axis, mode=mode, cval=cval)


@given(images(), st.integers(3, 7))
def test_laplace(image, ksize):
    check("laplace", image, ksize)


@given(images((2, 3)), st.sampled_from((*MAGNITUDES, "laplace", *PLANES)), st.data())
def test_masks(image, name, data):
    if name in PLANES and image.ndim != 2:
        return
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    check(name, image, mask=rng.random(image.shape) < data.draw(st.sampled_from([0.5, 0.95])))


def sigmas(ndim):
    one = st.sampled_from([0.0, 0.3, 1.0, 2.5, 40.0])
    return st.one_of(one, st.lists(one, min_size=ndim, max_size=ndim))


@given(images(), st.data())
def test_gaussian(image, data):
    channel_axis = data.draw(st.one_of(st.none(), st.integers(-image.ndim, image.ndim - 1)))
    if channel_axis is not None and image.ndim == 1:
        return
    preserve = data.draw(st.booleans())
    options = {
        "sigma": data.draw(sigmas(image.ndim - (channel_axis is not None))),
        "mode": data.draw(st.sampled_from(MODES)),
        "cval": data.draw(st.sampled_from([0.0, 0.7])),
        "truncate": data.draw(st.sampled_from([1.0, 4.0])),
    }
    whole = max(float(np.abs(image.astype(float)).max()), 1.0) if preserve else 1.0
    check(
        "gaussian",
        image,
        whole=whole,
        channel_axis=channel_axis,
        preserve_range=preserve,
        **options,
    )


@given(images(), st.sampled_from(MODES), st.data())
def test_difference_of_gaussians(image, mode, data):
    color = image.ndim > 1 and data.draw(st.booleans())
    channel_axis = data.draw(st.sampled_from([0, -1])) if color else None
    low = data.draw(st.sampled_from([0.5, 1.0, [1.0] * (image.ndim - color)]))
    high = data.draw(st.sampled_from([None, 3.0, [2.0] * (image.ndim - color)]))
    check("difference_of_gaussians", image, low, high, mode=mode, channel_axis=channel_axis)


@given(images(), st.data())
def test_unsharp_mask(image, data):
    # With a negative axis scikit-image 0.26 filters some rows and leaves the others to chance.
    color = image.ndim > 1 and data.draw(st.booleans())
    channel_axis = data.draw(st.integers(0, image.ndim - 1)) if color else None
    radius = data.draw(sigmas(image.ndim - color))
    amount = data.draw(st.sampled_from([0.0, 1.0, 2.5, -1.0]))
    preserve = data.draw(st.booleans())
    whole = float(np.abs(image.astype(float)).max()) if preserve else 1.0
    whole *= max(abs(amount), 1)
    check("unsharp_mask", image, radius, amount, preserve, channel_axis=channel_axis, whole=whole)


@given(images((2,)), st.sampled_from(MODES), st.data())
def test_gabor(image, mode, data):
    arguments = (
        data.draw(st.sampled_from([0.1, 0.25, 0.6])),
        data.draw(st.sampled_from([0, 0.3, np.pi / 2, 2.0])),
        data.draw(st.sampled_from([1, 0.5])),
        data.draw(st.sampled_from([None, 2.0])),
        data.draw(st.sampled_from([None, 1.0])),
        data.draw(st.sampled_from([3, 2])),
        data.draw(st.sampled_from([0, 1.0])),
    )
    kernel = filters.gabor_kernel(*arguments)
    np.testing.assert_allclose(kernel, theirs.gabor_kernel(*arguments), rtol=0, atol=1e-15)
    if mode == "reflect" and any(np.array(kernel.shape) // 2 > image.shape):
        return  # SciPy reads other pixels there than its `reflect` and NumPy's `symmetric` say
    answers = filters.gabor(image, *arguments, mode=mode, cval=0.5)
    for answer, expected in zip(answers, theirs.gabor(image, *arguments, mode, 0.5), strict=True):
        assert answer.dtype == expected.dtype
        if image.dtype.kind == "f":
            np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-6)
        elif image.dtype.itemsize <= 2:
            np.testing.assert_array_equal(answer, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_out_of_a_gaussian(rng, dtype, order):
    image = pixels(rng, (14, 15), "float64")
    out = np.empty(image.shape, dtype, order)
    assert filters.gaussian(image, 2, out=out) is out
    expected = theirs.gaussian(image, 2, out=np.empty(image.shape, dtype))
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-6)
    out = image.copy()
    assert filters.gaussian(out, 2, out=out) is out
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["sobel", "farid", "gaussian", "laplace"])
@pytest.mark.parametrize("place", [(0, 0), (7, 9)])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_spreads_as_far(rng, name, place, value):
    image = pixels(rng, (15, 20), "float64")
    image[place] = value
    with np.errstate(invalid="ignore"):
        answer, expected = (getattr(module, name)(image) for module in (filters, theirs))
    np.testing.assert_array_equal(np.isnan(answer), np.isnan(expected))
    np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "name", [*MAGNITUDES, "gaussian", "laplace", "unsharp_mask", "roberts", "farid_h"]
)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_picture_that_several_threads_share(rng, name, dtype):
    check(name, pixels(rng, (700, 900), dtype))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("shape", [(300, 400, 3), (60, 70, 5), (3, 300, 400)])
def test_colors(rng, shape, dtype):
    image = pixels(rng, shape, dtype)
    axis = int(np.argmin(shape))
    check("gaussian", image, 3, channel_axis=axis)
    check("unsharp_mask", image, 2, channel_axis=axis)
    check("difference_of_gaussians", image, 1, 4, channel_axis=axis)


REFUSED = [
    ("sobel_h", (np.zeros((3, 3, 3)),), {}),
    ("farid_v", (np.zeros(3),), {}),
    ("roberts", (np.zeros((0, 3)),), {}),
    ("gabor", (np.zeros((3, 3, 3)), 0.2), {}),
    ("gaussian", (np.zeros((3, 3)), -1), {}),
    ("gaussian", (np.zeros((3, 3)), [1, -1]), {}),
    ("gaussian", (np.zeros((3, 3)),), {"out": np.zeros((3, 3), int)}),
    ("gaussian", (np.zeros((3, 3), complex),), {}),
    ("sobel", (np.zeros((3, 3), complex),), {}),
    ("unsharp_mask", (np.zeros((3, 3), complex),), {}),
    ("difference_of_gaussians", (np.zeros((3, 3)), 2, 1), {}),
    ("difference_of_gaussians", (np.zeros((3, 3)), [1, 1, 1]), {}),
    ("difference_of_gaussians", (np.zeros((3, 3)), 1, [1, 1, 1]), {}),
    ("gabor_kernel", (0.2,), {"dtype": float}),
    ("laplace", (np.zeros((3, 3)), 2), {}),
]


@pytest.mark.parametrize(("name", "arguments", "options"), REFUSED)
def test_what_scikit_image_refuses_with_a_value_error(name, arguments, options):
    with pytest.raises(ValueError):  # noqa: PT011 - its messages are its own
        getattr(theirs, name)(*arguments, **options)
    with pytest.raises(ConvtoolError) as caught:
        getattr(filters, name)(*arguments, **options)
    assert isinstance(caught.value, ValueError)
