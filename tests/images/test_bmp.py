"""BMP of every header, depth and compression, told by files that no library made."""

import struct

import numpy as np
import picture_files as make
import pytest

from convtool.errors import ImageReadError
from convtool.images.read import read

PALETTE = bytes([3, 2, 1, 0, 6, 5, 4, 0, 9, 8, 7, 0, 12, 11, 10, 0])
A, B, C, D = [1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]


def bmp(width, height, bits, body, *, compression=0, masks=(), palette=b"", size=40, used=0):
    """Make a file with a header of 40 bytes, or more that hold the masks."""
    info = struct.pack("<IiiHHIIiiII", size, width, height, 1, bits, compression, 0, 0, 0, used, 0)
    info += struct.pack(f"<{len(masks)}I", *masks)
    if size > 40:
        info = info.ljust(size, b"\0")
    start = 14 + len(info) + len(palette)
    head = b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start)
    return head + info + palette + body


def core(width, height, bits, body, palette=b""):
    start = 14 + 12 + len(palette)
    head = b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start)
    return head + struct.pack("<IHHHH", 12, width, height, 1, bits) + palette + body


@pytest.fixture
def reading(tmp_path):
    def go(data):
        (tmp_path / "a.bmp").write_bytes(data)
        return read(tmp_path / "a.bmp")

    return go


def test_the_oldest_header(reading):
    body = bytes([3, 2, 1, 6, 5, 4, 0, 0]) + bytes([9, 8, 7, 12, 11, 10, 0, 0])
    assert reading(core(2, 2, 24, body)).pixels.tolist() == [[C, D], [A, B]]
    palette = b"".join(PALETTE[i : i + 3] for i in (0, 4, 8, 12)).ljust(3 * 16, b"\0")
    assert reading(core(3, 1, 4, bytes([0x21, 0x30, 0, 0]), palette)).pixels.tolist() == [[C, B, D]]


def test_few_bits(reading):
    palette = PALETTE[:8]
    data = bmp(9, 1, 1, bytes([0b01000000, 0b10000000, 0, 0]), palette=palette)
    assert reading(data).pixels.tolist() == [[A, B, A, A, A, A, A, A, B]]
    assert reading(
        bmp(2, 1, 4, bytes([0x12, 0, 0, 0]), palette=PALETTE, used=4)
    ).pixels.tolist() == [[B, C]]


def test_16_bits(reading):
    body = struct.pack("<HH", 0b0_11111_00000_10000, 0b1_00000_11111_00000)
    assert reading(bmp(2, 1, 16, body)).pixels.tolist() == [[[255, 0, 132], [0, 255, 0]]]
    masks = (0xF800, 0x7E0, 0x1F)
    body = struct.pack("<HH", 0b11111_000000_10000, 0b00000_100000_00000)
    expected = [[[255, 0, 132], [0, 130, 0]]]
    for size, more in ((40, ()), (56, (0,))):
        data = bmp(2, 1, 16, body, compression=3, masks=masks + more, size=size)
        assert reading(data).pixels.tolist() == expected


def test_32_bits_with_masks_anywhere(reading):
    body = struct.pack("<I", 0x11223344)
    assert reading(bmp(1, 1, 32, body)).pixels.tolist() == [[[0x22, 0x33, 0x44]]]
    masks = (0xFF, 0xFF00, 0xFF0000, 0xFF000000)
    image = reading(bmp(1, 1, 32, body, compression=3, masks=masks, size=108))
    assert image.pixels.tolist() == [[[0x44, 0x33, 0x22, 0x11]]]
    assert image.has_alpha
    image = reading(bmp(1, -1, 32, body, compression=6, masks=masks))
    assert image.pixels.tolist() == [[[0x44, 0x33, 0x22, 0x11]]]


def test_run_lengths_of_8_bits(reading):
    body = bytes([2, 1, 1, 3, 0, 0, 0, 3, 0, 2, 1, 9, 0, 0, 0, 2, 1, 1, 1, 2, 0, 1])
    body = body.replace(bytes([9]), bytes([0]))
    data = bmp(3, 4, 8, body, compression=1, palette=PALETTE)
    assert reading(data).pixels.tolist() == [[A, C, A], [A, A, A], [A, C, B], [B, B, D]]


def test_run_lengths_of_4_bits(reading):
    body = bytes([5, 0x12, 0, 0, 0, 5, 0x01, 0x23, 0x10, 0, 0, 1])
    data = bmp(5, 2, 4, body, compression=2, palette=PALETTE)
    assert reading(data).pixels.tolist() == [[A, B, C, D, B], [B, C, B, C, B]]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (bmp(3, 1, 8, bytes([5, 1, 0, 1]), compression=1, palette=PALETTE), "leaves the picture"),
        (bmp(3, 1, 8, bytes([0, 0, 1, 1, 0, 1]), compression=1, palette=PALETTE), "leaves"),
        (bmp(3, 1, 8, bytes([3, 1]), compression=1, palette=PALETTE), "run lengths end"),
        (bmp(3, 1, 8, bytes([0, 2, 1]), compression=1, palette=PALETTE), "run lengths end"),
        (bmp(3, 1, 8, bytes([0, 3, 1]), compression=1, palette=PALETTE), "run lengths end"),
        (bmp(9000, 9000, 8, bytes([0, 1]), compression=1, palette=PALETTE), "cut off"),
        (bmp(3, 1, 8, bytes([1, 4, 9, 0]), palette=PALETTE), "not in its palette"),
        (bmp(3, 1, 8, bytes(4)), "no palette"),
        (bmp(3, 1, 24, bytes(12), compression=1), "does not go with 24 bits"),
        (bmp(3, -1, 8, bytes([3, 1, 0, 1]), compression=1, palette=PALETTE), "does not go"),
        (bmp(1, 1, 32, bytes(4), compression=3, masks=(0x3FF, 0xFFC00, 0xFF00000)), "more than 8"),
        (bmp(1, 1, 32, bytes(4), compression=3, masks=(0, 0xFF00, 0xFF)), "no bits"),
        (
            b"BM" + bytes(8) + struct.pack("<I", 20) + bmp(1, 1, 24, bytes(4))[14:],
            "within its header",
        ),
    ],
)
def test_refused(reading, data, message):
    with pytest.raises(ImageReadError, match=message):
        reading(data)


def test_top_down(reading):
    pixels = reading(make.bmp(1, 2, 24, [[3, 2, 1], [6, 5, 4]], top_down=True)).pixels
    np.testing.assert_array_equal(pixels, [[A], [B]])
