"""TIFF's luma and chroma without JPEG: values worked out by hand from TIFF 6.0, section 21."""

import picture_files as make
import pytest

from convtool.errors import ImageReadError
from convtool.images.read import read

BASE = {256: [2], 257: [2], 258: [8] * 3, 259: [1], 262: [6], 277: [3], 278: [2]}


def test_each_pixel_with_chroma_of_its_own(tmp_path):
    strip = bytes([100, 128, 228, 50, 128, 128, 0, 128, 128, 255, 128, 128])
    (tmp_path / "a.tif").write_bytes(make.tiff(BASE | {530: [1, 1]}, [strip]))
    # Red is 100 + 1.402 · 100, green (100 - 0.299 · 240.2 - 0.114 · 100) / 0.587.
    expected = [[[240, 29, 100], [50] * 3], [[0] * 3, [255] * 3]]
    assert read(tmp_path / "a.tif").pixels.tolist() == expected


def test_four_pixels_share_chroma(tmp_path):
    strip = bytes([10, 20, 30, 40, 128, 128, 50, 0, 60, 0, 128, 128])
    (tmp_path / "a.tif").write_bytes(make.tiff(BASE | {256: [3]}, [strip]))
    found = read(tmp_path / "a.tif").pixels[:, :, 0].tolist()
    assert found == [[10, 20, 50], [30, 40, 60]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({530: [3, 1]}, "subsampled by 3×1"),
        ({284: [2]}, "in planes"),
        ({532: [0, 0, 1, 2, 3, 4]}, "make no sense"),
        ({529: [1, 0, 1]}, "make no sense"),
        ({257: [9], 278: [9]}, "cut off|too short|too few"),
    ],
)
def test_refused(tmp_path, changes, message):
    (tmp_path / "a.tif").write_bytes(make.tiff(BASE | changes, [bytes(12)]))
    with pytest.raises(ImageReadError, match=message):
        read(tmp_path / "a.tif")
