"""OpenEXR, Radiance HDR, PFM and JPEG 2000: values, kinds that are refused, damage."""

import re
import struct
import sys
import zlib
from itertools import pairwise

import imagecodecs
import numpy as np
import OpenEXR
import pytest
from corpus.cases import jp2
from corpus.make.exif import icc

from convtool.errors import ConvtoolWarning, ImageFormatError, ImageReadError
from convtool.filtering.memory import filter_image
from convtool.images.codecs.premultiplied import multiplied
from convtool.images.image import Coding, Image, Metadata
from convtool.images.read import open_document, read
from convtool.images.write import write
from convtool.records import replace
from convtool.svd.difference import differences

pytestmark = pytest.mark.usefixtures("libraries_here")

DAMAGED = "cut off or damaged: [A-Za-z]"


def exr(channels, chunks, *, compression=0, size=(3, 2), version=2, more=()):
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
    places, body = {}, b""
    for row, content in chunks:
        places[row] = position + len(body)
        body += struct.pack("<ii", 7 + row, len(content)) + content
    return head + b"".join(struct.pack("<Q", places[row]) for row in sorted(places)) + body


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


def as_float32(pixels):
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(pixels.astype(np.float32))


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
            (exr([("Y", 2)], [], version=0x802), "deep pixels"),
            (exr([("Y", 2)], [], version=3), "version 3"),
            (exr([("Y", 0)], []), "whole numbers"),
            (exr([("N.x", 2), ("Z", 2)], []), r"has the channels N\.x, Z"),
            (exr([("a.B", 2), ("a.G", 2), ("a.R", 2), ("b.Y", 2)], []), "of one layer"),
            (exr([("RY", 2), ("BY", 2), ("Y", 2)], []), "luminance and chroma"),
            (exr([("Y", 2)], [(0, bytes(12)), (1, bytes(12))], compression=77), DAMAGED),
            (exr([("Y", 2)], [], size=(0, 2)), DAMAGED),
            (exr([("Y", 2)], [(0, bytes(12))]), DAMAGED),
            (exr([("Y", 2)], [(0, bytes(12)), (5, bytes(12))]), DAMAGED),
            (exr([("Y", 2)], [(0, bytes(12)), (1, bytes(9))]), DAMAGED),
            (exr([("Y", 2)], [(0, b"xxxx"), (1, b"x")], compression=2), DAMAGED),
            (exr([("Y", 2)], [(0, bytes(12)), (1, b"x" * 9)], compression=4), DAMAGED),
            (exr([("Y", 2)], [], more=[("a" * 300, "x", b"")]), DAMAGED),
            (exr([("Y", 2)], [], more=[("n\xe4me", "x", b"")]), DAMAGED),  # the library dies of it
            (exr([("\xe4", 2)], []), DAMAGED),
            (exr([("Y", 2)], [], more=[("depth", "float", bytes(99))]), DAMAGED),
            (b"\x76\x2f\x31\x01\2\0\0\0\0", DAMAGED),
            (b"\x76\x2f\x31\x01\2\0\0\0a\0b\0\xff\xff\xff\xff", DAMAGED),
        ],
    )
    def test_refused(self, tmp_path, data, message):
        (tmp_path / "a.exr").write_bytes(data)
        with pytest.raises(ImageReadError, match=message) as refusal:
            read(tmp_path / "a.exr")
        assert not re.search(r"Stream|EXR_ERR|buffer|\.cpp|: *$", str(refusal.value))

    @pytest.mark.parametrize("compression", ["NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "DWAA"])
    @pytest.mark.parametrize("is_tiled", [False, True])
    def test_every_compression_in_lines_and_tiles(self, tmp_path, rng, compression, is_tiled):
        pixels = rng.normal(0, 3, (37, 21, 3)).astype(np.float16)
        how = {"compression": getattr(OpenEXR, f"{compression}_COMPRESSION")}
        how["type"] = OpenEXR.scanlineimage
        if is_tiled:
            tiles = OpenEXR.TileDescription()
            tiles.xSize, tiles.ySize = 16, 8
            how |= {"type": OpenEXR.tiledimage, "tiles": tiles}
        OpenEXR.File(how, {"RGB": pixels}).write(str(tmp_path / "a.exr"))
        image = read(tmp_path / "a.exr")
        if compression == "DWAA":  # the only one here that loses
            assert np.abs(image.pixels - pixels).max() < 0.5
        else:
            np.testing.assert_array_equal(image.pixels, pixels)
        assert image.metadata.coding.compression == compression
        assert image.notes == ()

    @pytest.mark.parametrize("kind", ["<f2", "<f4"])
    def test_alpha_is_multiplied_back_bit_for_bit(self, tmp_path, rng, kind):
        pixels = rng.normal(0.5, 2, (40, 30, 4)).astype(kind)
        pixels[:, :, 3] = np.abs(pixels[:, :, 3])
        pixels[:9, :, 3] = 0
        pixels[9:12, :, 3] = 1
        pixels[12, :5, 3] = [np.nan, np.inf, -1, 6e-8, 1e-3]
        pixels[13, :4, :3] = [[0], [np.inf], [-0.0], [60000]]
        OpenEXR.File({}, {"RGBA": pixels}).write(str(tmp_path / "a.exr"))
        image = read(tmp_path / "a.exr")
        assert image.pixels.dtype == np.float32
        np.testing.assert_array_equal(image.pixels[:12, :, :3], pixels[:12, :, :3])
        inner = image.pixels[20:, :, :3] * image.pixels[20:, :, 3:]
        np.testing.assert_allclose(inner, as_float32(pixels[20:, :, :3]), rtol=1e-6)
        for metadata in ("keep", "strip"):
            result = filter_image(image, ["identity"]).image
            write(tmp_path / "b.exr", result, metadata=metadata)
            again = OpenEXR.File(str(tmp_path / "b.exr")).channels()["RGBA"].pixels
            np.testing.assert_array_equal(again.view(np.int32), as_float32(pixels).view(np.int32))

    def test_colours_where_alpha_is_0_differ(self, tmp_path):
        pixels = np.zeros((6, 8, 4), np.float32)
        OpenEXR.File({}, {"RGBA": pixels}).write(str(tmp_path / "a.exr"))
        pixels[2, 3, 1] = 0.5
        OpenEXR.File({}, {"RGBA": pixels}).write(str(tmp_path / "b.exr"))
        found = differences(read(tmp_path / "a.exr"), read(tmp_path / "b.exr"))[0]
        assert (found.largest, found.where) == (0.5, (2, 3))

    def test_a_rounding_makes_no_nan_of_other_values(self):
        values = np.array([[[0.0, 1.0], [np.inf, 1.0], [-0.0, 1.0]]], np.float32)
        rounding = zlib.compress(np.full(3, -1, np.int8).tobytes())
        np.testing.assert_array_equal(multiplied(values, rounding), values)

    def test_what_is_beside_the_picture_is_kept_or_named(self, tmp_path):
        header = {
            "dataWindow": (np.array([5, 7], np.int32), np.array([24, 16], np.int32)),
            "displayWindow": (np.array([0, 0], np.int32), np.array([99, 49], np.int32)),
            "chromaticities": (0.75, 0.25, 0.25, 0.75, 0.125, 0.0625, 0.3125, 0.375),
            "comments": "by hand",
            "xDensity": 72.0,
            "aperture": 2.8,
        }
        pixels = np.ones((10, 20, 3), np.float32)
        whole = {"RGB": pixels, "Z": pixels[:, :, 0], "id": pixels[:, :, 0].astype(np.uint32)}
        OpenEXR.File(header, whole).write(str(tmp_path / "a.exr"))
        image = read(tmp_path / "a.exr")
        assert image.pixels.shape == (10, 20, 3)
        assert image.metadata.resolution == (72, 72)
        assert image.notes == (
            "its other channels are left out: Z, id",
            "its attributes are left out: aperture",
        )
        write(tmp_path / "b.exr", image)
        found = OpenEXR.File(str(tmp_path / "b.exr")).header()
        for name in ("dataWindow", "displayWindow", "chromaticities", "comments", "xDensity"):
            np.testing.assert_array_equal(found[name], np.asarray(header[name], object).tolist())
        with pytest.warns(ConvtoolWarning, match=r"resolution, texts, data window, chromaticities"):
            write(tmp_path / "a.pfm", image)
        with pytest.warns(ConvtoolWarning, match="data window is for pictures of another size"):
            write(tmp_path / "c.exr", replace(image, pixels=pixels[:5]))

    def test_one_layer_or_one_channel_is_a_picture(self, tmp_path):
        grey = np.full((3, 4), 0.5, np.float32)
        for names, note in ((["Z"], "Z"), (["a.B", "a.G", "a.R", "b.Z"], r"a\.R, a\.G, a\.B")):
            channels = dict.fromkeys(names, grey)
            OpenEXR.File({}, channels).write(str(tmp_path / "a.exr"))
            image = read(tmp_path / "a.exr")
            assert (image.pixels == 0.5).all()
            assert re.search(f"made of its channels {note}", " ".join(image.notes))

    def test_of_several_parts_the_first_is_read(self, tmp_path):
        pixels = np.full((3, 4, 3), 0.25, np.float32)
        parts = [
            OpenEXR.Part({"name": "one"}, {"RGB": pixels}),
            OpenEXR.Part({"name": "two"}, {"RGB": 2 * pixels}),
        ]
        OpenEXR.File(parts).write(str(tmp_path / "a.exr"))
        image = read(tmp_path / "a.exr")
        np.testing.assert_array_equal(image.pixels, pixels)
        assert "only the first is read" in " ".join(image.notes)

    def test_64_bits_are_refused_with_a_way_out(self, tmp_path):
        with pytest.raises(ImageFormatError, match="64-bit floats; write TIFF, or use `depth='fl"):
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

    @pytest.mark.parametrize("width", [7, 32768, 65536, 70000])
    def test_rows_too_wide_for_run_lengths_are_stored_flat(self, tmp_path, width):
        head = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X %d\n" % width
        (tmp_path / "a.hdr").write_bytes(head + bytes([128, 64, 32, 129]) * width)
        pixels = read(tmp_path / "a.hdr").pixels
        assert pixels.shape == (1, width, 3)
        np.testing.assert_allclose(pixels, [[[1.0, 0.5, 0.25]] * width], rtol=1 / 128)

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
        assert open_document(tmp_path / "a.pfm").headers[0].dtype == "float32"

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

    @pytest.mark.parametrize("shape", [(40, 50), (40, 50, 3)])
    def test_12_bits_become_16(self, tmp_path, rng, shape):
        values = rng.integers(0, 4096, shape).astype(np.uint16)
        data = imagecodecs.jpeg2k_encode(values, bitspersample=12, level=0, reversible=True)
        (tmp_path / "a.jp2").write_bytes(data)
        expected = np.rint(values * (65535 / 4095)).astype(np.uint16)
        np.testing.assert_array_equal(read(tmp_path / "a.jp2").pixels, expected)

    def test_odd_subsampling_without_imagecodecs_names_the_extra(self, tmp_path, monkeypatch):
        data = next(case.data for case in jp2.cases.cases if case.name == "jp2-sycc-420")
        (tmp_path / "a.jp2").write_bytes(data)
        monkeypatch.setitem(sys.modules, "imagecodecs", None)
        with pytest.raises(ImageReadError, match=r"pip install 'convtool\[big\]'"):
            read(tmp_path / "a.jp2")

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    def test_profile_xmp_and_resolution_come_back(self, tmp_path, dtype):
        profile = icc(b"RGB ", 500)
        known = Metadata(icc=profile, xmp=b"<x:xmpmeta/>", resolution=(300.0, 72.0))
        write(tmp_path / "a.jp2", Image(np.full((40, 40, 3), 7, dtype), metadata=known))
        image = read(tmp_path / "a.jp2")
        assert (image.pixels == 7).all()
        assert (image.metadata.icc, image.metadata.xmp) == (profile, known.xmp)
        np.testing.assert_allclose(image.metadata.resolution, (300, 72), rtol=1e-3)

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
            (42, 16, "17 bits, which are not read; convert it to 8 or 16 bits"),
            (42, 0x87, "8 bits with sign"),
            (43, 2, "channels at other places than its pixels"),
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
