"""TIFF of every type of numbers, of bands, stacks and tags: right values, kept, or named."""

import struct

import numpy as np
import pytest
from picture_files import tiff as tiff_file
from scipy import ndimage

import convtool
from convtool.cli import run
from convtool.errors import ImageReadError
from convtool.images.image import PIXEL_TYPES
from convtool.images.read import open_document, read, read_document

tifffile = pytest.importorskip("tifffile", reason="tifffile writes the files of these tests")

SIZE = (20, 31)
KINDS = {
    name: {"bitspersample": kind.bits} if kind.bits else {}
    for name, kind in PIXEL_TYPES.items()
    if kind.bits % 2 == 0
}


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def numbers(rng, name, shape=SIZE):
    kind = PIXEL_TYPES[name]
    if not kind.is_integer:
        return rng.normal(0.5, 1, shape).astype(kind.array)
    return rng.integers(int(kind.low), int(kind.peak), shape, endpoint=True).astype(kind.array)


def filtered(source, *options):
    assert run(["filter", *options, source, "out.tif"]) == 0
    return tifffile.imread("out.tif")


def tags_of(path, page=0):
    with tifffile.TiffFile(path) as file:
        return {tag.code: tag.value for tag in file.pages[page].tags.values()}


ORDERED = [(name, "<") for name in KINDS] + [
    (name, ">")
    for name in KINDS
    if not PIXEL_TYPES[name].bits  # tifffile packs no bits so
]


@pytest.mark.parametrize(("name", "order"), ORDERED)
def test_each_type_is_read_and_written_as_it_is(rng, name, order):
    pixels = numbers(rng, name)
    tifffile.imwrite("in.tif", pixels, byteorder=order, **KINDS[name])
    image = read("in.tif")
    assert image.type.name == name
    assert np.array_equal(image.pixels, pixels)
    same = filtered("in.tif", "-k", "identity")
    assert same.dtype.newbyteorder("=") == pixels.dtype
    assert np.array_equal(same, pixels)
    assert tags_of("out.tif")[258] == tags_of("in.tif")[258]
    assert tags_of("out.tif")[339] == tags_of("in.tif").get(339, 1)


@pytest.mark.parametrize("name", [n for n in KINDS if PIXEL_TYPES[n].is_integer])
def test_whole_numbers_are_filtered_exactly(rng, name):
    kind, pixels = PIXEL_TYPES[name], numbers(rng, name)
    tifffile.imwrite("in.tif", pixels, **KINDS[name])
    kernel = convtool.kernel("gaussian:sigma=1")
    exact = ndimage.convolve(pixels.astype(np.float64), kernel)
    wanted = np.clip(np.rint(exact), kind.low, kind.peak)
    off = np.abs(filtered("in.tif", "-k", "gaussian:sigma=1") - wanted)
    near_a_half = np.abs(np.abs(exact - np.floor(exact)) - 0.5) < 0.05
    assert not off[~near_a_half].any()


def test_clipping_of_signed_numbers_is_counted(capsys):
    pixels = np.full((8, 8), -30000, np.int16)
    pixels[2:6, 2:6] = 30000
    tifffile.imwrite("in.tif", pixels)
    assert (
        filtered("in.tif", "-k", "1x1:2").tolist() == np.where(pixels > 0, 32767, -32768).tolist()
    )
    assert "100" in capsys.readouterr().err


@pytest.mark.parametrize("predictor", [2, 3])
def test_floats_with_either_predictor(rng, predictor):
    pixels = rng.normal(size=SIZE).astype(np.float32)
    if predictor == 3:
        tifffile.imwrite("in.tif", pixels, compression="zlib", predictor=3)
    else:
        import zlib

        bits = pixels.view(np.uint32)
        steps = np.diff(bits, axis=1, prepend=np.zeros((SIZE[0], 1), np.uint32))
        height, width = SIZE
        tags = {
            256: [width], 257: [height], 258: [32], 259: [8], 262: [1], 277: [1], 278: [height],
            317: [2], 339: [3],
        }  # fmt: skip
        strip = zlib.compress(steps.astype("<u4").tobytes())
        with open("in.tif", "wb") as file:
            file.write(tiff_file(tags, [strip]))
    assert np.array_equal(read("in.tif").pixels, pixels)


