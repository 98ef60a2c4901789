"""Arrays as they come: each kind is taken with its values, or refused with its own sentence."""

import array
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image as Pillow

import convtool
from convtool import errors
from convtool.arrays import adopt, as_array, check_type
from convtool.images.image import Image, as_image

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)
COLOURS = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)


NUMBERS = [
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", ">u2", ">f4", ">i8", "complex64"),
]


class Protocol:
    """An array of another library, which has what its class gives it."""

    def __init__(self, values):
        self._values = values


class WithArray(Protocol):
    def __array__(self, dtype=None, copy=None):
        return np.array(self._values, dtype=dtype, copy=copy)


class WithInterface(Protocol):
    @property
    def __array_interface__(self):
        return self._values.__array_interface__


class WithDlpack(Protocol):
    device = (1, 0)

    def __dlpack__(self, **how):
        return self._values.__dlpack__()

    def __dlpack_device__(self):
        return self.device


class Pinned(WithDlpack):
    device = (3, 0)


class OfCupy(WithArray):
    """As CuPy's: the protocol of CUDA, and a refusal to be copied in silence."""

    @property
    def __cuda_array_interface__(self):
        return {}

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Implicit conversion to a NumPy array is not allowed")


class OfJax(WithArray):
    """As JAX's on a GPU: it would be copied in silence."""

    def __dlpack_device__(self):
        return 2, 0


class OnSeveralDevices(WithArray):
    def __dlpack_device__(self):
        raise BufferError("the array is sharded")


class Sparse(Protocol):
    def toarray(self):
        return self._values


OfCupy.__module__ = "cupy"
OfJax.__module__ = "jaxlib._jax"


def refusal(kind, *arguments):
    with pytest.raises(kind) as caught:
        adopt(*arguments)
    return str(caught.value)


class TestTaken:
    def test_an_ndarray_is_the_same_object(self):
        assert adopt(GREY) is GREY

    @pytest.mark.parametrize("dtype", NUMBERS)
    def test_numbers_of_every_type(self, dtype):
        values = GREY.astype(dtype)
        assert adopt(values) is values
        assert adopt(values.tolist()).tolist() == values.tolist()

    @pytest.mark.parametrize("kind", [WithArray, WithInterface, WithDlpack, Pinned])
    def test_protocols_share_memory(self, kind):
        found = adopt(kind(GREY))
        assert type(found) is np.ndarray
        assert found.tolist() == GREY.tolist()
        assert np.shares_memory(found, GREY)

    def test_what_does_not_name_its_device(self):
        assert adopt(OnSeveralDevices(GREY)).tolist() == GREY.tolist()

    def test_memory_map(self, tmp_path):
        np.save(tmp_path / "grey.npy", GREY)
        mapped = np.load(tmp_path / "grey.npy", mmap_mode="r")
        found = adopt(mapped)
        assert type(found) is np.ndarray
        assert np.shares_memory(found, mapped)
        assert (adopt(mapped) == GREY).all()

    def test_lists_and_buffers(self):
        assert adopt([[1, 2], [3, 4.5]]).tolist() == [[1.0, 2.0], [3.0, 4.5]]
        assert adopt(array.array("d", [1.0, 2.0])).tolist() == [1.0, 2.0]
        assert adopt(memoryview(GREY)).tolist() == GREY.tolist()

    def test_images_alone_and_in_a_list(self):
        image = Image(COLOURS)
        assert adopt(image) is not image
        assert np.shares_memory(adopt(image), COLOURS)
        assert adopt([image, image]).shape == (2, 2, 4, 3)

    def test_xarray(self):
        xarray = pytest.importorskip("xarray", reason="xarray is not installed")
        found = adopt(xarray.DataArray(GREY, dims=("y", "x")))
        assert np.shares_memory(found, GREY)

    @pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float32", "float64", "bool"])
    def test_torch(self, dtype):
        torch = pytest.importorskip("torch", reason="torch is not installed")
        values = GREY.astype(dtype)
        found = adopt(torch.from_numpy(values))
        assert found.dtype == values.dtype
        assert np.shares_memory(found, values)


