"""NPY: one array of numbers, checked before room is made for it."""

import io

import numpy as np
import pytest

from convtool.errors import ImageReadError
from convtool.images.read import read


def saved(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


@pytest.fixture
def reading(tmp_path):
    def look(data):
        (tmp_path / "a.npy").write_bytes(data)
        return read(tmp_path / "a.npy")

    return look


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["|u1", "<u2", ">u2", ">f4", "<f8", "<i2", ">i4", "<f2", "?"])
@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 1), (3, 5, 3), (3, 5, 4)])
def test_values_are_read_as_they_are(reading, order, kind, shape):
    array = np.asarray(np.arange(np.prod(shape)).reshape(shape) % 7, kind, order=order)
    image = reading(saved(array))
    expected = array.astype(float) * (255 if kind == "?" else 1)
    expected = expected[:, :, 0] if shape[2:] == (1,) else expected
    np.testing.assert_array_equal(image.pixels.astype(float), expected)
    assert image.pixels.dtype.isnative


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (saved(np.array([[{}]], object), allow_pickle=True), "Python objects, which are never"),
        (saved(np.zeros((2, 2), "c8")), "complex64, which is no pixel"),
        (saved(np.zeros((2, 2), [("a", "u1")])), "no plain array"),
        (saved(np.zeros(3)), r"shape \(3,\)"),
        (saved(np.zeros((2, 2, 2, 2))), r"shape \(2, 2, 2, 2\)"),
        (saved(np.zeros((0, 2))), r"shape \(0, 2\)"),
        (saved(np.zeros((9, 9)))[:-1], "is cut off: it has 775 bytes of 776"),
        (saved(np.zeros((2, 2)))[:20], "ends within its header"),
        (saved(np.zeros((22, 22))).replace(b"(22, 22)", b"(9**9,2)"), "no plain array"),
        (saved(np.zeros((22, 22))).replace(b"(22, 22), ", b"(10**9, 9)"), "no plain array"),
        (saved(np.zeros((22, 22))).replace(b"(22, 22), ", b"(99999999,9999)"[:10]), "damaged"),
        (b"\x93NUMPY\4\0\x10\0" + bytes(16), "version 4"),
    ],
)
def test_what_is_no_picture_is_refused(reading, data, message):
    with pytest.raises(ImageReadError, match=message):
        reading(data)


def test_more_than_the_file_holds_is_refused_before_decoding(reading):
    data = saved(np.zeros((12345, 1), "u1"))
    with pytest.raises(ImageReadError, match="is cut off"):
        reading(data.replace(b"(12345, 1)", b"(99999, 9)"))
