"""What is converted only when asked: transparency, memory limits, linear light, 32-bit floats."""

import numpy as np
import pytest

from convtool.cli import run
from convtool.cli._file_options import size_of
from convtool.errors import ImageReadError, ImageTooLargeError, OptionError
from convtool.filtering.memory import FilterOptions, filter_image
from convtool.images import light, options
from convtool.images.background import colour_of, flattened
from convtool.images.image import Image
from convtool.images.options import ReadOptions, WriteOptions
from convtool.images.read import load_bytes, read
from convtool.images.write import write


class TestBackground:
    @pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
    def test_values(self, dtype):
        peak = {"uint8": 255, "uint16": 65535}.get(dtype, 1.0)
        row = np.array([[[0, peak / 3, peak, peak], [peak, peak, peak, 0], [0, 0, 0, peak / 5]]])
        image = flattened(Image(row.astype(dtype), True), "#ff0000")
        expected = [[[0, peak / 3, peak], [peak, 0, 0], [peak * 0.8, 0, 0]]]
        assert image.pixels.dtype == dtype
        assert not image.has_alpha
        np.testing.assert_allclose(image.pixels, expected, rtol=1e-6)

    def test_grey_stays_grey_on_grey(self):
        grey = Image(np.array([[[100, 255], [9, 0]]], np.uint8), True)
        assert flattened(grey, "white").pixels.tolist() == [[100, 255]]
        assert flattened(grey, "red").pixels.tolist() == [[[100] * 3, [255, 0, 0]]]
        opaque = Image(np.zeros((2, 2), np.uint8))
        assert flattened(opaque, "red") is opaque

    def test_no_colour(self):
        for text in ("#12345", "whitish", ""):
            with pytest.raises(OptionError, match="is no colour; use #rrggbb or one of black"):
                colour_of(text)

    def test_jpeg_takes_a_transparent_picture_only_so(self, tmp_path, capsys):
        write(tmp_path / "a.png", np.full((8, 8, 4), [9, 8, 7, 0], np.uint8))
        line = ["filter", "-k", "identity", str(tmp_path / "a.png"), str(tmp_path / "b.jpg")]
        for more in ([], ["--dry-run"]):
            assert run([*line, *more]) == 2
            assert "JPEG holds no alpha; write PNG" in capsys.readouterr().err
            assert not (tmp_path / "b.jpg").exists()
        for more in (["--dry-run"], []):
            assert run([*line, "--background", "white", *more]) == 0
        assert read(tmp_path / "b.jpg").pixels.min() == 255
        assert run([*line, "--background", "whitish"]) == 2


class TestLimits:
    def test_megapixels(self, tmp_path, monkeypatch):
        assert options.MAX_PIXELS == 179_000_000
        assert options.LARGE == 89_000_000
        (tmp_path / "a.pgm").write_bytes(b"P5 30000 30000 255\n")
        with pytest.raises(ImageTooLargeError, match="30000×30000 pixels, more than the limit"):
            read(tmp_path / "a.pgm")
        (tmp_path / "b.pgm").write_bytes(b"P5 3 2 255\nabcdef")
        monkeypatch.setattr("convtool.images.limits.LARGE", 5)
        assert read(tmp_path / "b.pgm").notes == (
            "is large: 6e-06 megapixels; `max_pixels=` sets the limit",
        )

    def test_memory(self, tmp_path, capsys):
        write(tmp_path / "a.png", np.zeros((100, 100, 3), np.uint8))
        line = ["filter", "-k", "box", str(tmp_path / "a.png"), str(tmp_path / "b.png")]
        assert run([*line, "--max-memory", "0.4M"]) == 1
        assert (
            "needs about 0.42 MB, more than the limit of 0.4 MB; --max-memory"
            in capsys.readouterr().err
        )
        assert not (tmp_path / "b.png").exists()
        assert run([*line, "--max-memory", "0.5M"]) == 0
        with pytest.raises(ImageTooLargeError, match="needs about"):
            read(tmp_path / "a.png", max_memory=10)

    def test_sizes(self):
        assert [size_of(text) for text in ("7", "2K", "512M", "1.5GB", "1 TiB")] == [
            7,
            2_000,
            512_000_000,
            1_500_000_000,
            1_000_000_000_000,
        ]

    def test_no_size(self, tmp_path, capsys):
        assert run(["filter", "-k", "box", "--max-memory", "lots", "a", "b.png"]) == 2
        assert "not a size such as 512M" in capsys.readouterr().err

    def test_an_endless_file_is_not_read_to_its_end(self, monkeypatch):
        class Endless:
            asked = 0

            def read(self, size=-1):
                assert size >= 0
                self.asked += 1
                return bytes(size)

        class Standard:
            buffer = Endless()

        monkeypatch.setattr("sys.stdin", Standard())
        with pytest.raises(ImageReadError, match="no format"):
            load_bytes("-")
        assert Standard.buffer.asked == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ReadOptions(cmyk="guess"), "cmyk 'guess' is not known; one of profile, naive"),
        (lambda: ReadOptions(orientation="x"), "orientation 'x' is not known"),
        (lambda: WriteOptions(metadata="some"), "metadata 'some' is not known"),
        (lambda: WriteOptions(quality=101), "quality 101: 1 to 100"),
    ],
)
def test_options_that_make_no_sense(make, message):
    with pytest.raises(OptionError, match=message):
        make()


