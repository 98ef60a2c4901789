"""``convtool compare``: its numbers, and the exit codes that scripts rely on."""

import json

import numpy as np
import pytest

from convtool.cli import run
from convtool.images.read import read
from convtool.images.write import write


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


def test_difference_is_written(pair, tmp_path, capsys):
    target = str(tmp_path / "diff.png")
    assert run(["compare", *pair, "--diff", target]) == 0
    pixels = read(target).pixels
    assert pixels[4, 7].tolist() == [0, 50, 0]
    assert pixels.sum() == 50


def test_pictures_of_different_sizes_fail(pair, tmp_path, capsys):
    other = str(tmp_path / "c.png")
    write(other, np.zeros((5, 6), np.uint8))
    assert run(["compare", pair[0], other]) == 1
    assert "30×20 and 6×5 pixels" in capsys.readouterr().err
    assert run(["compare", pair[0], str(tmp_path / "none.png")]) == 1
    assert "none.png" in capsys.readouterr().err
