"""Profile, EXIF, XMP, resolution, texts: kept where the output can hold them, else said."""

import struct
import zlib

import numpy as np
import picture_files as make
import profiles
import pytest

from convtool.cli import run
from convtool.errors import ConvtoolWarning, ImageFormatError
from convtool.images.codecs import ifd
from convtool.images.image import Coding, Document, Image, Metadata
from convtool.images.options import ReadOptions, WriteOptions
from convtool.images.read import read, read_document
from convtool.images.write import write, write_document
from convtool.records import replace

XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
ICC = profiles.named("Test colours")
EXIF = make.exif(1)
GIF = WriteOptions(quantize=True)
PICTURE = np.random.default_rng(1).integers(0, 256, (40, 30, 3)).astype(np.uint8)
ALL = Metadata(icc=ICC, exif=EXIF, xmp=XMP, resolution=(300.0, 150.0))


def exif_block(order="<", *, orientation=6, width=30, height=40, thumbnail=b""):
    """Make a block with a make, an orientation, the size in a sub-directory, and a thumbnail."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    first_at, count = 8, 3
    sub_at = first_at + 2 + 12 * count + 4
    second_at = sub_at + 2 + 12 * 2 + 4
    picture_at = second_at + 2 + 12 * 2 + 4

    def entry(number, kind, value):
        packed = (
            struct.pack(order + "HH", value, 0) if kind == 3 else struct.pack(order + "I", value)
        )
        return struct.pack(order + "HHI", number, kind, 1) + packed

    make_tag = struct.pack(order + "HHI", 271, 2, 4) + b"Cam\0"
    first = make_tag + entry(274, 3, orientation) + entry(34665, 4, sub_at)
    sub = entry(40962, 4, width) + entry(40963, 3, height)
    second = entry(513, 4, picture_at) + entry(514, 4, len(thumbnail))
    head = mark + struct.pack(order + "I", first_at)
    return b"".join(
        [
            head,
            struct.pack(order + "H", count)
            + first
            + struct.pack(order + "I", second_at if thumbnail else 0),
            struct.pack(order + "H", 2) + sub + bytes(4),
            struct.pack(order + "H", 2) + second + bytes(4),
            thumbnail,
        ]
    )


def exif_facts(block):
    """Return make, orientation and size of the pixels, and whether there is a thumbnail."""
    first, *others = ifd.all_directories(block)
    sub = ifd.directory_at(block, first.order, first.value(34665))
    size = sub.value(40962), sub.value(40963)
    return first.content(271), first.value(274), size, bool(others)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_all_of_it_comes_back(tmp_path, name, order):
    block = exif_block(order, orientation=1)
    metadata = Metadata(icc=ICC, exif=block, xmp=XMP, resolution=(300.0, 150.0))
    write_document(tmp_path / name, Document((Image(PICTURE, metadata=metadata),)))
    image = read(tmp_path / name)
    assert image.metadata.icc == ICC
    assert image.metadata.xmp == XMP
    assert exif_facts(image.metadata.exif) == (b"Cam\0", 1, (30, 40), False)
    if name != "a.webp":
        assert image.metadata.resolution == pytest.approx((300, 150), rel=1e-4)
    if name != "a.jpg":
        np.testing.assert_array_equal(image.pixels, PICTURE)


def test_gif_keeps_profile_and_xmp(tmp_path):
    write_document(tmp_path / "a.gif", Document((Image(PICTURE[:9, :9], metadata=ALL),)), GIF)
    found = read(tmp_path / "a.gif").metadata
    assert (found.icc, found.xmp) == (ICC, XMP)


@pytest.mark.parametrize(("shape", "space"), [((5, 7), b"GRAY"), ((5, 7, 3), b"RGB ")])
def test_bmp_keeps_the_profile(tmp_path, shape, space):
    pixels = PICTURE.ravel()[: np.prod(shape)].reshape(shape)
    profile = profiles.named("Test", space)
    known = Metadata(icc=profile, resolution=(300.0, 150.0))
    write_document(tmp_path / "a.bmp", Document((Image(pixels, metadata=known),)))
    image = read(tmp_path / "a.bmp")
    assert image.metadata.icc == profile
    assert image.metadata.resolution == pytest.approx((300, 150), rel=1e-4)
    np.testing.assert_array_equal(image.pixels, pixels)


def test_a_resolution_that_exif_states_is_not_lost(tmp_path):
    """WebP has it there; without EXIF it is lost and said to be."""
    entries = [(282, 5, 1, 62), (283, 5, 1, 70)]
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", 4)
    for entry in ((270, 2, 1, 0), *entries, (296, 3, 1, 2)):
        block += struct.pack("<HHII", *entry)
    block = block.ljust(62, b"\0") + struct.pack("<4I", 300, 1, 150, 1)
    known = Metadata(exif=block, resolution=(300.0, 150.0))
    assert write_document(tmp_path / "a.webp", Document((Image(PICTURE, metadata=known),))) == ()
    assert read(tmp_path / "a.webp").metadata.resolution == (300, 150)
    bare = Document((Image(PICTURE, metadata=replace(known, exif=b"")),))
    assert "resolution" in write_document(tmp_path / "a.webp", bare)[0]


CARRIERS = ["jpg", "png", "tif", "webp"]


@pytest.mark.parametrize("source", CARRIERS)
@pytest.mark.parametrize("target", CARRIERS)
def test_filtering_carries_it_from_format_to_format(tmp_path, source, target):
    first, second = tmp_path / f"a.{source}", tmp_path / f"b.{target}"
    block = exif_block(orientation=1)
    write_document(
        first, Document((Image(PICTURE, metadata=Metadata(icc=ICC, exif=block, xmp=XMP)),))
    )
    assert run(["filter", "-k", "box", "--stride", "2", str(first), str(second)]) == 0
    found = read(second).metadata
    assert (found.icc, found.xmp) == (ICC, XMP)
    assert exif_facts(found.exif) == (b"Cam\0", 1, (15, 20), False)


class TestOrientation:
    @pytest.fixture
    def photo(self, tmp_path):
        block = exif_block(orientation=6, thumbnail=b"\xff\xd8 small picture \xff\xd9")
        metadata = Metadata(exif=block, xmp=XMP, resolution=(300.0, 150.0))
        write_document(tmp_path / "a.png", Document((Image(PICTURE, metadata=metadata),)))
        return tmp_path / "a.png"

    def test_it_is_applied_and_reset_everywhere(self, photo, tmp_path):
        image = read(photo)
        np.testing.assert_array_equal(image.pixels, np.rot90(PICTURE, -1))
        assert image.metadata.orientation == 6
        assert exif_facts(image.metadata.exif)[1] == 1
        assert b'Orientation="1"' in image.metadata.xmp
        assert image.metadata.resolution == pytest.approx((150, 300), rel=1e-4)
        for name in ("b.png", "b.jpg", "b.tif", "b.webp"):
            write_document(tmp_path / name, Document((image,)))
            again = read(tmp_path / name)
            assert again.pixels.shape == (30, 40, 3)
            assert again.metadata.orientation == 1
            assert exif_facts(again.metadata.exif)[2] == (40, 30)

    def test_it_can_be_kept(self, photo, tmp_path):
        line = ["filter", "-k", "identity", "--orientation", "keep", str(photo)]
        for name in ("b.png", "b.tif"):
            assert run([*line, str(tmp_path / name)]) == 0
            stored = read(tmp_path / name, orientation="keep")
            np.testing.assert_array_equal(stored.pixels, PICTURE)
            assert read(tmp_path / name).metadata.orientation == 6

    def test_the_thumbnail_shows_other_pixels_and_goes(self, tmp_path):
        block = exif_block(orientation=1, thumbnail=b"\xff\xd8 small picture \xff\xd9")
        picture = Image(PICTURE, metadata=Metadata(exif=block))
        write_document(tmp_path / "a.jpg", Document((picture,)))
        found = read(tmp_path / "a.jpg").metadata.exif
        assert exif_facts(found)[3] is False
        assert b"small picture" not in found


class TestPng:
    def test_texts_of_every_kind(self, tmp_path):
        side = [
            (b"tEXt", b"Title\0by the l\xe4ke"),
            (b"zTXt", b"Comment\0\0" + zlib.compress(b"packed")),
            (b"iTXt", "Author\0\0\0de\0Autor\0Ångström → ∞".encode()),
            (b"iTXt", b"Source\0\1\0\0\0" + zlib.compress("ŵ".encode())),
        ]
        (tmp_path / "a.png").write_bytes(make.png(1, 1, 8, 0, [[7]], before=side))
        texts = read(tmp_path / "a.png").metadata.text
        assert texts == (
            ("Title", "by the läke"),
            ("Comment", "packed"),
            ("Author", "Ångström → ∞"),
            ("Source", "ŵ"),
        )
        write(tmp_path / "b.png", read(tmp_path / "a.png"))
        assert read(tmp_path / "b.png").metadata.text == texts

    def test_statements_about_colour_stay(self, tmp_path):
        side = [(b"gAMA", struct.pack(">I", 100000)), (b"cICP", bytes([9, 16, 0, 1]))]
        (tmp_path / "a.png").write_bytes(make.png(1, 1, 8, 0, [[7]], before=side))
        write(tmp_path / "b.png", read(tmp_path / "a.png"))
        found = read(tmp_path / "b.png").metadata.colour
        assert dict(found) == {name.decode(): content for name, content in side}

    def test_a_bomb_is_left_out_and_said(self, tmp_path):
        bomb = zlib.compress(bytes(1 << 25))
        side = [(b"iCCP", b"x\0\0" + bomb), (b"zTXt", b"Comment\0\0" + bomb), (b"tEXt", b"no key")]
        (tmp_path / "a.png").write_bytes(make.png(1, 1, 8, 0, [[7]], before=side))
        image = read(tmp_path / "a.png")
        assert image.pixels.tolist() == [[7]]
        assert image.metadata.icc == b""
        assert [note.split()[2] for note in image.notes] == ["iCCP", "zTXt", "tEXt"]

    def test_behind_the_pixels_too(self, tmp_path):
        after = [(b"eXIf", make.exif(3)), (b"tEXt", b"Comment\0late")]
        data = make.png(2, 1, 8, 0, [[7, 9]], after=after)
        (tmp_path / "a.png").write_bytes(data)
        image = read(tmp_path / "a.png")
        assert image.pixels.tolist() == [[9, 7]]
        assert image.metadata.text == (("Comment", "late"),)


class TestJpeg:
    def test_a_large_profile_takes_several_segments(self, tmp_path):
        icc = profiles.profile(b"RGB ", {b"data": bytes(range(256)) * 600})
        assert len(icc) > 2 * 65535
        write_document(tmp_path / "a.jpg", Document((Image(PICTURE, metadata=Metadata(icc=icc)),)))
        assert read(tmp_path / "a.jpg").metadata.icc == icc

    def test_an_incomplete_profile_is_left_out_and_said(self, tmp_path):
        icc = profiles.profile(b"RGB ", {b"data": bytes(150_000)})
        write_document(tmp_path / "a.jpg", Document((Image(PICTURE, metadata=Metadata(icc=icc)),)))
        data = (tmp_path / "a.jpg").read_bytes().replace(b"ICC_PROFILE\0\x02", b"ICC_PROFILE\0\x09")
        (tmp_path / "a.jpg").write_bytes(data)
        image = read(tmp_path / "a.jpg")
        assert image.metadata.icc == b""
        assert image.notes == ("its colour profile is incomplete and left out",)

    def test_comments(self, tmp_path):
        metadata = Metadata(text=(("Comment", "am See, früh"), ("Title", "lost")))
        with pytest.warns(ConvtoolWarning, match="JPEG cannot hold .*: texts"):
            write(tmp_path / "a.jpg", Image(PICTURE, metadata=metadata))
        assert read(tmp_path / "a.jpg").metadata.text == (("Comment", "am See, früh"),)
        with_latin = (tmp_path / "a.jpg").read_bytes().replace("ü".encode(), b"\xfc ")
        (tmp_path / "a.jpg").write_bytes(with_latin)
        assert read(tmp_path / "a.jpg").metadata.text[0][1] == "am See, frü h"

    def test_what_is_too_large_for_a_segment_is_said(self, tmp_path):
        metadata = Metadata(exif=EXIF + bytes(70_000), xmp=b" " * 70_000)
        with pytest.warns(ConvtoolWarning, match="EXIF, XMP"):
            write(tmp_path / "a.jpg", Image(PICTURE, metadata=metadata))
        assert read(tmp_path / "a.jpg").metadata.exif == b""

    @pytest.mark.parametrize("unit", [(1, 300.0), (2, 762.0), (0, None)])
    def test_density(self, tmp_path, unit):
        write(tmp_path / "a.jpg", PICTURE)
        data = bytearray((tmp_path / "a.jpg").read_bytes())
        struct.pack_into(">BHH", data, 13, unit[0], 300, 300)
        (tmp_path / "a.jpg").write_bytes(data)
        expected = (unit[1], unit[1]) if unit[1] else None
        assert read(tmp_path / "a.jpg").metadata.resolution == expected

    @pytest.mark.parametrize("quality", [15, 50, 75, 92, 98])
    @pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0", "4:2:2"])
    def test_quality_and_subsampling_stay(self, tmp_path, quality, subsampling):
        coding = Coding("", quality, quality, subsampling, progressive=quality == 75)
        picture = Image(PICTURE, metadata=Metadata(coding=coding))
        write(tmp_path / "a.jpg", picture)
        assert read(tmp_path / "a.jpg").metadata.coding == coding
        for options, expected in (([], quality), (["--quality", "60"], 60)):
            line = [
                "filter",
                "-k",
                "box",
                *options,
                str(tmp_path / "a.jpg"),
                str(tmp_path / "b.jpg"),
            ]
            assert run(line) == 0
            found = read(tmp_path / "b.jpg").metadata.coding
            assert (found.quality, found.subsampling) == (
                expected,
                "4:2:0" if options else subsampling,
            )

    @pytest.mark.parametrize("progressive", [False, True])
    @pytest.mark.parametrize("qualities", [(90, 70), (60, 95)], ids=str)
    @pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
    def test_luma_and_chroma_may_differ(self, tmp_path, subsampling, qualities, progressive):
        coding = Coding("", *qualities, subsampling, progressive)
        y, x = np.mgrid[:48, :64]
        picture = Image(np.dstack([4 * x, 5 * y, 2 * x + 2 * y]).astype(np.uint8), metadata=ALL)
        metadata = replace(picture.metadata, coding=coding)
        write(tmp_path / "a.jpg", replace(picture, metadata=metadata))
        line = ["filter", "-k", "identity", str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")]
        assert run(line) == 0
        for name in ("a.jpg", "b.jpg"):
            found = read(tmp_path / name)
            assert found.metadata.coding == coding
            assert found.metadata.icc == ALL.icc
            assert np.abs(found.pixels.astype(int) - picture.pixels).mean() < 4

    def test_a_side_may_be_too_long_for_two_qualities(self, tmp_path):
        metadata = Metadata(coding=Coding("", 90, 70, "4:2:0"))
        long = Image(np.zeros((65536, 1, 3), np.uint8), metadata=metadata)
        with pytest.raises(ImageFormatError, match="1×65536 pixels are too many"):
            write(tmp_path / "a.jpg", long)


class TestWhatCannotBeHeld:
    def test_is_said(self, tmp_path, capsys):
        write_document(tmp_path / "a.png", Document((Image(PICTURE, metadata=ALL),)))
        assert run(["filter", "-k", "box", str(tmp_path / "a.png"), str(tmp_path / "b.ppm")]) == 0
        told = capsys.readouterr().err
        assert told == (
            "convtool: warning: PPM cannot hold all that the input has besides pixels: "
            "colour profile, EXIF, XMP, resolution\n"
        )

    def test_or_left_out_on_purpose(self, tmp_path, capsys):
        write_document(tmp_path / "a.png", Document((Image(PICTURE, metadata=ALL),)))
        for name in ("b.ppm", "b.jpg"):
            line = ["filter", "-k", "box", "--metadata", "strip", str(tmp_path / "a.png")]
            assert run([*line, str(tmp_path / name)]) == 0
        assert capsys.readouterr().err == ""
        found = read(tmp_path / "b.jpg").metadata
        assert (found.icc, found.exif, found.xmp, found.resolution) == (b"", b"", b"", None)

    def test_a_profile_for_colours_does_not_go_with_grey(self, tmp_path, capsys):
        write_document(tmp_path / "a.png", Document((Image(PICTURE, metadata=ALL),)))
        line = ["filter", "-k", "box", "--gray", str(tmp_path / "a.png"), str(tmp_path / "b.png")]
        assert run(line) == 0
        assert "profile is not for pictures of this kind" in capsys.readouterr().err
        assert read(tmp_path / "b.png").metadata.icc == b""
        grey = Image(PICTURE[:, :, 0], metadata=Metadata(icc=profiles.named("g", b"GRAY")))
        write(tmp_path / "c.png", grey)
        assert read(tmp_path / "c.png").metadata.icc[16:20] == b"GRAY"

    def test_bmp_holds_resolution(self, tmp_path):
        for channels in (3, 4):
            pixels = np.zeros((2, 2, channels), np.uint8)
            picture = Image(pixels, channels == 4, metadata=Metadata(resolution=(300.0, 150.0)))
            write(tmp_path / "a.bmp", picture)
            found = read(tmp_path / "a.bmp").metadata.resolution
            assert found == pytest.approx((300, 150), rel=1e-3)

    def test_odd_lengths_in_webp(self, tmp_path):
        metadata = Metadata(icc=ICC + b"x", exif=EXIF + b"x", xmp=XMP + b"x")
        for channels in (3, 4):
            picture = Image(
                PICTURE[:, :, [0, 1, 2, 0][:channels]], channels == 4, metadata=metadata
            )
            write(tmp_path / "a.webp", picture)
            image = read(tmp_path / "a.webp")
            np.testing.assert_array_equal(image.pixels, picture.pixels)
            assert (image.metadata.icc, image.metadata.xmp) == (metadata.icc, metadata.xmp)


class TestDamagedExif:
    @pytest.mark.parametrize(
        "block", [b"", b"MM", b"II*\0\xff\xff\xff\xff", b"II*\0" + b"\xff" * 40]
    )
    def test_is_carried_as_it_is(self, tmp_path, block):
        picture = Image(PICTURE, metadata=Metadata(exif=block))
        for name in ("a.png", "a.webp"):
            write(tmp_path / name, picture)
            assert read(tmp_path / name).metadata.exif == block
        write(tmp_path / "a.tif", picture)
        np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, PICTURE)

    def test_pointers_into_nowhere_are_dropped_in_tiff(self, tmp_path):
        block = bytearray(exif_block(orientation=1))
        struct.pack_into("<I", block, 8 + 2 + 24 + 8, 10**6)
        write(tmp_path / "a.tif", Image(PICTURE, metadata=Metadata(exif=bytes(block))))
        found = read(tmp_path / "a.tif").metadata.exif
        assert next(ifd.all_directories(found)).content(271) == b"Cam\0"


def test_resolution_in_centimetres(tmp_path):
    tags = {
        256: [1],
        257: [1],
        258: [8],
        259: [1],
        262: [1],
        277: [1],
        278: [1],
        282: [100],
        283: [50],
    }
    (tmp_path / "a.tif").write_bytes(make.tiff(tags | {296: [3]}, [b"\7"]))
    assert read(tmp_path / "a.tif").metadata.resolution == (254, 127)
    (tmp_path / "a.tif").write_bytes(make.tiff(tags | {296: [1]}, [b"\7"]))
    assert read(tmp_path / "a.tif").metadata.resolution is None


def test_metadata_of_pages(tmp_path):
    pages = tuple(Image(PICTURE, metadata=Metadata(xmp=xmp)) for xmp in (b"one", b"two"))
    write_document(tmp_path / "a.tif", Document(pages))
    found = read_document(tmp_path / "a.tif", ReadOptions())
    assert [page.metadata.xmp for page in found.pages] == [b"one", b"two"]
