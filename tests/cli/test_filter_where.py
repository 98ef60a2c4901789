"""``convtool filter`` on a part of pictures: region, mask, channels, NaN, as users run it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from convtool.cli import run
from convtool.images.image import Document, Image, Metadata
from convtool.images.read import read, read_document
from convtool.images.write import write, write_document

ROOT = Path(__file__).parents[2]
BOX = ["filter", "--kernel", "box"]


@pytest.fixture
def colour(rng):
    return rng.integers(0, 256, (12, 15, 3)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path, monkeypatch, colour):
    """A working folder with a picture and a mask."""
    monkeypatch.chdir(tmp_path)
    write("in.png", colour)
    ramp = np.zeros((12, 15), np.uint16)
    ramp[:, 5:] = np.linspace(0, 65535, 10).astype(np.uint16)
    write("mask.png", ramp)
    return tmp_path


def process(*arguments):
    command = [sys.executable, "-m", "convtool", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, env=environment, check=False, timeout=60)


def test_region_mask_and_channels_together(folder, colour):
    options = ["--region", "3,2,12,6", "--mask", "mask.png", "--channels", "r,B"]
    done = process(*BOX, *options, "in.png", "out.png")
    assert (done.returncode, done.stderr) == (0, b"")
    result = read("out.png").pixels
    assert run([*BOX, "in.png", "whole.png"]) == 0
    whole = read("whole.png").pixels
    stays = np.ones(colour.shape, bool)
    stays[2:8, 6:, ::2] = False
    np.testing.assert_array_equal(result[stays], colour[stays])
    np.testing.assert_array_equal(result[2:8, 14, ::2], whole[2:8, 14, ::2])
    share = read("mask.png").pixels[2:8, 6:, np.newaxis] / 65535
    expected = colour[2:8, 6:, ::2] * (1 - share) + whole[2:8, 6:, ::2] * share
    assert np.abs(result[2:8, 6:, ::2] - expected).max() <= 1.01


def test_the_report_and_the_plan_say_where(folder, capsys):
    options = ["--region", "3,2,100,6", "--mask", "mask.png", "--channels", "R,G"]
    assert run([*BOX, *options, "--explain", "--json", "r.json", "in.png", "o.png"]) == 0
    said = capsys.readouterr().err
    assert "region 6,2,9,6, mask mask.png, channels R,G: computed from 10×8×2 values\n" in said
    assert "reaches out of the picture of 15×12; 3,2,12,6 was filtered" in said
    report = json.loads(Path("r.json").read_text())
    assert report["where"] == {
        "region": [6, 2, 9, 6],
        "mask": "mask.png",
        "channels": ["R", "G"],
        "computed": [10, 8, 2],
    }
    assert report["steps"][0]["shape"] == [8, 10, 2]
    dry = ["--explain", "--dry-run", "--json", "dry.json"]
    assert run([*BOX, *options, *dry, "in.png", "dry.png"]) == 0
    assert json.loads(Path("dry.json").read_text())["where"] == report["where"]
    said = capsys.readouterr().err
    assert "depth 8; filtered: region 6,2,9,6, mask mask.png, channels R,G\n" in said
    assert "computed from 10×8×2 values" in said
    assert "convtool: warning: the region 3,2,100,6 reaches out" in said
    assert not Path("dry.png").exists()
    assert run([*BOX, "--json", "r.json", "in.png", "o.png"]) == 0
    assert json.loads(Path("r.json").read_text())["where"] is None


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--region", "1,2,3"], 2, "'1,2,3' is not a region such as 10,20,300,200"),
        (["--region", "1,2,3,x"], 2, "is not a region such as"),
        (["--region", "1,2,0,4"], 2, "region 1,2,0,4: X,Y,WIDTH,HEIGHT are whole numbers"),
        (["--region", "15,2,3,4"], 1, "in.png: the region 15,2,3,4 lies outside the picture"),
        (["--region", "0,0,3,4", "--stride", "2"], 2, "a stride changes the picture's size"),
        (["--channels", "R", "--mode", "valid"], 2, "mode valid changes the picture's size"),
        (["--mask", "mask.png", "--padding", "1"], 2, "padding changes the picture's size"),
        (["--mask", "none.png"], 1, "none.png: there is no such file"),
        (["--mask", "in.png"], 1, "in.png: a mask is grey, this is in colour"),
        (
            ["--mask", "small.png"],
            1,
            "in.png: small.png: the mask is 4×4 pixels",
        ),
        (["--mask", "-"], 2, "a mask is read from a file, not from standard input"),
        (["--channels", "A"], 2, "in.png: channels 'A': the picture has no alpha"),
        (["--channels", "Q"], 2, "channels 'Q': name some of R, G, B and A"),
    ],
)
@pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=["real", "dry"])
def test_refused_in_one_line(folder, capsys, options, code, words, dry):
    write("small.png", np.full((4, 4), 255, np.uint8))
    assert run([*BOX, *options, *dry, "in.png", "out.png"]) == code
    said = capsys.readouterr().err
    assert said.startswith("convtool: error: ")
    assert said.count("\n") == 1
    assert words in said
    assert not Path("out.png").exists()


def test_all_pages_and_frames(folder, rng):
    frames = [rng.integers(0, 256, (12, 15, 4)).astype(np.uint8) for _ in range(3)]
    pages = tuple(Image(frame, True) for frame in frames)
    write_document("frames.png", Document(pages, durations=(50.0, 60.0, 70.0)))
    write_document("pages.tif", Document(pages))
    for name in ("frames.png", "pages.tif"):
        out = f"out-{name}"
        options = ["--region", "2,3,7,5", "--channels", "G,A", "--mask", "mask.png"]
        assert run([*BOX, *options, name, out]) == 0
        result = read_document(out)
        assert len(result.pages) == 3
        for page, frame in zip(result.pages, frames, strict=True):
            stays = np.ones(frame.shape, bool)
            stays[3:8, 6:9, 1::2] = False
            np.testing.assert_array_equal(page.pixels[stays], frame[stays])
            assert (page.pixels != frame)[..., 1::2].any(axis=(0, 1)).all()


def test_a_turned_picture_and_its_mask(folder, rng):
    exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    stored = rng.integers(0, 256, (15, 12)).astype(np.uint8)
    write("turned.png", Image(stored, metadata=Metadata(exif=exif)))
    assert run([*BOX, "--mask", "mask.png", "turned.png", "out.png"]) == 0
    upright = read("turned.png").pixels
    np.testing.assert_array_equal(read("out.png").pixels[:, :6], upright[:, :6])
    assert (read("out.png").pixels[:, 6:] != upright[:, 6:]).any()


class TestBatch:
    def test_it_applies_to_each_and_one_of_another_size_fails_alone(self, folder, colour):
        Path("many").mkdir()
        write("many/a.png", colour)
        write("many/b.png", colour[:5])
        write("many/c.png", colour[::-1])
        options = ["--mask", "mask.png", "--channels", "L", "--json", "r.json"]
        done = process(*BOX, *options, "many", "out/")
        assert done.returncode == 1
        each = {one["input"]: one for one in json.loads(Path("r.json").read_text())["each"]}
        assert each["many/a.png"]["where"]["region"] == [6, 0, 9, 12]
        assert each["many/b.png"]["status"] == "failed"
        assert (
            b"convtool: error: many/b.png: mask.png: the mask is 15\xc3\x9712 pixels, the picture "
            b"15\xc3\x975; they must be of one size" in done.stderr
        )
        np.testing.assert_array_equal(read("out/a.png").pixels[:, :6], colour[:, :6])
        np.testing.assert_array_equal(read("out/c.png").pixels[:, :6], colour[::-1, :6])
        assert not Path("out/b.png").exists()

    @pytest.mark.slow
    def test_the_journal_knows_options_and_the_mask_s_content(self, folder, colour):
        Path("many").mkdir()
        write("many/a.png", colour)
        journal = [*BOX, "--journal", "j", "--mask", "mask.png", "many", "out/"]
        assert b"1 done;" in process(*journal).stderr
        assert b"1 done before;" in process(*journal).stderr
        for more in (["--region", "0,0,9,9"], ["--channels", "R"], ["--nan", "fill"]):
            assert b"1 done;" in process(*journal[:-2], *more, *journal[-2:]).stderr
        assert b"1 done;" in process(*journal).stderr
        os.rename("mask.png", "same.png")
        renamed = [word.replace("mask.png", "same.png") for word in journal]
        assert b"1 done before;" in process(*renamed).stderr
        write("same.png", read("same.png").pixels // 2)
        assert b"1 done;" in process(*renamed).stderr


class TestNan:
    def test_the_three_rules(self, folder, rng):
        pixels = rng.random((6, 7, 3)).astype(np.float32)
        pixels[2, 3, 1] = np.nan
        pixels[5, 6, 2] = np.inf
        write("holes.tif", pixels)
        done = process(*BOX, "--nan", "refuse", "holes.tif", "out.tif")
        assert done.returncode == 1
        assert done.stderr.decode() == (
            "convtool: error: holes.tif: 2 values are NaN or infinite, the first (nan) at x 3, "
            "y 2, channel G; use --nan fill or keep\n"
        )
        assert not Path("out.tif").exists()
        assert run([*BOX, "--nan", "fill", "holes.tif", "out.tif"]) == 0
        assert np.isfinite(read("out.tif").pixels).all()
        assert run([*BOX, "holes.tif", "out.tif"]) == 0
        assert np.count_nonzero(~np.isfinite(read("out.tif").pixels)) == 9 + 4

    def test_a_page_is_named(self, folder, capsys):
        good = np.zeros((4, 5), np.float32)
        bad = good.copy()
        bad[1, 2] = np.inf
        write_document("pages.tif", Document((Image(good), Image(bad))))
        assert run([*BOX, "--nan", "refuse", "pages.tif", "out.tif"]) == 1
        said = capsys.readouterr().err
        assert "pages.tif, page 2: 1 value is NaN or infinite, the first (inf) at x 2, y 1" in said
