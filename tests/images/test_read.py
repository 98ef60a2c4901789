"""What files of every kind mean, told by files that no library made."""

import struct
import zlib

import numpy as np
import picture_files as make
import pytest

from convtool.errors import ImageReadError, ImageTooLargeError
from convtool.images.image import Coding, Metadata
from convtool.images.read import open_document, read, upright
from convtool.images.write import write

PALETTE = bytes([10, 20, 30, 40, 50, 60, 70, 80, 90])
BASE = {256: [2], 257: [2], 258: [8], 259: [1], 262: [1], 277: [1], 278: [2]}
"""The tags of a grey 2 by 2 TIFF in one strip."""


@pytest.fixture
def reading(tmp_path):
    """Put bytes into a file without an ending and read it."""

    def go(data, **options):
        (tmp_path / "picture").write_bytes(data)
        return read(tmp_path / "picture", **options)

    return go


class TestPng:
    def test_grey_of_few_bits_is_stretched(self, reading):
        assert reading(make.png(4, 1, 2, 0, [[0b00011011]])).pixels.tolist() == [[0, 85, 170, 255]]
        assert reading(make.png(3, 1, 1, 0, [[0b10100000]])).pixels.tolist() == [[255, 0, 255]]

    @pytest.mark.parametrize("bits", [2, 4, 8])
    def test_palette_becomes_colour(self, reading, bits):
        row = {2: [0b01001000], 4: [0x10, 0x20], 8: [1, 0, 2]}[bits]
        image = reading(make.png(3, 1, bits, 3, [row], before=[(b"PLTE", PALETTE)]))
        assert image.pixels.tolist() == [[[40, 50, 60], [10, 20, 30], [70, 80, 90]]]
        assert not image.has_alpha

    def test_palette_keeps_its_alpha(self, reading):
        side = [(b"PLTE", PALETTE), (b"tRNS", bytes([7]))]
        image = reading(make.png(2, 1, 8, 3, [[0, 1]], before=side))
        assert image.pixels.tolist() == [[[10, 20, 30, 7], [40, 50, 60, 255]]]
        assert image.has_alpha

    def test_a_transparent_colour_becomes_alpha(self, reading):
        key = struct.pack(">HHH", 1, 2, 3)
        image = reading(make.png(2, 1, 8, 2, [[1, 2, 3, 1, 2, 4]], before=[(b"tRNS", key)]))
        assert image.pixels.tolist() == [[[1, 2, 3, 0], [1, 2, 4, 255]]]

    def test_a_transparent_grey_becomes_alpha(self, reading):
        image = reading(make.png(4, 1, 2, 0, [[0b00011011]], before=[(b"tRNS", b"\0\2")]))
        assert image.pixels[0].tolist() == [[0, 255], [85, 255], [170, 0], [255, 255]]

    def test_only_the_low_bits_of_a_transparent_grey_count(self, reading):
        image = reading(make.png(2, 1, 1, 0, [[0b10000000]], before=[(b"tRNS", b"\0\xff")]))
        assert image.pixels[0].tolist() == [[255, 0], [0, 255]]

    def test_grey_alpha_of_16_bits(self, reading):
        row = struct.pack(">HHHH", 1, 65535, 40000, 258)
        image = reading(make.png(2, 1, 16, 4, [row]))
        assert image.pixels.tolist() == [[[1, 65535], [40000, 258]]]

    def test_side_chunks_change_no_pixel(self, reading):
        side = [(b"gAMA", struct.pack(">I", 100000)), (b"sBIT", b"\5"), (b"bKGD", b"\0\1")]
        assert reading(make.png(2, 1, 8, 0, [[3, 200]], before=side)).pixels.tolist() == [[3, 200]]

    def test_an_animation_says_that_frames_are_left_out(self, reading):
        control = struct.pack(">IIIIIHHBB", 0, 1, 1, 0, 0, 1, 10, 0, 0)
        more = struct.pack(">IIIIIHHBB", 1, 1, 1, 0, 0, 1, 10, 0, 0)
        side = [(b"acTL", struct.pack(">II", 2, 0)), (b"fcTL", control)]
        after = [(b"fcTL", more), (b"fdAT", struct.pack(">I", 2) + zlib.compress(b"\0\7"))]
        image = reading(make.png(1, 1, 8, 0, [[9]], before=side, after=after))
        assert image.pixels.tolist() == [[9]]
        assert image.metadata.pages == 2
        assert image.notes == ("the file holds 2 pages or frames; only the first is used",)

    @pytest.mark.parametrize("place", ["header", "pixels"])
    def test_a_wrong_checksum_is_refused(self, reading, place):
        data = bytearray(make.png(2, 2, 8, 0, [[1, 2], [3, 4]]))
        data[{"header": 20, "pixels": 45}[place]] ^= 1
        with pytest.raises(ImageReadError, match="checksum"):
            reading(bytes(data))

    def test_too_few_rows_are_refused(self, reading, capfd):
        with pytest.raises(ImageReadError, match="cut off or damaged: libpng"):
            reading(make.png(2, 40, 8, 0, [[1, 2]] * 20))
        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize("palette", [b"", b"\1\2", bytes(771)])
    def test_a_palette_that_makes_no_sense_is_refused(self, reading, palette):
        with pytest.raises(ImageReadError, match="palette"):
            reading(make.png(2, 1, 8, 3, [[0, 1]], before=[(b"PLTE", palette)]))

    @pytest.mark.parametrize(("bits", "colour"), [(3, 0), (16, 3), (8, 1), (4, 2)])
    def test_a_kind_that_does_not_exist_is_refused(self, reading, bits, colour):
        with pytest.raises(ImageReadError, match="header makes no sense"):
            reading(make.png(2, 1, bits, colour, [[0, 1]]))

    def test_no_pixels_are_refused(self, reading):
        data = make.png(2, 1, 8, 0, [[0, 1]])
        without = data[:33] + data[-12:]
        with pytest.raises(ImageReadError, match="no pixels"):
            reading(without)

    def test_an_index_outside_the_palette_is_refused(self, reading):
        with pytest.raises(ImageReadError, match="not in its palette"):
            reading(make.png(2, 1, 8, 3, [[0, 3]], before=[(b"PLTE", PALETTE)]))


