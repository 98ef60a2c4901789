"""Arrays of any dimension: axes, batches, channels, origin, delta and borders for each axis."""

import inspect
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refusal
from scipy import ndimage, signal

import convtool
from convtool import errors
from convtool.convolution import types
from convtool.convolution.axes import kernel_axes, placed
from convtool.convolution.borders import BORDERS, RULES
from convtool.convolution.engines import ENGINES
from convtool.convolution.geometry import MODES

KERNEL = np.array([[1.0, -2.0, 3.0, 0.5], [4.0, 0.0, -1.0, 2.0], [2.0, 5.0, 1.0, -3.0]])
LINE = np.array([1.0, -2.0, 4.0, 0.5])
BOTH = pytest.mark.parametrize(
    ("call", "peer"),
    [(convtool.convolve, ndimage.convolve), (convtool.correlate, ndimage.correlate)],
    ids=["convolve", "correlate"],
)


def close(answer, expected):
    np.testing.assert_allclose(answer, expected, rtol=1e-12, atol=1e-12)


class TestNamesOfOptions:
    """The literal types are the registries, so that a type checker knows every name."""

    def test_borders(self):
        assert get_args(types.Border) == tuple(BORDERS)

    def test_modes(self):
        assert get_args(types.Mode) == MODES

    def test_engines(self):
        ranked = [name for name, known in ENGINES.items() if known.takes_rank]
        ranks = tuple(f"{name}:rank={rank}" for name in ranked for rank in (1, 2, 3, 4))
        assert get_args(types.Engine) == ("auto", *ENGINES, *ranks)

    def test_both_functions_take_the_same_and_fit_a_screen(self):
        signatures = [inspect.signature(f) for f in (convtool.convolve, convtool.correlate)]
        assert signatures[0] == signatures[1]
        assert len(signatures[0].parameters) <= 16


class TestWhichAxes:
    @pytest.mark.parametrize("shape", [(3, 40, 50), (512, 512, 31), (3, 3, 3), (40, 3, 50)])
    def test_a_doubt_is_an_error_that_says_what_to_write(self, shape):
        message = refusal(errors.ShapeError, convtool.convolve, np.zeros(shape), "box")
        channel = int(np.argmin(shape[::-1]))
        channel = 2 - channel
        others = tuple(n for n in range(3) if n != channel)
        assert f"shape {shape} leaves open which axis holds channels" in message
        assert f"channel_axis={channel}" in message
        assert f"axes={others}" in message
        convtool.convolve(np.zeros(shape), "box", channel_axis=channel)
        convtool.convolve(np.zeros(shape), "box", axes=others)

    @pytest.mark.parametrize("shape", [(40, 50, 3), (40, 50, 4), (5, 5, 4), (2, 2, 1)])
    def test_a_short_last_axis_holds_channels(self, shape):
        assert kernel_axes(shape, 2) == (0, 1)

    def test_a_kernel_of_one_dimension_on_a_picture_needs_axis(self):
        message = refusal(errors.ShapeError, convtool.convolve, np.zeros((5, 6)), LINE)
        assert "needs axis= for an image of shape (5, 6)" in message
        assert "axis=1" in message
        assert "axis=0" in message

    def test_more_dimensions_need_axes(self):
        message = refusal(errors.ShapeError, convtool.convolve, np.zeros((2, 3, 4, 5)), KERNEL)
        assert message.endswith("axes=(2, 3)")

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"axis": 1}, "axis is for kernels of one dimension, this one has 2"),
            ({"axis": 1, "axes": (0, 1)}, "axis and axes say the same; give one of them"),
            ({"axes": (0, 0)}, "axes (0, 0) name an axis twice"),
            ({"axes": (0, 3)}, "axes 3 is no axis of an array of 3 dimensions"),
            ({"axes": (0,)}, "axes (0,) name 1, the kernel has 2 dimensions"),
            ({"axes": 1}, "axes 1 name 1, the kernel has 2 dimensions"),
            ({"axes": (0, 1.0)}, "axes must be a whole number, not 1.0"),
            ({"axes": (0, 1), "channel_axis": 1}, "channel_axis 1 is an axis that the kernel"),
            ({"channel_axis": 3}, "channel_axis 3 is no axis of an array of 3 dimensions"),
            ({"channel_axis": "last"}, "channel_axis must be a whole number, not 'last'"),
            ({"origin": 2}, "origin 2 moves a kernel of 3 off its pixel; give -1 to 1"),
            ({"origin": (0, -3)}, "origin -3 moves a kernel of 4 off its pixel; give -2 to 1"),
            ({"origin": 0.0}, "origin must be a whole number or a pair of them, not 0.0"),
            ({"origin": 1, "mode": "valid"}, "origin moves the kernel in mode 'same' alone"),
            ({"origin": 1, "padding": 1}, "origin moves the kernel in mode 'same' alone"),
            ({"delta": None}, "delta must be a number, not None"),
            ({"delta": 1j}, "delta must be a number, not 1j"),
        ],
    )
    def test_refuses(self, options, words):
        image = np.zeros((9, 8, 3))
        message = refusal(errors.OptionError, convtool.correlate, image, KERNEL, **options)
        assert words in message

    def test_kernels_of_other_dimensions(self):
        message = refusal(errors.KernelError, convtool.convolve, np.zeros(9), np.ones((2, 2, 2)))
        assert "shape (2, 2, 2) for an image of 1 dimensions" in message
        refusal(errors.KernelError, convtool.convolve, np.zeros((2,) * 4), np.ones((2,) * 4))

    def test_pictures_of_a_batch(self):
        assert placed((6, 5, 7, 8), (0, 2)).form((6, 5, 7, 8)) == (5, 6, 7, 8)


