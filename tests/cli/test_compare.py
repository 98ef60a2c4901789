"""``convtool compare``: its numbers, and the exit codes that scripts rely on."""

import json

import numpy as np
import pytest

from convtool.cli import run
from convtool.images.image import Document, Image, Metadata
from convtool.images.read import read, read_document
from convtool.images.write import write
from convtool.records import replace


@pytest.fixture
def pair(tmp_path, rng):
    a = rng.integers(0, 200, (20, 30, 3)).astype(np.uint8)
    b = a.copy()
    b[4, 7, 1] += 50
    paths = [str(tmp_path / name) for name in ("a.png", "b.png")]
    for path, pixels in zip(paths, (a, b), strict=True):
        write(path, pixels)
    return paths


def test_numbers_are_given_over_all_and_by_channel(pair, capsys):
    assert run(["compare", *pair]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["CHANNEL", "MSE", "PSNR", "dB", "SSIM", "LARGEST", "AT"]
    assert lines[1][:3] == ["all", "1.38889", "46.70"]
    assert lines[1][-2:] == ["50", "4,7"]
    assert lines[2] == ["red", "0", "∞", "1.000000", "0", "-"]
    assert lines[3][-2:] == ["50", "4,7"]


def test_report_is_json_without_infinity(pair, capsys):
    assert run(["compare", *pair, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["schema"] == "convtool.compare/1"
    assert report["equal"] is False
    assert [one["channel"] for one in report["channels"]] == ["all", "red", "green", "blue"]
    assert report["channels"][1]["psnr"] is None
    assert report["channels"][0]["where"] == [4, 7]


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (["--max-diff", "50"], 0),
        (["--max-diff", "49"], 1),
        (["--min-psnr", "46"], 0),
        (["--min-psnr", "47"], 1),
        (["--max-diff", "50", "--min-psnr", "47"], 1),
    ],
)
def test_limits_decide_the_exit_code(pair, limits, code, capsys):
    assert run(["compare", *pair, *limits]) == code
    out, err = capsys.readouterr()
    assert out != ""
    assert ("differs" in err) == bool(code)


def test_equal_pictures_pass_any_limit(pair, capsys):
    a = pair[0]
    assert run(["compare", a, a, "--max-diff", "0", "--min-psnr", "1000"]) == 0


def test_difference_is_written_stretched_to_white(pair, tmp_path, capsys):
    target = str(tmp_path / "diff.png")
    assert run(["compare", *pair, "--diff", target]) == 0
    pixels = read(target).pixels
    assert pixels[4, 7].tolist() == [0, 255, 0]
    assert pixels.sum() == 255
    assert f"{target}: differences times 5.1; white is 50" in capsys.readouterr().out


def test_the_scale_of_a_difference_is_reported(pair, tmp_path, capsys):
    target = str(tmp_path / "diff.png")
    assert run(["compare", *pair, "--diff", target, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["diff"] == {"path": target, "white": 50, "factor": 5.1}


def test_the_difference_of_equal_pictures_is_black(pair, tmp_path, capsys):
    target = str(tmp_path / "diff.png")
    assert run(["compare", pair[0], pair[0], "--diff", target]) == 0
    assert read(target).pixels.max() == 0
    assert "differences times 1;" in capsys.readouterr().out


def test_differences_keep_their_proportions(tmp_path, capsys):
    paths = [str(tmp_path / name) for name in ("a.pfm", "b.pfm", "d.pfm")]
    write(paths[0], np.zeros((2, 2), np.float32))
    write(paths[1], np.array([[0.001, -0.002], [np.nan, np.inf]], np.float32))
    assert run(["compare", *paths[:2], "--diff", paths[2]]) == 0
    assert read(paths[2]).pixels[0].tolist() == pytest.approx([0.5, 1.0])
    assert "differences times 500; white is 0.002" in capsys.readouterr().out


def test_pictures_of_different_sizes_fail(pair, tmp_path, capsys):
    other = str(tmp_path / "c.png")
    write(other, np.zeros((5, 6), np.uint8))
    assert run(["compare", pair[0], other]) == 1
    assert "30×20 and 6×5 pixels" in capsys.readouterr().err
    assert run(["compare", pair[0], str(tmp_path / "none.png")]) == 1
    assert "none.png" in capsys.readouterr().err


@pytest.fixture
def stacks(tmp_path, rng):
    """Two stacks of 15 pages that differ on the ninth, by 1000 at row 2, column 3."""
    pages = [rng.integers(0, 60000, (6, 8)).astype(np.uint16) for _ in range(15)]
    others = [page.copy() for page in pages]
    others[8][2, 3] += 1000
    paths = [str(tmp_path / name) for name in ("s1.tif", "s2.tif")]
    for path, stack in zip(paths, (pages, others), strict=True):
        write(path, Document(tuple(map(Image, stack))))
    return paths


def test_all_pages_are_compared(stacks, capsys):
    assert run(["compare", *stacks, "--max-diff", "0", "--json"]) == 1
    out, err = capsys.readouterr()
    assert "the largest difference is 1000 on page 9, the limit 0" in err
    report = json.loads(out)
    error = 1000**2 / (15 * 6 * 8)
    assert (report["pages"], report["peak"], report["equal"]) == (15, 65535, False)
    assert report["psnr"] == pytest.approx(10 * np.log10(65535**2 / error))
    whole = report["channels"][0]
    assert (whole["largest"], whole["page"], whole["where"]) == (1000, 9, [2, 3])
    assert whole["mse"] == pytest.approx(error)
    assert [one["largest"] for one in report["by_page"]] == [0] * 8 + [1000] + [0] * 6


def test_pages_are_said_in_words(stacks, capsys):
    assert run(["compare", *stacks]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[-1] == "PAGE"
    assert lines[1].split()[-3:] == ["1000", "2,3", "9"]
    assert lines[-2:] == ["peak 65535 (white of uint16)", "15 pages compared, 1 of them differ"]


@pytest.mark.parametrize(("page", "code"), [("9", 1), ("8", 0)])
def test_one_page_is_compared_where_it_is_named(stacks, page, code, capsys):
    assert run(["compare", *stacks, "--max-diff", "0", "--page", page, "--json"]) == code
    assert json.loads(capsys.readouterr().out)["pages"] == 1


def test_numbers_of_pages_that_differ_are_an_error(stacks, tmp_path, capsys):
    other = str(tmp_path / "s3.tif")
    write(other, replace(read_document(stacks[0]), pages=read_document(stacks[0]).pages[:14]))
    assert run(["compare", stacks[0], other, "--max-diff", "70000"]) == 1
    assert "s1.tif has 15 pages, " in capsys.readouterr().err


def test_the_difference_of_all_pages_is_written(stacks, tmp_path, capsys):
    target = str(tmp_path / "diff.tif")
    assert run(["compare", *stacks, "--diff", target]) == 0
    sums = [page.pixels.sum() for page in read_document(target).pages]
    assert sums == [0] * 8 + [65535] + [0] * 6


@pytest.mark.parametrize(
    ("low", "high", "given", "peak"),
    [
        (0.0, 250.0, [], 255),
        (0.0, 1.0, [], 1),
        (0.2, 0.4, [], 1),
        (0.0, 100.0, [], 100),
        (-32.0, 96.0, [], 128),
        (0.0, 1000.0, [], 1000),
        (0.0, 250.0, ["--peak", "100"], 100),
        (7.0, 7.0, [], 7),
    ],
)
def test_the_peak_of_floats_is_stated(low, high, given, peak, tmp_path, capsys):
    paths = [str(tmp_path / name) for name in ("a.tif", "b.tif")]
    pixels = np.linspace(low, high, 3000).reshape(50, 60).astype(np.float32)
    step = 2 if high > 2 else 0.01
    for path, values in zip(paths, (pixels, pixels + np.float32(step)), strict=True):
        write(path, values)
    assert run(["compare", *paths, *given, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["peak"] == pytest.approx(peak)
    assert report["psnr"] == pytest.approx(20 * np.log10(peak / step), abs=0.01)
    assert run(["compare", *paths, *given]) == 0
    assert f"peak {peak} (" in capsys.readouterr().out


def test_a_missing_value_is_no_part_of_the_range(tmp_path, capsys):
    path = str(tmp_path / "dem.tif")
    pixels = np.array([[0, 400], [-32767, -100]], np.float32)
    write(path, Image(pixels, metadata=Metadata(nodata=-32767.0)))
    assert run(["compare", path, path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["peak"] == 500


def test_differences_beyond_a_signed_type_are_shrunk_to_it(tmp_path, capsys):
    paths = [str(tmp_path / name) for name in ("a.tif", "b.tif", "d.tif")]
    write(paths[0], Image(np.array([[-30000, 5]], np.int16)))
    write(paths[1], Image(np.array([[30000, 9]], np.int16)))
    assert run(["compare", *paths[:2], "--diff", paths[2]]) == 0
    assert "differences times 0.5461; white is 60000" in capsys.readouterr().out
    assert read(paths[2]).pixels.tolist() == [[32767, 2]]


def test_bands_are_not_compared_with_alpha(tmp_path, capsys):
    paths = [str(tmp_path / name) for name in ("a.tif", "b.tif")]
    pixels = np.full((4, 5, 4), 9, np.uint8)
    for path, has_alpha in zip(paths, (True, False), strict=True):
        write(path, Image(pixels, has_alpha))
    assert run(["compare", *paths]) == 1
    assert "red, green, blue, alpha; band 1, band 2" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--max-diff", "--min-psnr", "--peak"])
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_limit_that_no_difference_exceeds_is_refused(option, value, tmp_path, capsys):
    write(tmp_path / "a.png", np.zeros((2, 2), np.uint8))
    write(tmp_path / "b.png", np.full((2, 2), 255, np.uint8))
    arguments = ["compare", str(tmp_path / "a.png"), str(tmp_path / "b.png"), option, value]
    assert run(arguments) == 2
    assert f"{value} is not a finite number" in capsys.readouterr().err
