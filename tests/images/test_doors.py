"""Formats that libraries read: right pixels, a note, and a process of their own that may end."""

import io
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import door_files as files
import numpy as np
import pytest

from convtool.errors import ImageFormatError, ImageReadError, ImageTooLargeError
from convtool.images.doors import client
from convtool.images.formats import FORMATS, recognise
from convtool.images.image import Image, Metadata
from convtool.images.read import open_document, read, read_document
from convtool.images.write import write


@pytest.fixture(autouse=True)
def _in_this_process(request):
    """Call libraries here, but where the other process itself is tested."""
    if request.cls not in (TestProcess, TestBombs):
        request.getfixturevalue("libraries_here")


DOORS = {name: entry for name, entry in FORMATS.items() if entry.is_foreign}
LOSSY = {"avif"}
EXACT = [
    (entry.name, kind, channels)
    for entry in DOORS.values()
    for kind in ("uint8", "uint16", "float32", "float64")
    for channels in entry.channels
    if entry.can_hold(channels, kind) and entry.name not in LOSSY
]


@pytest.fixture
def reading(tmp_path):
    def look(data, name="picture", **options):
        (tmp_path / name).write_bytes(data)
        return read(tmp_path / name, **options)

    return look


def drawn(kind, channels):
    shape = (23, 37) if channels == 1 else (23, 37, channels)
    rng = np.random.default_rng(7)
    if kind.startswith("float"):
        return rng.random(shape).astype(kind)
    return rng.integers(0, np.iinfo(kind).max + 1, shape).astype(kind)


@pytest.mark.parametrize(("name", "kind", "channels"), EXACT)
def test_pixels_come_back_bit_for_bit(tmp_path, name, kind, channels):
    pixels = drawn(kind, channels)
    path = tmp_path / f"a{FORMATS[name].extensions[0]}"
    write(path, pixels)
    image = read(path)
    assert image.format == name
    assert image.pixels.dtype == kind
    np.testing.assert_array_equal(image.pixels, pixels)
    assert image.notes[0].startswith(f"is decoded by {FORMATS[name].library}")
    opened = open_document(path)
    header = opened.headers[0]
    assert (opened.format.name, header.shape, header.dtype) == (name, pixels.shape, kind)


@pytest.mark.parametrize("name", [name for name, entry in DOORS.items() if entry.depths])
def test_a_file_cut_off_is_refused_and_names_no_temporary_place(tmp_path, name):
    entry = FORMATS[name]
    path = tmp_path / f"a{entry.extensions[0]}"
    write(path, drawn("uint8", max(entry.channels)))
    data = path.read_bytes()
    for share in (0.02, 0.3, 0.6):
        path.write_bytes(data[: int(share * len(data))])
        with pytest.raises(ImageReadError) as caught:
            read(path)
        assert str(caught.value).count(str(path)) == 1
        assert "/tmp" not in str(caught.value).replace(str(path), "")


