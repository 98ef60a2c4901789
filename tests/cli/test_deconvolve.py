"""``convtool deconvolve``: files in and out, the report, what it refuses."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import convtool
from convtool.cli import run
from convtool.images.write import write


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A sharp picture, and a working folder for it."""
    pixels = convtool.read("sample_images/photograph.jpg").pixels[100:220, 200:340]
    monkeypatch.chdir(tmp_path)
    write("sharp.png", pixels)
    return pixels


def blurred(spec, *options, source="sharp.png", target="soft.png"):
    assert run(["filter", "-k", spec, *options, source, target]) == 0
    return target


def reported(capsys, *arguments):
    capsys.readouterr()
    assert run(["deconvolve", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("method", ["wiener", "richardson-lucy"])
@pytest.mark.parametrize("border", ["reflect", "wrap", "zero"])
def test_a_blurred_picture_comes_back(method, border, house, capsys):
    blurred("box:size=5", "--border", border)
    how = ["-k", "box:size=5", "--border", border, "--method", method, "--reference", "sharp.png"]
    report = reported(capsys, *how, "soft.png", "back.png")
    assert report["schema"] == "convtool.deconvolve/1"
    assert report["psnr"] > report["psnr_before"] + 3
    back = convtool.read("back.png").pixels
    assert back.shape == house.shape
    assert back.dtype == np.uint8
    assert report["psnr"] == pytest.approx(convtool.psnr(back, house))
    assert report["psnr_before"] == pytest.approx(
        convtool.psnr(convtool.read("soft.png").pixels, house)
    )
    assert report["border"] == border
    assert report["iterations"] == (30 if method == "richardson-lucy" else None)
    assert 0 < report["lost"] < 1


def test_what_it_prints(house, capsys):
    blurred("gaussian:sigma=2")
    capsys.readouterr()
    arguments = ["-k", "gaussian:sigma=2", "--noise", "1", "--reference", "sharp.png"]
    assert run(["deconvolve", *arguments, "soft.png", "back.png"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("back.png: wiener, noise 1.041, balance ")
    assert lines[1] == "blurred again it differs from the input by 1.041 (root mean square)"
    assert lines[2].startswith("PSNR ")
    assert lines[3].startswith("lost: ")
    assert "which the kernel attenuated below the noise; at " in lines[3]


@pytest.mark.parametrize(("ending", "depth", "least"), [("png", "16", 45), ("tiff", "float", 45)])
def test_depths(ending, depth, least, house, capsys):
    target = blurred("gaussian:sigma=1", "--depth", depth, target=f"soft.{ending}")
    how = ["-k", "gaussian:sigma=1", "--reference", "sharp.png"]
    report = reported(capsys, *how, target, f"back.{ending}")
    assert report["depth"] == depth
    assert report["psnr"] > least


def test_gray_and_a_page_of_its_own_depth(house, capsys):
    write("gray.png", house[:, :, 1])
    blurred("box", source="gray.png")
    report = reported(capsys, "-k", "box", "--depth", "16", "soft.png", "back.png")
    assert report["shape"] == [120, 140]
    assert report["depth"] == "16"
    assert report["psnr"] is None


@pytest.mark.parametrize("rule", ["premultiply", "keep"])
def test_alpha(rule, house, capsys):
    alpha = np.full((120, 140), 255, np.uint8)
    alpha[30:70, 40:90] = 128
    picture = np.dstack([house, alpha])
    write("icon.png", picture)
    blurred("gaussian", "--alpha", rule, source="icon.png")
    how = ["-k", "gaussian", "--alpha", rule, "--reference", "icon.png"]
    report = reported(capsys, *how, "soft.png", "back.png")
    assert report["psnr"] > report["psnr_before"] + 2
    back = convtool.read("back.png").pixels
    soft = convtool.read("soft.png").pixels
    if rule == "premultiply":
        level = convtool.psnr(soft[:, :, 3], alpha)
        assert convtool.psnr(back[:, :, 3], alpha) > level + 1
    else:
        np.testing.assert_array_equal(back[:, :, 3], alpha)


def test_a_correlated_picture_comes_back_with_correlate(house, capsys):
    kernel = "3x3:3,2,0,2,1,0,0,0,0,normalize=sum"
    blurred(kernel, "--correlate")
    how = ["-k", kernel, "--reference", "sharp.png", "soft.png", "back.png"]
    assert reported(capsys, "--correlate", *how)["psnr"] > reported(capsys, *how)["psnr"] + 5


def test_standard_input_and_output(house, capsysbinary, monkeypatch):
    blurred("box")
    content = Path("soft.png").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    capsysbinary.readouterr()
    assert run(["deconvolve", "-k", "box", "-", "-"]) == 0
    assert capsysbinary.readouterr().out.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["-k", "laplacian-4", "--method", "richardson-lucy"], 2, "negative weights and sums to 0"),
        (["-k", "sobel"], 2, "pair"),
        (["-k", "box", "-k", "box"], 2, "one kernel at a time"),
        (["-k", "box", "--iterations", "3"], 2, "iterations are of method richardson-lucy"),
        (["-k", "box", "--noise", "-1"], 2, "noise"),
        (["-k", "box", "--noise", "1", "--balance", "1"], 2, "leave the noise out"),
        (
            ["-k", "box", "--reference", "small.png"],
            1,
            "the reference is a picture of (3, 4), sharp.png has (120, 140, 3)",
        ),
        (["-k", "box", "--reference", "none.png"], 1, "none.png"),
        (["-k", "3x3:0,0,0,0,0,0,0,0,0"], 2, "zeros leaves nothing"),
    ],
)
def test_what_cannot_be_is_one_line_and_writes_nothing(arguments, code, says, house, capsys):
    write("small.png", np.zeros((3, 4), np.uint8))
    capsys.readouterr()
    assert run(["deconvolve", *arguments, "sharp.png", "back.png"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("convtool: error: ")
    assert err.count("\n") == 1
    assert says in err
    assert not Path("back.png").exists()


def test_holes_are_refused_with_their_place(tmp_path, capsys):
    hole = np.ones((4, 5), np.float32)
    hole[1, 2] = np.nan
    write(tmp_path / "hole.tiff", hole)
    place = str(tmp_path / "hole.tiff")
    assert run(["deconvolve", "-k", "box", place, str(tmp_path / "back.tiff")]) == 1
    assert "hole.tiff: 1 value is NaN or infinite, the first (nan) at x 2, y 1" in (
        capsys.readouterr().err
    )
