"""The advice of the clipping warning, followed: after it nothing is clipped."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from convtool.cli import run
from convtool.images.image import Image
from convtool.images.write import write

COMMANDS = (
    "-k sobel grey8.png",
    "-k sobel rgb16.png",
    "-k sobel --range abs rgb8.png",
    "-k sobel --range offset rgb8.png",
    "-k sobel --linear rgb8.png",
    "-k roberts --gray rgb8.png",
    "-k scharr-vertical grey8.png",
    "-k sobel-vertical --range offset rgb8.png",
    "-k laplacian-8 rgb8.png",
    "-k laplacian-8 --range abs grey8.png",
    "-k laplacian-8 --linear grey8.png",
    "-k laplacian-8 --border constant --cval 300 grey8.png",
    "-k laplacian-8 --bias 20 grey8.png",
    "-k gaussian -k laplacian-8 rgb8.png",
    "-k cross -k sobel rgb8.png",
    "-k kirsch grey8.png",
    "-k compass grey16.png",
    "-k unsharp rgb8.png",
    "-k emboss --stride 2 grey8.png",
    "-k cross rgb8.png",
    "-k cross -k box rgb8.png",
    "-k cross -k unsharp rgb8.png",
    "-k 3x3:1,1,1,1,8,1,1,1,1 grey8.png",
    "-k '3x3:1,1,1, 1,8,1, 1,1,1' --range abs grey16.png",
    "-k box:scale=3 grey8.png",
    "-k cross alpha8.png",
    "-k unsharp alpha8.png",
    "-k laplacian-8 alpha8.png",
    "-k laplacian-8 --alpha keep alpha8.png",
    "-k sobel --depth 8 floats.tif",
    "-k cross --region 2,3,20,20 grey8.png",
    "-k unsharp --channels L rgb8.png",
    "-k laplacian-8 --channels R,G rgb8.png",
    "-k laplacian-8 tiled.tif out.btf",
)
_ALTERNATIVE = re.compile(r"(?:'[^']*'|[^',]|,(?! ))+")
"""What stands between commas that a space follows, but for those in quotes."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write pictures whose neighbours are black and white, the worst that there can be."""
    made, rng = tmp_path_factory.mktemp("advice"), np.random.default_rng(7)

    def random(*channels, dtype="uint8"):
        peak = np.iinfo(dtype).max
        return (rng.integers(0, 2, (40, 50, *channels)) * peak).astype(dtype)

    write(made / "grey8.png", random())
    write(made / "rgb8.png", random(3))
    write(made / "tiled.tif", random(3))
    write(made / "grey16.png", random(dtype="uint16"))
    write(made / "rgb16.png", random(3, dtype="uint16"))
    pixels = random(4)
    pixels[:, :, 3] = rng.integers(0, 256, (40, 50))
    write(made / "alpha8.png", Image(pixels, has_alpha=True))
    write(made / "floats.tif", (rng.random((40, 50)) * 3 - 1).astype(np.float32))
    return made


@pytest.fixture(autouse=True)
def inside(folder, monkeypatch):
    monkeypatch.chdir(folder)


def report_of(words):
    target = words[-1] if words[-1].startswith("out.") else "out.png"
    words = [one for one in words if one != target]
    target = "out.tif" if "float" in words else target
    assert run(["filter", *words, target, "--json", "report.json"]) == 0
    return json.loads(Path("report.json").read_text())


def advice_of(report):
    """Return the alternatives that the warning names."""
    (warning,) = report["warnings"]
    *_, advice = warning.removesuffix(" keeps them").split("; ")
    return [one.strip() for one in _ALTERNATIVE.findall(advice.replace(" or ", ", "))]


def followed(words, advice):
    """Return the words of a command, changed as it is advised."""
    more = shlex.split(advice.replace("(in a TIFF)", ""))
    words = list(words)
    for option in ("-k", "--range", "--depth"):
        if option in more:
            while option in words:
                place = words.index(option)
                del words[place : place + 2]
    return [*more, *words]


@pytest.mark.parametrize("line", COMMANDS)
def test_after_each_advice_nothing_is_clipped(line):
    words = shlex.split(line)
    before = report_of(words)
    assert before["clipped_share"] > 0.05
    advice = advice_of(before)
    assert advice[-1] == "--depth float (in a TIFF)"
    for one in advice:
        after = report_of(followed(words, one))
        assert after["clipped_share"] == 0, one
        assert after["warnings"] == []


def test_edges_are_not_told_to_take_what_changes_nothing():
    advice = advice_of(report_of(["-k", "sobel", "grey8.png"]))
    assert advice == ["-k sobel:scale=1/5", "--range stretch", "--depth float (in a TIFF)"]
    advice = advice_of(report_of(["-k", "laplacian-8", "grey8.png"]))
    assert advice[:2] == [
        "-k laplacian-8:scale=1/8 --range abs",
        "-k laplacian-8:scale=1/16 --range offset",
    ]


def test_a_kernel_with_a_large_sum_is_told_to_be_normalized():
    (warning,) = report_of(["-k", "3x3:1,1,1,1,8,1,1,1,1", "grey8.png"])["warnings"]
    assert "sum to 16; -k 3x3:1,1,1,1,8,1,1,1,1,normalize=sum, --range stretch or" in warning


def test_sharpening_is_told_nothing_that_whitens_and_nothing_of_a_little():
    advice = advice_of(report_of(["-k", "unsharp", "grey8.png"]))
    assert advice == ["--range stretch", "--depth float (in a TIFF)"]
    soft = np.full((40, 50), 120, np.uint8)
    soft[:, 20:] = 250
    write("soft.png", soft)
    report = report_of(["-k", "sharpen-5", "soft.png"])
    assert 0.01 < report["clipped_share"] < 0.05
    assert report["warnings"] == []
    assert report_of(["-k", "sobel-vertical", "soft.png"])["warnings"] != []
