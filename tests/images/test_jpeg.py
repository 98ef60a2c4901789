"""JPEG: what stands beside the pixels, restart markers, and the decoders for deep files."""

import struct
import sys

import cv2
import numpy as np
import pytest
from corpus.cases import jpeg as cases
from corpus.make import jpeg as make

from convtool.errors import ConvtoolWarning, ImageReadError
from convtool.images.codecs import jpeg, jpeg_metadata, opencv
from convtool.images.codecs.jpeg_segments import frame_of, segments
from convtool.images.image import Metadata
from convtool.images.options import ReadOptions
from convtool.images.read import read
from convtool.images.write import write
from convtool.records import replace

HEIGHT, WIDTH = 203, 301


def _file(interval):
    noise = np.random.default_rng(interval).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    pixels = cv2.GaussianBlur(noise, (0, 0), 2)
    return cv2.imencode(".jpg", pixels, [opencv.constant("JPEG_RST_INTERVAL"), interval])[
        1
    ].tobytes()


def _decode(file):
    return jpeg.decode(file, jpeg.inspect(file), ReadOptions())


def _in_one_go(file):
    return cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR_RGB)


class TestRestartMarkers:
    @pytest.mark.parametrize("interval", [0, 1, 7, 19, 38])
    def test_pixels(self, interval):
        file = _file(interval)
        decoded = _decode(file)
        assert decoded.notes == ()
        np.testing.assert_array_equal(decoded.pixels, _in_one_go(file))

    @pytest.mark.parametrize(
        ("large", "names"),
        [(0, opencv._OPEN_FILES), (1 << 60, opencv._OPEN_FILES), (0, "/no/such/folder")],
        ids=["named in memory", "from memory", "without names"],
    )
    def test_all_ways_of_decoding_agree(self, large, names, monkeypatch):
        monkeypatch.setattr(opencv, "LARGE", large)
        monkeypatch.setattr(opencv, "_OPEN_FILES", names)
        file = _file(19)
        np.testing.assert_array_equal(_decode(file).pixels, _in_one_go(file))

    def test_bytes_before_a_marker_are_named(self):
        file = bytearray(_file(19))
        start = segments(file)[-1].end
        at = next(n for n in range(start, len(file)) if file[n] == 0xFF and file[n + 1] == 0xD4)
        file[at:at] = b"left over"
        assert "extraneous bytes" in _decode(bytes(file)).notes[0]

    def test_an_end_that_is_missing(self):
        with pytest.raises(ImageReadError, match="is cut off"):
            _decode(_file(19)[:-2])

    def test_a_size_that_so_few_bytes_cannot_hold_is_refused_before_any_work(self, monkeypatch):
        file = bytearray(_file(19))
        start = frame_of(segments(file)).start
        file[start + 1 : start + 5] = (40_000).to_bytes(2, "big") * 2
        monkeypatch.setattr(opencv, "decode", lambda *_, **__: pytest.fail("it was decoded"))
        with pytest.raises(ImageReadError, match="bytes cannot hold 40000×40000 pixels"):
            _decode(bytes(file))


BLOCKS = b"8BIM" + struct.pack(">HHI", 0x0404, 0, 8) + b"\x1c\x02\x05\0\3now"


class TestBesideThePixels:
    def test_blocks_come_back_whatever_their_size(self, tmp_path):
        long = b"8BIM" + struct.pack(">HHI", 0x0422, 0, 100_000) + bytes(100_000)
        blocks = (
            (jpeg_metadata.PHOTOSHOP, BLOCKS + long),
            (jpeg_metadata.THERMAL, bytes(range(256)) * 700),
        )
        image = replace(_image(tmp_path, cases.grey()), metadata=Metadata(blocks=blocks))
        write(tmp_path / "b.jpg", image)
        assert read(tmp_path / "b.jpg").metadata.blocks == blocks
        with pytest.warns(ConvtoolWarning, match="IPTC and Photoshop blocks, thermal data"):
            write(tmp_path / "b.png", image)

    def test_photoshops_thumbnail_goes(self, tmp_path):
        thumbnail = b"8BIM" + struct.pack(">HHI", 1036, 0, 5) + b"small\0"
        content = b"Photoshop 3.0\0" + thumbnail + BLOCKS
        image = _image(tmp_path, cases.grey(make.segment(0xED, content)))
        assert image.metadata.blocks == ((jpeg_metadata.PHOTOSHOP, BLOCKS),)

    @pytest.mark.parametrize(
        "claim",
        [
            b' hdrgm:Version="1.0"',
            b" GCamera:MotionPhoto='1' GCamera:MotionPhotoVersion='1'",
            b"><Container:Directory><rdf:Seq>GainMap</rdf:Seq></Container:Directory><a",
            b"><hdrgm:Version>1.0</hdrgm:Version><a",
        ],
    )
    def test_xmp_claims_no_picture_that_is_left_out(self, tmp_path, claim):
        packet = b"<rdf:Description dc:title='Lake'" + claim + b"/>"
        xmp = make.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)
        image = _image(tmp_path, cases.grey(xmp) + cases.grey())
        kept = packet.replace(claim, b"><a" if claim.startswith(b">") else b"")
        assert image.metadata.xmp == kept
        assert "gain map or video beside the picture is left out" in image.notes[0]
        assert image.notes[1] == "holds several pictures; only the first is read"


class TestDeepFiles:
    def test_without_imagecodecs_the_message_names_the_extra(self, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "imagecodecs", None)
        with pytest.raises(ImageReadError, match=r"lossless JPEG.*pip install 'convtool\[big\]'"):
            _image(tmp_path, cases.LOSSLESS)


def _image(folder, data):
    (folder / "a.jpg").write_bytes(data)
    return read(folder / "a.jpg")


def test_an_adobe_marker_that_claims_four_channels_of_three(tmp_path):
    y, x = np.mgrid[:16, :24]
    write(tmp_path / "a.jpg", np.dstack([y * 9, x * 7, y + x]).astype(np.uint8))
    plain = (tmp_path / "a.jpg").read_bytes()
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x02"
    behind_jfif = 4 + int.from_bytes(plain[4:6], "big")
    (tmp_path / "b.jpg").write_bytes(plain[:2] + adobe + plain[behind_jfif:])
    image = read(tmp_path / "b.jpg")
    assert np.array_equal(image.pixels, read(tmp_path / "a.jpg").pixels)
    assert image.notes == ("the file may be damaged (Unknown Adobe color transform code 2)",)
