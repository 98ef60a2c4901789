"""``convtool.filter_image`` against the command ``convtool filter`` as a process of its own."""

import subprocess
import sys

import numpy as np
import pytest

import convtool
from convtool import errors
from convtool.filtering.api import Options
from convtool.filtering.mask import Mask
from convtool.filtering.options import FilterOptions
from convtool.images.image import Image
from convtool.kernels.spec import parse
from convtool.records import names_of

COLOURS = np.random.default_rng(19).integers(0, 256, (24, 31, 4), np.uint8)
DEEP = np.random.default_rng(20).integers(0, 65536, (24, 31), np.uint16)
CASES = {
    "alpha": (COLOURS, ["gaussian:sigma=2"], {}, []),
    "alpha kept": (COLOURS, ["box"], {"alpha": "keep"}, ["--alpha", "keep"]),
    "tone": (COLOURS[:, :, :3], ["sobel"], {"range": "stretch"}, ["--range", "stretch"]),
    "clipped": (COLOURS[:, :, :3], ["laplacian-4"], {}, []),
    "depth": (DEEP, ["unsharp"], {"depth": "8"}, ["--depth", "8"]),
    "gray": (COLOURS, ["box", "sharpen-5"], {"gray": True, "bias": 3.0}, ["--gray", "--bias", "3"]),
    "linear": (COLOURS, ["gaussian"], {"linear": True}, ["--linear"]),
    "direction": (DEEP, ["scharr"], {"direction": True}, ["--direction"]),
    "size": (
        COLOURS,
        ["3x3:1,0,0,0,0,0,0,0,1"],
        {"padding": 2, "stride": (2, 3), "border": "wrap", "correlate": True},
        ["--padding", "2", "--stride", "2,3", "--border", "wrap", "--correlate"],
    ),
    "part": (
        COLOURS,
        ["disk:radius=3"],
        {"region": (3, 4, 10, 9), "channels": "R,B"},
        ["--region", "3,4,10,9", "--channels", "R,B"],
    ),
}


@pytest.mark.parametrize(("pixels", "kernels", "options", "words"), CASES.values(), ids=CASES)
def test_equals_the_command(pixels, kernels, options, words, tmp_path):
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    convtool.write(source, pixels)
    named = [word for kernel in kernels for word in ("-k", kernel)]
    command = [sys.executable, "-m", "convtool", "filter", *named, *words]
    subprocess.run([*command, str(source), str(target)], check=True, capture_output=True)
    expected = convtool.read(target)
    found = convtool.filter_image(convtool.read(source), kernels, **options)
    assert found.pixels.dtype == expected.pixels.dtype
    assert found.has_alpha == expected.has_alpha
    np.testing.assert_array_equal(found.pixels, expected.pixels)


def test_metadata_stay_and_the_picture_does():
    given = Image(COLOURS.copy(), True, "png", notes=("was damaged",))
    found = convtool.filter_image(given, "box")
    assert (given.pixels == COLOURS).all()
    assert found.metadata == given.metadata
    assert (found.format, found.notes) == ("png", ("was damaged",))


def test_clipping_is_noted():
    (note,) = convtool.filter_image(COLOURS, "laplacian-4").notes
    assert "clipped" in note


def test_arrays_are_pictures():
    found = convtool.filter_image(COLOURS, "box")
    assert found.has_alpha
    np.testing.assert_array_equal(found, convtool.filter_image(Image(COLOURS, True), "box"))


WEIGHTS = convtool.kernel("laplacian-4").tolist()


@pytest.mark.parametrize(
    "kernels",
    [
        "laplacian-4",
        ["laplacian-4"],
        WEIGHTS,
        [WEIGHTS],
        np.array(WEIGHTS),
        (np.array(WEIGHTS),),
        parse("laplacian-4"),
    ],
)
def test_kernels_as_they_come(kernels):
    expected = convtool.filter_image(DEEP, "laplacian-4", range="offset")
    assert (convtool.filter_image(DEEP, kernels, range="offset").pixels == expected.pixels).all()


def test_several_arrays_of_several_sizes_and_a_pair():
    arrays = [np.full((3, 3), 1 / 9), convtool.kernel("sobel")]
    expected = convtool.filter_image(DEEP, ["box", "sobel"])
    assert (convtool.filter_image(DEEP, arrays).pixels == expected.pixels).all()


@pytest.mark.parametrize("kind", [np.asarray, Image, Mask, lambda mask: mask > 0])
def test_masks_as_they_come(kind, tmp_path):
    mask = np.zeros((24, 31), np.uint8)
    mask[5:9, 4:] = 255
    convtool.write(tmp_path / "mask.png", mask)
    expected = convtool.filter_image(COLOURS, "box", mask=tmp_path / "mask.png")
    found = convtool.filter_image(COLOURS, "box", mask=kind(mask))
    assert (found.pixels == expected.pixels).all()
    assert (found.pixels[mask == 0] == COLOURS[mask == 0]).all()


def test_options_are_those_of_the_plan():
    assert tuple(Options.__annotations__) == names_of(FilterOptions)


@pytest.mark.parametrize(
    ("kernels", "options", "error", "words"),
    [
        ("box", {"bordr": "wrap"}, errors.OptionError, "no option 'bordr'; it takes mode, border"),
        ("box", {"border": "wrp"}, errors.OptionError, "border 'wrp'"),
        ([], {}, errors.OptionError, "no kernel"),
        ("no-such", {}, errors.KernelError, "no-such"),
        (np.ones((4, 3, 3)), {}, errors.KernelError, "shape"),
        ("box", {"mask": np.zeros((2, 2), np.int64)}, TypeError, "int64"),
        ("box", {"mask": COLOURS}, errors.ImageReadError, "mask has no transparency"),
    ],
)
def test_refusals(kernels, options, error, words):
    with pytest.raises(error, match=words):
        convtool.filter_image(COLOURS, kernels, **options)