class TestTiff:
    @pytest.mark.parametrize("order", ["<", ">"])
    @pytest.mark.parametrize("big", [False, True])
    def test_byte_order_and_bigtiff(self, reading, order, big):
        pixels = struct.pack(order + "4H", 1, 2, 300, 65535)
        data = make.tiff(BASE | {258: [16]}, [pixels], order=order, big=big)
        assert reading(data).pixels.tolist() == [[1, 2], [300, 65535]]

    def test_white_may_be_zero(self, reading):
        data = make.tiff(BASE | {262: [0]}, [bytes([0, 1, 200, 255])])
        assert reading(data).pixels.tolist() == [[255, 254], [55, 0]]

    def test_one_bit_is_black_and_white(self, reading):
        data = make.tiff(BASE | {258: [1]}, [bytes([0b10000000, 0b01000000])])
        assert reading(data).pixels.tolist() == [[255, 0], [0, 255]]

    def test_palette_is_narrowed_from_16_bits(self, reading):
        colours = [0] * 256 * 3
        colours[5], colours[256 + 5], colours[512 + 5] = 0x1234, 0x5678, 0xFFFF
        data = make.tiff(BASE | {262: [3], 320: colours}, [bytes([5, 0, 0, 5])])
        assert reading(data).pixels[0].tolist() == [[0x12, 0x56, 0xFF], [0, 0, 0]]

    def test_planes_may_lie_apart(self, reading):
        tags = BASE | {258: [8] * 3, 262: [2], 277: [3], 284: [2]}
        data = make.tiff(tags, [bytes([1, 2, 3, 4]), bytes([5, 6, 7, 8]), bytes([9, 10, 11, 12])])
        assert reading(data).pixels.tolist() == [[[1, 5, 9], [2, 6, 10]], [[3, 7, 11], [4, 8, 12]]]

    def test_tiles_are_put_together(self, reading):
        tiles = [bytes([n] * 256) for n in (1, 2, 3, 4)]
        offsets = [8 + 256 * n for n in range(4)]
        tags = {
            256: [20],
            257: [17],
            258: [8],
            262: [1],
            322: [16],
            323: [16],
            324: offsets,
            325: [256] * 4,
        }
        pixels = reading(make.tiff(tags, tiles)).pixels
        assert pixels.shape == (17, 20)
        assert [pixels[0, 0], pixels[0, 16], pixels[16, 0], pixels[16, 19]] == [1, 2, 3, 4]

    def test_alpha_is_not_multiplied_in(self, reading):
        tags = BASE | {257: [1], 258: [8] * 4, 262: [2], 277: [4], 338: [2]}
        image = reading(make.tiff(tags, [bytes([200, 100, 50, 10, 9, 8, 7, 0])]))
        assert image.pixels.tolist() == [[[200, 100, 50, 10], [9, 8, 7, 0]]]

    def test_multiplied_alpha_is_divided_out(self, reading):
        tags = BASE | {257: [1], 258: [8] * 4, 262: [2], 277: [4], 338: [1]}
        image = reading(make.tiff(tags, [bytes([51, 0, 102, 102, 9, 8, 7, 0])]))
        assert image.pixels.tolist() == [[[128, 0, 255, 102], [0, 0, 0, 0]]]
        assert "multiplied" in image.notes[0]

    def test_half_floats_stay(self, reading):
        pixels = np.array([0.5, -2, 1e-3, np.inf], "<f2")
        image = reading(make.tiff(BASE | {258: [16], 339: [3]}, [pixels.tobytes()]))
        assert image.pixels.dtype == np.float16
        np.testing.assert_array_equal(image.pixels.ravel(), pixels)

    def test_predictor_of_integers(self, reading):
        strip = zlib.compress(bytes([10, 5, 250, 10]))
        data = make.tiff(BASE | {259: [8], 317: [2]}, [strip])
        assert reading(data).pixels.tolist() == [[10, 15], [250, 4]]

    def test_predictor_of_floats(self, reading):
        values = np.array([[1.5, -2.25], [3e-5, 1e20]], "<f4")
        planes = values.astype(">f4").view(np.uint8).reshape(2, 2, 4).transpose(0, 2, 1)
        rows = planes.reshape(2, 8).astype(int)
        steps = np.diff(rows, axis=1, prepend=0) % 256
        strip = zlib.compress(steps.astype(np.uint8).tobytes())
        data = make.tiff(BASE | {258: [32], 259: [8], 317: [3], 339: [3]}, [strip])
        np.testing.assert_array_equal(reading(data).pixels, values)

    def test_packed_bits(self, reading):
        data = make.tiff(BASE | {259: [32773]}, [bytes([0xFF, 7, 1, 8, 9])])
        assert reading(data).pixels.tolist() == [[7, 7], [8, 9]]

    def test_lzw(self, reading):
        codes = [256, 7, 258, 9, 257]
        bits = "".join(f"{code:09b}" for code in codes).ljust(48, "0")
        strip = int(bits, 2).to_bytes(6, "big")
        assert reading(make.tiff(BASE | {259: [5]}, [strip])).pixels.tolist() == [
            [7, 7],
            [7, 9],
        ]

    def test_pages_are_counted(self, reading):
        image = reading(make.tiff(BASE, [bytes(4)], pages=3))
        assert image.metadata == Metadata(pages=3, coding=Coding("none"))
        assert "3 pages" in image.notes[0]

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({262: [10], 277: [3], 258: [8] * 3}, "colour model 10"),
            ({262: [5], 277: [4], 258: [8] * 4}, "`cmyk='naive'`"),
            ({262: [5], 277: [4], 258: [8] * 4, 332: [2]}, "colour model 5"),
            ({262: [5], 277: [5], 258: [8] * 5}, "CMYK with alpha"),
            ({262: [6], 277: [3], 258: [8] * 3, 530: [3, 1]}, "subsampled by 3×1"),
            ({50706: [1]}, "raw file"),
            ({258: [24]}, "unsigned samples of 24 bits"),
            ({258: [24], 339: [2]}, "signed samples of 24 bits"),
            ({258: [8, 16], 277: [2]}, "different kinds"),
            ({258: [8] * 2, 277: [2], 262: [2]}, "2 samples a pixel"),
            ({259: [50999]}, "compression 50999"),
            ({256: [0]}, "0×2 pixels"),
            ({278: [0]}, "2×0 pixels"),
            ({273: [9000]}, "beyond its end"),
            ({257: [2000]}, "cut off"),
            ({259: [8]}, "damaged"),
            ({320: [1, 2], 262: [3]}, "palette"),
        ],
    )
    def test_what_is_not_read_is_refused(self, reading, changes, message):
        with pytest.raises(ImageReadError, match=message):
            reading(make.tiff(BASE | changes, [bytes(4)]))

    def test_damaged_lzw_is_refused(self, reading, capfd):
        with pytest.raises(ImageReadError, match="damaged"):
            reading(make.tiff(BASE | {259: [5]}, [b"\xff\xff\xff\xff"]))
        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize("orientation", [1, 3])
    def test_jpeg_within_tiff(self, reading, tmp_path, orientation):
        ramp = np.add.outer(np.arange(16), 2 * np.arange(24)).astype(np.uint8)
        write(tmp_path / "a.jpg", ramp)
        expected = upright(read(tmp_path / "a.jpg").pixels, orientation)
        strip = (tmp_path / "a.jpg").read_bytes()
        tags = BASE | {256: [24], 257: [16], 259: [7], 274: [orientation], 278: [16]}
        np.testing.assert_array_equal(reading(make.tiff(tags, [strip])).pixels, expected)

    def test_damaged_alpha_within_jpeg_within_tiff_is_refused(self, reading):
        tags = BASE | {258: [8] * 4, 259: [7], 262: [2], 277: [4]}
        with pytest.raises(ImageReadError, match="is damaged: it is not decoded"):
            reading(make.tiff(tags, [bytes(16)]))


