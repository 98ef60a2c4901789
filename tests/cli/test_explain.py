"""``convtool explain``: what it prints, and its exit codes."""

import json

import numpy as np
import pytest

import convtool
from convtool.cli import run

IMAGE = "94,50,221;98,109,50;49,213,91"
KERNEL = "3x3:2,2,1,1,0,-2,-2,2,2"
NUMBERS = np.array([[94, 50, 221], [98, 109, 50], [49, 213, 91]], float)


def printed(capsys, *arguments):
    assert run(["explain", *arguments]) == 0
    return capsys.readouterr().out


def test_whole_walk(capsys):
    out = printed(capsys, "--image", IMAGE, "--kernel", KERNEL)
    assert out.count("step ") == 9
    for line in (
        "convolution of 3×3 with 3×3 (width × height), border reflect",
        "   94 │  94   50  221 │ 221",
        "  rows     floor((3 + 2·1 − 3) / 1) + 1 = 3",
        "  188 + 100 − 442 − 196 + 0 + 50 + 49 + 426 + 182 = 357",
        "as a matrix times a vector: output = T · image, T is 9×9, row by row",
        "  T would be, but for the border, a Toeplitz matrix: along each diagonal of each block "
        "stands one weight",
    ):
        assert line in out.splitlines()
    for values in (convtool.convolve(NUMBERS, KERNEL), convtool.correlate(NUMBERS, KERNEL)):
        for value in values.ravel():
            assert f"{value:g}".replace("-", "−") in out


def test_one_pixel(capsys):
    out = printed(capsys, "--image", IMAGE, "--kernel", KERNEL, "--at", "1,1", "--correlate")
    assert out.count("step ") == 1
    assert "= 1017" in out
    assert "  convolution (kernel flipped): 357" in out.splitlines()
    assert "flipped, as it is applied" not in out


def test_pixel_of_a_large_picture_sees_all_of_it(capsys):
    picture = convtool.read("sample_images/siemens-star.png").pixels
    out = printed(capsys, "--image", "sample_images/siemens-star.png", "-k", "box", "--at", "0,511")
    expected = convtool.convolve(picture.astype(float), "box")[0, 511]
    assert f"= {expected:.6g}" in out
    assert "padded image" not in out


def test_kernel_too_large_to_show_is_summed(capsys):
    picture = convtool.read("sample_images/siemens-star.png").pixels
    arguments = ("--image", "sample_images/siemens-star.png", "-k", "box:size=41", "--at", "99,200")
    out = printed(capsys, *arguments)
    expected = convtool.convolve(picture.astype(float), "box:size=41")[99, 200]
    assert f"the sum of 1,681 products, too many to show: {expected:.6g}" in out
    assert max(map(len, out.splitlines())) < 130


@pytest.mark.parametrize(
    ("options", "border", "stride"),
    [
        ([], True, False),
        (["--stride", "2"], True, True),
        (["--border", "zero"], False, False),
        (["--border", "zero", "--stride", "1,2"], False, True),
        (["--mode", "valid"], False, False),
        (["--mode", "full"], False, False),
        (["--padding", "0", "--border", "wrap"], False, False),
    ],
)
def test_what_is_a_toeplitz_matrix_is_called_so(options, border, stride, capsys):
    image = "9,1,2,3,8;3,4,5,4,7;6,7,8,1,6;2,2,1,9,5"
    arguments = ("--image", image, "-k", "2x3:1,2,3,4,5,6", *options)
    out = printed(capsys, *arguments)
    names = [name for name, is_so in (("border", border), ("stride", stride)) if is_so]
    verb = f"would be, but for the {' and the '.join(names)}," if names else "is"
    assert f"  T {verb} a Toeplitz matrix" in out
    told = json.loads(printed(capsys, *arguments, "--json"))
    rows, columns = told["size"]["rows"], told["size"]["columns"]
    blocks = np.array(told["matrix"]).reshape(rows, columns, 4, 5)
    alike = (blocks[1:, :, 1:] == blocks[:-1, :, :-1]).all()
    alike &= (blocks[:, 1:, :, 1:] == blocks[:, :-1, :, :-1]).all()
    assert alike == (not names)


