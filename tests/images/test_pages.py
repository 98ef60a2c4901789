"""Pages and frames: all of them, as whole pictures, with their times; or a clear refusal."""

import io
import struct
import zlib

import numpy as np
import picture_files as make
import pytest
from PIL import Image as Pillow

from convtool.cli import run
from convtool.errors import ImageFormatError, ImageReadError, ImageTooLargeError, OptionError
from convtool.filtering.memory import filter_image
from convtool.images.image import Document, Image
from convtool.images.options import ReadOptions, WriteOptions
from convtool.images.read import open_document, read, read_document
from convtool.images.write import write_document

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def flat(colour, size=(6, 8)):
    return np.full((*size, len(colour)), colour, np.uint8)


def animation(channels, dtype="uint8", count=3, durations=(100.0, 20.0, 1000.0), loop=0):
    rng = np.random.default_rng(3)
    shape = (9, 7) if channels == 1 else (9, 7, channels)
    peak = np.iinfo(dtype).max
    frames = rng.integers(0, peak + 1, (count, *shape)).astype(dtype)
    pages = tuple(Image(frame, channels in (2, 4)) for frame in frames)
    return Document(pages, durations, loop)


def fctl(number, size, place, delay, disposal=0, blend=0):
    return b"fcTL", struct.pack(">IIIIIHHBB", number, *size, *place, *delay, disposal, blend)


def fdat(number, rows):
    return b"fdAT", struct.pack(">I", number) + zlib.compress(b"".join(b"\0" + r for r in rows))


class TestTiff:
    def test_pages_may_differ_in_everything(self, tmp_path, rng):
        pages = [
            rng.integers(0, 256, (5, 7)).astype(np.uint8),
            rng.integers(0, 65536, (300, 200, 4)).astype(np.uint16),
            rng.normal(0, 1, (3, 2, 3)).astype(np.float32),
        ]
        written = Document(tuple(Image(p, p.shape[2:] == (4,)) for p in pages))
        write_document(tmp_path / "a.tif", written)
        found = read_document(tmp_path / "a.tif")
        assert not found.is_animation
        assert [page.metadata.pages for page in found.pages] == [3, 3, 3]
        for page, expected in zip(found.pages, pages, strict=True):
            assert page.pixels.dtype == expected.dtype
            np.testing.assert_array_equal(page.pixels, expected)

    def test_all_are_filtered_or_the_one_asked_for(self, tmp_path):
        pages = tuple(Image(np.full((4, 5), value, np.uint8)) for value in (10, 20, 30))
        write_document(tmp_path / "a.tif", Document(pages))
        line = ["filter", "-k", "1x1:2", str(tmp_path / "a.tif")]
        assert run([*line, str(tmp_path / "b.tif")]) == 0
        values = [page.pixels[0, 0] for page in read_document(tmp_path / "b.tif").pages]
        assert values == [20, 40, 60]
        assert run([*line, "--page", "2", str(tmp_path / "b.png")]) == 0
        assert read(tmp_path / "b.png").pixels[0, 0] == 40

    @pytest.mark.parametrize("more", [[], ["--dry-run"]])
    def test_what_holds_one_picture_refuses_them_and_names_the_way_out(
        self, tmp_path, capsys, more
    ):
        pages = (Image(np.zeros((4, 5), np.uint8)),) * 3
        write_document(tmp_path / "a.tif", Document(pages))
        for name in ("b.jpg", "b.png", "b.gif"):
            line = ["filter", "-k", "box", *more, str(tmp_path / "a.tif"), str(tmp_path / name)]
            assert run(line) == 2
            told = capsys.readouterr().err
            assert "not 3 pages; write TIFF, or pick one with --page N" in told
            assert not (tmp_path / name).exists()

    def test_a_page_that_is_not_there(self, tmp_path, capsys):
        write_document(tmp_path / "a.tif", Document((Image(np.zeros((4, 5), np.uint8)),) * 3))
        with pytest.raises(ImageReadError, match=r"a\.tif: has 3 pages, no page 4"):
            read(tmp_path / "a.tif", page=4)
        with pytest.raises(OptionError, match="counted from 1"):
            ReadOptions(page=0)
        write_document(tmp_path / "b.png", Document((Image(np.zeros((4, 5), np.uint8)),)))
        with pytest.raises(ImageReadError, match="has one page, no page 2"):
            open_document(tmp_path / "b.png", ReadOptions(page=2))

    def test_limits_count_all_pages_that_are_read(self, tmp_path):
        write_document(tmp_path / "a.tif", Document((Image(np.zeros((10, 10), np.uint8)),) * 3))
        with pytest.raises(ImageTooLargeError, match="claims 3 pages of 10×10 pixels"):
            read_document(tmp_path / "a.tif", ReadOptions(max_pixels=299))
        read_document(tmp_path / "a.tif", ReadOptions(max_pixels=300))
        read(tmp_path / "a.tif", max_pixels=100)

    def test_directories_that_go_round_are_refused(self, tmp_path):
        tags = {256: [1], 257: [1], 258: [8], 259: [1], 262: [1], 277: [1], 278: [1]}
        data = bytearray(make.tiff(tags, [b"\7"], pages=2))
        (first,) = struct.unpack_from("<I", data, 4)
        (count,) = struct.unpack_from("<H", data, first)
        (second,) = struct.unpack_from("<I", data, first + 2 + 12 * count)
        struct.pack_into("<I", data, second + 2 + 12 * count, first)
        (tmp_path / "a.tif").write_bytes(data)
        with pytest.raises(ImageReadError, match="go round in a loop"):
            read_document(tmp_path / "a.tif")


