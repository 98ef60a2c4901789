"""What convolve and correlate take, what they refuse and in which words."""

import warnings

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from refusals import refusal

import convtool
from convtool import errors
from convtool.convolution import dimensions
from convtool.convolution.borders import BORDERS

ENGINES = convtool.engines()
IMAGE = np.arange(12.0).reshape(3, 4)
CROSSED = np.eye(3) + np.eye(3)[::-1]
BOTH = pytest.mark.parametrize("call", [convtool.convolve, convtool.correlate])


@BOTH
class TestBadOptions:
    """Each message says what is wrong, where, and what would be right."""

    @pytest.mark.parametrize("mode", ["Same", "", None, ["same"]])
    def test_mode(self, call, mode):
        message = refusal(errors.OptionError, call, IMAGE, "box", mode=mode)
        assert message == f"mode {mode!r} is not known; one of same, valid, full"

    @pytest.mark.parametrize("border", ["wrapped", "", 3])
    def test_border(self, call, border):
        message = refusal(errors.OptionError, call, IMAGE, "box", border=border)
        assert f"border {border!r} is not known; one of" in message
        assert all(name in message for name in BORDERS)

    def test_borders_for_another_number_of_axes(self, call):
        message = refusal(errors.OptionError, call, IMAGE, "box", border=["wrap"])
        assert message == "border ['wrap'] names 1, the kernel has 2 dimensions"

    @pytest.mark.parametrize("cval", ["a", None, 1j, [1, 2]])
    def test_cval(self, call, cval):
        message = refusal(errors.OptionError, call, IMAGE, "box", border="constant", cval=cval)
        assert message == f"cval must be a number, not {cval!r}"

    @pytest.mark.parametrize(("padding", "shown"), [(-1, "-1"), ((2, -3), "(2, -3)")])
    def test_negative_padding(self, call, padding, shown):
        message = refusal(errors.OptionError, call, IMAGE, "box", padding=padding)
        assert message == f"padding must be at least 0, not {shown}"

    @pytest.mark.parametrize("stride", [0, -1, (1, 0), [0, 1]])
    def test_stride_below_one(self, call, stride):
        message = refusal(errors.OptionError, call, IMAGE, "box", stride=stride)
        assert message == f"stride must be at least 1, not {stride!r}"

    @pytest.mark.parametrize("name", ["stride", "padding"])
    @pytest.mark.parametrize("value", [1.5, "2", (1, 2, 3), (1,), (1, "2"), np.array([1, 2])])
    def test_neither_number_nor_pair(self, call, name, value):
        message = refusal(errors.OptionError, call, IMAGE, "box", **{name: value})
        assert message == f"{name} must be a whole number or a pair of them, not {value!r}"

    def test_full_with_padding(self, call):
        message = refusal(errors.OptionError, call, IMAGE, "box", mode="full", padding=0)
        assert message == "mode 'full' has its own padding; give one of the two"

    @pytest.mark.parametrize("engine", ["Direct", "cuda", ""])
    def test_engine(self, call, engine):
        message = refusal(errors.OptionError, call, IMAGE, "box", engine=engine)
        assert message == f"engine {engine!r} is not known; one of auto, {', '.join(ENGINES)}"

    def test_engine_that_is_no_text(self, call):
        message = refusal(errors.OptionError, call, IMAGE, "box", engine=None)
        assert message == "engine must be a name, not None"

    @pytest.mark.parametrize("rest", ["rank", "rank=", "rank=0", "rank=-1", "rank=²", "tiles=3"])
    def test_engine_with_a_bad_rank(self, call, rest):
        message = refusal(errors.OptionError, call, IMAGE, "box", engine=f"separable:{rest}")
        assert "after the colon comes rank=N with N at least 1" in message

    @pytest.mark.parametrize("engine", ["auto", "direct", "fft", "scipy"])
    def test_engine_that_takes_no_rank(self, call, engine):
        message = refusal(errors.OptionError, call, IMAGE, "box", engine=f"{engine}:rank=2")
        assert message == f"engine {engine!r} takes no rank; separable, numba and opencv do"

    @pytest.mark.parametrize("engine", ["separable", "numba"])
    def test_rank_that_is_not_enough(self, call, engine):
        message = refusal(errors.EngineError, call, IMAGE, CROSSED, engine=f"{engine}:rank=1")
        assert "the kernel has rank 2" in message
        assert "ask for at least 2" in message
        call(IMAGE, CROSSED, engine=f"{engine}:rank=2")

    @pytest.mark.parametrize("dtype", [complex, np.longdouble, bool, object, "S3", "M8[s]"])
    def test_dtype(self, call, dtype):
        message = refusal(errors.OptionError, call, IMAGE, "box", dtype=dtype)
        assert message.startswith("dtype must be a real number type of at most 64 bits, not ")

    def test_dtype_of_no_name(self, call):
        message = refusal(errors.OptionError, call, IMAGE, "box", dtype="single-ish")
        assert message == "dtype 'single-ish' is not a NumPy type"

    @pytest.mark.parametrize("threads", [0, -2, 1.0, "2", True, [1]])
    def test_threads(self, call, threads):
        message = refusal(errors.OptionError, call, IMAGE, "box", threads=threads)
        assert message == f"threads must be a whole number from 1 to 1024, not {threads!r}"

    @pytest.mark.parametrize("text", ["0", "-1", "many", "1.5", "²"])
    def test_threads_of_the_environment(self, call, text, monkeypatch):
        monkeypatch.setattr(dimensions, "_remembered", {})  # small ones take one thread anyway
        monkeypatch.setenv("CONVTOOL_NUM_THREADS", text)
        message = refusal(errors.OptionError, call, IMAGE, "box")
        assert message.startswith("CONVTOOL_NUM_THREADS must be a whole number from 1 to 1024, not")

    def test_out_of_another_shape(self, call):
        message = refusal(errors.ShapeError, call, IMAGE, "box", out=np.empty((4, 3)))
        assert message == "out has shape (4, 3), the answer (3, 4)"

    def test_out_of_another_type(self, call):
        out = np.empty((3, 4), np.float32)
        message = refusal(errors.OptionError, call, IMAGE, "box", out=out, dtype=np.uint8)
        assert message == "out has type float32, the answer uint8"

    def test_out_that_cannot_be_written(self, call):
        out = np.empty((3, 4))
        out.flags.writeable = False
        message = refusal(errors.OptionError, call, IMAGE, "box", out=out)
        assert message == "out is read-only"

    def test_out_that_is_no_array(self, call):
        message = refusal(errors.OptionError, call, IMAGE, "box", out=[[0.0] * 4] * 3)
        assert message == "out must be an array, not list"


