"""Binary file objects in the place of paths."""

import gzip
import io
import os
import tempfile
import threading
import zipfile

import numpy as np
import pytest

import convtool
from convtool import errors
from convtool.images.formats import FORMATS
from convtool.images.image import Document, Image
from convtool.images.read import open_document, read_document, read_single

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)


def encoded(image=GREY, format="png"):
    stream = io.BytesIO()
    convtool.write(stream, image, format=format)
    return stream.getvalue()


class Slow(io.RawIOBase):
    """A raw stream that gives and takes a few bytes at a time, as pipes may."""

    def __init__(self, data=b""):
        self.data = bytearray(data)

    def readable(self):
        return True

    def writable(self):
        return True

    def readinto(self, buffer):
        part = self.data[: min(len(buffer), 7)]
        del self.data[: len(part)]
        buffer[: len(part)] = part
        return len(part)

    def write(self, data):
        self.data += bytes(data)[:5]
        return min(len(data), 5)


class Endless:
    def __init__(self, start):
        self.start = start

    def read(self, size=-1):
        assert size >= 0
        part, self.start = self.start[:size], self.start[size:]
        return part or bytes(size)


class TestReading:
    @pytest.mark.parametrize("name", [n for n, e in FORMATS.items() if e.can_hold(1, "uint8")])
    def test_what_a_file_of_each_format_gives(self, name, tmp_path):
        path = tmp_path / f"grey{FORMATS[name].extensions[0]}"
        convtool.write(path, GREY, format=name)
        with open(path, "rb") as file:
            found = convtool.read(file)
        expected = convtool.read(path)
        np.testing.assert_array_equal(found.pixels, expected.pixels)
        assert (found.format, found.metadata) == (expected.format, expected.metadata)
        assert encoded(format=name) == path.read_bytes()

    def test_from_its_position_and_it_stays_open(self):
        stream = io.BytesIO(b"before" + encoded())
        stream.seek(6)
        assert convtool.read(stream).pixels.tolist() == GREY.tolist()
        assert not stream.closed
        assert stream.read() == b""

    @pytest.mark.parametrize("way", [convtool.read, read_single])
    def test_every_way_to_read(self, way):
        assert way(io.BytesIO(encoded())).pixels.tolist() == GREY.tolist()
        assert read_document(io.BytesIO(encoded())).pages[0].pixels.tolist() == GREY.tolist()
        assert open_document(io.BytesIO(encoded())).headers[0].shape == GREY.shape

    def test_raw_streams_that_give_a_few_bytes(self):
        assert convtool.read(Slow(encoded())).pixels.tolist() == GREY.tolist()

    def test_a_pipe(self):
        ends = os.pipe()

        def fill():
            with open(ends[1], "wb") as file:
                convtool.write(file, GREY, format="png")

        writer = threading.Thread(target=fill)
        writer.start()
        with open(ends[0], "rb") as file:
            assert not file.seekable()
            assert convtool.read(file).pixels.tolist() == GREY.tolist()
        writer.join()

    def test_members_of_archives(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("grey.png", encoded())
        with zipfile.ZipFile(tmp_path / "a.zip") as archive, archive.open("grey.png") as file:
            assert convtool.read(file).pixels.tolist() == GREY.tolist()
        packed = io.BytesIO(gzip.compress(encoded()))
        with gzip.open(packed) as file:
            assert convtool.read(file).pixels.tolist() == GREY.tolist()

    def test_pages(self):
        stream = io.BytesIO()
        pages = Document(tuple(Image(GREY + n) for n in range(3)))
        convtool.write(stream, pages, format="tiff")
        data = stream.getvalue()
        assert len(read_document(io.BytesIO(data)).pages) == 3
        assert convtool.read(io.BytesIO(data), page=2).pixels[0, 0] == 1
        with pytest.raises(errors.ImageReadError, match=r"^file object: has 3 pages or frames"):
            read_single(io.BytesIO(data))


class TestRefusedReading:
    @pytest.mark.parametrize(
        ("stream", "words"),
        [
            (io.BytesIO(), "file object: is empty; a picture was expected"),
            (io.BytesIO(b"no picture"), "file object: is of no format that convtool reads"),
            (io.BytesIO(encoded()[:60]), "file object: "),
            (io.StringIO("text"), "file object: is open as text; open it in mode 'rb'"),
            (Endless(b"no picture"), "file object: is of no format"),
        ],
    )
    def test_no_picture(self, stream, words):
        with pytest.raises(errors.ImageReadError, match=words):
            convtool.read(stream)

    def test_too_many_pixels(self):
        with pytest.raises(errors.ImageTooLargeError, match=r"^file object: "):
            convtool.read(io.BytesIO(encoded()), max_pixels=11)

    def test_endless_ones_are_read_to_the_limit(self):
        with pytest.raises(errors.ImageTooLargeError, match=r"^file object: "):
            convtool.read(Endless(encoded()), max_memory=10_000_000)

    def test_closed_or_for_writing_alone(self, tmp_path):
        stream = io.BytesIO(encoded())
        stream.close()
        with pytest.raises(errors.ImageReadError, match=r"file object: cannot be read: .*closed"):
            convtool.read(stream)
        with (
            open(tmp_path / "new.png", "wb") as file,
            pytest.raises(errors.ImageReadError, match=r"new\.png: cannot be read: "),
        ):
            convtool.read(file)

    def test_names_are_those_of_their_files(self, tmp_path):
        path = tmp_path / "no\x1bpicture.png"
        path.write_bytes(b"nothing")
        with open(path, "rb") as file, pytest.raises(errors.ImageReadError) as caught:
            convtool.read(file)
        assert r"no\x1bpicture.png: is of no format" in str(caught.value)


class TestWriting:
    def test_at_its_position_and_it_stays_open(self):
        stream = io.BytesIO(b"before")
        stream.seek(6)
        convtool.write(stream, GREY, format="png")
        assert stream.getvalue() == b"before" + encoded()

    def test_raw_streams_that_take_a_few_bytes(self):
        stream = Slow()
        convtool.write(stream, GREY, format="png")
        assert bytes(stream.data) == encoded()

    def test_the_format_is_that_of_the_name_of_its_file(self, tmp_path):
        with open(tmp_path / "grey.bmp", "wb") as file:
            convtool.write(file, GREY)
            assert (tmp_path / "grey.bmp").read_bytes() == encoded(format="bmp")

    @pytest.mark.parametrize("kind", [Image, lambda pixels: Document((Image(pixels),))])
    def test_all_that_write_takes(self, kind):
        assert encoded(kind(GREY)) == encoded()

    def test_nothing_is_written_of_what_is_no_picture(self):
        stream = io.BytesIO()
        with pytest.raises(errors.PixelTypeError, match="int64"):
            convtool.write(stream, GREY.tolist(), format="png")
        assert stream.getvalue() == b""

    def test_remarks_name_it(self):
        image = Image(GREY, metadata=convtool.images.image.Metadata(xmp=b"<x/>"))
        with pytest.warns(errors.ConvtoolWarning, match=r"^file object: BMP cannot hold"):
            convtool.write(io.BytesIO(), image, format="bmp")

    @pytest.mark.parametrize("file", [io.BytesIO, tempfile.TemporaryFile])
    def test_without_a_name_the_format_is_needed(self, file):
        with (
            file() as stream,
            pytest.raises(errors.ImageFormatError, match=r"name the format, as format='png'"),
        ):
            convtool.write(stream, GREY)

    def test_what_a_format_cannot_hold(self):
        with pytest.raises(errors.ImageFormatError, match=r"^file object: PFM holds no 8 bits"):
            convtool.write(io.BytesIO(), GREY, format="pfm")

    def test_closed_as_text_or_for_reading_alone(self, tmp_path):
        stream = io.BytesIO()
        stream.close()
        with pytest.raises(
            errors.ImageWriteError, match=r"file object: cannot be written: .*close"
        ):
            convtool.write(stream, GREY, format="png")
        with pytest.raises(errors.ImageWriteError, match="is open as text; open it in mode 'wb'"):
            convtool.write(io.StringIO(), GREY, format="png")
        (tmp_path / "a.png").write_bytes(b"kept")
        with (
            open(tmp_path / "a.png", "rb") as file,
            pytest.raises(errors.ImageWriteError, match=r"a\.png: cannot be written"),
        ):
            convtool.write(file, GREY)
        assert (tmp_path / "a.png").read_bytes() == b"kept"

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
    def test_full_disk(self):
        with (
            open("/dev/full", "wb", buffering=0) as file,
            pytest.raises(errors.ImageWriteError, match="/dev/full: cannot be written: No space"),
        ):
            convtool.write(file, GREY, format="png")
