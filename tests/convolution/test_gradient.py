"""Length and angle of the gradient."""

import numpy as np
import pytest
import reference
from scipy import ndimage

import convtool
from convtool.errors import KernelError, OptionError

PAIRS = ["sobel", "prewitt", "scharr"]


@pytest.mark.parametrize("engine", ["auto", *convtool.engines()])
@pytest.mark.parametrize("pair", PAIRS)
def test_magnitude_is_the_root_of_squares(engine, pair, rng):
    image = rng.normal(size=(9, 11, 2))
    answer = convtool.gradient_magnitude(image, pair, engine=engine)
    down, right = (reference.correlate(image, kernel) for kernel in convtool.kernel(pair))
    np.testing.assert_allclose(answer, np.sqrt(down**2 + right**2), atol=1e-12)


@pytest.mark.parametrize("pair", ["sobel", "prewitt"])
def test_magnitude_is_scipys(pair, rng):
    image = rng.normal(size=(9, 11))
    one = getattr(ndimage, pair)
    expected = np.hypot(one(image, 0), one(image, 1))
    np.testing.assert_allclose(convtool.gradient_magnitude(image, pair), expected, atol=1e-12)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("degrees", range(-165, 181, 15))
def test_direction_of_a_ramp(pair, degrees):
    y, x = np.mgrid[:7, :7].astype(float)
    angle = np.radians(degrees)
    ramp = np.cos(angle) * x + np.sin(angle) * y
    answer = convtool.gradient_direction(ramp, pair, mode="valid")
    turned = np.angle(np.exp(1j * (answer - angle)))
    np.testing.assert_allclose(turned, 0, atol=1e-12)
    length = convtool.gradient_magnitude(ramp, pair, mode="valid")
    gain = np.abs(convtool.kernel(pair)).sum(axis=(1, 2))[0]
    np.testing.assert_allclose(length, gain, atol=1e-12)


@pytest.mark.parametrize("sign", [1, -1])
def test_direction_of_flat_and_of_straight_edges_is_never_minus_pi(sign):
    assert not convtool.gradient_direction(np.full((5, 5), 3.0)).any()
    edge = sign * np.tile(np.arange(5.0), (5, 1))
    answer = convtool.gradient_direction(edge)[2, 2]
    assert answer == (0 if sign > 0 else np.pi)


@pytest.mark.parametrize("call", [convtool.gradient_magnitude, convtool.gradient_direction])
class TestOptions:
    def test_types(self, call):
        image = np.arange(35, dtype=np.uint8).reshape(5, 7)
        assert call(image).dtype == np.float32
        assert call(image, dtype=np.float64).dtype == np.float64
        assert call(image.astype(np.float64)).dtype == np.float64
        assert call(image, dtype=np.int16).dtype == np.int16

    def test_a_double_answer_is_computed_in_double(self, call, rng):
        image = rng.integers(0, 2**40, (6, 6))
        np.testing.assert_array_equal(call(image, dtype=np.float64), call(image.astype(np.float64)))

    def test_modes_borders_and_strides_pass_through(self, call, rng):
        image = rng.normal(size=(8, 9))
        whole = call(image, border="wrap")
        strided = call(image, border="wrap", stride=(2, 3))
        np.testing.assert_allclose(strided, whole[::2, ::3], atol=1e-13)
        np.testing.assert_allclose(call(image, mode="valid"), whole[1:-1, 1:-1], atol=1e-13)

    @pytest.mark.parametrize("name", ["where", "kernel_size"])
    def test_an_option_it_has_not(self, call, name):
        with pytest.raises(OptionError, match=f"a gradient has no option '{name}'; it takes dtype"):
            call(np.ones((4, 4)), **{name: np.ones((4, 4))})

    @pytest.mark.parametrize("pair", ["box", "sobel-vertical", np.ones((3, 3))])
    def test_what_is_no_pair(self, call, pair):
        with pytest.raises(KernelError, match=r"needs a pair of kernels, shape \(2, KH, KW\), not"):
            call(np.ones((4, 4)), pair)

    @pytest.mark.parametrize("pair", [[[1], [1, 2]], np.ones((3, 3, 3)), [[[np.nan]], [[1]]]])
    def test_a_bad_pair(self, call, pair):
        with pytest.raises(KernelError):
            call(np.ones((4, 4)), pair)


def test_integer_magnitude_saturates():
    edge = np.zeros((5, 6), np.uint8)
    edge[:, 3:] = 255
    answer = convtool.gradient_magnitude(edge, dtype=np.uint8)
    assert answer[2].tolist() == [0, 0, 255, 255, 0, 0]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_memory_for_the_magnitude(dtype):
    image = np.random.default_rng(3).integers(0, 50, (40, 60), np.uint8)
    out = np.empty((40, 60), dtype)
    assert convtool.gradient_magnitude(image, out=out) is out
    expected = convtool.gradient_magnitude(image, dtype=dtype)
    np.testing.assert_array_equal(out, expected)