class TestSignals:
    @pytest.mark.parametrize("border", RULES)
    @pytest.mark.parametrize("taps", [1, 2, 3, 4, 5])
    def test_same_is_scipys(self, border, taps, rng):
        line, kernel = rng.normal(size=11), rng.normal(size=taps)
        peer = {"mode": border, "cval": 3.0}
        how = {"border": border, "cval": 3.0}
        close(convtool.convolve(line, kernel, **how), ndimage.convolve1d(line, kernel, **peer))
        close(convtool.correlate(line, kernel, **how), ndimage.correlate1d(line, kernel, **peer))

    @pytest.mark.parametrize("axis", [0, 1, 2, 3, -1, -2])
    @pytest.mark.parametrize("shape", [(4, 5, 6, 7), (9, 1, 3, 2)])
    def test_on_any_axis_of_an_array(self, axis, shape, rng):
        array = rng.normal(size=shape)
        answer = convtool.convolve(array, LINE, axis=axis, border="mirror")
        close(answer, ndimage.convolve1d(array, LINE, axis=axis, mode="mirror"))

    @pytest.mark.parametrize("mode", ["valid", "full"])
    @pytest.mark.parametrize("axis", [0, 1])
    def test_modes_along_an_axis(self, mode, axis, rng):
        array = rng.normal(size=(7, 9))
        expected = np.apply_along_axis(np.convolve, axis, array, LINE, mode)
        close(convtool.convolve(array, LINE, axis=axis, mode=mode), expected)

    def test_stride_and_padding_lie_on_the_axis(self, rng):
        array = rng.normal(size=(9, 8))
        answer = convtool.correlate(array, LINE, axis=0, stride=2, padding=1, border="wrap")
        expected = np.pad(array, ((1, 1), (0, 0)), "wrap")
        expected = np.apply_along_axis(np.correlate, 0, expected, LINE, "valid")[::2]
        close(answer, expected)

    def test_text_of_one_row_is_a_line(self, rng):
        line = rng.normal(size=20)
        close(convtool.convolve(line, "1x3:1,2,-1"), ndimage.convolve1d(line, [1, 2, -1]))

    def test_too_short_for_a_valid_answer(self):
        message = refusal(errors.ShapeError, convtool.convolve, [1.0, 2.0], LINE, mode="valid")
        assert message.startswith("no output is left")