def test_large_picture_is_cut_and_that_is_said(capsys):
    assert run(["explain", "--image", "sample_images/photograph.jpg", "-k", "box"]) == 0
    out, err = capsys.readouterr()
    assert (
        "640×480 pixels (width × height); shown are 6×6 in its middle, from row 237, column 317"
        in err
    )
    assert "convolution of 6×6" in out
    assert "… and 20 more steps" in out


def test_crop(capsys):
    arguments = ("--image", "sample_images/zone-plate.png", "--crop", "10,20,4x5", "--json")
    told = json.loads(printed(capsys, *arguments, "-k", "emboss"))
    picture = convtool.read("sample_images/zone-plate.png").pixels[10:14, 20:25].astype(float)
    assert told["image"] == picture.tolist()
    np.testing.assert_allclose(told["output"], convtool.convolve(picture, "emboss"))


def test_json(capsys):
    arguments = ("--image", IMAGE, "-k", KERNEL, "--padding", "2,1", "--stride", "2", "--json")
    told = json.loads(printed(capsys, *arguments, "--border", "constant", "--cval", "5"))
    how = {"padding": (2, 1), "stride": 2, "border": "constant", "cval": 5}
    np.testing.assert_array_equal(told["convolution"], convtool.convolve(NUMBERS, KERNEL, **how))
    np.testing.assert_array_equal(told["correlation"], convtool.correlate(NUMBERS, KERNEL, **how))
    assert told["output"] == told["convolution"]
    assert told["size"] == {"rows": 3, "columns": 2}
    assert [step["sum"] for step in told["steps"]] == np.ravel(told["output"]).tolist()
    assert told["schema"] == "convtool.explain/1"
    assert np.array(told["padded"]).shape == (7, 5)
    assert np.array(told["matrix"]).shape == (6, 9)


def test_signal(capsys):
    out = printed(capsys, "--image", "1,2,4,8", "-k", "1x2:1,-1", "--mode", "valid")
    assert "rows  " not in out
    assert ["1", "2", "4", "−1", "−2", "−4"] in [line.split() for line in out.splitlines()]


def test_polynomials(capsys):
    out = printed(capsys, "--polynomial", "1,2,3", "4,5")
    assert "(1 + 2x + 3x²) · (4 + 5x)\n  = 4 + 13x + 22x² + 15x³\n" in out
    assert "4  13  22  15" in out
    correlation = np.convolve([1, 2, 3], [5, 4]).tolist()
    assert "  ".join(str(v) for v in correlation[1:]) in out


def test_value_beyond_the_edge_is_a_vector_of_its_own(capsys):
    out = printed(
        capsys, "--image", "1,2", "-k", "1x3:1,1,1", "--border", "constant", "--cval", "9"
    )
    assert "output = T · image + the border's contribution" in out
    assert "1  1  ·  1  +  9  =  12" in out


