"""OpenEXR, Radiance HDR, PFM and JPEG 2000: values, kinds that are refused, damage."""

import struct
import zlib
from itertools import pairwise

import numpy as np
import pytest

from convtool.errors import ImageFormatError, ImageReadError
from convtool.images.image import Coding
from convtool.images.read import read, read_header
from convtool.images.write import write


def exr(channels, chunks, *, compression=0, size=(3, 2), version=2, offsets=None, more=()):
    """Make an OpenEXR file: channels are (name, type), chunks (first row, bytes)."""
    names = b"".join(n.encode() + b"\0" + struct.pack("<iIii", t, 0, 1, 1) for n, t in channels)
    window = struct.pack("<iiii", 5, 7, 5 + size[0] - 1, 7 + size[1] - 1)
    attributes = [
        ("channels", "chlist", names + b"\0"),
        ("compression", "compression", bytes([compression])),
        ("dataWindow", "box2i", window),
        *more,
    ]
    head = struct.pack("<II", 20000630, version)
    for name, kind, content in attributes:
        head += f"{name}\0{kind}\0".encode() + struct.pack("<i", len(content)) + content
    head += b"\0"
    position = len(head) + 8 * len(chunks)
    places, body = [], b""
    for row, content in chunks:
        places.append(position + len(body))
        body += struct.pack("<ii", 7 + row, len(content)) + content
    return head + struct.pack(f"<{len(places)}Q", *(offsets or places)) + body


def prepared(plain):
    """Do what OpenEXR does before it compresses."""
    apart = plain[0::2] + plain[1::2]
    steps = [apart[0]] + [(b - a + 128) % 256 for a, b in pairwise(apart)]
    return bytes(steps)


def run_lengths(data):
    """Compress with a literal run and runs of equal bytes."""
    packed, position = b"", 0
    while position < len(data):
        length = 1
        while (
            length < 128
            and data[position : position + 1] * (length + 1)
            == data[position : position + length + 1]
        ):
            length += 1
        if length > 2:
            packed += bytes([length - 1, data[position]])
        else:
            packed += struct.pack("b", -length) + data[position : position + length]
        position += length
    return packed


GREY = np.array([[1.5, -2.0, 0.25], [0.0, 1e-3, 65504.0]], np.float32)


