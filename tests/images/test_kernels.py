"""Pictures as kernels, and groups of kernels over pictures."""

import numpy as np
import pytest
import tifffile
from scipy import ndimage

import convtool
from convtool.errors import KernelError, OptionError
from convtool.filtering.job import FilterJob
from convtool.filtering.memory import FilterOptions, filter_image
from convtool.images import kernels
from convtool.images.image import Image
from convtool.images.kernels import kernel_spec
from convtool.images.write import write
from convtool.kernels import spec as kernel_texts

PSF = np.array([[1, 2, 1], [3, 9, 4], [0, 2, 2], [1, 0, 0]], np.uint8)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "pgm", "gif", "jp2", "PNG"])
def test_a_picture_of_any_format_is_a_kernel(suffix):
    write(f"psf.{suffix}", PSF)
    np.testing.assert_array_equal(convtool.kernel(f"psf.{suffix}:normalize=none"), PSF)
    np.testing.assert_allclose(convtool.kernel(f"psf.{suffix}"), PSF / 25, rtol=1e-15)
    np.testing.assert_allclose(convtool.kernel(f"psf.{suffix}:scale=1/2"), PSF / 50, rtol=1e-15)


def test_values_stay_in_their_depth():
    deep, floats = PSF.astype(np.uint16) * 2000, PSF.astype(np.float32) - 2.5
    write("deep.png", deep)
    tifffile.imwrite("floats.tif", floats)
    np.testing.assert_array_equal(convtool.kernel("deep.png:normalize=none"), deep)
    np.testing.assert_array_equal(convtool.kernel("floats.tif:normalize=none"), floats)
    np.testing.assert_allclose(
        convtool.kernel("floats.tif:normalize=abs"), floats / abs(floats).sum(), rtol=1e-6
    )


def test_colours_become_grey_and_alpha_is_left_out():
    colours = np.dstack([PSF, PSF * 2, PSF * 3, np.full_like(PSF, 7)])
    write("rgba.png", Image(colours, has_alpha=True))
    write("la.png", Image(colours[:, :, [0, 3]], has_alpha=True))
    grey = PSF * (0.299 + 2 * 0.587 + 3 * 0.114)
    np.testing.assert_allclose(convtool.kernel("rgba.png:normalize=none"), grey, rtol=1e-6)
    np.testing.assert_array_equal(convtool.kernel("la.png:normalize=none"), PSF)


def test_what_was_taken_is_said():
    write("psf.png", PSF)
    (note,) = kernel_spec("psf.png").notes
    assert note == (
        "kernel 'psf.png' is a picture of 3×4 pixels, read as grey floats; "
        "its sum is normalized to 1 (normalize=none leaves the values)"
    )
    (note,) = kernel_spec("psf.png:normalize=none").notes
    assert note.endswith("read as grey floats")
    assert kernel_spec("psf.png").name == "psf.png"


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("dark.png", "the weights sum to zero; take none"),
        ("hole.tif", "row 1, column 2: nan is not a finite number"),
        ("text.dat", "neither a kernel file (.txt, .csv, .npy, .json) nor a picture"),
        ("cut.png", "neither a kernel file"),
        (
            "wide.png",
            "the picture has 4096×1 pixels (width × height); a side of a kernel has 1 to 4095",
        ),
        ("missing.png", "no such file"),
        ("missing.png:normalize=none", "no such file"),
        ("dark.png:size=3", "a file takes scale, normalize"),
    ],
)
def test_what_is_no_kernel_is_refused(spec, says):
    write("dark.png", np.zeros((3, 3), np.uint8))
    tifffile.imwrite("hole.tif", np.array([[1, np.nan]], np.float32))
    write("wide.png", np.ones((1, 4096), np.uint8))
    with open("text.dat", "w") as file:
        file.write("1 2\n")
    with open("dark.png", "rb") as whole, open("cut.png", "wb") as part:
        part.write(whole.read()[:20])
    with pytest.raises(KernelError) as caught:
        convtool.kernel(spec)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_arrays_are_filtered_without_pictures_being_read():
    write("psf.png", PSF)
    with pytest.raises(KernelError, match=r"convtool\.kernel and the command line take a picture"):
        convtool.convolve(np.ones((4, 4)), "psf.png")
    assert kernel_texts.parse("psf.png", kernels.read_picture).weights.shape == (4, 3)


def test_a_kernel_file_and_a_preset_come_before_a_picture(tmp_path):
    (tmp_path / "k.csv").write_text("1,2\n")
    write("sobel.png", PSF)
    np.testing.assert_array_equal(convtool.kernel("k.csv"), [[1, 2]])
    assert convtool.kernel("sobel").shape == (2, 3, 3)
    assert convtool.kernel("sobel.png").shape == (4, 3)


def test_a_picture_is_filtered_with_a_picture(rng):
    pixels = rng.integers(0, 256, (20, 30), np.uint8)
    write("psf.png", PSF)
    answer = filter_image(Image(pixels), ["psf.png"]).image.pixels
    expected = np.rint(ndimage.convolve(pixels.astype(float), PSF / 25))
    assert abs(answer - expected).max() <= 1


@pytest.mark.parametrize("name", ["kirsch", "compass"])
@pytest.mark.parametrize("correlate", [False, True])
def test_the_maximum_over_eight_of_a_picture(name, correlate, rng):
    pixels = rng.integers(100, 110, (40, 50, 3), np.uint8)
    options = FilterOptions(correlate=correlate, depth="float")
    result = filter_image(Image(pixels), [name], options)
    answers = [
        ndimage.convolve(pixels.astype(float), weights[:, :, np.newaxis])
        for weights in convtool.kernel(name)
    ]
    np.testing.assert_allclose(result.image.pixels, np.maximum.reduce(answers) / 255, atol=1e-6)
    assert result.steps[0].kernel == name


def test_a_group_leaves_alpha_alone_and_averages_nothing():
    colours = np.full((9, 9, 4), 200, np.uint8)
    colours[4, 4] = 90, 90, 90, 128
    answer = filter_image(Image(colours, has_alpha=True), ["kirsch"]).image.pixels
    np.testing.assert_array_equal(answer[:, :, 3], colours[:, :, 3])


def test_roberts_over_a_picture_is_scikit_images():
    pixels = np.array([[10, 10, 10], [10, 40, 10], [10, 10, 80]], np.uint8)
    options = FilterOptions(depth="float")
    answer = filter_image(Image(pixels), ["roberts"], options).image.pixels * 255
    # skimage.filters.roberts(pixels / 255) * 255 * sqrt(2), from its two weights.
    expected = [[30, 30, 0], [30, np.hypot(40 - 80, 0), np.hypot(70, 70)], [0, 70, 0]]
    np.testing.assert_allclose(answer[:2, :2], np.array(expected)[:2, :2], atol=1e-4)
    with pytest.raises(OptionError, match="direction needs a gradient along rows and columns"):
        filter_image(Image(pixels), ["roberts"], FilterOptions(direction=True))
    with pytest.raises(OptionError, match="direction needs a gradient along rows and columns"):
        filter_image(Image(pixels), ["kirsch"], FilterOptions(direction=True))


def test_a_job_is_the_same_whatever_its_kernel_is_called():
    assert (
        FilterJob((kernel_spec("blur"),)).fingerprint()
        == FilterJob((kernel_spec("box"),)).fingerprint()
    )
    assert (
        FilterJob((kernel_spec("kirsch"),)).fingerprint()
        != FilterJob((kernel_spec("compass"),)).fingerprint()
    )