BANDS = {
    "nir": ((*SIZE, 4), "rgb", ["unspecified"]),
    "six": ((*SIZE, 6), "rgb", ["unspecified", "unassalpha", "unspecified"]),
    "five": ((*SIZE, 5), "minisblack", ["unspecified"] * 4),
    "two": ((*SIZE, 2), "minisblack", ["unspecified"]),
}


@pytest.mark.parametrize(("shape", "photometric", "extra"), BANDS.values(), ids=BANDS)
def test_bands_are_no_alpha(rng, shape, photometric, extra):
    pixels = rng.integers(0, 65536, shape, dtype=np.uint16)
    how = {"photometric": photometric, "extrasamples": extra, "planarconfig": "contig"}
    tifffile.imwrite("in.tif", pixels, **how)
    image = read("in.tif")
    assert not image.has_alpha
    assert image.has_bands
    wanted = ndimage.uniform_filter(pixels.astype(np.float64), (3, 3, 1))
    assert np.abs(filtered("in.tif", "-k", "box") - wanted).max() <= 0.51
    for tag in (262, 277, 338):
        assert tags_of("out.tif")[tag] == tags_of("in.tif")[tag]


def test_an_unspecified_sample_weights_no_colour():
    pixels = np.zeros((9, 9, 4), np.uint8)
    pixels[:, :, 0], pixels[:, 5:, 0], pixels[:, :5, 3] = 100, 200, 250
    tifffile.imwrite("in.tif", pixels, photometric="rgb", extrasamples=["unspecified"])
    red = filtered("in.tif", "-k", "gaussian:sigma=1")[4, :, 0]
    assert red.tolist() == [100, 100, 100, 106, 130, 170, 194, 200, 200]


FIVE = {"photometric": "minisblack", "planarconfig": "contig"}


@pytest.mark.parametrize("option", ["--gray", "--channels=R"])
def test_bands_have_no_colours(rng, option, capsys):
    tifffile.imwrite("in.tif", rng.integers(0, 9, (8, 8, 5), dtype=np.uint8), **FIVE)
    assert run(["filter", "-k", "box", option, "in.tif", "out.tif"]) == 2
    assert "the picture has 5 bands" in capsys.readouterr().err


def test_bands_do_not_fit_into_png(rng, capsys):
    tifffile.imwrite("in.tif", rng.integers(0, 9, (8, 8, 5), dtype=np.uint8), **FIVE)
    assert run(["filter", "-k", "box", "in.tif", "out.png"]) == 2
    assert "PNG holds no 5 bands; write TIFF" in capsys.readouterr().err


class TestNodata:
    def test_by_the_tag(self):
        pixels = np.full((40, 40), 100, np.float32)
        pixels[10:14, 10:14] = -32767
        tifffile.imwrite("in.tif", pixels, extratags=[(42113, "s", 0, "-32767", True)])
        assert np.allclose(filtered("in.tif", "-k", "gaussian:sigma=1"), 100, atol=1e-4)
        assert tags_of("out.tif")[42113] == "-32767"

    @pytest.mark.parametrize("dtype", ["int16", "int32", "float64"])
    def test_by_the_option(self, dtype):
        pixels = np.full((40, 40), 100, dtype)
        pixels[10:14, 10:14] = -32767
        tifffile.imwrite("in.tif", pixels)
        answer = filtered("in.tif", "-k", "gaussian:sigma=1", "--nodata", "-32767")
        assert np.array_equal(np.rint(answer), np.full((40, 40), 100))

    def test_what_no_neighbour_reaches_stays_missing(self):
        pixels = np.full((30, 30), 7, np.int16)
        pixels[5:25, 5:25] = -1
        tifffile.imwrite("in.tif", pixels)
        answer = filtered("in.tif", "-k", "box", "--nodata", "-1")
        assert answer[15, 15] == -1
        assert answer[4, 4] == 7

    def test_none_takes_the_value_as_a_value(self):
        pixels = np.full((9, 9), 90, np.int16)
        pixels[4, 4] = -90
        tifffile.imwrite("in.tif", pixels, extratags=[(42113, "s", 0, "-90", True)])
        assert filtered("in.tif", "-k", "box", "--nodata", "none")[4, 4] == 70

    def test_no_number(self, capsys):
        assert run(["filter", "-k", "box", "--nodata", "x", "in.tif", "out.tif"]) == 2
        assert "'x' is neither a number nor none" in capsys.readouterr().err