def test_a_photograph_in_avif_stays_close(tmp_path):
    told = Metadata(xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    write(tmp_path / "a.avif", Image(files.COLOURS, metadata=told), quality=95)
    image = read(tmp_path / "a.avif")
    assert np.abs(image.pixels.astype(int) - files.COLOURS).mean() < 6
    assert image.metadata.xmp == told.xmp


@pytest.mark.parametrize("name", ["heic", "jxl"])
def test_metadata_is_kept(tmp_path, name):
    exif = b"II*\0\x08\0\0\0\1\0\x0e\x01\x02\0\x04\0\0\0abc\0\0\0\0\0"
    told = Metadata(exif=exif, xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    path = tmp_path / f"a{FORMATS[name].extensions[0]}"
    write(path, Image(files.COLOURS, metadata=told))
    image = read(path)
    assert image.metadata.xmp == told.xmp
    assert b"abc\0" in image.metadata.exif
    np.testing.assert_array_equal(image.pixels, files.COLOURS)


def test_quality_makes_files_smaller(tmp_path):
    pixels = drawn("uint8", 3)
    for ending in (".heic", ".jxl", ".avif"):
        sizes = []
        for quality in (10, 90):
            write(tmp_path / f"a{ending}", pixels, quality=quality)
            sizes.append((tmp_path / f"a{ending}").stat().st_size)
        assert sizes[0] < sizes[1]


@pytest.mark.parametrize("bits", [10, 12])
def test_avif_of_many_bits_keeps_them(reading, bits):
    codecs = pytest.importorskip("imagecodecs")
    stored = files.COLOURS.astype(np.uint16) << (bits - 8)
    image = reading(bytes(codecs.avif_encode(stored, level=100, bitspersample=bits)))
    expected = np.rint(stored * (65535.0 / (2**bits - 1)))
    np.testing.assert_array_equal(image.pixels, expected)
    assert image.pixels.dtype == np.uint16
    assert f"its {bits} bits (0 to {2**bits - 1}) were scaled to 16" in image.notes[1]


def test_heic_of_10_bits_keeps_them(reading):
    library = pytest.importorskip("pillow_heif")
    stored = files.GREY.astype(np.uint16) << 8
    file = io.BytesIO()
    library.from_bytes("I;16", (24, 20), stored.tobytes()).save(file, quality=-1)
    image = reading(file.getvalue())
    assert image.pixels.dtype == np.uint16
    expected = np.rint((stored >> 6) * (65535.0 / 1023))
    assert np.abs(image.pixels.astype(float) - expected).max() <= 65
    assert "its 10 bits (0 to 1023)" in image.notes[1]


def test_jpeg_xl_says_what_is_left_out(reading):
    codecs = pytest.importorskip("imagecodecs")
    frames = np.stack([files.COLOURS, 255 - files.COLOURS])
    image = reading(bytes(codecs.jpegxl_encode(frames, lossless=True)))
    np.testing.assert_array_equal(image.pixels, files.COLOURS)
    assert "is an animation; only its first frame is read" in image.notes
    stored = files.COLOURS.astype(np.uint16) * 4
    image = reading(bytes(codecs.jpegxl_encode(stored, lossless=True, bitspersample=10)))
    np.testing.assert_array_equal(image.pixels, np.rint(stored * (65535 / 1023)))


class TestRaw:
    def test_is_developed_linearly(self, reading):
        pytest.importorskip("rawpy")
        sensor = np.full((48, 64), 1000)
        image = reading(files.dng(sensor), "a.tif")
        assert (image.format, image.pixels.dtype, image.pixels.shape) == ("raw", "u2", (48, 64, 3))
        assert np.abs(image.pixels - 1000 / 4095 * 65535).max() <= 2
        brighter = reading(files.dng(sensor * 3))
        assert np.abs(brighter.pixels - 3000 / 4095 * 65535).max() <= 2

    def test_is_turned_as_the_camera_says(self, reading):
        pytest.importorskip("rawpy")
        assert reading(files.dng(np.full((48, 64), 9), turn=6)).pixels.shape == (64, 48, 3)


class TestPillow:
    def test_tga_is_told_by_its_name(self, reading):
        data = struct.pack("<3B5x4xHHBB", 0, 0, 2, 2, 1, 24, 0x20) + bytes([1, 2, 3, 4, 5, 6])
        assert reading(data, "a.tga").pixels.tolist() == [[[3, 2, 1], [6, 5, 4]]]
        with pytest.raises(ImageReadError, match="is of no format"):
            reading(data, "a.bin")

    def test_xbm_is_black_where_bits_are_set(self, reading):
        data = b"#define a_width 3\n#define a_height 1\nstatic char a_bits[] = {\n0x05 };\n"
        assert reading(data).pixels.tolist() == [[0, 255, 0]]

    def test_qoi(self, reading):
        data = (
            b"qoif" + struct.pack(">IIBB", 2, 1, 3, 0) + b"\xfe\x09\x08\x07\xc0" + bytes(7) + b"\1"
        )
        assert reading(data).pixels.tolist() == [[[9, 8, 7], [9, 8, 7]]]

    def test_psd_gives_its_merged_picture(self, reading):
        head = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 1, 2, 8, 3) + bytes(12)
        assert reading(head + b"\0\0" + bytes([1, 2, 3, 4, 5, 6])).pixels.tolist() == [
            [[1, 3, 5], [2, 4, 6]]
        ]

    def test_what_pillow_reads_wrongly_is_refused(self, reading):
        head = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 1, 2, 16, 3) + bytes(12)
        with pytest.raises(ImageReadError, match="no PSD of 16 or 32 bits; convert it to PNG"):
            reading(head + b"\0\0" + bytes(12))
        with pytest.raises(ImageReadError, match="no PCX without compression"):
            reading(b"\n\5\0\x08" + bytes(200))

    def test_what_pillow_loses_is_said(self, reading):
        head = struct.pack(">HBBHHHH", 474, 0, 2, 2, 2, 1, 1).ljust(512, b"\0")
        image = reading(head + b"\x12\x34\xff\xff")
        assert image.pixels.tolist() == [[0x12, 0xFF]]
        assert "reads its 16 bits a channel as 8" in image.notes[0]


