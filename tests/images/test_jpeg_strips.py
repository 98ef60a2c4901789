"""Large JPEGs are encoded in strips: the pixels are those of a file encoded in one go."""

import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image as Pillow

from convtool.images.codecs import jpeg, jpeg_strips, opencv
from convtool.images.codecs.jpeg_segments import frame_of, segments
from convtool.images.image import Coding, Image, Metadata
from convtool.images.options import WriteOptions

SHAPES = [(1003, 1501, 3), (2500, 640, 3), (1300, 1700)]


def _picture(shape, sampling="4:2:0", **coding):
    rng = np.random.default_rng(sum(shape))
    coarse = rng.integers(0, 256, tuple(-(-n // 9) for n in shape[:2]) + shape[2:], np.uint8)
    pixels = np.repeat(np.repeat(coarse, 9, 0), 9, 1)[: shape[0], : shape[1]]
    coded = Coding(quality=90, subsampling=sampling, **coding)
    return Image(pixels, False, "jpeg", Metadata(coding=coded))


def _pixels(file):
    return np.asarray(Pillow.open(io.BytesIO(file)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sampling", sorted(jpeg_strips._SIDES))
def test_decode_to_the_same_pixels(shape, sampling, monkeypatch):
    picture = _picture(shape, sampling)
    file = jpeg.encode(picture, WriteOptions())
    monkeypatch.setattr(jpeg_strips, "_LEAST_PIXELS", 1 << 60)
    whole = jpeg.encode(picture, WriteOptions())
    assert b"\xff\xd7" in file
    assert b"\xff\xd7" not in whole
    np.testing.assert_array_equal(_pixels(file), _pixels(whole))
    decoded = jpeg.decode(file, jpeg.inspect(file), jpeg.ReadOptions())
    assert not decoded.notes
    assert decoded.pixels.shape == shape


def test_restart_markers_are_numbered_in_turn():
    file = jpeg.encode(_picture((1003, 1501, 3)), WriteOptions())
    scan = file[segments(file)[-1].end :]
    numbers = [after - 0xD0 for at, after in pairwise(scan) if at == 0xFF]
    numbers = [number for number in numbers if 0 <= number < 8]
    assert numbers == [n % 8 for n in range(-(-1003 // 16) - 1)]


def test_progressive_files_have_one_way_only():
    picture = _picture((1003, 1501, 3), progressive=True)
    file = jpeg.encode(picture, WriteOptions())
    assert frame_of(segments(file)).marker == 0xC2


def test_pictures_beyond_a_formats_limits_are_refused_as_a_whole():
    with pytest.raises(opencv.ImageFormatError):
        jpeg.encode(_picture((70_000, 64, 3)), WriteOptions())


@pytest.mark.parametrize("shape", [(64, 64, 3), (700, 700, 3), (100, 20_000, 3)])
def test_small_or_low_pictures_have_no_markers(shape):
    file = jpeg.encode(_picture(shape), WriteOptions())
    assert not any(bytes([0xFF, marker]) in file for marker in range(0xD0, 0xD8))