class TestStacks:
    PLANES = np.arange(15 * 8 * 10, dtype=np.uint16).reshape(15, 8, 10)

    @pytest.mark.parametrize("how", ["imagej", "shaped"])
    def test_all_planes_of_one_directory_are_read(self, how):
        settings = {"imagej": True, "metadata": {"axes": "ZYX"}} if how == "imagej" else {}
        tifffile.imwrite("in.tif", self.PLANES, truncate=True, **settings)
        with tifffile.TiffFile("in.tif") as file:
            assert len(file.pages) == 1
        pages = read_document("in.tif").pages
        assert np.array_equal([page.pixels for page in pages], self.PLANES)
        assert np.array_equal(filtered("in.tif", "-k", "identity"), self.PLANES)

    def test_a_description_that_no_longer_fits_is_left_out(self, capsys):
        tifffile.imwrite("in.tif", self.PLANES, imagej=True, metadata={"axes": "ZYX"})
        assert np.array_equal(filtered("in.tif", "-k", "identity", "--page", "1"), self.PLANES[0])
        assert 270 not in tags_of("out.tif")
        assert "the description claims another number of planes" in capsys.readouterr().err

    def test_one_that_fits_stays(self):
        tifffile.imwrite("in.tif", self.PLANES, imagej=True, metadata={"axes": "ZYX"})
        filtered("in.tif", "-k", "box")
        assert "images=15" in tags_of("out.tif")[270]

    def test_planes_that_are_not_there_are_named(self):
        tifffile.imwrite("in.tif", self.PLANES[:1], description='{"shape": [15, 8, 10]}')
        image = read("in.tif")
        assert image.notes == ("its description claims 15 planes; the file holds one",)


GEO = [
    (33550, "d", 3, (30.0, 30.0, 0.0), True),
    (33922, "d", 6, (0.0, 0.0, 0.0, 5e5, 4.6e6, 0.0), True),
    (34735, "H", 16, (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633), True),
]
PRIVATE = [
    (33723, "B", 5, b"\x1c\x02\x50\x00\x00", True),
    (34377, "B", 4, b"8BIM", True),
    (42112, "s", 0, "<GDALMetadata/>", True),
    (65123, "H", 2, (7, 9), True),
]


@pytest.mark.parametrize("order", ["<", ">"])
def test_private_tags_are_kept(rng, order):
    tifffile.imwrite("in.tif", numbers(rng, "uint8"), extratags=GEO + PRIVATE, byteorder=order)
    filtered("in.tif", "-k", "box")
    before, after = tags_of("in.tif"), tags_of("out.tif")
    for code in (33550, 33922, 34735, 33723, 34377, 42112, 65123):
        assert after[code] == before[code]


def test_where_pixels_lie_holds_for_one_size(rng, capsys):
    tifffile.imwrite("in.tif", numbers(rng, "uint8"), extratags=GEO + PRIVATE)
    filtered("in.tif", "-k", "box", "--stride", "2")
    after = tags_of("out.tif")
    assert not {33550, 33922, 34735} & after.keys()
    assert after[65123] == (7, 9)
    assert "GeoTIFF keys hold for another size" in capsys.readouterr().err


def test_other_formats_say_that_they_lose_them(rng, capsys):
    tifffile.imwrite("in.tif", numbers(rng, "uint8"), extratags=PRIVATE)
    assert run(["filter", "-k", "box", "in.tif", "out.png"]) == 0
    assert "private tags of TIFF" in capsys.readouterr().err


def test_a_mask_page_is_no_page(rng):
    pixels = numbers(rng, "uint16")
    with tifffile.TiffWriter("in.tif") as file:
        file.write(pixels, extratags=GEO)
        file.write(np.ones(SIZE, bool), subfiletype=4, photometric="mask")
    image = read("in.tif")
    assert image.metadata.pages == 1
    assert np.array_equal(image.pixels, pixels)
    assert image.notes == ("an internal mask page is left out",)