EXACT = [("png", c, d) for c in (1, 2, 3, 4) for d in ("uint8", "uint16")]
EXACT += [("webp", c, "uint8") for c in (3, 4)]


@pytest.mark.parametrize(("name", "channels", "dtype"), EXACT)
def test_animations_come_back_bit_for_bit(tmp_path, name, channels, dtype):
    written = animation(channels, dtype, loop=3)
    path = tmp_path / f"a.{name}"
    assert write_document(path, written) == ()
    found = read_document(path)
    assert (found.durations, found.loop) == (written.durations, 3)
    for page, expected in zip(found.pages, written.pages, strict=True):
        np.testing.assert_array_equal(page.pixels, expected.pixels)
    third = read(path, page=3)
    np.testing.assert_array_equal(third.pixels, written.pages[2].pixels)
    with Pillow.open(path) as picture:
        assert picture.n_frames == 3
        assert picture.info["loop"] == 3


@pytest.mark.parametrize("target", ["gif", "png", "webp"])
def test_an_animated_gif_is_filtered_as_a_whole(tmp_path, target):
    frames = [Pillow.fromarray(flat(colour)) for colour in (RED, GREEN, BLUE)]
    frames[0].save(
        tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=[50, 70, 90], loop=0
    )
    path = tmp_path / f"b.{target}"
    assert run(["filter", "-k", "box", str(tmp_path / "a.gif"), str(path)]) == 0
    found = read_document(path)
    assert (found.durations, found.loop) == ((50, 70, 90), 0)
    colours = [tuple(page.pixels[2, 2, :3]) for page in found.pages]
    assert colours == [RED, GREEN, BLUE]