def test_page_alone(tmp_path, capsys):
    path = tmp_path / "page.html"
    assert printed(capsys, "--html", str(path)) == ""
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "give --image"),
        (["--image", "1,2;3"], 2, "rows of equal length"),
        (["--image", "1,,2"], 2, "--image '1,,2': a number is missing"),
        (["--image", "1 2 3"], 2, "--image '1 2 3': '1 2 3' is not a finite number"),
        (["--polynomial", "1,x", "2"], 2, "--polynomial '1,x': 'x' is not a finite number"),
        (["--polynomial", "1", "2;3"], 2, "separate numbers by commas"),
        (["--image", "missing.png"], 1, "no such file"),
        (["--image", IMAGE, "-k", "sobel", "-k", "box"], 2, "pair of kernels"),
        (["--image", IMAGE, "--at", "3,0"], 2, "rows are 0 to 2"),
        (["--image", IMAGE, "--at", "1"], 2, "not a row and a column"),
        (["--image", IMAGE, "--crop", "1,1,9x9"], 2, "reaches to row 9"),
        (["--image", IMAGE, "--crop", "1,1"], 2, "ROW,COLUMN,HEIGHTxWIDTH"),
        (["--image", IMAGE, "--polynomial", "1", "2"], 2, "excludes --image"),
        (["--polynomial", "1", "2", "--stride", "2", "--correlate"], 2, "--stride, --correlate"),
        (["--image", ""], 2, "--image is empty"),
        (["--image", "1,nan"], 2, "neither rows of finite numbers"),
        (["--image", "1,a;2,3"], 2, "nor an existing picture"),
        (["--image", "1e300,1", "-k", "1x1:1e300"], 1, "beyond the range of float64"),
        (["--at", "0,0", "--html", "x.html"], 2, "--at needs a picture"),
        (["--crop", "0,0,1x1", "--html", "x.html"], 2, "--crop needs a picture"),
        (["--image", IMAGE, "-k", "gaussian:sigma=3", "--html", "x.html"], 2, "up to 9×9"),
        (["--image", IMAGE, "-k", "box:size=9", "--mode", "valid"], 1, "no output is left"),
        (["--html", "missing/page.html"], 1, "cannot write the page"),
        (["--image", IMAGE, "--bias", "nan"], 2, "bias must be a finite number"),
        (["--image", IMAGE, "--bias", "x"], 2, "--bias"),
        (["--image", IMAGE, "--bias", "1e308", "-k", "1x1:1e306"], 1, "beyond the range"),
        (["--image", IMAGE, "-k", "sobel", "--bias", "1"], 2, "give a magnitude"),
        (["--image", IMAGE, "--activation", "swish"], 2, "relu, sigmoid, tanh or leaky:SLOPE"),
        (["--image", IMAGE, "--activation", "relu:2"], 2, "'relu:2' is not known"),
        (["--image", IMAGE, "--activation", "leaky:nan"], 2, "'nan' is not a finite number"),
        (["--image", IMAGE, "--pool", "median:2"], 2, "max:2, average:2 or max:3,stride=2"),
        (["--image", IMAGE, "--pool", "max:0"], 2, "a side has 1 to"),
        (["--image", IMAGE, "--pool", "max:2,stride=0"], 2, "a side has 1 to"),
        (["--image", IMAGE, "--image", IMAGE], 2, "2 images and 1 kernel"),
        (["--image", IMAGE, "-k", "box", "-k", "box"], 2, "1 image and 2 kernels"),
        (["--image", "1,2", "--image", "1;2", *["-k", "box"] * 2], 2, "image 2 has 1×2 pixels"),
        (
            ["--image", IMAGE, "--image", IMAGE, "-k", "box", "-k", "roberts-falling"],
            2,
            "kernel 2 is 2×2, kernel 1 is 3×3",
        ),
        (["--image", IMAGE, "--image", IMAGE, "-k", "sobel"], 2, "explained on one image"),
        (["--image", IMAGE, "--gradient", "1,2;3,4"], 1, "the gradient is 2×2, the output 3×3"),
        (["--image", IMAGE, "--gradient", "1,nan;3,4"], 2, "'nan' is not a finite number"),
        (["--image", IMAGE, "--gradient", "1,2;3"], 2, "--gradient: its rows have 2, 1 numbers"),
        (["--image", IMAGE, "--gradient", ""], 2, "--gradient ''"),
        (["--image", IMAGE, "--gradient", IMAGE, "-k", "sobel"], 2, "a group of kernels"),
        (["--image", "1,1", "--gradient", "1e308,1e308", "-k", "1x1:9"], 1, "gradients are beyond"),
        (["--gradient", "1"], 2, "--gradient needs a picture"),
        (["--spectrum", "--html", "x.html"], 2, "--spectrum needs a picture"),
        (["--image", IMAGE, "--spectrum", "--stride", "2"], 2, "mode same or full with stride 1"),
        (["--image", IMAGE, "--spectrum", "--mode", "valid"], 2, "mode same or full"),
        (["--image", IMAGE, "--spectrum", "-k", "sobel"], 2, "one image with one kernel"),
        (
            ["--image", IMAGE, "--spectrum", "--bias", "1", "--pool", "max:2"],
            2,
            "--spectrum excludes --bias, --pool",
        ),
        (["--polynomial", "1", "2", "--pool", "max:2"], 2, "excludes --pool"),
    ],
)
def test_bad_input_is_said(arguments, code, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["explain", *arguments]) == code
    out, err = capsys.readouterr()
    assert words in err
    assert err.count("\n") == 1
    assert out == ""