def test_pictures_in_subifds_are_named(rng):
    with tifffile.TiffWriter("in.tif") as file:
        file.write(numbers(rng, "uint8"), subifds=2)
        for _ in range(2):
            file.write(numbers(rng, "uint8")[::2, ::2], subfiletype=1)
    assert read("in.tif").notes == ("2 pictures in SubIFDs (smaller copies, or others) left out",)


def test_a_file_that_ends_without_the_next_pointer(rng):
    pixels = numbers(rng, "uint8")
    height, width = SIZE
    tags = {256: [width], 257: [height], 258: [8], 259: [1], 262: [1], 277: [1], 278: [height]}
    content = tiff_file(tags, [pixels.tobytes()])
    assert content.endswith(struct.pack("<I", 0))
    with open("in.tif", "wb") as file:
        file.write(content[:-4])
    assert np.array_equal(read("in.tif").pixels, pixels)


def test_tiles_that_are_listed_as_strips(rng):
    pixels = rng.integers(0, 256, (32, 48), dtype=np.uint8)
    tiles = [
        pixels[y : y + 16, x : x + 16].tobytes() for y in range(0, 32, 16) for x in range(0, 48, 16)
    ]
    tags = {256: [48], 257: [32], 258: [8], 259: [1], 262: [1], 277: [1], 322: [16], 323: [16]}
    with open("in.tif", "wb") as file:
        file.write(tiff_file(tags, tiles))
    assert np.array_equal(read("in.tif").pixels, pixels)


@pytest.mark.parametrize("compression", ["zstd", "lzma", "webp", "jpeg2000", "jpegxl", "lerc"])
def test_rare_compressions_by_the_library(compression):
    pixels = np.add.outer(np.arange(40), np.arange(50))[..., np.newaxis] * [1, 2, 1]
    pixels = pixels.astype(np.uint8)
    lossless = {"compressionargs": {"lossless": True}} if compression in ("webp", "jpegxl") else {}
    tifffile.imwrite("in.tif", pixels, photometric="rgb", compression=compression, **lossless)
    assert np.array_equal(read("in.tif").pixels, pixels)


def test_cmyk_as_jpeg():
    amounts = np.zeros((48, 64, 4), np.uint8)
    amounts[:, :32, 0], amounts[:, 32:, 1] = 200, 180
    tifffile.imwrite("in.tif", amounts, photometric="separated", compression="jpeg")
    colours = read("in.tif", cmyk="naive").pixels
    assert colours[5, 5].tolist() == [55, 255, 255]
    assert colours[5, 50].tolist() == [255, 75, 255]


@pytest.mark.parametrize("bits", [8, 16])
def test_cie_lab_becomes_srgb(bits):
    known = {  # L*, a*, b* of sRGB's corners by D50: B. Lindbloom's CIE colour calculator
        (255, 255, 255): (100, 0, 0), (0, 0, 0): (0, 0, 0), (255, 0, 0): (54.29, 80.81, 69.89),
        (0, 255, 0): (87.82, -79.28, 80.99), (0, 0, 255): (29.57, 68.30, -112.03),
        (128, 128, 128): (53.59, 0, 0),
    }  # fmt: skip
    peak, unit = (255, 1) if bits == 8 else (65535, 256)
    stored = np.array(
        [[np.rint(v[0] / 100 * peak), *np.rint(np.array(v[1:]) * unit)] for v in known.values()]
    )
    stored = stored.astype(np.int64).astype(f"u{bits // 8}")[np.newaxis]
    tifffile.imwrite("in.tif", stored, photometric="cielab")
    image = read("in.tif")
    off = np.abs(image.pixels[0] / (peak / 255) - list(known))
    assert off.max() < (11 if bits == 8 else 0.6)
    assert "converted to sRGB" in image.notes[0]


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({258: [24], 339: [1]}, "has unsigned samples of 24 bits, which are not read"),
        ({258: [24], 339: [3]}, "has float samples of 24 bits"),
        ({262: [4]}, "transparency masks alone"),
        ({262: [9999]}, "has the colour model 9999"),
    ],
)
def test_what_is_refused(tags, words):
    common = {256: [4], 257: [4], 258: [8], 259: [1], 262: [1], 277: [1], 278: [4]}
    with open("in.tif", "wb") as file:
        file.write(tiff_file(common | tags, [bytes(256)]))
    with pytest.raises(ImageReadError, match=words):
        open_document("in.tif")


