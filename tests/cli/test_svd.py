"""``convtool svd``: its report, its files, and its exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from convtool.cli import run
from convtool.images import samples
from convtool.images.image import Image, Metadata
from convtool.images.read import read
from convtool.images.write import write
from convtool.svd.compressed import compress
from convtool.svd.metrics import psnr, ssim


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    write(path, np.ascontiguousarray(samples.load("photograph")[200:280, 100:220]))
    return str(path)


def _json(capsys, *arguments):
    assert run(["svd", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_rows_say_what_the_arithmetic_gives(photo, capsys):
    report = _json(capsys, photo, "--k", "3,20,80", "--gray")
    assert report["schema"] == "convtool.svd/1"
    assert [row["k"] for row in report["rows"]] == [3, 20, 80]
    pixels = read(photo).pixels.astype(np.float64) @ (0.299, 0.587, 0.114)
    values = np.linalg.svd(pixels, compute_uv=False)
    for row in report["rows"]:
        k = row["k"]
        assert row["stored"] == k * (1 + 80 + 120)
        assert row["ratio"] == row["stored"] / pixels.size
        tail = float((values[k:] ** 2).sum())
        assert row["mse"] == pytest.approx(tail / pixels.size, rel=1e-3, abs=1e-6)
        assert row["energy"] == pytest.approx(1 - tail / (values**2).sum(), rel=1e-6)
        if tail:
            assert row["psnr"] == pytest.approx(10 * np.log10(255**2 / row["mse"]))
    small = compress(read(photo), 20, color="gray")
    assert report["rows"][1]["ssim"] == pytest.approx(ssim(pixels, small.values(), 255), abs=1e-5)
    assert report["rows"][2]["psnr"] is None
    assert report["raw_bytes"] == pixels.size
    needed = [
        np.flatnonzero(np.cumsum(values[::-1] ** 2)[::-1] <= 255**2 * pixels.size / 10**e)
        for e in (3, 3.5, 4)
    ]
    assert [report["smallest_k"][level] for level in ("30", "35", "40")] == [
        int(one[0]) for one in needed
    ]


def test_table_has_a_row_for_each_k_and_infinity_as_a_sign(photo, capsys):
    assert run(["svd", photo, "--k", "5,80"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[1].split()[:5] == ["K", "NUMBERS", "RATIO", "PERCENT", "MSE"]
    assert lines[2].split()[:2] == ["5", str(3 * 5 * 201)]
    assert "∞" in lines[3]
    assert lines[4].startswith("smallest k for 30 dB: ")
    assert "better: --joint" in lines[5] or "better: --color" in lines[5]
    assert err == ""


def test_better_colours_are_those_with_the_higher_psnr(photo, capsys):
    choice = _json(capsys, photo, "--k", "10")["better_color"]
    channels = compress(read(photo), 10, color="channels", method="full")
    joint = compress(read(photo), target_ratio=channels.ratio, color="joint", method="full")
    assert choice["channels_psnr"] == pytest.approx(channels.psnr, abs=1e-6)
    assert choice["joint_psnr"] == pytest.approx(joint.psnr, abs=1e-6)
    assert choice["better"] == ("joint" if joint.psnr > channels.psnr else "channels")
    assert _json(capsys, photo, "--k", "10", "--gray")["better_color"] is None


def test_without_a_picture_it_is_the_built_in_one(capsys):
    assert run(["svd", "--k", "5", "--gray"]) == 0
    assert capsys.readouterr().out.startswith("photograph: 640×480×3, 8 bits, grey\n")


def test_default_k_go_as_far_as_the_picture_allows(photo, capsys):
    assert [row["k"] for row in _json(capsys, photo, "--gray")["rows"]] == [5, 10, 20]


def test_targets_choose_k(photo, capsys):
    (row,) = _json(capsys, photo, "--target-psnr", "30", "--gray")["rows"]
    assert row["psnr"] >= 29.99
    (row,) = _json(capsys, photo, "--target-ratio", "0.3")["rows"]
    assert row["ratio"] <= 0.3
    (row,) = _json(capsys, photo, "--energy", "0.999", "--joint")["rows"]
    assert row["energy"] >= 0.999 - 1e-6


def test_file_is_as_long_as_the_report_says_and_comes_back(photo, tmp_path, capsys):
    file, direct, again = (str(tmp_path / name) for name in ("a.ctsvd", "direct.png", "again.png"))
    report = _json(capsys, photo, "--k", "20", "--save", file, "-o", direct)
    assert (tmp_path / "a.ctsvd").stat().st_size == report["rows"][0]["file_bytes"]
    assert run(["svd", file, "-o", again]) == 0
    original, first, second = (read(path).pixels for path in (photo, direct, again))
    assert psnr(original, second) > psnr(original, first) - 0.1
    out, err = capsys.readouterr()
    assert out == ""
    assert "k 20" in err


def test_several_k_make_a_sheet(photo, tmp_path, capsys):
    sheet = tmp_path / "sheet.png"
    assert run(["svd", photo, "--k", "2,10", "-o", str(sheet)]) == 0
    pixels = read(sheet).pixels
    assert pixels.shape[0] * pixels.shape[1] > 3 * 80 * 120


@pytest.mark.parametrize("ks", ["20", "5,20"])
def test_tiles_are_on_the_sheet(ks, photo, tmp_path, capsys):
    sheet = str(tmp_path / "sheet.png")
    report = _json(capsys, photo, "--k", ks, "--compare", "-o", sheet)
    image, cells = read(photo), _cells_of(read(sheet).pixels, 80, 120)
    assert np.array_equal(cells[0][0], image.pixels)
    for i, (row, found) in enumerate(zip(report["rows"], cells[1:], strict=True)):
        levels = [row["psnr"], *(one["points"][i]["psnr"] for one in report["tiles"])]
        assert len(found) == len(levels) == 4
        for level, cell in zip(levels, found, strict=True):
            assert psnr(image.pixels, cell) == pytest.approx(level, abs=0.3)


def _cells_of(sheet, height, width):
    """Return the pictures of a sheet with labels of two lines, row by row."""
    down, lefts = height + 52, range(12, 4 * 232, 232)
    tops = range(12, len(sheet) - height, down)
    return [[sheet[y : y + height, x : x + width] for x in lefts] for y in tops]


def test_pages_and_plots_name_the_file_alone(photo, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert run(["svd", photo, "--k", "2", "--gray", "--html", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert f"<h1>{Path(photo).name}, compressed</h1>" in text
    assert str(Path(photo).parent) not in text


@pytest.mark.slow
def test_plot_and_page_are_written_whole(photo, tmp_path, capsys):
    plot, page = tmp_path / "plot.png", tmp_path / "page.html"
    arguments = ["svd", photo, "--k", "2,10", "--plot", str(plot), "--html", str(page), "--compare"]
    assert run(arguments) == 0
    assert read(plot).width == 1800
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 3
    assert "http" not in text
    out = capsys.readouterr().out
    assert "TILES 8×8 dB" in out


def test_tiles_are_compared_at_the_same_bytes(photo, capsys):
    report = _json(capsys, photo, "--k", "5,20", "--compare", "--gray")
    assert [one["block"] for one in report["tiles"]] == [8, 16, 32]
    for tiles in report["tiles"]:
        for point, row in zip(tiles["points"], report["rows"], strict=True):
            assert point["file_bytes"] <= row["file_bytes"]


def test_plan_is_explained_on_stderr(photo, capsys):
    assert run(["svd", photo, "--k", "5", "--explain", "--method", "gram"]) == 0
    out, err = capsys.readouterr()
    assert "3 × 80×120, k 5: gram: asked for" in err
    assert "would take: " in err
    assert "lanczos" not in out
    assert run(["svd", photo, "--k", "2", "--block", "8", "--explain"]) == 0
    assert "tiles of 8×8" in capsys.readouterr().err


def test_one_pixel_and_one_colour_are_exact(tmp_path, capsys):
    for name, shape in (("pixel.png", (1, 1)), ("colour.png", (30, 40, 3))):
        path = str(tmp_path / name)
        write(path, np.full(shape, 90, np.uint8))
        report = _json(capsys, path, "--k", "1")
        assert report["rows"][0]["psnr"] is None
        assert report["rows"][0]["mse"] == 0
        assert run(["svd", path, "--k", "1"]) == 0
        assert "∞" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--k", "0"], 2, "k 0: a picture of 120×80 pixels allows 1 to 80"),
        (["--k", "-3"], 2, "allows 1 to 80"),
        (["--k", "5,81"], 2, "k 81: a picture of 120×80 pixels allows 1 to 80"),
        (["--k", "ten"], 2, "'ten': give whole numbers, as in 5,10,20"),
        (["--k", "5", "--target-psnr", "30"], 2, "--k and --target-psnr both choose k"),
        (["--energy", "0.9", "--target-ratio", "1"], 2, "both choose k; give one"),
        (["--energy", "2"], 2, "energy 2: give a number above 0 and up to 1"),
        (["--k", "5,6", "--save", "x.ctsvd"], 2, "--save writes one k"),
        (["--k", "5", "--block", "8", "--compare"], 2, "leave --block out"),
        (["--k", "5", "-o", "-", "--json"], 2, "only one result can go to stdout"),
        (["--k", "5", "-o", "x.nonsense"], 2, "x.nonsense"),
        (["--k", "5", "--plot", "none/x.png"], 1, "none"),
    ],
)
def test_impossible_wishes_are_one_line(photo, arguments, code, words, capsys):
    assert run(["svd", photo, *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("convtool: error: ")
    assert words in err
    assert err.count("\n") == 1


def test_damaged_file_is_named(photo, tmp_path, capsys):
    file = tmp_path / "a.ctsvd"
    assert run(["svd", photo, "--k", "5", "--save", str(file)]) == 0
    data = bytearray(file.read_bytes())
    data[100] ^= 1
    file.write_bytes(bytes(data))
    assert run(["svd", str(file), "-o", str(tmp_path / "b.png")]) == 1
    assert "a.ctsvd: is damaged: its checksum is wrong" in capsys.readouterr().err
    assert not (tmp_path / "b.png").exists()
    assert run(["svd", str(file)]) == 2
    assert run(["svd", str(file), "--k", "5", "-o", "b.png"]) == 2


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    "options", [["--k", "1"], ["--target-psnr", "30"], ["--energy", "0.9"], ["--block", "8"]]
)
def test_nan_and_infinity_are_refused_in_one_line(tmp_path, capsys, options, value):
    path = str(tmp_path / "odd.tif")
    pixels = np.random.default_rng(1).random((16, 17)).astype(np.float32)
    pixels[2, 3] = value
    write(path, pixels)
    assert run(["svd", path, *options, "-o", str(tmp_path / "out.png")]) == 1
    assert capsys.readouterr().err == (
        f"convtool: error: {path}: 1 value is NaN or infinite, the first ({value}) at x 3, y 2; "
        "the SVD needs numbers, as 'convtool filter --kernel gaussian --nan fill' gives\n"
    )
    assert not (tmp_path / "out.png").exists()


def test_picture_goes_to_stdout_alone(photo):
    command = [sys.executable, "-m", "convtool", "svd", photo, "--k", "5", "-o", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout.startswith(b"\x89PNG")
    assert done.stderr == b""


def test_colours_under_alpha_0_cost_no_rank(tmp_path, rng, capsys):
    smooth = np.add.outer(np.arange(60), np.arange(80)).astype(np.uint8)
    pixels = np.dstack([smooth] * 3 + [np.full_like(smooth, 255)])
    pixels[:, 40:, 3] = 0
    cleared, hidden = pixels.copy(), pixels.copy()
    cleared[:, 40:] = 0
    hidden[:, 40:, :3] = rng.integers(0, 256, (60, 40, 3))
    reports = []
    for name, picture in (("hidden.png", hidden), ("cleared.png", cleared)):
        path = str(tmp_path / name)
        write(path, picture)
        assert run(["svd", path, "--target-psnr", "50", "-o", path + ".png", "--json"]) == 0
        out, err = capsys.readouterr()
        assert ("colours under alpha 0 are taken as black" in err) == (name == "hidden.png")
        reports.append(json.loads(out)["rows"])
    assert reports[0] == reports[1]
    assert reports[0][0]["k"] == 2
    np.testing.assert_array_equal(
        read(tmp_path / "hidden.png.png").pixels, read(tmp_path / "cleared.png.png").pixels
    )


def test_the_target_follows_the_peak(tmp_path, rng, capsys):
    path, grey = str(tmp_path / "a.tif"), rng.random((30, 40)) * 255
    write(path, grey.astype(np.float32))
    write(tmp_path / "b.tif", (grey / 255).astype(np.float32))
    ks = {}
    for name, given in (("a.tif", []), ("b.tif", []), ("a.tif", ["--peak", "2550"])):
        report = _json(capsys, str(tmp_path / name), "--target-psnr", "20", *given)
        ks[name, *given] = report["rows"][0]["k"]
        assert report["rows"][0]["psnr"] >= 20
        assert report["peak"] == {"a.tif": 255, "b.tif": 1}[name] * (10 if given else 1)
    assert ks["a.tif",] == ks["b.tif",] > ks["a.tif", "--peak", "2550"] == 1
    assert run(["svd", path, "--k", "2"]) == 0
    assert "peak 255 (floats within 0 to 255)" in capsys.readouterr().out


def test_a_picture_keeps_its_metadata(tmp_path, capsys):
    path, out = str(tmp_path / "a.png"), str(tmp_path / "b.png")
    picture = Image(np.full((8, 9), 7, np.uint8), metadata=Metadata(resolution=(300.0, 300.0)))
    write(path, picture)
    assert run(["svd", path, "--k", "1", "-o", out]) == 0
    assert read(out).metadata.resolution == pytest.approx((300, 300), abs=0.01)


def test_gray_says_that_alpha_is_left_out(tmp_path, capsys):
    path, out = str(tmp_path / "a.png"), str(tmp_path / "b.png")
    write(path, np.full((8, 9, 4), 99, np.uint8))
    assert run(["svd", path, "--gray", "--k", "1", "-o", out]) == 0
    assert "--gray leaves alpha out" in capsys.readouterr().err
    assert read(out).pixels.tolist() == [[99] * 9] * 8