@BOTH
class TestBadImages:
    @pytest.mark.parametrize("shape", [(), (5,), (2, 2, 2, 2)])
    def test_of_other_dimensions(self, call, shape):
        message = refusal(errors.ShapeError, call, np.zeros(shape), "sobel-vertical")
        assert message.startswith(f"an image has shape (H, W) or (H, W, C), not {shape}")
        assert message.endswith("signal[None, :]") == (len(shape) == 1)

    @pytest.mark.parametrize("shape", [(0, 3), (3, 0), (3, 3, 0)])
    def test_empty(self, call, shape):
        message = refusal(errors.ShapeError, call, np.zeros(shape), "box")
        assert message == f"the image is empty: its shape is {shape}"

    def test_ragged(self, call):
        message = refusal(errors.ShapeError, call, [[1, 2], [3]], "box")
        assert message.startswith("the image is not a rectangular array")

    @pytest.mark.parametrize("dtype", ["clongdouble", "object", "longdouble", "U3", "M8[s]", "V4"])
    def test_of_a_type_without_meaning(self, call, dtype):
        image = np.zeros((3, 3)).astype(dtype)
        message = refusal(errors.PixelTypeError, call, image, "box")
        assert message.startswith(f"pixels of type {image.dtype} cannot be filtered; convert them")

    @pytest.mark.parametrize("image", [None, "photograph.jpg"])
    def test_no_array_at_all(self, call, image):
        with pytest.raises((errors.PixelTypeError, errors.ShapeError)):
            call(image, "box")

    def test_masked(self, call):
        message = refusal(errors.PixelTypeError, call, np.ma.array(IMAGE, mask=IMAGE > 3), "box")
        assert message == "a masked array cannot be filtered; fill it first: image.filled(0)"

    def test_smaller_than_the_kernel_where_valid(self, call):
        message = refusal(errors.ShapeError, call, IMAGE, np.ones((1, 5)), mode="valid")
        assert message.startswith("no output is left: the kernel's width is 5, the image's only 4;")
        message = refusal(errors.ShapeError, call, IMAGE, np.ones((6, 1)), padding=1)
        assert "height is 6, the image's only 5 with its padding" in message


