"""The reading options of every command: all pages or one by name, CMYK, kinds of pictures."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image as PillowImage

from convtool.cli import root, run
from convtool.images.image import Document, Image, Metadata
from convtool.images.read import read, read_document
from convtool.images.write import write

MODEL = "sample_images/network/digits.safetensors"
READERS = ("compare", "deconvolve", "explain", "filter", "learn", "predict", "svd", "view")
DATASETS = ("evaluate", "gridsearch", "show", "train")
MORE = ("bench", "inspect")
OPTIONS = {"--page", "--cmyk", "--orientation", "--max-pixels", "--max-memory"}


def picture_commands(path):
    """Return a call of each command that takes one page."""
    return {
        "svd": ["svd", path, "--k", "2"],
        "learn": ["learn", path, path, "--size", "1"],
        "explain": ["explain", "--image", path, "--at", "1,1"],
        "predict": ["predict", MODEL, path],
    }


@pytest.fixture
def stack(tmp_path):
    """Three pages of 9×8 pixels, and what is on them."""
    path = str(tmp_path / "stack.tif")
    rng = np.random.default_rng(5)
    pages = [rng.integers(0, 200, (8, 9)).astype(np.uint8) for _ in range(3)]
    write(path, Document(tuple(map(Image, pages))))
    return path, pages


@pytest.fixture
def cmyk(tmp_path):
    path = str(tmp_path / "cmyk.jpg")
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[:, :8, 0], inks[:, 8:, 1] = 200, 180
    PillowImage.fromarray(inks, "CMYK").save(path, quality=95)
    return path


@pytest.mark.parametrize("name", [*READERS, *DATASETS, *MORE])
def test_every_command_that_reads_pictures_knows_the_reading_options(name):
    command = root.get_command(None, name)
    known = {option for one in command.params for option in one.opts}
    assert known >= OPTIONS


@pytest.mark.parametrize("name", ["svd", "learn", "explain", "predict"])
def test_several_pages_are_refused_unless_one_is_named(name, stack, capsys):
    path, _ = stack
    call = picture_commands(path)[name]
    assert run(call) == 1
    assert "has 3 pages or frames, and one is needed; --page N" in capsys.readouterr().err
    assert run([*call, "--page", "4"]) == 1
    assert "has 3 pages, no page 4" in capsys.readouterr().err
    assert run([*call, "--page", "2"]) == 0


def test_the_named_page_is_the_one_that_is_taken(stack, tmp_path, capsys):
    path, pages = stack
    single = str(tmp_path / "second.png")
    write(single, pages[1])
    for name in ("svd", "learn", "explain", "predict"):
        answers = []
        for call in (
            [*picture_commands(path)[name], "--page", "2"],
            picture_commands(single)[name],
        ):
            assert run(call) == 0
            answers.append(capsys.readouterr().out.replace(path, "X").replace(single, "X"))
        assert answers[0] == answers[1]


@pytest.mark.parametrize("name", ["svd", "learn", "explain", "predict", "compare"])
def test_advice_for_cmyk_is_an_option_of_the_command(name, cmyk, capsys):
    call = ["compare", cmyk, cmyk] if name == "compare" else picture_commands(cmyk)[name]
    assert run(call) == 1
    assert "--cmyk naive" in capsys.readouterr().err
    assert run([*call, "--cmyk", "naive"]) == 0
    assert name == "predict" or "became RGB by arithmetic" in capsys.readouterr().err


def test_a_data_set_takes_first_pages_and_says_so(stack, tmp_path, capsys):
    path, _ = stack
    for label in ("one", "two"):
        (tmp_path / "set" / label).mkdir(parents=True)
        for number in range(3):
            shutil.copy(path, tmp_path / "set" / label / f"{number}.tif")
    out = str(tmp_path / "sheet.png")
    call = ["show", str(tmp_path / "set"), "--size", "8x9", "--gray", "-o", out]
    assert run(call) == 0
    assert "several pages, of which the first is taken: " in capsys.readouterr().err
    first = read(out).pixels
    assert run([*call, "--page", "2"]) == 0
    assert "several pages" not in capsys.readouterr().err
    assert (read(out).pixels != first).any()


def test_a_reference_of_several_pages_needs_a_page(stack, tmp_path, capsys):
    path, _ = stack
    call = ["deconvolve", "-k", "identity", "--reference", path, path, str(tmp_path / "out.tif")]
    assert run(call) == 1
    assert "one is needed" in capsys.readouterr().err
    assert run([*call, "--page", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["psnr_before"] is None
    np.testing.assert_allclose(read(tmp_path / "out.tif").pixels, stack[1][2].astype(float), atol=1)


def kinds():
    rng = np.random.default_rng(2)
    whole = rng.integers
    return {
        "int8": Image(whole(-100, 100, (30, 40)).astype(np.int8)),
        "int16": Image(whole(-3000, 3000, (30, 40)).astype(np.int16)),
        "int32": Image(whole(-70000, 70000, (30, 40)).astype(np.int32)),
        "uint32": Image(whole(0, 70000, (30, 40)).astype(np.uint32)),
        "12 bits": Image(whole(0, 4096, (30, 40)).astype(np.uint16), bits=12),
        "bands": Image(whole(0, 256, (30, 40, 5)).astype(np.uint8)),
        "four bands": Image(whole(0, 256, (30, 40, 4)).astype(np.uint8)),
    }


@pytest.fixture(params=kinds())
def kind(request, tmp_path):
    """A file of a kind, and its picture."""
    path, picture = str(tmp_path / "a.tif"), kinds()[request.param]
    write(path, picture)
    return path, picture


def test_all_triples_give_the_picture_back_and_so_does_their_file(kind, tmp_path, capsys):
    path, picture = kind
    out, packed, again = (str(tmp_path / name) for name in ("b.tif", "b.ctsvd", "c.tif"))
    assert run(["svd", path, "--k", "30", "-o", out, "--save", packed]) == 0
    assert run(["svd", packed, "-o", again]) == 0
    for found, most in ((read(out), 0), (read(again), picture.peak / 1e4 + 1)):
        assert (found.type, found.has_alpha) == (picture.type, False)
        difference = found.pixels.astype(np.float64) - picture.pixels
        assert np.abs(difference).max() <= most


def test_differences_are_in_the_units_of_every_type(kind, tmp_path, capsys):
    path, picture = kind
    other, diff = str(tmp_path / "b.tif"), str(tmp_path / "d.tif")
    pixels = picture.pixels.copy()
    pixels[4, 7] = np.where(pixels[4, 7] > 20, pixels[4, 7] - 9, pixels[4, 7] + 9)
    write(other, Image(pixels, bits=picture.bits))
    assert run(["compare", path, other, "--diff", diff, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["channels"][0]["largest"] == 9
    assert report["channels"][0]["where"] == [4, 7]
    assert report["peak"] == picture.peak
    error = 81 / (30 * 40)
    assert report["psnr"] == pytest.approx(10 * np.log10(picture.peak**2 / error))
    assert report["diff"]["white"] == 9
    assert read(diff).pixels.max() == picture.peak
    assert read(diff).type == picture.type


def test_the_kernel_of_every_type_is_found(kind, tmp_path, capsys):
    path, _ = kind
    after = str(tmp_path / "after.tif")
    assert run(["filter", "-k", "1x3:1,2,1,normalize=sum", path, after]) == 0
    assert run(["learn", path, after, "--size", "1x3", "--json"]) == 0
    kernel = json.loads(capsys.readouterr().out)["kernel"]
    np.testing.assert_allclose(np.ravel(kernel), [0.25, 0.5, 0.25], atol=0.01)


def test_the_blur_of_every_type_is_undone(kind, tmp_path, capsys):
    path, picture = kind
    soft, back = str(tmp_path / "soft.tif"), str(tmp_path / "back.tif")
    blur = "3x3:0,1,0,1,12,1,0,1,0,normalize=sum"
    assert run(["filter", "-k", blur, path, soft]) == 0
    assert run(["deconvolve", "-k", blur, soft, back, "--reference", path, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["psnr"] > report["psnr_before"] + 3
    assert read(back).type == picture.type
    difference = read(back).pixels.astype(np.float64) - picture.pixels
    assert np.abs(difference).max() <= 3


def test_a_walk_shows_the_values_of_every_type(kind, capsys):
    path, picture = kind
    call = ["explain", "--image", path, "-k", "identity", "--crop", "2,3,3x4", "--json"]
    if picture.has_bands:
        assert run(call) == 2
        assert f"has {picture.channels} bands, and one plane" in capsys.readouterr().err
        return
    assert run(call) == 0
    output = json.loads(capsys.readouterr().out)["output"]
    np.testing.assert_array_equal(output, picture.pixels[2:5, 3:7])


def test_bands_are_no_picture_for_a_network_or_a_sheet(tmp_path, capsys):
    path = str(tmp_path / "bands.tif")
    write(path, kinds()["four bands"])
    assert run(["predict", MODEL, path]) == 1
    assert "has 4 bands; a network takes grey or colours" in capsys.readouterr().err
    assert run(["svd", path, "--gray", "--k", "2"]) == 2
    assert "the picture has 4 bands" in capsys.readouterr().err
    assert run(["svd", path, "--k", "2,3", "-o", str(tmp_path / "sheet.png")]) == 2
    assert "draws grey or colours" in capsys.readouterr().err
    assert run(["svd", path, "--k", "2", "-o", str(tmp_path / "bands.png")]) == 2
    assert "bands" in capsys.readouterr().err
    assert run(["filter", "-k", path, path, str(tmp_path / "out.tif")]) == 2
    assert "the picture has 4 bands" in capsys.readouterr().err
    assert run(["info", path]) == 0
    assert "4 bands, 8 bits" in capsys.readouterr().out


def test_missing_values_are_refused_where_they_would_spread(tmp_path, capsys):
    path = str(tmp_path / "dem.tif")
    pixels = np.full((20, 30), 100, np.int16)
    pixels[3, 4] = -999
    write(path, Image(pixels, metadata=Metadata(nodata=-999.0)))
    assert read_document(path).pages[0].metadata.nodata == -999
    calls = (
        ["svd", path],
        ["learn", path, path],
        ["deconvolve", "-k", "gaussian", path, str(tmp_path / "out.tif")],
    )
    for call in calls:
        assert run(call) == 1
        assert "1 value is NaN, infinite or nodata, the first (-999) at x 4, y 3" in (
            capsys.readouterr().err
        )


def test_12_bits_are_as_bright_as_8_for_a_network(tmp_path, capsys):
    grey = np.random.default_rng(3).integers(0, 16, (8, 8))
    eight, twelve = str(tmp_path / "8.png"), str(tmp_path / "12.tif")
    write(eight, (grey * 17).astype(np.uint8))
    write(twelve, Image((grey * 273).astype(np.uint16), bits=12))
    assert run(["predict", MODEL, eight, twelve, "--json"]) == 0
    one, other = json.loads(capsys.readouterr().out)["results"]
    assert one["probabilities"] == pytest.approx(other["probabilities"])


@pytest.mark.parametrize("name", ["svd", "compare"])
def test_outputs_that_a_format_cannot_hold_get_no_advice_of_other_commands(name, tmp_path, capsys):
    twelve, alpha = str(tmp_path / "12.tif"), str(tmp_path / "alpha.png")
    write(twelve, Image(np.full((4, 5), 4000, np.uint16), bits=12))
    write(alpha, np.full((4, 5, 4), 200, np.uint8))
    for path, target, says in (
        (twelve, "out.png", "PNG does not hold 1 channel of uint12; write TIFF"),
        (alpha, "out.jpg", "JPEG does not hold 4 channels of uint8; write PNG, TIFF"),
    ):
        out = str(tmp_path / target)
        call = ["svd", path, "-o", out, "--k", "1"]
        assert run(call if name == "svd" else ["compare", path, path, "--diff", out]) == 2
        error = capsys.readouterr().err
        assert says in error
        assert "--" not in error