class TestApng:
    def test_frames_that_change_a_part(self, tmp_path):
        """Disposal and blending, worked out by hand on one row of four grey-alpha pixels."""
        whole = bytes([10, 255, 20, 255, 30, 255, 40, 255])
        before = [(b"acTL", struct.pack(">II", 4, 7)), fctl(0, (4, 1), (0, 0), (1, 10))]
        after = [
            fctl(1, (2, 1), (1, 0), (1, 0), disposal=1),
            fdat(2, [bytes([99, 255, 98, 0])]),
            fctl(3, (1, 1), (3, 0), (1, 4), disposal=2, blend=1),
            fdat(4, [bytes([200, 51])]),
            fctl(5, (1, 1), (0, 0), (1, 1), blend=1),
            fdat(6, [bytes([77, 0])]),
        ]
        data = make.png(4, 1, 8, 4, [whole], before=before, after=after)
        (tmp_path / "a.png").write_bytes(data)
        found = read_document(tmp_path / "a.png")
        assert found.loop == 7
        assert found.durations == (100, 10, 250, 1000)
        rows = [page.pixels[0].tolist() for page in found.pages]
        assert rows[0] == [[10, 255], [20, 255], [30, 255], [40, 255]]
        assert rows[1] == [[10, 255], [99, 255], [98, 0], [40, 255]]
        assert rows[2] == [[10, 255], [0, 0], [0, 0], [72, 255]]
        assert rows[3] == [[10, 255], [0, 0], [0, 0], [40, 255]]

    def test_partly_clear_over_partly_clear(self, tmp_path):
        before = [(b"acTL", struct.pack(">II", 2, 0)), fctl(0, (1, 1), (0, 0), (1, 10))]
        after = [fctl(1, (1, 1), (0, 0), (1, 10), blend=1), fdat(2, [bytes([200, 128])])]
        data = make.png(1, 1, 8, 4, [bytes([100, 128])], before=before, after=after)
        (tmp_path / "a.png").write_bytes(data)
        # alpha: 128 + 128·127/255 = 191.75; grey: (200·128 + 100·63.75) / 191.75 = 166.75
        assert read(tmp_path / "a.png", page=2).pixels.tolist() == [[[167, 192]]]

    def test_a_still_outside_the_animation_is_passed_over(self, tmp_path):
        before = [(b"acTL", struct.pack(">II", 2, 0))]
        after = [
            fctl(0, (1, 1), (0, 0), (1, 10)),
            fdat(1, [b"\5"]),
            fctl(2, (1, 1), (0, 0), (1, 10)),
            fdat(3, [b"\6"]),
        ]
        data = make.png(1, 1, 8, 0, [b"\1"], before=before, after=after)
        (tmp_path / "a.png").write_bytes(data)
        found = read_document(tmp_path / "a.png")
        assert [page.pixels.tolist() for page in found.pages] == [[[5]], [[6]]]
        assert "no frame of the animation, is left out" in found.pages[0].notes[0]

    def test_an_animation_of_one_frame_beside_a_still_is_named(self, tmp_path):
        before = [(b"acTL", struct.pack(">II", 1, 0))]
        after = [fctl(0, (1, 1), (0, 0), (1, 10)), fdat(1, [b"\5"])]
        data = make.png(1, 1, 8, 0, [b"\1"], before=before, after=after)
        (tmp_path / "a.png").write_bytes(data)
        image = read(tmp_path / "a.png")
        assert image.pixels.tolist() == [[1]]
        assert "animation of one frame is left out" in image.notes[0]

    def test_uncovered_places_are_clear(self, tmp_path):
        before = [(b"acTL", struct.pack(">II", 2, 0)), fctl(0, (2, 1), (0, 0), (1, 10), disposal=1)]
        after = [fctl(1, (1, 1), (1, 0), (1, 10)), fdat(2, [b"\6"])]
        data = make.png(2, 1, 8, 0, [b"\1\2"], before=before, after=after)
        (tmp_path / "a.png").write_bytes(data)
        found = read_document(tmp_path / "a.png")
        assert [page.pixels.tolist() for page in found.pages] == [
            [[[1, 255], [2, 255]]],
            [[[0, 0], [6, 255]]],
        ]

    @pytest.mark.parametrize(
        ("after", "message"),
        [
            ([], "1 frames of 2"),
            ([fctl(1, (1, 1), (0, 0), (1, 1))], "no pixels"),
            ([fctl(1, (0, 1), (0, 0), (1, 1)), fdat(2, [b"\6"])], "no size"),
            ([fctl(1, (1, 1), (1, 0), (1, 1)), fdat(2, [b"\6"])], "outside the picture"),
            ([fctl(1, (1, 1), (0, 0), (1, 1)), fdat(2, [])], "damaged"),
        ],
    )
    def test_damage_is_refused(self, tmp_path, after, message):
        before = [(b"acTL", struct.pack(">II", 2, 0)), fctl(0, (1, 1), (0, 0), (1, 10))]
        data = make.png(1, 1, 8, 0, [b"\1"], before=before, after=after)
        (tmp_path / "a.png").write_bytes(data)
        with pytest.raises(ImageReadError, match=message):
            read_document(tmp_path / "a.png")