@BOTH
class TestBadKernels:
    @pytest.mark.parametrize(
        ("kernel", "words"),
        [
            ([], "no entries"),
            ([[]], "no entries"),
            ([[1, 2], [3]], "rows of equal length"),
            ([[1, np.nan]], "row 1, column 2: nan is not a finite number"),
            ([[1], [-np.inf]], "row 2, column 1: -inf is not a finite number"),
            ([[1j, np.nan]], "row 1, column 2: nan is not a finite number"),
            ([["a"]], "give real numbers"),
            (None, "give real numbers"),
            (np.zeros((1, 2, 3)), "give two dimensions"),
            (3.0, "give two dimensions"),
            ("gausian", "did you mean gaussian"),
            ("sobel", "is a pair of kernels"),
            ("no-such.csv", "no such file"),
        ],
    )
    def test_message(self, call, kernel, words):
        assert words in refusal(errors.KernelError, call, IMAGE, kernel)


class TestTypes:
    """One table: float64 stays, all else comes back as float32 unless a type is asked for."""

    @pytest.mark.parametrize(
        ("given_type", "answer_type"),
        [
            ("float64", "float64"),
            (">f8", "float64"),
            ("float32", "float32"),
            (">f4", "float32"),
            ("float16", "float32"),
            ("bool", "float32"),
            ("uint8", "float32"),
            (">u2", "float32"),
            ("int64", "float32"),
            ("uint64", "float32"),
        ],
    )
    def test_of_the_answer(self, given_type, answer_type):
        answer = convtool.convolve(IMAGE.astype(given_type), "box")
        assert answer.dtype == np.dtype(answer_type)
        assert answer.dtype.isnative

    @pytest.mark.parametrize("order", [">", "<"])
    @pytest.mark.parametrize("code", ["u2", "i4", "f4", "f8"])
    @pytest.mark.parametrize("engine", ENGINES)
    def test_byte_order_does_not_matter(self, order, code, engine):
        image = np.arange(35).reshape(5, 7).astype(order + code)
        answer = convtool.convolve(image, CROSSED, engine=engine)
        expected = convtool.convolve(image.astype(code), CROSSED, engine=engine)
        np.testing.assert_array_equal(answer, expected)

    def test_lists_are_integers_or_doubles_as_numpy_reads_them(self):
        assert convtool.convolve([[1, 2], [3, 4]], [[2]]).tolist() == [[2, 4], [6, 8]]
        assert convtool.convolve([[1.0, 2.0]], [[2]]).dtype == np.float64

    def test_long_integers_are_computed_in_double(self):
        image = np.full((4, 4), 2**40 + 1, np.int64)
        answer = convtool.convolve(image, [[1, -1]], dtype=np.int64)
        assert not answer.any()
        near = np.array([[2**40, 2**40 + 1]])
        assert convtool.convolve(near, [[1, -1]], dtype=np.int64)[0, 0] == 1

    @pytest.mark.parametrize("engine", ENGINES)
    def test_whole_numbers_stay_exact(self, engine):
        image = np.full((6, 6), 65535, np.uint16)
        kernel = np.full((5, 5), 1001)
        answer = convtool.convolve(image, kernel, dtype=np.float64, engine=engine)
        np.testing.assert_allclose(answer, 65535 * 25 * 1001, rtol=1e-13)

    @pytest.mark.parametrize("engine", [e for e in ENGINES if e != "scipy"])
    @pytest.mark.parametrize("weight", [1e-50, 1e60])
    def test_weights_beyond_float32(self, engine, weight):
        image = np.full((4, 4), 1e-30 if weight > 1 else 1e30, np.float32)
        answer = convtool.convolve(image, [[weight]], engine=engine)
        np.testing.assert_allclose(answer, image.astype(np.float64) * weight, rtol=1e-6)


LIMITS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]