class TestBmp:
    def test_colour_from_the_bottom_up(self, reading):
        data = make.bmp(1, 2, 24, [[3, 2, 1], [6, 5, 4]])
        assert reading(data).pixels.tolist() == [[[4, 5, 6]], [[1, 2, 3]]]

    def test_top_down(self, reading):
        data = make.bmp(1, 2, 24, [[3, 2, 1], [6, 5, 4]], top_down=True)
        assert reading(data).pixels.tolist() == [[[1, 2, 3]], [[4, 5, 6]]]

    def test_a_fourth_byte_without_a_mask_is_no_alpha(self, reading):
        image = reading(make.bmp(1, 1, 32, [[3, 2, 1, 0]]))
        assert image.pixels.tolist() == [[[1, 2, 3]]]
        assert not image.has_alpha

    def test_a_grey_palette_is_grey_and_another_colour(self, reading):
        grey = bytes([0, 0, 0, 0, 9, 9, 9, 0])
        assert reading(make.bmp(2, 1, 8, [[1, 0]], palette=grey)).pixels.tolist() == [[9, 0]]
        colour = bytes([0, 0, 0, 0, 1, 2, 3, 0])
        image = reading(make.bmp(2, 1, 8, [[1, 0]], palette=colour))
        assert image.pixels.tolist() == [[[3, 2, 1], [0, 0, 0]]]

    @pytest.mark.parametrize(
        ("place", "value", "message"),
        [
            (14, 13, "header claims to have 13 bytes"),
            (18, 0, "0×1 pixels"),
            (28, 5, "5 bits"),
            (30, 9, "BMP compression 9"),
            (18, 200, "is cut off"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, reading, place, value, message):
        data = bytearray(make.bmp(1, 1, 24, [[3, 2, 1]]))
        data[place] = value
        with pytest.raises(ImageReadError, match=message):
            reading(bytes(data))


class TestWebp:
    @pytest.mark.parametrize("channels", [3, 4])
    def test_lossy(self, tmp_path, channels):
        flat = np.full((20, 30, channels), [200, 100, 50, 128][:channels], np.uint8)
        write(tmp_path / "a.webp", flat, quality=90)
        image = read(tmp_path / "a.webp")
        assert image.has_alpha == (channels == 4)
        assert np.abs(image.pixels.astype(int) - flat).max() <= 4
        assert open_document(tmp_path / "a.webp").headers[0].shape == flat.shape

    @pytest.fixture
    def chunks(self, tmp_path):
        write(tmp_path / "a.webp", np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 9)
        return (tmp_path / "a.webp").read_bytes()[12:]

    def extended(self, chunks, more, flags, size=(3, 2)):
        canvas = b"".join(struct.pack("<I", side - 1)[:3] for side in size)
        body = b"WEBPVP8X" + struct.pack("<IBBBB", 10, flags, 0, 0, 0) + canvas + chunks + more
        return b"RIFF" + struct.pack("<I", len(body)) + body

    def test_orientation_is_applied(self, reading, chunks):
        block = make.exif(6)
        block += b"\0" * (len(block) % 2)
        more = b"EXIF" + struct.pack("<I", len(block)) + block
        image = reading(self.extended(chunks, more, 0x08))
        assert image.pixels.shape == (3, 2, 3)
        assert image.metadata.orientation == 6
        assert image.pixels[0, 1].tolist() == [0, 9, 18]

    def test_promised_alpha_that_is_missing_is_opaque(self, reading, chunks):
        image = reading(self.extended(chunks, b"", 0x10))
        assert image.pixels.shape == (2, 3, 4)
        assert (image.pixels[:, :, 3] == 255).all()

    def test_another_size_than_promised_is_refused(self, reading, chunks):
        with pytest.raises(ImageReadError, match="damaged"):
            reading(self.extended(chunks, b"", 0, size=(4, 2)))

    def test_a_chunk_that_reaches_too_far_is_refused(self, reading, chunks):
        more = b"XMP " + struct.pack("<I", 99) + bytes(4)
        with pytest.raises(ImageReadError, match="beyond its end"):
            reading(self.extended(chunks, more, 0))


class TestPnm:
    @pytest.mark.parametrize(
        ("data", "pixels"),
        [
            (b"P1 # black is 1\n3 1\n1 0 1", [[0, 255, 0]]),
            (b"P1\n3 1\n101", [[0, 255, 0]]),
            (b"P4\n3 1\n\xa0", [[0, 255, 0]]),
            (b"P2\n# made by hand\n2 2\n15\n0 15\n3 5\n", [[0, 255], [51, 85]]),
            (b"P3 1 1 255 1 2 3", [[[1, 2, 3]]]),
            (b"P5 2 1 255\n\x01\xff", [[1, 255]]),
            (b"P5 2 1 65535\n\x01\x02\xff\xff", [[258, 65535]]),
            (b"P5 2 1 1023\n\x00\x01\x03\xff", [[64, 65535]]),
            (b"P6 1 1 3\n\x00\x01\x03", [[[0, 85, 255]]]),
            (b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 2\nMAXVAL 255\nENDHDR\n\x05\x06", [[[5, 6]]]),
        ],
    )
    def test_values(self, reading, data, pixels):
        assert reading(data).pixels.tolist() == pixels

    @pytest.mark.parametrize(
        "data",
        [
            b"P5 2 1 255\n\x01",
            b"P5 2 1 255",
            b"P5 2",
            b"P5 2 1 0\n\x01\x01",
            b"P5 0 1 255\n",
            b"P5 1 1 15\n\x10",
            b"P2 2 1 255 1",
            b"P2 2 1 255 1 x",
            b"P2 2 1 255 1 -3",
            b"P2 1 1 15 16",
            b"P1 3 1\n10",
            b"P7\nWIDTH 1\n",
            b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 9\nMAXVAL 255\nENDHDR\n" + bytes(9),
            b"P7\nWIDTH x\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\n\0",
        ],
    )
    def test_damage_is_refused(self, reading, data):
        with pytest.raises(ImageReadError):
            reading(data)


class TestJpeg:
    @pytest.fixture
    def jpeg(self, tmp_path):
        ramp = np.add.outer(np.arange(40), np.arange(64)).astype(np.uint8)
        write(tmp_path / "a.jpg", np.dstack([ramp] * 3))
        return (tmp_path / "a.jpg").read_bytes()

    def test_the_end_marker_must_be_there(self, reading, jpeg, capfd):
        for end in (len(jpeg) - 1, len(jpeg) - 2, len(jpeg) // 2, 200, 20, 3):
            with pytest.raises(ImageReadError, match="cut off"):
                reading(jpeg[:end])
        assert capfd.readouterr().err == ""

    def test_missing_data_before_the_end_marker_are_noticed(self, reading, jpeg, capfd):
        with pytest.raises(ImageReadError, match="premature end"):
            reading(jpeg[: len(jpeg) * 3 // 4] + b"\xff\xd9")
        assert capfd.readouterr().err == ""

    def test_what_follows_the_end_is_ignored(self, reading, jpeg):
        np.testing.assert_array_equal(reading(jpeg + b"more").pixels, reading(jpeg).pixels)

    def test_stray_bytes_are_mentioned(self, reading, jpeg, capfd):
        image = reading(jpeg[:-2] + bytes(16) + jpeg[-2:])
        assert "extraneous bytes" in image.notes[0]
        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize("order", ["<", ">"])
    def test_orientation_is_applied(self, reading, jpeg, order):
        upright_picture = reading(jpeg).pixels
        image = reading(make.with_exif(jpeg, make.exif(6, order)))
        np.testing.assert_array_equal(image.pixels, np.rot90(upright_picture, -1))
        assert image.metadata.orientation == 6

    @pytest.mark.parametrize("block", [b"", b"MM", b"II*\0\xff\xff\xff\xff", make.exif(9)])
    def test_damaged_exif_is_no_damage_to_the_picture(self, reading, jpeg, block):
        assert reading(make.with_exif(jpeg, block)).metadata.orientation == 1

    def test_cmyk_and_17_bits_are_refused(self, reading, jpeg):
        frame = jpeg.index(b"\xff\xc0")
        cmyk = bytearray(jpeg)
        cmyk[frame + 9] = 4
        with pytest.raises(ImageReadError, match="CMYK"):
            reading(bytes(cmyk))
        deep = bytearray(jpeg)
        deep[frame + 4] = 17
        with pytest.raises(ImageReadError, match="17-bit"):
            reading(bytes(deep))


ORIENTED = {
    1: [[1, 2, 3], [4, 5, 6]],
    2: [[3, 2, 1], [6, 5, 4]],
    3: [[6, 5, 4], [3, 2, 1]],
    4: [[4, 5, 6], [1, 2, 3]],
    5: [[1, 4], [2, 5], [3, 6]],
    6: [[4, 1], [5, 2], [6, 3]],
    7: [[6, 3], [5, 2], [4, 1]],
    8: [[3, 6], [2, 5], [1, 4]],
}


@pytest.mark.parametrize("orientation", ORIENTED)
def test_all_orientations(tmp_path, orientation):
    stored = np.array(ORIENTED[1], np.uint8)
    assert upright(stored, orientation).tolist() == ORIENTED[orientation]
    path = tmp_path / "turned.png"
    path.write_bytes(make.png(3, 2, 8, 0, stored, before=[(b"eXIf", make.exif(orientation))]))
    assert read(path).pixels.tolist() == ORIENTED[orientation]
    assert open_document(path).headers[0].shape == np.shape(ORIENTED[orientation])
    tags = BASE | {256: [3], 274: [orientation]}
    path.write_bytes(make.tiff(tags, [stored.tobytes()]))
    assert read(path).pixels.tolist() == ORIENTED[orientation]


def test_the_name_says_nothing(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(make.png(1, 1, 8, 0, [[77]]))
    image = read(tmp_path / "photo.jpg")
    assert (image.format, image.pixels.tolist()) == ("png", [[77]])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"just some text", "no format that convtool reads .*begins with 'just som'"),
        (b"GIF99a\0\0", "no format"),
        (b"\0\xff\n\x1b[31m", "no format"),
        (b"\x89PNG\r\n\x1a\n", "cut off"),
        (b"RIFF\x04\0\0\0WEBP", "states no size"),
        (b"RIFF\xff\0\0\0WEBPVP8 ", "cut off"),
        (b"BM", "cut off"),
        (b"II*\0\x08\0\0\0", "cut off"),
        (b"\xff\xd8\xff\xd9", "no picture"),
    ],
)
def test_garbage_gets_one_clear_line(reading, tmp_path, data, message):
    with pytest.raises(ImageReadError, match=message) as caught:
        reading(data)
    assert str(caught.value).startswith(str(tmp_path / "picture"))
    assert str(caught.value).isprintable()


def test_what_is_no_file(tmp_path):
    for path, message in (
        (tmp_path / "missing.png", "no such file"),
        (tmp_path, "is a folder"),
        ("/dev/null", "not a regular file"),
        ("a\0b", "cannot be read"),
    ):
        with pytest.raises(ImageReadError, match=message):
            read(path)


def test_a_pipe_does_not_hang(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageReadError, match="not a regular file"):
        read(tmp_path / "pipe.png")


def test_the_size_is_checked_before_decoding(reading):
    claim = make.png(100_000, 100_000, 8, 2, [])
    with pytest.raises(ImageTooLargeError, match="100000×100000 pixels, more than the limit"):
        reading(claim)
    with pytest.raises(ImageTooLargeError):
        reading(make.png(3, 2, 8, 0, [[1, 2, 3]] * 2), max_pixels=5)
    assert reading(make.png(3, 2, 8, 0, [[1, 2, 3]] * 2), max_pixels=6).width == 3
