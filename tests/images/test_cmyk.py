"""CMYK: by the file's profile, by arithmetic, or refused; never black by mistake."""

import io
import struct

import numpy as np
import picture_files as make
import profiles
import pytest
from PIL import Image as Pillow

from convtool.cli import run
from convtool.errors import ImageReadError
from convtool.images.read import open_document, read

PAPER, CYAN, BLACK = (0, 0, 0, 0), (255, 0, 0, 0), (0, 0, 0, 255)
AMOUNTS = np.array([[PAPER, CYAN, BLACK]], np.uint8)


def jpeg(amounts, icc=None, adobe=True):
    """Make a CMYK JPEG of blocks of 16 by 16 equal pixels, as Adobe's programs do or without."""
    blocks = np.repeat(np.repeat(amounts, 16, 0), 16, 1)
    picture = Pillow.frombytes("CMYK", blocks.shape[1::-1], np.ascontiguousarray(blocks).tobytes())
    file = io.BytesIO()
    more = {"icc_profile": icc} if icc else {}
    picture.save(file, "JPEG", quality=100, subsampling=0, **more)
    data = file.getvalue()
    if adobe:
        return data
    start = data.index(b"\xff\xee")
    (length,) = struct.unpack_from(">H", data, start + 2)
    return data[:start] + data[start + 2 + length :]


def tiff(amounts, icc=b"", bits=8, **changes):
    tags = {
        256: [amounts.shape[1]],
        257: [amounts.shape[0]],
        258: [bits] * 4,
        259: [1],
        262: [5],
        277: [4],
        278: [amounts.shape[0]],
    }
    stored = amounts.astype("<u2" if bits == 16 else "u1").tobytes()
    if icc:
        tags[34675] = list(struct.unpack(f"<{len(icc) // 4}I", icc))
    return make.tiff(tags | changes, [stored])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cmyk"


class TestJpeg:
    def test_by_its_own_profile(self, path):
        path.write_bytes(jpeg(AMOUNTS, profiles.cmyk()))
        image = read(path)
        assert image.pixels.shape == (16, 48, 3)
        np.testing.assert_allclose(
            image.pixels[8, [8, 24, 40]], [[255] * 3, [119] * 3, [0] * 3], atol=2
        )
        assert image.notes == ("CMYK became sRGB by the file's own profile",)
        assert image.metadata.icc == b""

    def test_without_one_it_is_refused_with_a_way_out(self, path, tmp_path, capsys):
        path.write_bytes(jpeg(AMOUNTS))
        with pytest.raises(ImageReadError, match=r"without a profile .*; `cmyk='naive'` converts"):
            read(path)
        with pytest.raises(ImageReadError, match="without a profile"):
            open_document(path)
        line = ["filter", "-k", "identity", str(path), str(tmp_path / "a.png")]
        assert run(line) == 1
        assert capsys.readouterr().err.count("\n") == 1
        assert not (tmp_path / "a.png").exists()
        assert run([*line[:3], "--cmyk", "naive", *line[3:]]) == 0
        pixels = read(tmp_path / "a.png").pixels[8, [8, 24, 40]]
        np.testing.assert_allclose(pixels, [[255] * 3, [0, 255, 255], [0] * 3], atol=2)
        assert "by arithmetic" in capsys.readouterr().err

    def test_without_adobes_marker_amounts_are_amounts(self, path):
        path.write_bytes(jpeg(AMOUNTS, adobe=False))
        pixels = read(path, cmyk="naive").pixels[8, [8, 24, 40]]
        np.testing.assert_allclose(pixels, [[0] * 3, [0] * 3, [0] * 3], atol=2)
        path.write_bytes(jpeg(255 - AMOUNTS, adobe=False))
        pixels = read(path, cmyk="naive").pixels[8, [8, 24, 40]]
        np.testing.assert_allclose(pixels, [[255] * 3, [0, 255, 255], [0] * 3], atol=2)

    def test_damage_is_refused(self, path):
        whole = jpeg(AMOUNTS, profiles.cmyk())
        for data in (whole[:-20], whole[: len(whole) // 2] + b"\xff\xd9"):
            path.write_bytes(data)
            with pytest.raises(ImageReadError):
                read(path)

    def test_a_profile_that_is_none_is_refused(self, path):
        path.write_bytes(jpeg(AMOUNTS, b"no profile at all, though it is there"))
        with pytest.raises(ImageReadError, match="cannot be used; `cmyk='naive'`"):
            read(path)


class TestTiff:
    def test_by_its_own_profile(self, path):
        icc = profiles.cmyk()
        path.write_bytes(tiff(AMOUNTS, icc + b"\0" * (-len(icc) % 4)))
        assert read(path).pixels[0].tolist() == pytest.approx(
            np.array([[255] * 3, [119] * 3, [0] * 3]), abs=1
        )

    @pytest.mark.parametrize("bits", [8, 16])
    def test_by_arithmetic(self, path, bits):
        scale = 257 if bits == 16 else 1
        path.write_bytes(tiff(AMOUNTS.astype(int) * scale, bits=bits))
        with pytest.raises(ImageReadError, match="`cmyk='naive'`"):
            read(path)
        image = read(path, cmyk="naive")
        assert image.pixels.dtype == f"uint{bits}"
        peak = 255 * scale
        assert image.pixels[0].tolist() == [[peak] * 3, [0, peak, peak], [0] * 3]

    def test_16_bits_with_a_profile_are_refused_with_a_way_out(self, path):
        icc = profiles.cmyk()
        path.write_bytes(tiff(AMOUNTS, icc + b"\0" * (-len(icc) % 4), bits=16))
        with pytest.raises(ImageReadError, match=r"16 bits.*`cmyk='naive'`"):
            read(path)