class TestBombs:
    @pytest.mark.parametrize("ending", [".avif", ".heic"])
    def test_sizes_in_boxes(self, tmp_path, ending):
        path = tmp_path / f"a{ending}"
        write(path, files.COLOURS)
        box = rb"ispe\0\0\0\0.{8}"
        claim = b"ispe\0\0\0\0" + struct.pack(">II", 30000, 30000)
        data, count = re.subn(box, claim, path.read_bytes(), flags=re.DOTALL)
        assert count
        path.write_bytes(data)
        with pytest.raises(ImageReadError):
            read(path)

    def test_size_of_jpeg_xl(self, reading):
        bits = "0" + "11" + f"{10**9 - 1:030b}"[::-1] + "001"[::-1] + "1"
        stream = int(bits[::-1], 2).to_bytes(8, "little")
        with pytest.raises(ImageTooLargeError, match="claims 1000000000×1000000000 pixels"):
            reading(b"\xff\x0a" + stream)

    def test_deflated_dicom(self, reading):
        pytest.importorskip("pydicom")
        syntax = "1.2.840.10008.1.2.1.99"
        zeros = bytes(100 << 20)
        data = files.dicom(files.SIGNED, syntax=syntax, PixelData=zeros)
        assert len(data) < 200_000
        with pytest.raises(ImageReadError, match="inflates to more than its header promises"):
            reading(data)

    def test_sizes_of_dicom_and_fits(self, reading):
        pytest.importorskip("pydicom")
        with pytest.raises(ImageTooLargeError, match="claims 65535×65535 pixels"):
            reading(files.dicom(files.SIGNED, Rows=65535, Columns=65535))
        data = files.fits(files.SIGNED)
        claim = data.replace(f"{24:>20}".encode(), f"{10**9:>20}".encode())
        with pytest.raises(ImageReadError, match="is cut off"):
            reading(claim)