class TestPillow:
    def test_colours_by_palette(self):
        picture = Pillow.fromarray(COLOURS).quantize(24)
        assert picture.mode == "P"
        assert adopt(picture).tolist() == np.asarray(picture.convert("RGB")).tolist()

    def test_palette_with_a_transparent_entry(self):
        picture = Pillow.new("P", (2, 1))
        picture.putpalette([10, 20, 30, 40, 50, 60])
        picture.putdata([0, 1])
        picture.info["transparency"] = 1
        assert adopt(picture).tolist() == [[[10, 20, 30, 255], [40, 50, 60, 0]]]

    def test_one_bit(self):
        picture = Pillow.new("1", (2, 1))
        picture.putpixel((1, 0), 1)
        assert adopt(picture).tolist() == [[False, True]]
        assert as_image(picture).pixels.tolist() == [[0, 255]]

    @pytest.mark.parametrize(
        ("mode", "shape", "dtype"),
        [
            ("L", (2, 3), "uint8"),
            ("LA", (2, 3, 2), "uint8"),
            ("RGB", (2, 3, 3), "uint8"),
            ("RGBA", (2, 3, 4), "uint8"),
            ("CMYK", (2, 3, 4), "uint8"),
            ("YCbCr", (2, 3, 3), "uint8"),
            ("I;16", (2, 3), "uint16"),
            ("I;16B", (2, 3), ">u2"),
            ("I", (2, 3), "int32"),
            ("F", (2, 3), "float32"),
            ("PA", (2, 3, 4), "uint8"),
            ("La", (2, 3, 2), "uint8"),
            ("RGBa", (2, 3, 4), "uint8"),
            ("RGBX", (2, 3, 3), "uint8"),
        ],
    )
    def test_modes(self, mode, shape, dtype):
        found = adopt(Pillow.new(mode, (3, 2)))
        assert found.shape == shape
        assert found.dtype == dtype

    def test_premultiplied_alpha_is_divided_out(self):
        picture = Pillow.new("RGBA", (1, 1), (200, 100, 50, 128)).convert("RGBa")
        expected = np.asarray(picture.convert("RGBA"))
        assert adopt(picture).tolist() == expected.tolist()

    @pytest.mark.parametrize("mode", ["CMYK", "HSV", "LAB", "YCbCr"])
    def test_other_colours_are_no_picture_to_write(self, mode, tmp_path):
        with pytest.raises(errors.PixelTypeError, match=f"mode {mode} is not RGB; convert it"):
            convtool.write(tmp_path / "out.png", Pillow.new(mode, (3, 2)))


class TestRefused:
    @pytest.mark.parametrize("mask", [False, True])
    def test_masked(self, mask):
        message = refusal(errors.PixelTypeError, np.ma.array(GREY, mask=mask), "before", "measured")
        assert message == "a masked array cannot be measured; fill it first: before.filled(0)"

    @pytest.mark.parametrize(
        ("values", "advice"),
        [
            (np.zeros((2, 2), object), "to numbers: np.array(image, dtype=float)"),
            (np.zeros((2, 2), "U3"), "from text to numbers: image.astype(float)"),
            (np.zeros((2, 2), "S3"), "from text to numbers: image.astype(float)"),
            (np.zeros((2, 2), "M8[s]"), "from dates to numbers: image.astype('int64')"),
            (np.zeros((2, 2), "m8[s]"), "from durations to numbers: image.astype('int64')"),
            (np.zeros((2, 2), "u1, u1"), "to one array for each field: image['f0']"),
            (np.zeros((2, 2), "V4"), "to float32 or to the type that the bytes stand for"),
            (np.zeros((2, 2), "longdouble"), "to float64: image.astype('float64')"),
            (np.zeros((2, 2), "clongdouble"), "to complex128: image.astype('complex128')"),
        ],
    )
    def test_types_without_meaning(self, values, advice):
        message = refusal(errors.PixelTypeError, values)
        assert message.startswith(f"pixels of type {values.dtype} cannot be filtered; convert them")
        assert advice in message
        with pytest.raises(errors.PixelTypeError, match="cannot be filtered"):
            check_type(values.dtype)

    def test_each_sentence_is_its_own(self):
        kinds = ["O", "U3", "M8[s]", "m8[s]", "u1, u1", "V4", "g", "G"]
        found = {refusal(errors.PixelTypeError, np.zeros((1, 1), kind)) for kind in kinds}
        assert len(found) == len(kinds)

    def test_ragged(self):
        message = refusal(errors.ShapeError, [[1, 2], [3]])
        assert message.startswith("the image is not a rectangular array")

    def test_names_of_files(self, tmp_path):
        message = refusal(errors.PixelTypeError, "photograph.jpg")
        assert message.endswith("read the file first: convtool.read('photograph.jpg')")
        assert "read the file first" in refusal(errors.PixelTypeError, tmp_path)

    def test_none(self):
        assert "pixels of type object" in refusal(errors.PixelTypeError, None)

    @pytest.mark.parametrize(
        ("value", "way"), [(OfCupy(GREY), "image.get()"), (OfJax(GREY), "jax.device_get(image)")]
    )
    def test_arrays_on_a_device(self, value, way):
        message = refusal(errors.PixelTypeError, value)
        assert message == (
            f"an array on a device cannot be filtered; copy it to main memory first: {way}"
        )

    def test_device_of_an_unknown_library(self):
        class OnDevice(WithDlpack):
            device = (8, 0)

        assert refusal(errors.PixelTypeError, OnDevice(GREY)).endswith(
            "copy it to main memory first"
        )

    def test_torch_with_a_gradient(self):
        torch = pytest.importorskip("torch", reason="torch is not installed")
        tensor = torch.ones(3, 3, requires_grad=True)
        message = refusal(errors.PixelTypeError, tensor)
        assert message.endswith("give image.detach().cpu()")
        assert adopt(tensor.detach()).tolist() == [[1.0] * 3] * 3

    def test_torch_on_no_device_and_of_a_type_numpy_has_not(self):
        torch = pytest.importorskip("torch", reason="torch is not installed")
        for tensor in (torch.ones(3, 3, device="meta"), torch.ones(3, 3, dtype=torch.bfloat16)):
            assert "torch" in refusal(errors.PixelTypeError, tensor)

    def test_sparse(self):
        message = refusal(errors.PixelTypeError, Sparse(GREY))
        assert message == "a sparse array cannot be filtered; give image.toarray()"

    def test_what_fails_on_its_way(self):
        class Failing:
            def __array__(self, dtype=None, copy=None):
                raise ValueError("no pixels\ntoday")

        message = refusal(errors.PixelTypeError, Failing())
        assert message.endswith("cannot be converted to a NumPy array: no pixels today")