class TestBatches:
    @BOTH
    @pytest.mark.parametrize("shape", [(5, 12, 9), (1, 12, 9), (12, 5, 9), (12, 9, 5)])
    def test_every_pair_of_axes(self, call, peer, shape, rng):
        array = rng.normal(size=shape)
        for axes in [(0, 1), (0, 2), (1, 2), (-2, -1)]:
            close(call(array, KERNEL, axes=axes), peer(array, KERNEL, axes=axes))

    def test_axes_are_those_of_the_kernel_in_order(self, rng):
        array = rng.normal(size=(7, 9))
        answer = convtool.convolve(array, KERNEL, axes=(1, 0), border=("wrap", "nearest"))
        expected = convtool.convolve(array.T, KERNEL, border=("wrap", "nearest")).T
        close(answer, expected)
        close(convtool.convolve(array, KERNEL, axes=(1, 0)), ndimage.convolve(array, KERNEL.T))

    @pytest.mark.parametrize("channel_axis", [0, 1, 2, -1])
    def test_channel_axis(self, channel_axis, rng):
        planes = rng.normal(size=(6, 9, 8))
        array = np.moveaxis(planes, 0, channel_axis)
        expected = np.stack([ndimage.convolve(plane, KERNEL) for plane in planes])
        answer = convtool.convolve(array, KERNEL, channel_axis=channel_axis)
        close(answer, np.moveaxis(expected, 0, channel_axis))

    @pytest.mark.parametrize("axes", [(1, 2), (0, 3), (1, 3), (2, 3), (0, 1)])
    @pytest.mark.parametrize("dtype", ["uint8", "float32", ">f8", "int64", "bool", "float16"])
    def test_four_dimensions_of_any_type(self, axes, dtype, rng):
        array = (rng.random((4, 5, 6, 7)) * 200).astype(dtype)
        answer = convtool.correlate(array, KERNEL, axes=axes)
        expected = ndimage.correlate(array.astype(np.float64), KERNEL, axes=axes)
        np.testing.assert_allclose(answer, expected, rtol=1e-5, atol=1e-3)
        assert answer.dtype == convtool.correlate(array[0, 0], KERNEL).dtype

    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("engine", ENGINES)
    def test_modes_and_engines(self, mode, engine, rng):
        array = rng.normal(size=(6, 9, 8))
        answer = convtool.convolve(array, KERNEL, axes=(1, 2), mode=mode, engine=engine)
        for plane, made in zip(array, answer, strict=True):
            expected = ndimage.convolve(plane, KERNEL)
            if mode != "same":
                expected = signal.convolve2d(plane, KERNEL, mode)
            np.testing.assert_allclose(made, expected, rtol=1e-10, atol=1e-10)

    @pytest.mark.parametrize("threads", [1, 2, 5])
    @pytest.mark.parametrize("count", [1, 2, 3, 200])
    @pytest.mark.parametrize("dtype", ["float32", "uint8"])
    def test_threads_share_a_batch(self, threads, count, dtype, rng):
        array = (rng.random((count, 32, 32)) * 255).astype(dtype)
        answer = convtool.convolve(array, KERNEL, axes=(1, 2), threads=threads)
        single = [convtool.convolve(picture, KERNEL, threads=1) for picture in array]
        np.testing.assert_allclose(answer, single, rtol=1e-5, atol=1e-3)

    def test_memory_of_any_order(self, rng):
        array = np.asfortranarray(rng.normal(size=(4, 6, 9, 8)))[::-1, ::2]
        out = np.full((9, 8, 3, 4), np.nan)[::-1].transpose(3, 2, 0, 1)
        answer = convtool.convolve(array, KERNEL, axes=(2, 3), out=out)
        assert answer is out
        close(out, ndimage.convolve(array, KERNEL, axes=(2, 3)))

    def test_out_may_be_the_image(self, rng):
        array = rng.normal(size=(5, 9, 8))
        expected = ndimage.convolve(array, KERNEL, axes=(1, 2))
        convtool.convolve(array, KERNEL, axes=(1, 2), out=array)
        close(array, expected)

    def test_nan_stays_in_its_picture(self, rng):
        array = rng.normal(size=(50, 32, 32))
        array[7, 3, 4] = np.nan
        answer = convtool.convolve(array, np.ones((5, 5)), axes=(1, 2))
        assert np.isnan(answer[7]).sum() == 25
        assert np.isfinite(np.delete(answer, 7, axis=0)).all()

    def test_integers_saturate(self, rng):
        array = rng.integers(0, 256, (30, 20, 20), np.uint8)
        answer = convtool.correlate(array, KERNEL, axes=(1, 2), dtype=np.uint8)
        exact = ndimage.correlate(array.astype(float), KERNEL, axes=(1, 2))
        np.testing.assert_array_equal(answer, np.clip(np.rint(exact), 0, 255))

    def test_is_planned(self):
        plan = convtool.plan((1000, 32, 32), "float32", "box", axes=(1, 2))
        assert plan.engine in ENGINES
        assert convtool.plan((1000,), "float32", LINE).engine in ENGINES
        message = refusal(errors.KernelError, convtool.plan, (9, 9), "float32", [[1j]])
        assert "real kernels" in message