class TestLinear:
    def test_there_and_back(self):
        for dtype in ("uint8", "uint16"):
            peak = float(np.iinfo(dtype).max)
            values = np.arange(int(peak) + 1).astype(dtype)
            back = light.to_encoded(light.to_linear(values, peak), peak)
            np.testing.assert_array_equal(np.rint(back), values)
        floats = np.array([-2.0, -0.01, 0.0, 0.02, 0.5, 1.0, 7.0])
        np.testing.assert_allclose(light.to_encoded(light.to_linear(floats, 1.0), 1.0), floats)

    def test_known_values(self):
        """IEC 61966-2-1: a fifth of the light is code value 124, a half 188."""
        linear = light.to_linear(np.array([124, 188], np.uint8), 255.0) / 255
        np.testing.assert_allclose(linear, [0.2016, 0.5029], atol=1e-4)

    def test_the_mean_of_black_and_white_is_half_the_light(self, tmp_path):
        stripes = np.tile(np.array([0, 255], np.uint8), (4, 8))
        write(tmp_path / "a.png", stripes)
        line = ["filter", "-k", "1x2:0.5,0.5", str(tmp_path / "a.png"), str(tmp_path / "b.png")]
        assert run(line) == 0
        assert read(tmp_path / "b.png").pixels[1, 3] in (127, 128)
        assert run([*line, "--linear"]) == 0
        assert read(tmp_path / "b.png").pixels[1, 3] == 188

    @pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
    def test_the_identity_changes_nothing(self, rng, dtype):
        pixels = rng.uniform(0, 1, (9, 8, 4)) * (np.iinfo(dtype).max if dtype[0] == "u" else 1)
        pixels = pixels.astype(dtype)
        pixels[:, :, 3] = pixels.dtype.type({"uint8": 255, "uint16": 65535}.get(dtype, 1))
        found = filter_image(Image(pixels, True), ["identity"], FilterOptions(linear=True))
        np.testing.assert_allclose(found.image.pixels, pixels, rtol=2e-6)

    def test_the_border_is_light_too(self):
        flat = Image(np.full((3, 3), 100, np.uint8))
        how = FilterOptions(linear=True, border="constant", cval=100)
        assert filter_image(flat, ["box"], how).image.pixels.tolist() == [[100] * 3] * 3

    def test_what_is_light_already_stays(self):
        pixels = np.array([[0.0, 1.0]] * 2, np.float32)
        picture = Image(np.tile(pixels, (1, 4)), format="exr")
        found = filter_image(picture, ["1x2:0.5,0.5"], FilterOptions(linear=True))
        np.testing.assert_allclose(found.image.pixels[0, 3], 0.5)


def test_64_bit_floats_become_32_when_asked(tmp_path, capsys):
    write(tmp_path / "a.tif", np.array([[0.1, 0.2]]))
    line = ["filter", "-k", "identity", str(tmp_path / "a.tif"), str(tmp_path / "b.pfm")]
    assert run(line) == 2
    assert "--depth float32" in capsys.readouterr().err
    assert run([*line, "--depth", "float32"]) == 0
    assert read(tmp_path / "b.pfm").pixels.tolist() == np.array([[0.1, 0.2]], np.float32).tolist()