COMMON = {256: [8], 257: [2], 258: [8], 259: [1], 262: [1], 277: [1], 278: [2]}


def written(tags, strips):
    with open("in.tif", "wb") as file:
        file.write(tiff_file(tags, strips))
    return read("in.tif")


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("samples", [1, 3])
def test_fewer_bits_are_scaled_to_8(rng, bits, samples):
    values = rng.integers(0, 2**bits, (2, 8, samples))
    rows = ["".join(f"{v:0{bits}b}" for v in row.ravel()) for row in values]
    strip = b"".join(
        int(row.ljust(-(-len(row) // 8) * 8, "0"), 2).to_bytes(-(-len(row) // 8), "big")
        for row in rows
    )
    tags = COMMON | {258: [bits] * samples, 262: [2 if samples == 3 else 1], 277: [samples]}
    image = written(tags, [strip])
    wanted = np.floor(values * 255 / (2**bits - 1) + 0.5)
    assert np.array_equal(image.pixels.reshape(values.shape), wanted)
    assert bool(image.notes) == (255 % (2**bits - 1) > 0)


def test_integers_of_64_bits_become_float64():
    values = np.array([[0, 1, 2**40, 2**53]] * 4, np.uint64).reshape(2, 8)
    image = written(COMMON | {258: [64]}, [values.astype("<u8").tobytes()])
    assert image.pixels.dtype == np.float64
    assert np.array_equal(image.pixels, values.astype(np.float64))
    assert "64 bits" in image.notes[0]


PALETTE = {320: [n * 257 for n in range(256)] + [0] * 256 + [65535 - n * 257 for n in range(256)]}


@pytest.mark.parametrize("extra", [0, 2])
def test_a_palette_with_another_sample(extra):
    tags = COMMON | PALETTE | {258: [8, 8], 262: [3], 277: [2], 338: [extra]}
    image = written(tags, [bytes(range(32))])
    assert image.pixels[0, 1, :3].tolist() == [2, 0, 253]
    assert image.has_alpha == (extra == 2)
    if image.has_alpha:
        assert image.pixels[1, 7, 3] == 31
    else:
        assert image.notes == ("samples beside the palette's index are left out",)


def test_luma_and_chroma_in_planes(rng):
    planes = rng.integers(0, 256, (3, 2, 8), dtype=np.uint8)
    tags = {258: [8] * 3, 262: [6], 277: [3], 284: [2], 530: [1, 1]}
    split = written(COMMON | tags, [plane.tobytes() for plane in planes])
    together = written(COMMON | tags | {284: [1]}, [np.moveaxis(planes, 0, -1).tobytes()])
    assert np.array_equal(split.pixels, together.pixels)
    y, blue, red = (int(plane[1, 3]) for plane in planes)
    assert abs(int(split.pixels[1, 3, 0]) - min(255, max(0, y + 1.402 * (red - 128)))) <= 1
    assert abs(int(split.pixels[1, 3, 2]) - min(255, max(0, y + 1.772 * (blue - 128)))) <= 1


@pytest.mark.parametrize(
    "tags",
    [{279: [0]}, {279: [40_000_000]}, {258: [8, 1], 339: [1, 2]}],
    ids=["no lengths", "lengths beyond the file", "more bits than samples"],
)
def test_tags_that_claim_too_much_or_nothing(tags):
    assert np.array_equal(
        written(COMMON | tags, [bytes(range(16))]).pixels.ravel(), np.arange(16, dtype=np.uint8)
    )


def test_jpeg_in_the_old_style():
    import io

    from PIL import Image as Pillow

    y, x = np.mgrid[:16, :32]
    colours = np.dstack([y * 8 + x * 3, x * 4, 255 - y * 8]).astype(np.uint8)
    stream = io.BytesIO()
    Pillow.fromarray(colours).save(stream, "JPEG", quality=95, subsampling=0)
    jpeg = stream.getvalue()
    tags = {
        256: [32], 257: [16], 258: [8] * 3, 259: [6], 262: [6], 277: [3], 278: [16],
        512: [1], 513: [8], 514: [len(jpeg)], 530: [1, 1],
    }  # fmt: skip
    assert np.array_equal(written(tags, [jpeg]).pixels, np.asarray(Pillow.open(stream)))