def test_pair_of_any_symmetry_is_explained_as_filter_does(capsys, tmp_path):
    pair = [[[1, 2, 0], [0, 0, 0], [0, 0, 3]], [[0, 1, 0], [2, 0, 0], [0, 0, 5]]]
    path = tmp_path / "pair.json"
    path.write_text(json.dumps(pair))
    told = json.loads(printed(capsys, "--image", IMAGE, "-k", str(path), "--json"))
    np.testing.assert_allclose(told["output"], convtool.gradient_magnitude(NUMBERS, pair))
    assert told["operation"] == "correlation"
    assert told["combination"] == "magnitude"
    out = printed(capsys, "--image", IMAGE, "-k", str(path))
    assert "kernel 2: kernel" in out


def test_group_of_eight_kernels(capsys):
    told = json.loads(printed(capsys, "--image", IMAGE, "-k", "kirsch", "--json"))
    sums = np.array([step["sum"] for step in told["steps"]])
    assert sums.shape == (9, 8)
    assert np.ravel(told["output"]).tolist() == sums.max(axis=1).tolist()
    assert "  maximum of " in printed(capsys, "--image", IMAGE, "-k", "kirsch")


def test_activation_and_pooling(capsys):
    arguments = ("--image", IMAGE, "-k", KERNEL, "--bias", "-300")
    arguments += ("--activation", "leaky:0.1", "--pool", "average:2,stride=1")
    told = json.loads(printed(capsys, *arguments, "--json"))
    output = convtool.convolve(NUMBERS, KERNEL) - 300
    activated = np.where(output > 0, output, 0.1 * output)
    np.testing.assert_allclose(told["activated"], activated)
    assert np.array(told["pooled"]).shape == (2, 2)
    assert told["pooled"][1][1] == pytest.approx(activated[1:, 1:].mean())
    out = printed(capsys, *arguments)
    assert "after leaky(z) = z where z > 0, 0.1 · z elsewhere:" in out
    assert "pooling, average of 2×2, stride 1,1, including windows" in out
    one = printed(capsys, *arguments, "--at", "1,1")
    assert "  357 − bias 300 = 57\n  leaky(57) = 57\n" in one


def test_gradient_of_what_comes_out_last_and_of_copied_borders(capsys):
    arguments = ("--image", IMAGE, "-k", KERNEL, "--activation", "relu", "--pool", "max:2")
    out = printed(capsys, *arguments, "--gradient", "1,2;3,4")
    assert "the gradient of the pooled values" in out
    assert "dX, each copy added to the pixel it copies" in out
    strided = printed(
        capsys, "--image", IMAGE, "-k", KERNEL, "--stride", "2", "--gradient", "1,2;3,4"
    )
    assert "(with zeros between, for the stride)" in strided


def test_spectrum_of_a_picture_is_compared_as_a_whole(capsys):
    out = printed(capsys, "--image", "sample_images/siemens-star.png", "-k", "box", "--spectrum")
    picture = convtool.read("sample_images/siemens-star.png").pixels
    assert f"spectrum of the image at frequency 0,0: {picture.sum(dtype=float):.4g}" in out
    assert "They differ in " in out


def test_pictures_too_large_for_a_spectrum_are_refused(capsys, tmp_path):
    path = str(tmp_path / "large.png")
    convtool.write(path, np.zeros((4, 1030), np.uint8))
    page = ["--html", str(tmp_path / "page.html"), "--crop", "0,0,4x200"]
    for options, limit in (([], "1,024×1,024"), (page, "128×128")):
        assert run(["explain", "--image", path, "--spectrum", *options]) == 2
        err = capsys.readouterr().err
        assert limit in err
        assert err.count("\n") == 1