class TestIntegerAnswers:
    """Rounded half to even, saturated, NaN to 0: never wrapped."""

    @pytest.mark.parametrize("dtype", LIMITS)
    @pytest.mark.parametrize("working", ["float32", "float64"])
    def test_saturate(self, dtype, working):
        limits = np.iinfo(dtype)
        values = np.array([[-np.inf, -1e30, -2e20, 2e20, 1e30, np.inf, np.nan]], working)
        answer = convtool.convolve(values, [[1]], dtype=dtype)
        low, high = [limits.min] * 3, [limits.max] * 3
        assert answer.dtype == np.dtype(dtype)
        assert answer.tolist() == [[*low, *high, 0]]

    @pytest.mark.parametrize("dtype", LIMITS)
    def test_the_limits_themselves_survive(self, dtype):
        limits = np.iinfo(dtype)
        values = np.array([[float(limits.min), float(limits.max)]])
        answer = convtool.convolve(values, "identity", dtype=dtype)
        assert answer.tolist() == [[limits.min, limits.max]]

    @pytest.mark.parametrize("dtype", LIMITS)
    def test_just_outside_and_just_inside(self, dtype):
        limits = np.iinfo(dtype)
        below = np.nextafter(float(limits.max), 0)
        values = np.array([[below, np.nextafter(float(limits.max), np.inf)]])
        answer = convtool.convolve(values, [[1]], dtype=dtype)
        assert answer[0, 0] == min(int(np.rint(below)), limits.max)
        assert answer[0, 1] == limits.max

    @pytest.mark.parametrize("dtype", LIMITS)
    def test_round_half_to_even(self, dtype):
        values = np.array([[0.5, 1.5, 2.5, 3.5, 0.49, 2.51]])
        assert convtool.convolve(values, [[1]], dtype=dtype).tolist() == [[0, 2, 2, 4, 0, 3]]

    @pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64"])
    def test_round_half_to_even_below_zero(self, dtype):
        values = np.array([[-0.5, -1.5, -2.5]])
        assert convtool.convolve(values, [[1]], dtype=dtype).tolist() == [[0, -2, -2]]

    @given(
        seed=st.integers(0, 2**32 - 1),
        given_type=st.sampled_from(LIMITS[:6]),
        answer_type=st.sampled_from(LIMITS),
    )
    def test_any_type_to_any_type(self, seed, given_type, answer_type):
        rng = np.random.default_rng(seed)
        limits = np.iinfo(given_type)
        image = rng.integers(limits.min, limits.max, (4, 5), given_type, endpoint=True)
        kernel = rng.integers(-3, 4, (2, 3))
        answer = convtool.correlate(image, kernel, dtype=answer_type)
        exact = reference.correlate(image, kernel)
        bounds = np.iinfo(answer_type)
        expected = [[min(max(int(v), bounds.min), bounds.max) for v in row] for row in exact]
        assert answer.tolist() == expected

    def test_float16_overflows_to_infinity(self):
        answer = convtool.convolve(np.full((2, 2), 3e4, np.float16), "cross", dtype=np.float16)
        assert answer.dtype == np.float16
        assert np.isposinf(answer).all()