class TestVolumes:
    @BOTH
    @pytest.mark.parametrize("axes", [(0, 1, 2), (1, 2, 3), (0, 1, 3), (0, 2, 3)])
    def test_kernels_of_three_dimensions(self, call, peer, axes, rng):
        array, kernel = rng.normal(size=(5, 6, 7, 8)), rng.normal(size=(2, 3, 4))
        how = {"axes": axes, "origin": (0, 1, -1)}
        answer = call(array, kernel, border="wrap", **how)
        np.testing.assert_allclose(
            answer, peer(array, kernel, mode="wrap", **how), rtol=1e-10, atol=1e-10
        )

    def test_the_kernel_lies_on_all_axes_of_a_volume(self, rng):
        volume, kernel = rng.normal(size=(5, 6, 7)), rng.normal(size=(2, 3, 2))
        close(convtool.convolve(volume, kernel), ndimage.convolve(volume, kernel))
        close(convtool.convolve(volume, kernel, mode="full"), signal.convolve(volume, kernel))
        coloured = np.stack([volume, volume * 2], axis=-1)
        close(convtool.convolve(coloured, kernel)[..., 1], ndimage.convolve(volume * 2, kernel))

    def test_borders_of_each_axis_and_delta(self, rng):
        volume, kernel = rng.normal(size=(5, 6, 7)), rng.normal(size=(3, 3, 3))
        padded = np.pad(volume, ((1, 1), (0, 0), (0, 0)), "wrap")
        padded = np.pad(padded, ((0, 0), (1, 1), (0, 0)), "edge")
        padded = np.pad(padded, ((0, 0), (0, 0), (1, 1)), "symmetric")
        expected = signal.convolve(padded, kernel, "valid") + 2
        borders = ("wrap", "nearest", "reflect")
        answer = convtool.convolve(volume, kernel, border=borders, delta=2)
        close(answer, expected)
        turned = convtool.convolve(
            volume.transpose(2, 0, 1), kernel, axes=(1, 2, 0), border=borders, delta=2
        )
        close(turned, expected.transpose(2, 0, 1))

    def test_text(self, rng):
        volume = rng.normal(size=(9, 9, 9))
        answer = convtool.convolve(volume, "gaussian:sigma=1,1,1", border="reflect")
        close(answer, ndimage.gaussian_filter(volume, 1))
        close(convtool.convolve(volume, "gaussian:sigma=1", axes=(0, 1, 2)), answer)

    @pytest.mark.parametrize("options", [{"stride": 2}, {"padding": 1}])
    def test_refuses_stride_and_padding(self, options):
        volume, kernel = np.zeros((5, 5, 5)), np.ones((3, 3, 3))
        message = refusal(errors.OptionError, convtool.convolve, volume, kernel, **options)
        assert message.startswith("stride and padding are for kernels of one and two dimensions")

    def test_too_small_for_a_valid_answer(self):
        volume, kernel = np.zeros((5, 5, 2)), np.ones((3, 3, 3))
        message = refusal(errors.ShapeError, convtool.convolve, volume, kernel, mode="valid")
        assert message.startswith("no output is left")