class TestWebp:
    def test_frames_that_change_a_part(self, tmp_path):
        frames = [flat((10, 20, 30)), flat((10, 20, 30))]
        frames[1][2:4, 2:6] = (200, 100, 50)
        pictures = [Pillow.fromarray(frame) for frame in frames]
        pictures[0].save(
            tmp_path / "a.webp", save_all=True, append_images=pictures[1:], lossless=True,
            duration=[30, 40], loop=2,
        )  # fmt: skip
        found = read_document(tmp_path / "a.webp")
        assert (found.durations, found.loop) == ((30, 40), 2)
        for page, expected in zip(found.pages, frames, strict=True):
            np.testing.assert_array_equal(page.pixels[:, :, :3], expected)

    @pytest.mark.parametrize("channels", [3, 4])
    def test_a_quality_makes_it_lossy(self, tmp_path, channels):
        pages = tuple(
            Image(flat((200, 100, 50, 128)[:channels], (20, 30)), channels == 4) for _ in "ab"
        )
        document = Document(pages, (40.0, 40.0))
        write_document(tmp_path / "a.webp", document, WriteOptions(quality=80))
        found = read_document(tmp_path / "a.webp")
        apart = found.pages[1].pixels.astype(int) - pages[1].pixels
        assert np.abs(apart).max() <= 5

    def test_times_are_whole_milliseconds(self, tmp_path):
        remarks = write_document(tmp_path / "a.webp", animation(3, durations=(33.4, 20.0, 1.0)))
        assert remarks == ("WebP counts time in steps of 1 ms; durations were rounded to them",)
        assert read_document(tmp_path / "a.webp").durations == (33, 20, 1)


