"""The examples that a textbook works out by hand, through every engine."""

import numpy as np
import pytest

import convtool

ENGINES = convtool.engines()
IMAGE = np.array([[94, 50, 221], [98, 109, 50], [49, 213, 91]])
KERNEL = np.array([[2, 2, 1], [1, 0, -2], [-2, 2, 2]])
SIX = np.array(
    [
        [4, 1, 2, 9, 8, 6],
        [9, 5, 9, 5, 8, 5],
        [1, 5, 9, 7, 6, 4],
        [2, 9, 8, 3, 7, 1],
        [8, 1, 6, 4, 2, 2],
        [1, 0, 5, 7, 8, 2],
    ]
)
MEANS = [
    [5, 5.78, 7, 6.44],
    [6.33, 6.67, 6.89, 5.11],
    [5.44, 5.78, 5.78, 4],
    [4.44, 4.78, 5.56, 4],
]


@pytest.mark.parametrize("engine", ["auto", *ENGINES])
class TestWorkedExamples:
    def test_correlation_and_convolution_differ(self, engine):
        correlated = convtool.correlate(IMAGE, KERNEL, mode="valid", engine=engine)
        convolved = convtool.convolve(IMAGE, KERNEL, mode="valid", engine=engine)
        assert correlated.shape == convolved.shape == (1, 1)
        assert correlated[0, 0] == pytest.approx(1017, abs=1e-2)
        assert convolved[0, 0] == pytest.approx(357, abs=1e-2)

    def test_diagonal_difference(self, engine):
        image = np.arange(1, 10).reshape(3, 3)
        answer = convtool.correlate(image, [[1, 0], [0, -1]], mode="valid", engine=engine)
        np.testing.assert_allclose(answer, np.full((2, 2), -4), atol=1e-4)

    @pytest.mark.parametrize(
        ("mode", "expected"),
        [
            ("full", [1, 2, 2, 2, 2, -4, -5]),
            ("same", [2, 2, 2, 2, -4]),
            ("valid", [2, 2, 2]),
        ],
    )
    def test_signal_as_a_row(self, engine, mode, expected):
        answer = convtool.convolve(
            [[1.0, 2, 3, 4, 5]], [[1.0, 0, -1]], mode=mode, border="zero", engine=engine
        )
        np.testing.assert_allclose(answer, [expected], atol=1e-12)

    def test_mean_of_six_by_six(self, engine):
        valid = convtool.convolve(SIX, "box", mode="valid", engine=engine)
        np.testing.assert_allclose(valid, MEANS, atol=0.00501)
        padded = convtool.convolve(SIX, "box", padding=1, border="zero", engine=engine)
        assert padded.shape == (6, 6)
        np.testing.assert_allclose(padded[1:-1, 1:-1], valid, atol=1e-5)
        assert padded[0, 0] == pytest.approx((4 + 1 + 9 + 5) / 9, abs=1e-5)

    def test_impulse_in_kernel_out(self, engine):
        image = np.zeros((7, 7))
        image[3, 3] = 1
        answer = convtool.convolve(image, KERNEL, engine=engine)
        np.testing.assert_allclose(answer[2:5, 2:5], KERNEL, atol=1e-12)
        assert np.abs(answer).sum() == pytest.approx(np.abs(KERNEL).sum(), abs=1e-10)

    @pytest.mark.parametrize("name", ["laplacian-8", "sobel-horizontal", "scharr-vertical"])
    def test_constant_image_through_zero_sum_kernel_is_zero_to_the_border(self, engine, name):
        image = np.full((9, 11), 0.7)
        answer = convtool.convolve(image, name, engine=engine)
        np.testing.assert_allclose(answer, 0, atol=1e-12)

    def test_polynomials_multiply(self, engine):
        p, q = [1.0, -2, 0, 3], [4.0, 5, -6]
        answer = convtool.convolve([p], [q], mode="full", engine=engine)
        np.testing.assert_allclose(answer[0], np.polymul(p, q), atol=1e-11)

    @pytest.mark.parametrize("mode", ["full", "same", "valid"])
    def test_toeplitz_matrix_agrees(self, engine, mode, rng):
        image, kernel = rng.normal(size=(7, 9)), rng.normal(size=(4, 3))
        matrix = convtool.toeplitz(kernel, image.shape, mode=mode)
        answer = convtool.convolve(image, kernel, mode=mode, border="constant", engine=engine)
        np.testing.assert_allclose(
            (matrix @ image.ravel()).reshape(answer.shape), answer, atol=1e-11
        )


def test_toeplitz_matrix_is_toeplitz():
    matrix = convtool.toeplitz([[1, 2, 3]], (1, 4)).toarray()
    expected = [[1, 0, 0, 0], [2, 1, 0, 0], [3, 2, 1, 0], [0, 3, 2, 1], [0, 0, 3, 2], [0, 0, 0, 3]]
    assert matrix.tolist() == expected


@pytest.mark.parametrize("border", ["reflect", "mirror", "nearest", "wrap"])
def test_toeplitz_takes_borders_and_strides(border, rng):
    image, kernel = rng.normal(size=(6, 5)), rng.normal(size=(3, 5))
    options = {"mode": "same", "border": border, "stride": (2, 3)}
    matrix = convtool.toeplitz(kernel, image.shape, **options)
    answer = convtool.convolve(image, kernel, **options)
    np.testing.assert_allclose((matrix @ image.ravel()).reshape(answer.shape), answer, atol=1e-12)


def test_toeplitz_refuses_a_shape_that_is_none():
    with pytest.raises(convtool.ConvtoolError, match="must be"):
        convtool.toeplitz([[1]], (3,))
