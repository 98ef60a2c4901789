"""The sample pictures are what the generator draws, and small."""

from pathlib import Path

import numpy as np
import pytest

from convtool.errors import OptionError
from convtool.images import samples
from convtool.images.read import read

FOLDER = Path(__file__).parents[2] / "sample_images"


@pytest.fixture(scope="module")
def photograph():
    return samples.load("photograph")


def test_the_folder_holds_the_samples_and_no_other_picture():
    files = {sample.file for sample in samples.SAMPLES.values()}
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} == files
    assert all((FOLDER / name).stat().st_size < 300_000 for name in files)


@pytest.mark.parametrize("name", [n for n in samples.names() if n != "photograph"])
def test_lossless_ones_are_bit_for_bit_what_is_drawn(name):
    stored = read(FOLDER / samples.SAMPLES[name].file).pixels
    np.testing.assert_array_equal(stored, samples.load(name))


def test_the_photograph_is_what_is_drawn_but_for_its_compression(photograph):
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
    with pytest.raises(OptionError, match="no sample picture is called 'lena'; there are photo"):
        samples.load("lena")


def test_write_all(tmp_path):
    samples.write_all(tmp_path)
    assert len(list(tmp_path.iterdir())) == len(samples.names())