class TestGif:
    def gif(self, blocks, size=(4, 1), palette=((1, 2, 3), (4, 5, 6), (7, 8, 9), (0, 0, 0))):
        table = bytes(value for colour in palette for value in colour)
        return (
            b"GIF89a" + struct.pack("<HHBBB", *size, 0x81, 0, 0) + table + b"".join(blocks) + b";"
        )

    def frame(self, indices, place=(0, 0), control=None):
        """Store one row of indices in codes of 3 bits, with a clear code before each two."""
        codes = [code for index in indices for code in (4, index)] + [5]
        bits = "".join(f"{code:03b}"[::-1] for code in codes)
        packed = bytes(int(bits[i : i + 8][::-1], 2) for i in range(0, len(bits), 8))
        head = b"" if control is None else b"\x21\xf9\4" + struct.pack("<BHB", *control) + b"\0"
        place = struct.pack("<BHHHHB", 0x2C, *place, len(indices), 1, 0)
        return head + place + b"\2" + bytes([len(packed)]) + packed + b"\0"

    def test_a_still(self, tmp_path):
        (tmp_path / "a.gif").write_bytes(self.gif([self.frame([0, 1, 2, 0])]))
        image = read(tmp_path / "a.gif")
        assert image.pixels.tolist() == [[[1, 2, 3], [4, 5, 6], [7, 8, 9], [1, 2, 3]]]
        assert image.metadata.pages == 1

    def test_a_transparent_index(self, tmp_path):
        (tmp_path / "a.gif").write_bytes(self.gif([self.frame([0, 1, 2, 0], control=(1, 0, 1))]))
        image = read(tmp_path / "a.gif")
        assert image.pixels.tolist() == [
            [[1, 2, 3, 255], [0, 0, 0, 0], [7, 8, 9, 255], [1, 2, 3, 255]]
        ]

    def test_disposal_and_times(self, tmp_path):
        """Left, cleared and restored, with repetitions and a comment."""
        repeat = b"\x21\xff\x0bNETSCAPE2.0\3\1\2\0\0"
        blocks = [
            b"\x21\xfe\3abc\0",
            repeat,
            self.frame([0, 0, 0, 0], control=(1 << 2, 5, 0)),
            self.frame([1, 1], (1, 0), control=(2 << 2, 6, 0)),
            self.frame([2], (3, 0), control=(3 << 2, 7, 0)),
            self.frame([1], (0, 0), control=(0, 0, 0)),
        ]
        (tmp_path / "a.gif").write_bytes(self.gif(blocks))
        found = read_document(tmp_path / "a.gif")
        assert (found.durations, found.loop) == ((50, 60, 70, 0), 3)
        assert found.pages[0].metadata.text == (("Comment", "abc"),)
        a, b, c, none = [1, 2, 3, 255], [4, 5, 6, 255], [7, 8, 9, 255], [0, 0, 0, 0]
        rows = [page.pixels[0].tolist() for page in found.pages]
        assert rows == [[a, a, a, a], [a, b, b, a], [a, none, none, c], [b, none, none, a]]
        assert write_document(tmp_path / "b.gif", found) == ()
        again = read_document(tmp_path / "b.gif")
        assert (again.durations, again.loop) == (found.durations, 3)
        assert again.pages[0].metadata.text == (("Comment", "abc"),)
        assert [page.pixels[0].tolist() for page in again.pages] == rows

    @pytest.mark.parametrize("colours", [1, 2, 17, 255, 256])
    def test_few_colours_come_back_bit_for_bit(self, tmp_path, rng, colours):
        palette = rng.permutation(1 << 12)[:colours]
        table = np.stack([palette >> 8, palette >> 4 & 15, palette & 15], -1).astype(np.uint8)
        pixels = table[rng.integers(0, colours, (40, 30))]
        write_document(tmp_path / "a.gif", Document((Image(pixels),)))
        np.testing.assert_array_equal(read(tmp_path / "a.gif").pixels, pixels)
        with Pillow.open(tmp_path / "a.gif") as picture:
            np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), pixels)

    def test_more_are_refused_or_quantised(self, tmp_path, rng, capsys):
        pixels = rng.integers(0, 256, (40, 30, 3)).astype(np.uint8)
        write_document(tmp_path / "a.png", Document((Image(pixels),)))
        line = ["filter", "-k", "identity", str(tmp_path / "a.png"), str(tmp_path / "b.gif")]
        assert run(line) == 2
        assert "holds at most 256 colours" in capsys.readouterr().err
        assert run([*line[:3], "--quantize", *line[3:]]) == 0
        found = read(tmp_path / "b.gif").pixels
        assert len(np.unique(found.reshape(-1, 3), axis=0)) <= 256
        assert np.abs(found.astype(int) - pixels).mean() < 20

    def test_alpha_is_all_or_nothing(self, tmp_path):
        pixels = np.array(
            [[[1, 2, 3, 255], [4, 5, 6, 100], [7, 8, 9, 200], [3, 2, 1, 0]]], np.uint8
        )
        picture = Document((Image(pixels, True),))
        with pytest.raises(ImageFormatError, match=r"no partial transp.*`quantize=True` or `back"):
            write_document(tmp_path / "a.gif", picture)
        write_document(tmp_path / "a.gif", picture, WriteOptions(quantize=True))
        clear = [0, 0, 0, 0]
        found = read(tmp_path / "a.gif").pixels.tolist()
        assert found == [[[1, 2, 3, 255], clear, [7, 8, 9, 255], clear]]

    def test_all_clear(self, tmp_path):
        write_document(tmp_path / "a.gif", Document((Image(np.zeros((2, 3, 2), np.uint8), True),)))
        assert read(tmp_path / "a.gif").pixels.max() == 0

    def test_times_are_hundredths(self, tmp_path):
        document = Document((Image(flat(RED)), Image(flat(BLUE))), (33.0, 40.0), 1)
        remarks = write_document(tmp_path / "a.gif", document)
        assert remarks == ("GIF counts time in steps of 10 ms; durations were rounded to them",)
        assert read_document(tmp_path / "a.gif").durations == (30, 40)
        assert read_document(tmp_path / "a.gif").loop == 1

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"GIF89a\4\0\1\0\0\0\0;", "no picture"),
            (b"GIF89a\4\0\1\0\0\0\0\x99;", "unknown kind"),
            (b"GIF89a\4\0\1\0\x81\0\0abc", "within a palette"),
            (b"GIF89a\4\0\1\0\0\0\0,\0\0\0\0\4\0\1\0\0\2\1\0\0;", "no palette"),
        ],
    )
    def test_structure_that_makes_no_sense(self, tmp_path, data, message):
        (tmp_path / "a.gif").write_bytes(data)
        with pytest.raises(ImageReadError, match=message):
            read(tmp_path / "a.gif")

    def test_too_few_pixels_are_refused(self, tmp_path):
        whole = self.frame([0, 1, 2, 0])
        short = whole[:5] + struct.pack("<H", 5) + whole[7:]
        (tmp_path / "a.gif").write_bytes(self.gif([short], size=(5, 1)))
        with pytest.raises(ImageReadError, match="cut off or damaged"):
            read(tmp_path / "a.gif")

    def test_an_index_outside_the_palette_is_refused(self, tmp_path):
        data = self.gif([self.frame([0, 3])], size=(2, 1), palette=((1, 2, 3), (4, 5, 6)))
        (tmp_path / "a.gif").write_bytes(data.replace(b"\x81\0\0", b"\x80\0\0"))
        with pytest.raises(ImageReadError, match="not in its palette"):
            read(tmp_path / "a.gif")

    def test_too_wide(self, tmp_path):
        with pytest.raises(ImageFormatError, match="at most 65535"):
            write_document(tmp_path / "a.gif", Document((Image(np.zeros((1, 65536), np.uint8)),)))