class TestOriginDeltaAndBorders:
    @BOTH
    @pytest.mark.parametrize("origin", [(0, 1), (1, -1), (-1, -2), -1])
    @pytest.mark.parametrize("engine", ["auto", *ENGINES])
    def test_origin(self, call, peer, origin, engine, rng):
        image = rng.normal(size=(9, 8))
        answer = call(image, KERNEL, origin=origin, border="wrap", engine=engine)
        expected = peer(image, KERNEL, origin=origin, mode="wrap")
        np.testing.assert_allclose(answer, expected, rtol=1e-10, atol=1e-10)

    @BOTH
    def test_origin_of_axes(self, call, peer, rng):
        array = rng.normal(size=(9, 8, 7))
        how = {"axes": (0, 2), "origin": (1, -1)}
        close(call(array, KERNEL, **how), peer(array, KERNEL, **how))

    @BOTH
    @pytest.mark.parametrize("origin", [-2, -1, 0, 1])
    def test_origin_of_a_line(self, call, peer, origin, rng):
        array = rng.normal(size=(6, 9))
        peer = {"convolve": ndimage.convolve1d, "correlate": ndimage.correlate1d}[call.__name__]
        answer = call(array, LINE, axis=0, origin=origin)
        close(answer, peer(array, LINE, axis=0, origin=origin))

    @pytest.mark.parametrize("engine", ["auto", *ENGINES])
    def test_delta_is_added_before_the_conversion(self, engine):
        image = np.array([[0.2, 0.6, 250.3]])
        answer = convtool.convolve(image, [[1]], delta=0.4, dtype=np.uint8, engine=engine)
        assert answer.tolist() == [[1, 1, 251]]
        assert convtool.convolve(image, [[1]], delta=-300, dtype=np.uint8).tolist() == [[0, 0, 0]]
        close(convtool.convolve(image, [[2]], delta=1), image * 2 + 1)

    def test_delta_with_out(self):
        out = np.empty((1, 3))
        convtool.convolve(np.ones((1, 3)), [[2]], delta=1, out=out)
        assert out.tolist() == [[3, 3, 3]]

    @given(
        seed=st.integers(0, 2**32 - 1),
        down=st.sampled_from(list(BORDERS)),
        across=st.sampled_from(list(BORDERS)),
        mode=st.sampled_from(MODES),
    )
    def test_borders_of_each_axis(self, seed, down, across, mode):
        rng = np.random.default_rng(seed)
        image, pads = rng.normal(size=(7, 6)), ((3, 3), (4, 4))
        names = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge", "wrap": "wrap"}
        padded = image
        for axis, border in enumerate((down, across)):
            rule = BORDERS[border]
            pad = [(0, 0), (0, 0)]
            pad[axis] = pads[axis]
            value = {"constant_values": 0.0 if border == "zero" else 2.0}
            how = {} if rule in names else value
            padded = np.pad(padded, pad, names.get(rule, "constant"), **how)
        answer = convtool.correlate(image, KERNEL, border=(down, across), cval=2.0, mode=mode)
        everywhere = signal.correlate2d(padded, KERNEL, "valid")
        size = {"same": (7, 6), "valid": (5, 3), "full": (9, 9)}[mode]
        top, left = {"same": (2, 2), "valid": (3, 4), "full": (1, 1)}[mode]
        close(answer, everywhere[top : top + size[0], left : left + size[1]])

    def test_a_border_that_the_type_cannot_hold(self):
        image = np.full((3, 3), 7, np.uint8)
        answer = convtool.correlate(
            image, np.ones((3, 3)), border=("constant", "nearest"), cval=-0.5
        )
        assert answer[:, 0].tolist() == [40.5, 63, 40.5]