class TestOut:
    @pytest.mark.parametrize("engine", ENGINES)
    def test_is_returned_and_filled(self, engine):
        out = np.full((3, 4), -1.0)
        answer = convtool.convolve(IMAGE, CROSSED, out=out, engine=engine)
        assert answer is out
        np.testing.assert_allclose(out, reference.convolve(IMAGE, CROSSED), atol=1e-12)

    def test_decides_the_type(self):
        out = np.zeros((3, 4), np.int16)
        convtool.convolve(IMAGE * 10000, "identity", out=out)
        assert out.max() == 32767

    @pytest.mark.parametrize("engine", ENGINES)
    def test_may_be_the_image(self, engine, rng):
        image = rng.normal(size=(90, 70, 2))
        expected = convtool.convolve(image, CROSSED, engine=engine, threads=1)
        convtool.convolve(image, CROSSED, out=image, engine=engine, threads=2)
        np.testing.assert_array_equal(image, expected)

    def test_may_overlap_the_image(self, rng):
        canvas = rng.normal(size=(12, 9))
        image, out = canvas[:10], canvas[2:]
        expected = convtool.convolve(image.copy(), "gaussian:size=5")
        convtool.convolve(image, "gaussian:size=5", out=out)
        np.testing.assert_array_equal(out, expected)

    @pytest.mark.parametrize("engine", ENGINES)
    def test_may_be_the_kernel(self, engine):
        image, kernel = np.arange(9.0).reshape(3, 3), CROSSED.copy()
        expected = reference.correlate(image, kernel)
        convtool.correlate(image, kernel, out=kernel, engine=engine)
        np.testing.assert_allclose(kernel, expected, atol=1e-12)

    @pytest.mark.parametrize("engine", ENGINES)
    def test_need_not_be_contiguous(self, engine, rng):
        image = rng.normal(size=(8, 9, 3))
        canvas = np.zeros((16, 3, 27))
        out = canvas[::-2, :, ::3].transpose(0, 2, 1)
        convtool.convolve(image, CROSSED, out=out, engine=engine)
        np.testing.assert_allclose(out, reference.convolve(image, CROSSED), atol=1e-12)

    def test_with_stride(self, rng):
        image, out = rng.normal(size=(7, 8)), np.empty((4, 3))
        convtool.convolve(image, CROSSED, out=out, stride=(2, 3))
        np.testing.assert_allclose(out, reference.convolve(image, CROSSED)[::2, ::3], atol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
class TestInputsAreLeftAlone:
    def test_image_and_kernel(self, engine, rng):
        image, kernel = rng.normal(size=(20, 30)), rng.normal(size=(3, 4))
        before = image.copy(), kernel.copy()
        convtool.correlate(image, kernel, engine=engine, border="constant", cval=9)
        np.testing.assert_array_equal(image, before[0])
        np.testing.assert_array_equal(kernel, before[1])

    def test_overflow_and_infinities_pass_in_silence(self, engine):
        image = np.full((6, 6), np.inf, np.float32)
        image[3] = -np.inf
        huge = np.full((6, 6), 3e38, np.float32)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert np.isnan(convtool.convolve(image, "laplacian-4", engine=engine)[2:5]).all()
            assert not np.isfinite(convtool.convolve(huge, "cross", engine=engine)).any()

    def test_last_bits_do_not_depend_on_layout(self, engine, rng):
        image, kernel = rng.random((40, 50, 3), dtype=np.float32), rng.normal(size=(5, 5))
        turned = np.ascontiguousarray(image.transpose(2, 0, 1)).transpose(1, 2, 0)
        np.testing.assert_array_equal(
            convtool.convolve(turned, kernel, engine=engine),
            convtool.convolve(image, kernel, engine=engine),
        )


class TestThreads:
    @pytest.mark.parametrize("threads", [1, 2, np.int64(3), 64])
    def test_any_number_gives_the_same(self, threads, rng):
        image = rng.random((300, 200), dtype=np.float32)
        one = convtool.convolve(image, CROSSED, threads=1)
        np.testing.assert_array_equal(convtool.convolve(image, CROSSED, threads=threads), one)

    def test_environment_gives_the_default(self, monkeypatch):
        monkeypatch.setenv("CONVTOOL_NUM_THREADS", " 3 ")
        convtool.convolve(IMAGE, "box")
        monkeypatch.setenv("CONVTOOL_NUM_THREADS", "none")
        convtool.convolve(IMAGE, "box", threads=1)


class TestDefaults:
    def test_same_reflects(self):
        np.testing.assert_array_equal(
            convtool.convolve(IMAGE, CROSSED),
            convtool.convolve(IMAGE, CROSSED, mode="same", border="reflect"),
        )

    def test_full_takes_zeros_and_padding_reflects(self):
        full = convtool.convolve(IMAGE, CROSSED, mode="full")
        zeros = convtool.convolve(IMAGE, CROSSED, mode="full", border="zero")
        np.testing.assert_array_equal(full, zeros)
        padded = convtool.convolve(IMAGE, CROSSED, padding=1)
        np.testing.assert_array_equal(padded, convtool.convolve(IMAGE, CROSSED))

    def test_a_kernel_of_one_dimension_lies_where_it_is_told(self):
        np.testing.assert_array_equal(
            convtool.convolve(IMAGE, [1, 0, -1], axis=1), convtool.convolve(IMAGE, [[1, 0, -1]])
        )


class TestPlan:
    def test_is_what_convolve_would_do(self):
        plan = convtool.plan((1080, 1920, 3), "uint8", "gaussian:sigma=3")
        assert plan.engine in ENGINES
        assert set(plan.costs) == set(ENGINES)
        assert all(seconds > 0 for seconds in plan.costs.values())

    def test_takes_the_engine_and_rank_asked_for(self):
        plan = convtool.plan((90, 90), "uint8", CROSSED, engine="separable:rank=3")
        assert (plan.engine, plan.rank) == ("separable", 3)
        assert plan.reason.startswith("asked for")

    @pytest.mark.parametrize("shape", [5, (5,), (2, 2, 2, 2), (0, 3)])
    def test_refuses_a_shape(self, shape):
        refusal(errors.ShapeError, convtool.plan, shape, "uint8", "sobel-vertical")

    @pytest.mark.parametrize("dtype", ["complex64", "object", "pixels"])
    def test_refuses_a_type(self, dtype):
        refusal(errors.PixelTypeError, convtool.plan, (9, 9), dtype, "box")

    @pytest.mark.parametrize(
        "options", [{"border": "x"}, {"mode": "x"}, {"engine": "x"}, {"stride": 0}, {"threads": 0}]
    )
    def test_refuses_options(self, options):
        refusal(errors.OptionError, convtool.plan, (9, 9), "uint8", "box", **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("engine", ["auto", "direct", "separable"])
@pytest.mark.parametrize("shape", [(5, 7), (300, 400, 3)])
def test_the_identity_keeps_each_bit(rng, dtype, engine, shape):
    image = rng.normal(size=shape).astype(dtype)
    image.flat[::3] = -0.0
    image.flat[1::50] = np.nan
    image.flat[2::70] = -np.inf
    answer = convtool.convolve(image, "identity", engine=engine)
    assert answer.tobytes() == image.tobytes()