class TestExr:
    def rows(self, kind):
        return [GREY[row].astype(kind).tobytes() for row in (0, 1)]

    @pytest.mark.parametrize(("kind", "number"), [("<f2", 1), ("<f4", 2)])
    def test_values(self, tmp_path, kind, number):
        chunks = list(enumerate(self.rows(kind)))
        for order in (chunks, chunks[::-1]):
            (tmp_path / "a.exr").write_bytes(exr([("Y", number)], order))
            image = read(tmp_path / "a.exr")
            assert image.pixels.dtype == np.float32
            np.testing.assert_array_equal(image.pixels, GREY.astype(kind))

    def test_zip_takes_16_rows_at_once(self, tmp_path):
        plain = b"".join(self.rows("<f4"))
        packed = zlib.compress(prepared(plain))
        chunk = packed if len(packed) < len(plain) else plain
        (tmp_path / "a.exr").write_bytes(exr([("Y", 2)], [(0, chunk)], compression=3))
        np.testing.assert_array_equal(read(tmp_path / "a.exr").pixels, GREY)
        assert read(tmp_path / "a.exr").metadata.coding == Coding("ZIP")

    @pytest.mark.parametrize("compression", [1, 2])
    def test_rows_of_their_own(self, tmp_path, compression):
        row = np.array([0.0] * 40 + [2.0], np.float32).tobytes()
        pack = run_lengths if compression == 1 else zlib.compress
        packed = pack(prepared(row))
        assert len(packed) < len(row)
        data = exr([("Y", 2)], [(0, packed)], compression=compression, size=(41, 1))
        (tmp_path / "a.exr").write_bytes(data)
        assert read(tmp_path / "a.exr").pixels.tolist() == [[0.0] * 40 + [2.0]]

    def test_colours_and_alpha_in_any_type(self, tmp_path):
        row = np.array([0.5], "<f4").tobytes() + np.array([0.25, 0.125, 1.0], "<f2").tobytes()
        channels = [("A", 2), ("B", 1), ("G", 1), ("R", 1)]
        (tmp_path / "a.exr").write_bytes(exr(channels, [(0, row)], size=(1, 1)))
        image = read(tmp_path / "a.exr")
        assert image.pixels.tolist() == [[[2.0, 0.25, 0.5, 0.5]]]
        assert image.has_alpha
        assert "multiplied" in image.notes[0]

    @pytest.mark.parametrize("channels", [1, 2, 3, 4])
    def test_what_is_written_is_read(self, tmp_path, rng, channels):
        pixels = rng.normal(0, 3, (37, 21) if channels == 1 else (37, 21, channels))
        pixels = pixels.astype(np.float32)
        if channels in (2, 4):
            pixels[:, :, -1] = 0.5
        write(tmp_path / "a.exr", pixels)
        np.testing.assert_array_equal(read(tmp_path / "a.exr").pixels, pixels)

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (exr([("Y", 2)], [], version=0x202), "tiles"),
            (exr([("Y", 2)], [], version=3), "version 3"),
            (exr([("Y", 0)], []), "whole numbers"),
            (exr([("Z", 2)], []), "has the channels Z"),
            (exr([("Y", 2)], [], compression=4), "compression PIZ"),
            (exr([("Y", 2)], [], compression=77), "compression 77"),
            (exr([("Y", 2)], [], size=(0, 2)), "0×2 pixels"),
            (exr([("Y", 2)], [(0, bytes(12))]), "cut off"),
            (exr([("Y", 2)], [(0, bytes(12)), (0, bytes(12))]), "missing"),
            (exr([("Y", 2)], [(0, bytes(12)), (5, bytes(12))]), "makes no sense"),
            (exr([("Y", 2)], [(0, bytes(12)), (1, bytes(9))]), "too short"),
            (exr([("Y", 2)], [(0, b"xxxx"), (1, b"x")], compression=2), "damaged"),
            (exr([("Y", 2)], [], more=[("a" * 300, "x", b"")]), "no end"),
            (b"\x76\x2f\x31\x01\2\0\0\0\0", "no channels"),
            (b"\x76\x2f\x31\x01\2\0\0\0a\0b\0\xff\xff\xff\xff", "within its header"),
        ],
    )
    def test_refused(self, tmp_path, data, message):
        (tmp_path / "a.exr").write_bytes(data)
        with pytest.raises(ImageReadError, match=message):
            read(tmp_path / "a.exr")

    def test_64_bits_are_refused_with_a_way_out(self, tmp_path):
        with pytest.raises(ImageFormatError, match=r"64-bit floats; write TIFF, or use --depth fl"):
            write(tmp_path / "a.exr", np.zeros((2, 2)))


class TestHdr:
    def test_values(self, tmp_path):
        head = b"#?RADIANCE\n# by hand\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 2\n"
        (tmp_path / "a.hdr").write_bytes(head + bytes([128, 64, 32, 129, 255, 0, 0, 127]))
        pixels = read(tmp_path / "a.hdr").pixels
        # A mantissa m with exponent e is m · 2^(e - 136).
        np.testing.assert_allclose(
            pixels[0], [[1.0, 0.5, 0.25], [255 / 512, 0, 0]], atol=1 / 128, rtol=1 / 128
        )

    @pytest.mark.parametrize("channels", [1, 3])
    def test_what_is_written_is_near(self, tmp_path, rng, channels):
        pixels = rng.uniform(0, 40, (20, 30) if channels == 1 else (20, 30, 3)).astype(np.float32)
        write(tmp_path / "a.hdr", pixels)
        found = read(tmp_path / "a.hdr").pixels
        expected = np.dstack([pixels] * 3) if channels == 1 else pixels
        assert np.abs(found - expected).max() <= 64 / 256

    @pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
    def test_what_it_cannot_hold_is_refused(self, tmp_path, value):
        with pytest.raises(ImageFormatError, match="no negative values, NaN or infinity"):
            write(tmp_path / "a.hdr", np.array([[1.0, value]], np.float32))

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"#?RADIANCE\n\n+Y 1 +X 2\n", "another order"),
            (b"#?RADIANCE\n\n", "no size"),
            (b"#?RADIANCE\n\n-Y 0 +X 2\n", "2×0 pixels"),
            (b"#?RADIANCE\nFORMAT=32-bit_rle_xyze\n\n-Y 1 +X 2\n" + bytes(8), "XYZ"),
            (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 9 +X 9\n" + bytes(8), "damaged"),
        ],
    )
    def test_refused(self, tmp_path, data, message):
        (tmp_path / "a.hdr").write_bytes(data)
        with pytest.raises(ImageReadError, match=message):
            read(tmp_path / "a.hdr")