class TestComplex:
    @BOTH
    @pytest.mark.parametrize("border", ["reflect", "constant"])
    @pytest.mark.parametrize("of_image", [True, False])
    @pytest.mark.parametrize("of_kernel", [True, False])
    def test_is_scipys(self, call, peer, border, of_image, of_kernel, rng):
        image, kernel = rng.normal(size=(9, 8)), KERNEL
        cval = 1.5
        if of_image:
            image, cval = image + 1j * rng.normal(size=(9, 8)), 1.5 - 2j
        if of_kernel:
            kernel = KERNEL + 1j * KERNEL[::-1]
        answer = call(image, kernel, border=border, cval=cval)
        close(answer, peer(image, kernel, mode=border, cval=cval))
        assert answer.dtype == (np.complex128 if of_image or of_kernel else np.float64)

    @pytest.mark.parametrize(
        ("image", "kernel", "expected"),
        [
            ("complex64", "float64", "complex64"),
            ("complex64", "complex128", "complex64"),
            ("complex128", "float64", "complex128"),
            ("float32", "complex128", "complex64"),
            ("float64", "complex128", "complex128"),
            ("uint8", "complex128", "complex64"),
        ],
    )
    def test_types(self, image, kernel, expected):
        answer = convtool.convolve(np.ones((5, 5), image), np.ones((3, 3), kernel))
        assert answer.dtype == np.dtype(expected)
        np.testing.assert_allclose(answer, 9)

    def test_signals_and_batches(self, rng):
        array = rng.normal(size=(4, 9)) + 1j * rng.normal(size=(4, 9))
        line = LINE * (1 + 2j)
        close(convtool.convolve(array[0], line, mode="full"), np.convolve(array[0], line))
        close(convtool.correlate(array[0], line, mode="full"), np.correlate(array[0], line, "full"))
        answer = convtool.convolve(array, line, axis=1, border="wrap")
        close(answer, ndimage.convolve1d(array, line, axis=1, mode="wrap"))

    def test_delta_out_and_dtype(self):
        image = np.array([[1 + 1j, 2]], np.complex64)
        out = np.empty((1, 2), np.complex128)
        convtool.convolve(image, [[1j]], delta=1 - 1j, out=out, dtype=np.complex128)
        assert out.tolist() == [[0, 1 + 1j]]
        message = refusal(errors.OptionError, convtool.convolve, image, [[1]], dtype=np.float32)
        assert "complex64 or complex128" in message
        message = refusal(errors.OptionError, convtool.convolve, image.real, [[1]], cval=1j)
        assert message == "cval must be a number, not 1j"


class TestPrepare:
    @pytest.mark.parametrize(
        ("shape", "kernel", "options"),
        [
            ((9, 8), KERNEL, {}),
            ((9, 8), KERNEL, {"stride": 2, "border": "wrap"}),
            ((9, 8, 3), "gaussian", {}),
            ((50, 9, 8), KERNEL, {"axes": (1, 2)}),
            ((30,), LINE, {"mode": "valid"}),
            ((9, 8), KERNEL * 1j, {"delta": 2}),
            ((9, 8), KERNEL, {"border": ("wrap", "mirror"), "origin": (1, 0)}),
        ],
    )
    @pytest.mark.parametrize("dtype", ["float32", "uint8", ">f8", "bool"])
    def test_is_convolve(self, shape, kernel, options, dtype, rng):
        image = (rng.random(shape) * 200).astype(dtype)
        ready = convtool.prepare(kernel, shape, dtype, **options)
        expected = convtool.convolve(image, kernel, **options)
        for _ in range(2):
            np.testing.assert_array_equal(ready(image), expected)
        out = np.empty(ready.shape, ready.dtype)
        assert ready(image, out) is out
        np.testing.assert_array_equal(out, expected)
        np.testing.assert_array_equal(ready(np.asfortranarray(image)), expected)
        correlation = convtool.prepare(kernel, shape, dtype, flipped=False, **options)
        np.testing.assert_array_equal(
            correlation(image), convtool.correlate(image, kernel, **options)
        )

    def test_out_may_be_the_image(self, rng):
        image = rng.normal(size=(9, 8))
        expected = ndimage.convolve(image, KERNEL)
        convtool.prepare(KERNEL, (9, 8), float)(image, image)
        close(image, expected)

    def test_keeps_its_kernel(self, rng):
        kernel, image = KERNEL.copy(), np.asfortranarray(rng.normal(size=(9, 8)))
        ready = convtool.prepare(kernel, (9, 8), float, flipped=False)
        kernel[:] = 0
        close(ready(image), ndimage.correlate(image, KERNEL))

    def test_answer_of_a_type(self):
        ready = convtool.prepare("box", (9, 8), "uint8", out_dtype="uint8")
        assert ready(np.ones((9, 8), np.uint8)).dtype == np.uint8
        assert repr(ready) == "<prepared convolution: (9, 8) uint8 to (9, 8) uint8>"

    def test_refuses_other_images(self):
        ready = convtool.prepare("box", (9, 8), "float32")
        message = refusal(errors.ShapeError, ready, np.zeros((8, 9), np.float32))
        assert message == "prepared for images of (9, 8), not (8, 9)"
        message = refusal(errors.PixelTypeError, ready, np.zeros((9, 8)))
        assert message == "prepared for pixels of float32, not float64"
        message = refusal(errors.OptionError, ready, np.zeros((9, 8), np.float32), np.zeros((9, 8)))
        assert message == "out has type float64, the answer float32"

    @pytest.mark.parametrize("option", ["stirde", "out", "dtype "])
    def test_refuses_other_options(self, option):
        message = refusal(
            errors.OptionError, convtool.prepare, "box", (9, 8), "float32", **{option: None}
        )
        assert message.startswith(f"prepare has no option {option!r}; it takes flipped, mode")

    def test_refuses_other_descriptions(self):
        refusal(errors.ShapeError, convtool.prepare, "box", (9, "x"), "float32")
        refusal(errors.ShapeError, convtool.prepare, "box", (9, 0), "float32")
        refusal(errors.PixelTypeError, convtool.prepare, "box", (9, 8), "pixels")


