"""The ``.ctsvd`` file: what comes back, and every kind of damage."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convtool import svd
from convtool.errors import ImageReadError, ImageTooLargeError, OptionError
from convtool.images import samples
from convtool.images.image import PIXEL_TYPES, Image
from convtool.svd import fileformat
from convtool.svd.compressed import compress, from_bytes, to_bytes
from convtool.svd.fileformat import MAGIC, is_compressed
from convtool.svd.metrics import mse
from convtool.svd.planes import COLORINGS
from convtool.svd.quantise import PRECISIONS

PICTURE = np.ascontiguousarray(samples.load("photograph")[200:264, 100:180])
HEADER = struct.Struct("<8sHBBBBIIIQQ")


def _cost_db(small, again):
    """Return what quantisation cost in PSNR, against the values that were stored."""
    return 10 * np.log10((small.mse + mse(small.values(), again.values())) / small.mse)


@pytest.mark.parametrize("color", COLORINGS)
@pytest.mark.parametrize("block", [None, 8, 16, 32])
@pytest.mark.parametrize("k", [1, 6, 8])
def test_picture_comes_back_within_a_tenth_of_a_decibel(color, block, k):
    small = compress(PICTURE, k, color=color, block=block)
    again = from_bytes(to_bytes(small))
    assert (again.shape, again.dtype, again.k) == (small.shape, small.dtype, small.k)
    assert (again.color, again.block, again.stored) == (color, block, small.stored)
    assert small.mse == 0 or _cost_db(small, again) < 0.1
    assert again.reconstruct().shape == small.reconstruct().shape


@pytest.mark.parametrize("precision", PRECISIONS)
def test_precision_is_what_it_says(precision):
    small = compress(PICTURE, 40, color="gray")
    data = to_bytes(small, precision=precision)
    again = from_bytes(data)
    limit = {"auto": 0.1, "8bit": 2.0, "float16": 0.01, "float32": 1e-4}[precision]
    assert _cost_db(small, again) < limit
    assert len(data) < {"auto": 2.2, "8bit": 1.1, "float16": 2.2, "float32": 4.4}[precision] * (
        small.stored
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_all_triples_bring_whole_pixels_back_exactly(dtype, rng):
    picture = rng.integers(0, np.iinfo(dtype).max, (24, 18, 3)).astype(dtype)
    for block in (None, 8):
        small = compress(picture, 8 if block else 18, block=block)
        np.testing.assert_array_equal(from_bytes(to_bytes(small)).reconstruct(), picture)


@pytest.mark.parametrize("level", [0, 1, 77, 255])
def test_one_colour_comes_back_exactly(level):
    picture = np.full((21, 34), level, np.uint8)
    for options in ({}, {"block": 8}):
        again = from_bytes(to_bytes(compress(picture, 1, **options)))
        np.testing.assert_array_equal(again.reconstruct(), picture)


def test_floats_come_back_as_floats(rng):
    picture = rng.random((20, 30))
    small = compress(picture, 5)
    again = from_bytes(to_bytes(small))
    assert again.reconstruct().dtype == np.float64
    assert _cost_db(small, again) < 0.1


def test_file_is_written_and_read(tmp_path):
    path = tmp_path / "photo.ctsvd"
    small = compress(PICTURE, 6)
    assert small.save(path) == path.stat().st_size
    assert is_compressed(path)
    np.testing.assert_array_equal(
        svd.load(path).reconstruct(), from_bytes(to_bytes(small)).reconstruct()
    )
    with pytest.raises(OptionError, match="precision '4bit' is not known; one of auto, 8bit"):
        small.save(path, precision="4bit")
    assert [one.name for one in tmp_path.iterdir()] == ["photo.ctsvd"]


def test_file_begins_as_it_is_documented():
    data = to_bytes(compress(PICTURE, 6))
    magic, version, pixels, color, block, channels, height, width, k, raw, packed = (
        HEADER.unpack_from(data)
    )
    assert (magic, version, pixels, color, block, channels) == (MAGIC, 1, 0, 0, 0, 3)
    assert (height, width, k) == (64, 80, 6)
    assert len(data) == HEADER.size + 4 + packed + 4
    assert len(zlib.decompress(data[HEADER.size + 4 : -4])) == raw
    first_rank, code, unit = struct.unpack_from("<HBf", zlib.decompress(data[HEADER.size + 4 : -4]))
    assert first_rank == 6
    assert code in (0, 1, 2)
    assert unit > 0


DATA = to_bytes(compress(PICTURE[:24, :24], 3))


@given(at=st.integers(0, len(DATA) - 1), bit=st.integers(0, 7))
def test_every_flipped_bit_is_noticed(at, bit):
    damaged = bytearray(DATA)
    damaged[at] ^= 1 << bit
    with pytest.raises(ImageReadError):
        from_bytes(bytes(damaged))


@given(length=st.integers(0, len(DATA) - 1))
def test_every_truncation_is_noticed(length):
    with pytest.raises(ImageReadError, match=r"cut off|no \.ctsvd"):
        from_bytes(DATA[:length])


def test_flipped_byte_is_said_to_be_damage():
    damaged = bytearray(DATA)
    damaged[-40] ^= 255
    with pytest.raises(ImageReadError, match="damaged: its checksum is wrong"):
        from_bytes(bytes(damaged))


def _with_header(**changes):
    keys = ("magic", "version", "pixels", "color", "block", "channels")
    names = (*keys, "height", "width", "k", "raw", "packed")
    fields = dict(zip(names, HEADER.unpack_from(DATA), strict=True)) | changes
    header = HEADER.pack(*fields.values())
    return header + struct.pack("<I", zlib.crc32(header)) + DATA[HEADER.size + 4 :]


def test_newer_version_is_named():
    with pytest.raises(ImageReadError, match="version 2, this convtool knows up to 1; update"):
        from_bytes(_with_header(version=2))


@pytest.mark.parametrize(
    "changes",
    [
        {"pixels": 9},
        {"color": 7},
        {"block": 5},
        {"channels": 5},
        {"width": 0},
        {"k": 0},
        {"k": 25},
        {"version": 0},
    ],
)
def test_impossible_header_is_refused(changes):
    with pytest.raises(ImageReadError, match="impossible header"):
        from_bytes(_with_header(**changes))


def test_gigantic_claims_are_refused_before_memory_is_taken():
    with pytest.raises(ImageTooLargeError, match="4294967295×4294967295 pixels are more"):
        from_bytes(_with_header(height=2**32 - 1, width=2**32 - 1))
    with pytest.raises(ImageTooLargeError, match="limit of 100"):
        from_bytes(DATA, max_pixels=100)
    with pytest.raises(ImageReadError, match="claims too much data"):
        from_bytes(_with_header(raw=2**60))
    with pytest.raises(ImageReadError, match="cut off"):
        from_bytes(_with_header(packed=2**60))


def test_data_that_unpacks_to_another_size_is_refused():
    packed = zlib.compress(b"\0" * 20_000_000)
    bomb = _with_header(packed=len(packed))[: HEADER.size + 4]
    with pytest.raises(ImageReadError, match="another size"):
        from_bytes(bomb + packed + struct.pack("<I", zlib.crc32(packed)))
    with pytest.raises(ImageReadError, match="goes on after its end"):
        from_bytes(DATA + b"x")


def test_files_that_are_none_are_named(tmp_path):
    with pytest.raises(ImageReadError, match=r"none\.ctsvd: cannot be read: No such file"):
        svd.load(tmp_path / "none.ctsvd")
    text = tmp_path / "text.ctsvd"
    text.write_text("hello")
    with pytest.raises(ImageReadError, match=r"text\.ctsvd: is no \.ctsvd file"):
        svd.load(text)
    assert not is_compressed(tmp_path / "a.png")


@pytest.mark.parametrize("name", PIXEL_TYPES)
def test_pixels_of_every_type_come_back_in_it(name, rng):
    kind = PIXEL_TYPES[name]
    low, high = (max(kind.low, -900), min(kind.peak, 900)) if kind.is_integer else (0, 1)
    pixels = rng.uniform(low, high, (12, 10)).round(0 if kind.is_integer else 3)
    picture = Image(pixels.astype(kind.dtype), bits=kind.bits)
    again = from_bytes(to_bytes(compress(picture, 10))).image()
    assert again.type == kind
    np.testing.assert_allclose(again.pixels, picture.pixels, atol=2e-3 * high + 0.1 * (high > 1))


@pytest.mark.parametrize(("channels", "has_alpha"), [(2, True), (2, False), (4, False), (9, False)])
def test_bands_and_alpha_are_told_apart(channels, has_alpha, rng):
    pixels = rng.integers(1, 256, (12, 10, channels)).astype(np.uint8)
    data = to_bytes(compress(Image(pixels, has_alpha), 10))
    assert data[10] == (0 if has_alpha else 128)
    again = from_bytes(data).image()
    assert (again.has_alpha, again.channels) == (has_alpha, channels)


def _sealed(raw, **changes):
    """Return a file with other data, of the shape of DATA, and the right checksums."""
    packed = zlib.compress(raw, 9)
    header = _with_header(raw=len(raw), packed=len(packed), **changes)[: HEADER.size + 4]
    return header + packed + struct.pack("<I", zlib.crc32(packed))


RAW = zlib.decompress(DATA[HEADER.size + 4 : -4])


@pytest.mark.parametrize(
    ("precision", "place"),
    [
        (precision, place)
        for precision in PRECISIONS[1:]
        for place in ("unit", "weight", "left", "right")
        if precision != "8bit" or place in ("unit", "weight")  # vectors of integers are finite
    ],
)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_numbers_that_are_not_finite_are_damage(precision, value, place):
    """Each stored number in turn, in each type that it is stored in, with the right checksums."""
    small = compress(PICTURE[:24, :24, 0], 1)
    data = to_bytes(small, precision=precision)
    raw = bytearray(zlib.decompress(data[HEADER.size + 4 : -4]))
    entry = {"8bit": "b", "float16": "e", "float32": "f"}[precision]
    weight = "f" if precision == "float32" else "e"
    start = struct.calcsize("<HBf") + struct.calcsize(f"<{weight}")
    layout = {
        "unit": ("<f", 3),
        "weight": (f"<{weight}", 7),
        "left": (f"<{entry}", start + 5 * struct.calcsize(entry)),
        "right": (f"<{entry}", start + 29 * struct.calcsize(entry)),
    }
    form, at = layout[place]
    large = {"<e": 65504.0, "<f": value}[form] if value == 3e38 else value
    struct.pack_into(form, raw, at, large)
    if value == 3e38:
        struct.pack_into("<f", raw, 3, 3.4e38)
    with pytest.raises(ImageReadError, match=r"is damaged: (it holds no finite|its numbers are)"):
        from_bytes(_sealed(bytes(raw), channels=0, k=1))


def test_a_rank_above_k_is_damage():
    raw = bytearray(RAW)
    struct.pack_into("<H", raw, 0, 4)
    with pytest.raises(ImageReadError, match="impossible rank"):
        from_bytes(_sealed(bytes(raw)))


def _bomb(side, k):
    """Return a file of a grey picture whose factors are all zeros."""
    raw = struct.pack("<H", k)
    layer = struct.pack("<Bf", 0, 1.0) + bytes(2 + 2 * side)
    return _sealed(raw + layer * k, channels=0, height=side, width=side, k=k)


def test_factors_take_no_more_memory_than_they_may():
    bomb = _bomb(2000, 1000)
    assert len(bomb) < 40_000
    assert from_bytes(bomb).stored == 0
    needed = len(bomb) + 1000 * (2 * 2000 + 7) + 2 + 4_000_000 * (2 + 12)
    with pytest.raises(ImageTooLargeError, match=r"about 76 MB, .* limit of 50 MB; `max_memory="):
        from_bytes(bomb, max_memory=50_000_000)
    with pytest.raises(ImageTooLargeError, match="about 76 MB"):
        from_bytes(bomb, max_memory=needed)
    assert from_bytes(bomb, max_memory=needed + 1000 * (2 * 2000 * 4 + 8)).k == 1000


def test_the_limits_of_memory_hold_without_an_option(monkeypatch):
    monkeypatch.setattr(fileformat, "UNPACKED", 10**6)
    bomb = _bomb(800, 800)
    with pytest.raises(ImageTooLargeError, match="more than the limit of"):
        from_bytes(bomb)


def test_too_many_bands_are_refused():
    small = compress(Image(np.ones((3, 4, 256), np.uint8)), 1)
    with pytest.raises(OptionError, match="up to 255 channels, the picture has 256"):
        to_bytes(small)