class TestPfm:
    @pytest.mark.parametrize(("scale", "order"), [(b"-1.0", "<"), (b"1", ">")])
    def test_the_lowest_row_comes_first(self, tmp_path, scale, order):
        stored = np.array([[3, 4], [1, 2]], order + "f4").tobytes()
        (tmp_path / "a.pfm").write_bytes(b"Pf\n2 2\n" + scale + b"\n" + stored)
        assert read(tmp_path / "a.pfm").pixels.tolist() == [[1, 2], [3, 4]]
        assert read_header(tmp_path / "a.pfm")[1].dtype == "float32"

    @pytest.mark.parametrize(
        "data",
        [b"Pf\n2 2\n0\n" + bytes(16), b"PF\n1 1\n-1\n" + bytes(11), b"Pf\n1\n", b"Pf 1 1 .\n"],
    )
    def test_refused(self, tmp_path, data):
        (tmp_path / "a.pfm").write_bytes(data)
        with pytest.raises(ImageReadError):
            read(tmp_path / "a.pfm")


class TestJpeg2000:
    @pytest.mark.parametrize("channels", [3, 4])
    def test_16_bit_colours_stay(self, tmp_path, rng, channels):
        pixels = rng.integers(0, 65536, (40, 50, channels)).astype(np.uint16)
        write(tmp_path / "a.jp2", pixels)
        np.testing.assert_array_equal(read(tmp_path / "a.jp2").pixels, pixels)
        with pytest.raises(ImageFormatError, match="below 32 pixels"):
            write(tmp_path / "a.jp2", pixels[:20])

    def whole(self, tmp_path):
        write(tmp_path / "a.jp2", np.full((4, 4, 3), 9, np.uint8))
        return bytearray((tmp_path / "a.jp2").read_bytes())

    def test_the_codestream_alone(self, tmp_path):
        data = self.whole(tmp_path)
        (tmp_path / "b.j2k").write_bytes(data[data.index(b"\xff\x4f\xff\x51") :])
        assert read(tmp_path / "b.j2k").pixels.tolist() == [[[9, 9, 9]] * 4] * 4

    @pytest.mark.parametrize(
        ("place", "value", "message"),
        [
            (42, 11, "12 bits"),
            (42, 0x87, "with sign"),
            (43, 2, "12 bits|8 bits"),
            (40, 9, "channels"),
        ],
    )
    def test_kinds_that_are_refused(self, tmp_path, place, value, message):
        data = self.whole(tmp_path)
        start = data.index(b"\xff\x4f\xff\x51")
        for channel in range(3):
            data[start + place + (3 * channel if place > 41 else 0)] = value
            if place < 42:
                break
        (tmp_path / "a.jp2").write_bytes(data)
        with pytest.raises(ImageReadError, match=message):
            read(tmp_path / "a.jp2")

    def test_boxes_that_make_no_sense(self, tmp_path):
        data = self.whole(tmp_path)
        box = data.index(b"jp2h") - 4
        for change, message in (
            ((box + 1, 9), "beyond its end"),
            ((box + 4, 0), "cut off|damaged"),
        ):
            changed = bytearray(data)
            changed[change[0]] = change[1]
            (tmp_path / "a.jp2").write_bytes(changed)
            if change[0] == box + 1:
                with pytest.raises(ImageReadError, match=message):
                    read(tmp_path / "a.jp2")
        (tmp_path / "a.jp2").write_bytes(data[:box])
        with pytest.raises(ImageReadError, match="no pixels"):
            read(tmp_path / "a.jp2")
