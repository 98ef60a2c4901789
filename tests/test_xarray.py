"""xarray: the accessor, and `xarray.apply_ufunc` as its users write it."""

import subprocess
import sys

import numpy as np
import pytest

import convtool
from convtool.errors import ConvtoolError

xr = pytest.importorskip("xarray", reason="xarray (convtool[xarray]) is not installed")

import convtool.xarray  # noqa: E402 - it needs xarray

KERNEL = np.arange(15.0).reshape(3, 5)


@pytest.fixture(params=["in memory", "in blocks"])
def array(request, rng):
    made = xr.DataArray(
        rng.random((6, 20, 30)),
        dims=("time", "y", "x"),
        coords={
            "time": np.arange(6),
            "y": np.arange(20) * 10.0,
            "x": list("abcdefghijklmnopqrstuvwxyz0123"),
            "height": (("y", "x"), rng.random((20, 30))),
            "run": 7,
        },
        name="temperature",
        attrs={"units": "K"},
    )
    return made if request.param == "in memory" else made.chunk(time=2, y=7, x=11)


def is_as(answer, array):
    """Check what is kept of an array."""
    assert answer.name == array.name
    assert answer.attrs == array.attrs
    assert answer.dims == array.dims
    assert isinstance(answer.data, type(array.data))
    assert answer.run == 7


@pytest.mark.parametrize("name", ["convolve", "correlate"])
@pytest.mark.parametrize("border", ["reflect", "wrap", "constant", ("wrap", "nearest")])
def test_same(array, name, border):
    answer = getattr(array.convtool, name)(KERNEL, border=border)
    is_as(answer, array)
    expected = getattr(convtool, name)(array.values, KERNEL, axes=(1, 2), border=border)
    np.testing.assert_allclose(answer.values, expected, rtol=1e-12)
    for coordinate in array.coords:
        xr.testing.assert_equal(answer[coordinate], array[coordinate])


@pytest.mark.parametrize("dim", [("x", "y"), ("time", "x"), ["y", "time"]])
def test_dimensions_in_any_order(array, dim):
    answer = array.convtool.convolve(KERNEL, dim=dim)
    is_as(answer, array)
    axes = tuple(map(array.dims.index, dim))
    expected = convtool.convolve(array.values, KERNEL, axes=axes)
    np.testing.assert_allclose(answer.values, expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["convolve", "correlate"])
@pytest.mark.parametrize("sides", [(3, 5), (2, 4), (1, 6), (4, 3)])
@pytest.mark.parametrize("stride", [1, 2, (3, 1)])
def test_a_valid_answer_has_the_coordinates_of_its_centres(array, name, sides, stride):
    point = np.zeros(sides)
    point[tuple(side // 2 for side in sides)] = 1  # leaves each pixel as it is
    answer = getattr(array.convtool, name)(point, mode="valid", stride=stride)
    is_as(answer, array)
    chosen = array.sel(y=answer.y, x=answer.x)
    np.testing.assert_allclose(answer.values, chosen.values, atol=1e-12)
    xr.testing.assert_equal(answer.height, chosen.height)


def test_coordinates_of_what_grows_are_left_out(array):
    answer = array.convtool.convolve(KERNEL, mode="full")
    is_as(answer, array)
    assert set(answer.coords) == {"time", "run"}
    assert dict(answer.sizes) == {"time": 6, "y": 22, "x": 34}
    padded = array.convtool.convolve(KERNEL, padding=(1, 1))
    assert dict(padded.sizes) == {"time": 6, "y": 20, "x": 28}
    assert padded.x.values.tolist() == array.x.values[1:-1].tolist()
    one = array.convtool.convolve(KERNEL, padding=(2, 0))
    assert set(one.coords) == {"time", "run", "x"}


def test_one_dimension(array):
    answer = array.convtool.correlate([-1, 0, 1], dim="time", mode="valid")
    is_as(answer, array)
    assert answer.time.values.tolist() == [1, 2, 3, 4]
    expected = array.values[2:] - array.values[:-2]
    np.testing.assert_allclose(answer.values, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("dim", "sigma"), [("time", 1.0), (("y", "x"), 1.5), (("time", "y", "x"), (0.5, 1, 2))]
)
def test_gaussian(array, dim, sigma):
    ndimage = pytest.importorskip("scipy.ndimage")
    answer = array.convtool.gaussian(sigma, dim=dim)
    is_as(answer, array)
    axes = tuple(map(array.dims.index, (dim,) if isinstance(dim, str) else dim))
    sigmas = np.zeros(3)
    sigmas[list(axes)] = sigma
    np.testing.assert_allclose(answer.values, ndimage.gaussian_filter(array.values, sigmas))


@pytest.mark.parametrize("vectorize", [False, True])
def test_apply_ufunc(array, vectorize):
    whole = array if array.chunks is None else array.chunk(y=-1, x=-1)
    answer = xr.apply_ufunc(
        convtool.convolve,
        whole,
        input_core_dims=[["y", "x"]],
        output_core_dims=[["y", "x"]],
        kwargs={"kernel": KERNEL} | ({} if vectorize else {"axes": (-2, -1)}),
        vectorize=vectorize,
        dask="parallelized",
        output_dtypes=[array.dtype],
        keep_attrs=True,
    )
    is_as(answer, array)
    expected = convtool.convolve(array.values, KERNEL, axes=(1, 2))
    np.testing.assert_allclose(answer.values, expected, rtol=1e-12)
    xr.testing.assert_equal(answer.height, array.height)


def test_apply_ufunc_with_blocks_along_the_kernel(array):
    """With ``dask="allowed"`` the function takes the Dask array itself."""
    answer = xr.apply_ufunc(
        convtool.convolve,
        array,
        input_core_dims=[["y", "x"]],
        output_core_dims=[["y", "x"]],
        kwargs={"kernel": KERNEL, "axes": (-2, -1)},
        dask="allowed",
    )
    assert isinstance(answer.data, type(array.data))
    expected = convtool.convolve(array.values, KERNEL, axes=(1, 2))
    np.testing.assert_allclose(answer.values, expected, rtol=1e-12)


REFUSED = {
    "dim": (lambda a: a.convtool.convolve("box", dim=("lat", "x")), "'lat' is no dimension"),
    "number": (lambda a: a.convtool.convolve("sobel-vertical", dim="x"), "dimension"),
    "axes": (lambda a: a.convtool.convolve("box", axes=(1, 2)), "has no option 'axes'"),
    "option": (lambda a: a.convtool.convolve("box", bordr="wrap"), "has no option 'bordr'"),
    "sigmas": (lambda a: a.convtool.gaussian([1, 2, 3]), "3 numbers for 2 dimensions"),
    "sigma": (lambda a: a.convtool.gaussian(0), "positive"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused(array, case):
    call, words = REFUSED[case]
    with pytest.raises(ConvtoolError, match=words):
        call(array)


def test_without_xarray_the_extra_is_named():
    program = (
        "import sys; sys.modules['xarray'] = None\n"
        "import convtool.errors\n"
        "try:\n"
        "    import convtool.xarray\n"
        "except convtool.errors.OptionError as error:\n"
        "    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "pip install 'convtool[xarray]'" in done.stdout
