"""The sample pictures are what ``sample_images/draw.py`` draws, and small."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from convtool.errors import OptionError
from convtool.images import samples
from convtool.images.read import read

FOLDER = Path(__file__).parents[2] / "sample_images"
PACKAGE = Path(samples.__file__).parent / "pictures"
DRAW = runpy.run_path(str(FOLDER / "draw.py"))["PICTURES"]


@pytest.fixture(scope="module")
def photograph():
    return samples.load("photograph")


def test_the_folder_holds_the_samples_and_no_other_picture():
    pictures = {"photograph.jpg", *(f"{name}.png" for name in samples.names()[1:])}
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} == pictures | {"draw.py"}
    assert all((FOLDER / name).stat().st_size < 300_000 for name in pictures)


def test_the_package_holds_the_samples_and_no_other_file():
    assert {path.name for path in PACKAGE.iterdir()} == {f"{name}.png" for name in samples.names()}
    assert sum(path.stat().st_size for path in PACKAGE.iterdir()) < 1_000_000


def test_the_script_draws_every_sample():
    assert tuple(DRAW) == samples.names()


@pytest.mark.parametrize("name", samples.names())
def test_the_files_are_bit_for_bit_what_is_drawn(name):
    drawn, loaded = DRAW[name](), samples.load(name)
    assert loaded.dtype == np.uint8
    assert loaded.flags.writeable
    np.testing.assert_array_equal(loaded, drawn)


@pytest.mark.parametrize("name", [n for n in samples.names() if n != "photograph"])
def test_the_folder_and_the_package_hold_the_same_files(name):
    assert (FOLDER / f"{name}.png").read_bytes() == (PACKAGE / f"{name}.png").read_bytes()


def test_the_photograph_in_the_folder_differs_by_its_compression_only(photograph):
    stored = read(FOLDER / "photograph.jpg").pixels
    error = np.mean((stored.astype(float) - photograph) ** 2)
    assert 10 * np.log10(255**2 / error) > 34


def test_the_photograph_has_colour_texture_and_grain(photograph):
    assert photograph.shape == (480, 640, 3)
    assert photograph.min() == 0
    assert photograph.max() > 250
    assert np.abs(np.diff(photograph.astype(int), axis=2)).mean() > 10
    sky = photograph[5:40, 250:330].astype(float)
    assert 0.5 < np.abs(np.diff(sky, axis=1)).mean() < 6


def test_the_patterns():
    assert samples.load("zone-plate").shape == (512, 512)
    ramp = samples.load("gray-ramp")
    np.testing.assert_array_equal(ramp[0, ::2], np.arange(256))
    board = samples.load("checkerboard")
    assert board[0, 0] == 0
    assert board[0, 32] == board[32, 0] == 255
    star = samples.load("siemens-star")
    np.testing.assert_array_equal(star, star[::-1, ::-1])


def test_unknown_name():
    with pytest.raises(OptionError, match="sample picture 'lena' is not known; one of photo"):
        samples.load("lena")
