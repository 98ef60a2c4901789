"""Damaged files of every format: refused, or read; never anything else, never a word on stderr."""

import struct
from contextlib import suppress

import numpy as np
import picture_files as make
import pytest

from convtool.errors import ImageReadError
from convtool.images.formats import FORMATS
from convtool.images.read import read
from convtool.images.write import write

WRITTEN = [name for name, entry in FORMATS.items() if entry.depths and not entry.is_foreign]


@pytest.fixture(params=WRITTEN)
def whole(request, tmp_path, rng):
    """A whole file of each format."""
    entry = FORMATS[request.param]
    channels = max(entry.channels)
    shape = (19, 26) if channels == 1 else (19, 26, channels)
    path = tmp_path / f"whole{entry.extensions[0]}"
    pixels = rng.integers(0, 256, shape).astype(np.uint8)
    if entry.depths == ("float",):
        pixels = pixels / np.float32(255)
    write(path, pixels, quantize=True)
    return path.read_bytes()


def test_cut_off_anywhere(whole, tmp_path, capfd):
    path = tmp_path / "cut"
    for end in sorted({int(n) for n in np.linspace(0, len(whole) - 1, 60)}):
        path.write_bytes(whole[:end])
        with pytest.raises(ImageReadError):
            read(path)
    assert capfd.readouterr() == ("", "")


def test_bytes_changed_anywhere(whole, tmp_path, rng, capfd):
    path = tmp_path / "changed"
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(int(rng.integers(1, 4))):
            data[int(rng.integers(len(data)))] = int(rng.integers(256))
        path.write_bytes(data)
        with suppress(ImageReadError):
            read(path, max_pixels=1_000_000)
    assert capfd.readouterr() == ("", "")


class TestClaims:
    """Small files that claim much are refused before room is made for it."""

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"P3\n13000 13000\n255\n1 2 3\n", "no 507000000 numbers"),
            (b"P1\n9 9\n1 0", "cut off"),
        ],
    )
    def test_plain_numbers(self, tmp_path, data, message):
        (tmp_path / "a").write_bytes(data)
        with pytest.raises(ImageReadError, match=message):
            read(tmp_path / "a")

    def test_jpeg(self, tmp_path):
        write(tmp_path / "a.jpg", np.zeros((16, 16), np.uint8))
        data = bytearray((tmp_path / "a.jpg").read_bytes())
        frame = data.index(b"\xff\xc0")
        data[frame + 5 : frame + 9] = (13000).to_bytes(2, "big") * 2
        (tmp_path / "a.jpg").write_bytes(data)
        with pytest.raises(ImageReadError, match="cannot hold 13000×13000 pixels"):
            read(tmp_path / "a.jpg")

    def test_scans_of_a_jpeg(self, tmp_path):
        write(tmp_path / "a.jpg", np.zeros((16, 16), np.uint8))
        data = (tmp_path / "a.jpg").read_bytes()
        scan = b"\xff\xda\0\x08\1\1\0\0\x3f\0"
        (tmp_path / "a.jpg").write_bytes(data[:-2] + scan * 501 + b"\xff\xd9")
        with pytest.raises(ImageReadError, match="more than 500 scans"):
            read(tmp_path / "a.jpg")

    @pytest.mark.parametrize("compression", [3, 4, 5, 8, 32773])
    def test_tiff(self, tmp_path, compression):
        tags = {256: [13000], 257: [13000], 258: [1 if compression < 5 else 8], 262: [1]}
        tags |= {259: [compression], 277: [1], 278: [13000]}
        (tmp_path / "a.tif").write_bytes(make.tiff(tags, [bytes(40)]))
        with pytest.raises(ImageReadError, match="too few bytes"):
            read(tmp_path / "a.tif")

    def test_frames_of_a_gif(self, tmp_path):
        frame = b",\0\0\0\0\1\0\1\0\0\2\2\x4c\1\0"
        head = b"GIF89a\1\0\1\0\x80\0\0" + bytes(6)
        (tmp_path / "a.gif").write_bytes(head + frame * 50_001 + b";")
        with pytest.raises(ImageReadError, match="more than 50000 frames"):
            read(tmp_path / "a.gif")


def test_methods_of_png_that_do_not_exist(tmp_path):
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    for place in (10, 11, 12):
        changed = bytearray(header)
        changed[place] = 2
        data = make.png(1, 1, 8, 0, [[1]])
        head = make.png_chunk(b"IHDR", header)
        (tmp_path / "a.png").write_bytes(
            data.replace(head, make.png_chunk(b"IHDR", bytes(changed)))
        )
        with pytest.raises(ImageReadError, match="method that is not read"):
            read(tmp_path / "a.png")


def test_planes_whose_last_strips_are_shorter(tmp_path):
    """Of a TIFF in planes, PackBits: two strips of 2 and 1 rows for each of two planes."""
    strips = [bytes([1, 1, 2]), bytes([0, 3]), bytes([1, 4, 5]), bytes([0, 6])]
    tags = {256: [1], 257: [3], 258: [8, 8], 259: [32773], 262: [1], 277: [2], 278: [2]}
    (tmp_path / "a.tif").write_bytes(make.tiff(tags | {284: [2], 338: [2]}, strips))
    assert read(tmp_path / "a.tif").pixels.tolist() == [[[1, 4]], [[2, 5]], [[3, 6]]]