class TestRemembered:
    """A call gives the same whatever was called before."""

    @pytest.mark.parametrize(
        ("right", "wrong"),
        [
            ({"axes": (0, 1)}, {"axes": (0, 1.0)}),
            ({"origin": 0}, {"origin": 0.0}),
            ({"channel_axis": 2}, {"channel_axis": 2.0}),
        ],
    )
    def test_equal_values_of_other_types(self, right, wrong):
        image = np.zeros((6, 5, 3))
        refusal(errors.OptionError, convtool.convolve, image, KERNEL, **wrong)
        convtool.convolve(image, KERNEL, **right)
        refusal(errors.OptionError, convtool.convolve, image, KERNEL, **wrong)

    def test_a_kernel_that_changes(self, rng):
        kernel, image = KERNEL.copy(), rng.normal(size=(9, 16))
        convtool.correlate(image[:, ::2].copy(), kernel)
        kernel *= 2
        convtool.correlate(image[:, ::2], kernel)
        kernel /= 2
        close(convtool.correlate(image[:, ::2], kernel), ndimage.correlate(image[:, ::2], KERNEL))


@pytest.mark.parametrize("size", [5, 17])
def test_a_kernel_by_name_that_is_alike_along_both_axes_lies_on_one(size):
    wave = np.random.default_rng(size).random(60)
    line = convtool.kernel(f"gaussian:sigma=2,size=1x{size}")[0]
    expected = ndimage.convolve1d(wave, line)
    answer = convtool.convolve(wave, f"gaussian:sigma=2,size={size}")
    np.testing.assert_allclose(answer, expected, rtol=1e-12)
    pictures = np.stack([wave, 2 * wave], axis=1)
    along = convtool.convolve(pictures, f"gaussian:sigma=2,size={size}", axis=0)
    np.testing.assert_allclose(along, np.stack([expected, 2 * expected], axis=1), rtol=1e-12)
    mean = convtool.convolve(wave, "box:size=3")
    np.testing.assert_allclose(mean, ndimage.uniform_filter1d(wave, 3), rtol=1e-12)


@pytest.mark.parametrize("name", ["sobel-vertical", "laplacian-4"])
def test_a_kernel_by_name_that_differs_between_its_axes_is_refused_on_one(name):
    with pytest.raises(errors.ShapeError, match="a signal takes a kernel of one dimension"):
        convtool.convolve(np.ones(60), name)
