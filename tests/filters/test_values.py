"""The values of pixels, against the rules that scikit-image documents."""

import numpy as np
import pytest

from convtool.errors import OptionError, PixelTypeError, ShapeError
from convtool.filters.values import plane_of, values_of


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64"])
def test_unsigned_integers_are_0_to_1(dtype):
    largest = np.iinfo(dtype).max
    values = values_of(np.array([0, largest // 2, largest], dtype))
    expected = [0, float(largest // 2) / float(largest), 1]
    np.testing.assert_allclose(values.converted(), expected, rtol=1e-15)
    assert values.dtype == values.converted().dtype == np.float64


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64"])
def test_signed_integers_are_minus_1_to_1_and_the_most_negative_is_cut(dtype):
    limits = np.iinfo(dtype)
    image = np.array([limits.min, limits.min + 1, 0, limits.max], dtype)
    np.testing.assert_array_equal(values_of(image).converted(), [-1, -1, 0, 1])
    assert image[0] == limits.min


@pytest.mark.parametrize("dtype", ["uint8", "int16", "bool", "float32", "float64"])
def test_a_preserved_range(dtype):
    image = np.array([0, 1, 1], dtype)
    np.testing.assert_array_equal(values_of(image, preserve_range=True).converted(), image)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("float16", "float32"),
        (">f4", "float32"),
        ("float64", "float64"),
        ("longdouble", "float64"),
        ("bool", "float64"),
    ],
)
def test_types(dtype, expected):
    values = values_of(np.ones(3, dtype))
    assert values.dtype == values.converted().dtype == np.dtype(expected)
    np.testing.assert_array_equal(values.converted(), 1)


@pytest.mark.parametrize("image", [np.ones(3, complex), ["text"], [None]])
def test_what_is_not_a_real_number_is_refused(image):
    with pytest.raises(OptionError, match="cannot convert from"):
        values_of(image)


def test_a_plane():
    assert plane_of([[1, 2], [3, 4]]).shape == (2, 2)
    with pytest.raises(ShapeError, match="2-dimensional"):
        plane_of(np.zeros(3))
    with pytest.raises(ShapeError, match="empty"):
        plane_of(np.zeros((0, 3)))


def test_other_libraries_arrays_and_masked_ones():
    picture = pytest.importorskip("PIL.Image").new("L", (4, 3), 255)
    np.testing.assert_array_equal(values_of(picture).converted(), np.ones((3, 4)))
    with pytest.raises(PixelTypeError, match="masked"):
        values_of(np.ma.masked_array([1.0, 2.0], [True, False]))