def test_frames_are_no_pages(tmp_path):
    with pytest.raises(ImageFormatError, match="holds pages, not 3 frames; write PNG or WebP"):
        write_document(tmp_path / "a.tif", animation(3))
    pages = Document(animation(3).pages)
    with pytest.raises(ImageFormatError, match="WebP holds frames, not 3 pages; write TIFF"):
        write_document(tmp_path / "a.webp", pages)


def test_warnings_of_many_pages_stay_few(tmp_path, capsys):
    frames = animation(3, count=6, durations=(100.0,) * 6)
    write_document(tmp_path / "a.png", frames)
    line = ["filter", "-k", "laplacian-8", str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    assert run(line) == 0
    told = capsys.readouterr().err.splitlines()
    assert [text.partition("page ")[2][:2] for text in told] == ["1:", "2:", "3:", ""]
    assert told[3].endswith("3 more warnings about other pages")


def test_a_frame_is_filtered_like_a_still(tmp_path):
    document = animation(4)
    write_document(tmp_path / "a.png", document)
    assert run(["filter", "-k", "gaussian", str(tmp_path / "a.png"), str(tmp_path / "b.png")]) == 0
    for page, frame in zip(read_document(tmp_path / "b.png").pages, document.pages, strict=True):
        expected = filter_image(frame, ["gaussian"]).image.pixels
        assert np.abs(page.pixels.astype(int) - expected).max() <= 1


def test_through_stdin(tmp_path, monkeypatch):
    write_document(tmp_path / "a.png", animation(3))
    data = io.TextIOWrapper(io.BytesIO((tmp_path / "a.png").read_bytes()))
    monkeypatch.setattr("sys.stdin", data)
    assert len(read_document("-").pages) == 3