class TestProcess:
    """What a library does to its process stays there."""

    @pytest.fixture
    def stub(self, tmp_path, monkeypatch):
        def make(package, body):
            folder = tmp_path / "stubs"
            folder.mkdir()
            (folder / f"{package}.py").write_text(body)
            return os.environ | {"PYTHONPATH": str(folder)}

        return make

    def run(self, folder, env, *arguments):
        program = [sys.executable, "-m", "convtool", *arguments]
        return subprocess.run(
            program, capture_output=True, text=True, check=False, cwd=folder, env=env
        )

    def batch(self, tmp_path, env):
        folder = tmp_path / "in"
        folder.mkdir()
        write(folder / "a.png", files.GREY)
        (folder / "b.dcm").write_bytes(files.dicom(files.SIGNED))
        write(folder / "c.png", files.GREY)
        done = self.run(tmp_path, env, "filter", "-k", "identity", "in", "out", "--format", "tiff")
        assert done.returncode == 1
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.tif", "c.tif"]
        return done.stderr

    def test_a_crash_ends_one_picture_and_not_the_batch(self, tmp_path, stub):
        pytest.importorskip("pydicom")
        env = stub("pydicom", "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
        said = self.batch(tmp_path, env)
        assert "b.dcm: cannot be decoded: pydicom crashed (SIGSEGV)" in said

    def test_a_missing_package_is_named_with_its_extra(self, tmp_path, stub):
        pytest.importorskip("pydicom")
        env = stub("pydicom", "raise ModuleNotFoundError('hidden', name='pydicom')\n")
        said = self.batch(tmp_path, env)
        assert (
            "b.dcm: DICOM and FITS need pydicom; install: pip install 'convtool[science]'" in said
        )

    def test_memory_is_limited(self):
        request = client.Request("builtins", "bytearray", (1 << 32,), 64 << 20, 60.0, "a library")
        if not Path("/proc/self/statm").exists():
            pytest.skip("this system tells no process's memory")
        with pytest.raises(ImageTooLargeError, match="more than the 64 MB of memory"):
            client.ask(request)

    def test_a_library_that_hangs_is_ended(self):
        request = client.Request("time", "sleep", (60,), 64 << 20, 0.5, "a library")
        with pytest.raises(ImageReadError, match="takes longer than 0 seconds"):
            client.ask(request)
        again = client.Request("builtins", "len", ("abc",), 64 << 20, 60.0, "a library")
        assert client.ask(again) == 3

    def test_writing_what_is_not_installed_is_refused_before_any_work(self, tmp_path, monkeypatch):
        from importlib import util

        monkeypatch.setattr(util, "find_spec", lambda name: None)
        with pytest.raises(ImageFormatError, match=r"pip install 'convtool\[heif\]'"):
            write(tmp_path / "a.heic", files.COLOURS)


def test_an_unknown_format_names_the_table():
    with pytest.raises(ImageReadError, match="others, see convtool info --formats"):
        recognise(b"nothing known")


class TestDicom:
    pytestmark = pytest.mark.skipif(not FORMATS["dicom"].installed, reason="pydicom is missing")

    @pytest.mark.parametrize(
        ("stored", "tags", "expected"),
        [
            (files.GREY, {}, files.GREY),
            (files.COLOURS, {"how": "RGB"}, files.COLOURS),
            (files.SIGNED, {}, files.SIGNED),
            (
                (files.SIGNED + 300).astype(np.uint16),
                {"bits": 12, "RescaleSlope": 1, "RescaleIntercept": -1024},
                files.SIGNED + 300 - 1024,
            ),
            (files.SIGNED, {"RescaleSlope": 0.5, "RescaleIntercept": 2}, files.SIGNED * 0.5 + 2),
            (
                (files.SIGNED + 300).astype(np.uint16),
                {"how": "MONOCHROME1", "bits": 12},
                4095 - (files.SIGNED + 300),
            ),
            (files.SIGNED, {"syntax": "1.2.840.10008.1.2.1.99"}, files.SIGNED),
            (files.COLOURS * np.uint32(2**24), {"how": "RGB"}, files.COLOURS * 2.0**24),
        ],
    )
    def test_values_are_those_of_the_modality(self, reading, stored, tags, expected):
        image = reading(files.dicom(stored, **tags))
        np.testing.assert_array_equal(image.pixels.astype(np.float64), expected)

    def test_a_file_that_begins_like_tiff_is_dicom_all_the_same(self, reading):
        data = b"II*\0\x08\0\0\0" + files.dicom(files.SIGNED)[8:]
        np.testing.assert_array_equal(reading(data).pixels, files.SIGNED)

    def test_frames_are_pages(self, tmp_path):
        frames = np.stack([files.SIGNED, files.SIGNED + 1, files.SIGNED + 2])
        (tmp_path / "a.dcm").write_bytes(files.dicom(frames, frames=3))
        pages = read_document(tmp_path / "a.dcm").pages
        assert [float(page.pixels[0, 0]) for page in pages] == [-300, -299, -298]

    def test_spacing_is_resolution(self, reading):
        image = reading(files.dicom(files.GREY, PixelSpacing=[0.5, 0.25]))
        assert image.metadata.resolution == (101.6, 50.8)

    def test_frames_without_a_decoder_are_refused_in_a_sentence(self, reading):
        from pydicom.encaps import encapsulate

        frame = encapsulate([b"\xff\xd8\xff\xd9"])
        data = files.dicom(files.GREY, syntax="1.2.840.10008.1.2.4.80", PixelData=frame)
        with pytest.raises(ImageReadError, match=r"JPEG-LS .* for which pydicom has no decoder"):
            reading(data)


class TestFits:
    pytestmark = pytest.mark.skipif(not FORMATS["fits"].installed, reason="astropy is missing")

    @pytest.mark.parametrize("kind", ["u1", "i2", "i4", "f4", "f8"])
    def test_values_are_exact(self, reading, kind):
        stored = (files.SIGNED if kind != "u1" else files.GREY).astype(kind)
        image = reading(files.fits(stored))
        np.testing.assert_array_equal(image.pixels.astype(np.float64), stored)

    def test_unsigned_integers_are_shifted(self, reading):
        image = reading(files.fits(files.SIGNED, BZERO=32768))
        assert image.pixels.dtype == np.uint16
        np.testing.assert_array_equal(image.pixels, files.SIGNED.astype(int) + 32768)

    def test_scaled_integers_with_blanks(self, reading):
        image = reading(files.fits(files.SIGNED, BSCALE=0.5, BZERO=10, BLANK=-299))
        expected = files.SIGNED * 0.5 + 10
        expected[files.SIGNED == -299] = np.nan
        np.testing.assert_array_equal(image.pixels, expected)
        assert "1 pixels without a value (BLANK -299) are NaN" in image.notes[-1]

    def test_images_and_planes_are_pages(self, tmp_path):
        first = files.fits(np.stack([files.SIGNED, files.SIGNED * 2]))
        second = files.fits(files.GREY, extension=True)
        (tmp_path / "a.fits").write_bytes(first + second)
        pages = read_document(tmp_path / "a.fits").pages
        assert [float(page.pixels[1, 0]) for page in pages] == [-299, -598, 0]
        image = read(tmp_path / "a.fits")
        assert "the file holds 3 pages or frames; only the first is used" in image.notes

    def test_pages_are_written(self, tmp_path):
        (tmp_path / "a.fits").write_bytes(files.fits(np.stack([files.GREY.astype("f4")] * 2)))
        document = read_document(tmp_path / "a.fits")
        write(tmp_path / "b.fits", document)
        assert len(read_document(tmp_path / "b.fits").pages) == 2

    def test_without_an_image(self, reading):
        with pytest.raises(ImageReadError, match="without an image of two dimensions"):
            reading(files.fits(np.arange(5.0)))


@pytest.mark.skipif(not FORMATS["heic"].installed, reason="pillow-heif is missing")
def test_a_library_that_finds_no_picture(reading, monkeypatch):
    monkeypatch.setattr("convtool.images.doors.codec.ask", lambda request: ())
    with pytest.raises(ImageReadError, match="holds no picture that pillow-heif decodes"):
        reading(b"\0\0\0\x18ftypheic" + bytes(200))
