"""A picture that a known kernel blurred comes back, from the command line."""

import json
from pathlib import Path

import pytest
from processes import finished

PHOTOGRAPH = str(Path(__file__).parents[2] / "sample_images" / "photograph.jpg")


@pytest.mark.parametrize(
    ("spec", "method", "gain"),
    [
        ("gaussian:sigma=2", "wiener", 2.4),
        ("gaussian:sigma=2", "richardson-lucy", 1.5),
        ("box:size=5", "wiener", 4),
    ],
)
def test_a_blurred_picture_comes_back_and_what_cannot_is_said(spec, method, gain, tmp_path):
    soft, back = str(tmp_path / "soft.png"), str(tmp_path / "back.png")
    assert finished("filter", "-k", spec, PHOTOGRAPH, soft).returncode == 0
    how = ["-k", spec, "--method", method, "--reference", PHOTOGRAPH, soft, back]
    done = finished("deconvolve", *how)
    assert done.returncode == 0, done.stderr
    assert "lost: " in done.stdout.decode()
    report = json.loads(finished("deconvolve", *how, "--json").stdout)
    assert report["psnr"] > report["psnr_before"] + gain
    assert 0 < report["zeros"] < report["lost"] < 1