def test_text_stays_where_types_are_not_checked():
    assert as_array(["a"], "y", "learned").tolist() == ["a"]


LIKE = pytest.mark.parametrize(
    "make",
    [Image, WithArray, WithDlpack, WithInterface, np.ndarray.tolist],
    ids=lambda f: f.__name__,
)
BOX = np.ones((3, 3)) / 9
FLOATS = np.random.default_rng(5).random((12, 14))


class Masked:
    """What each function of pixels is refused with."""

    values = np.ma.array(FLOATS, mask=FLOATS > 0.9)


TAKING = {
    "convolve": lambda image: convtool.convolve(image, BOX),
    "correlate": lambda image: convtool.correlate(image, BOX),
    "deconvolve": lambda image: convtool.deconvolve(image, BOX),
    "gradient_direction": convtool.gradient_direction,
    "gradient_magnitude": convtool.gradient_magnitude,
    "kernel of convolve": lambda image: convtool.convolve(FLOATS, image),
    "kernel of toeplitz": lambda image: convtool.toeplitz(image, (13, 15)).toarray(),
    "learn.fit": lambda image: convtool.learn.fit([(image, image)], 3).kernel,
    "mse": lambda image: convtool.mse(image, FLOATS + 1),
    "psnr": lambda image: convtool.psnr(image, FLOATS + 1),
    "ssim": lambda image: convtool.ssim(image, FLOATS + 1),
    "explain.walk": lambda image: convtool.explain.walk(image, BOX).output,
    "svd.compress": lambda image: convtool.svd.compress(image, 2).reconstruct(),
    "svd.decompose": lambda image: convtool.svd.decompose(image, 2).s,
}


@pytest.mark.parametrize("function", TAKING.values(), ids=TAKING)
class TestEveryFunctionThatTakesPixels:
    @LIKE
    def test_takes_all_alike(self, function, make):
        np.testing.assert_array_equal(function(make(FLOATS)), function(FLOATS))

    def test_refuses_masked_arrays(self, function):
        with pytest.raises((errors.PixelTypeError, errors.KernelError), match=r"\.filled\(0\)"):
            function(Masked.values)

    def test_refuses_arrays_on_a_device(self, function):
        with pytest.raises((errors.PixelTypeError, errors.KernelError), match="on a device"):
            function(OfCupy(FLOATS))


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "uint64", "float16", ">u2", ">f4"])
def test_convolve_takes_every_type_with_its_values(dtype):
    values = (FLOATS * 100).astype(dtype)
    expected = convtool.convolve(values.astype(np.float64), BOX)
    np.testing.assert_allclose(convtool.convolve(values, BOX), expected, rtol=1e-5)


def test_networks_take_tensors():
    from convtool.nn import Dense, Flatten, Sequential

    network = Sequential([Flatten(), Dense(4, 2)])
    x = np.ones((3, 1, 2, 2), np.float32)
    np.testing.assert_array_equal(network.predict_proba(WithArray(x)), network.predict_proba(x))
    with pytest.raises(errors.PixelTypeError, match="on a device"):
        network.predict(OfCupy(x))


def test_import_of_arrays_imports_numpy_alone():
    program = (
        "import sys, convtool.arrays as a; a.adopt([[1]]); "
        "print(*{n.partition('.')[0] for n in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not {"PIL", "torch", "xarray", "numba", "scipy", "cv2"} & set(done.stdout.split())


def test_the_peak_of_an_image_is_that_of_its_bits():
    twelve = Image(np.array([[0, 4095]], np.uint16), bits=12)
    other = np.array([[0, 4094]], np.uint16)
    assert convtool.psnr(twelve, other) == convtool.psnr(twelve.pixels, other, 4095)
