"""``convtool filter``: worked values, every option, exit codes, what is printed where."""

import json
import os
import re
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from convtool.cli import run
from convtool.cli.filter import command
from convtool.images import samples
from convtool.images.read import read
from convtool.images.write import write

ROOT = Path(__file__).parents[2]
WORKED = np.array([[94, 50, 221], [98, 109, 50], [49, 213, 91]], np.uint8)
SIX = np.array(
    [
        [4, 1, 2, 9, 8, 6],
        [9, 5, 9, 5, 8, 5],
        [1, 5, 9, 7, 6, 4],
        [2, 9, 8, 3, 7, 1],
        [8, 1, 6, 4, 2, 2],
        [1, 0, 5, 7, 8, 2],
    ],
    np.uint8,
)
MEANS = [
    [5, 5.78, 7, 6.44],
    [6.33, 6.67, 6.89, 5.11],
    [5.44, 5.78, 5.78, 4],
    [4.44, 4.78, 5.56, 4],
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def process(*arguments, stdin=b"", **options):
    """Run the command as users do."""
    command_line = [sys.executable, "-m", "convtool", *map(os.fspath, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command_line, input=stdin, capture_output=True, env=environment, check=False, **options
    )


def filtered(*options, source=WORKED, ending=".tif"):
    """Filter an array in the working folder and return the pixels of the result."""
    write("in.png" if source.dtype.kind == "u" else "in.tif", source)
    name = "in.png" if source.dtype.kind == "u" else "in.tif"
    assert run(["filter", *options, name, f"out{ending}"]) == 0
    return read(f"out{ending}").pixels


class TestWorkedValues:
    def test_convolution_and_correlation(self, folder):
        kernel = "3x3:2,2,1,1,0,-2,-2,2,2"
        write("in.tif", WORKED.astype(np.float64))
        for options, value in (([], 357), (["--correlate"], 1017)):
            assert (
                run(["filter", "-k", kernel, "--mode", "valid", *options, "in.tif", "o.tif"]) == 0
            )
            assert read("o.tif").pixels.tolist() == [[value]]

    def test_two_by_two(self, folder):
        nine = np.arange(1.0, 10).reshape(3, 3)
        pixels = filtered("-k", "2x2:1,0,0,-1", "--mode", "valid", "--correlate", source=nine)
        assert pixels.tolist() == [[-4, -4], [-4, -4]]

    def test_means(self, folder):
        source = SIX.astype(np.float32)
        valid = filtered("-k", "box", "--mode", "valid", source=source)
        np.testing.assert_allclose(valid, MEANS, atol=0.005)
        same = filtered("-k", "box", "--border", "zero", source=source)
        assert same.shape == (6, 6)
        np.testing.assert_allclose(same[1:-1, 1:-1], MEANS, atol=0.005)
        assert float(same[0, 0]) == pytest.approx(19 / 9, rel=1e-6)

    def test_padding_and_stride(self, folder):
        padded = filtered("-k", "box", "--padding", "1", "--stride", "2,3", source=SIX)
        np.testing.assert_array_equal(padded, filtered("-k", "box", source=SIX)[::2, ::3])
        assert filtered("-k", "box", "--padding", "0,2", source=SIX).shape == (4, 8)

    def test_ranges(self, folder):
        grey = np.array([[50, 100]], np.uint8)
        minus = {"clip": [0, 0], "abs": [50, 100], "offset": [78, 28], "stretch": [255, 0]}
        for name, values in minus.items():
            pixels = filtered("-k", "1x1:-1", "--range", name, source=grey, ending=".png")
            assert pixels.tolist() == [values]

    def test_depths(self, folder):
        for depth, values in (("keep", [50, 200]), ("16", [12850, 51400]), ("8", [50, 200])):
            source = np.array([[50, 200]], np.uint8)
            assert filtered("-k", "identity", "--depth", depth, source=source).tolist() == [values]
        floats = filtered("-k", "identity", "--depth", "float", source=source)
        np.testing.assert_allclose(floats, [[50 / 255, 200 / 255]], rtol=1e-6)

    def test_bias_cval_gray_and_alpha(self, folder):
        grey = np.full((3, 3), 10, np.uint8)
        assert filtered("-k", "identity", "--bias", "-3", source=grey)[0, 0] == 7
        edges = filtered("-k", "box", "--border", "constant", "--cval", "100", source=grey)
        assert edges[0, 0] == round((4 * 10 + 5 * 100) / 9)
        colour = np.full((2, 2, 3), [255, 0, 0], np.uint8)
        assert filtered("-k", "identity", "--gray", source=colour).tolist() == [[76, 76]] * 2
        clear = np.full((2, 2, 4), [9, 8, 7, 0], np.uint8)
        kept = filtered("-k", "box", "--alpha", "keep", source=clear)
        np.testing.assert_array_equal(kept, clear)
        assert filtered("-k", "box", source=clear).max() == 0

    @pytest.mark.parametrize("engine", ["direct", "separable", "fft", "opencv", "scipy"])
    @pytest.mark.parametrize("threads", ["1", "2"])
    def test_engines_agree(self, folder, engine, threads):
        write("in.png", samples.load("siemens-star")[200:260, 200:280])
        assert run(["filter", "-k", "gaussian:sigma=1.5", "in.png", "auto.png"]) == 0
        options = ["--engine", engine, "--threads", threads]
        assert run(["filter", "-k", "gaussian:sigma=1.5", *options, "in.png", "one.png"]) == 0
        difference = read("auto.png").pixels.astype(int) - read("one.png").pixels
        assert np.abs(difference).max() <= 1
        assert np.mean(difference != 0) < 0.01


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("a.jpg", "b.png"),
        ("a.png", "b.jpg"),
        ("a.webp", "b.tif"),
        ("a.bmp", "b.webp"),
        ("a.ppm", "b.bmp"),
        ("a.tif", "b.ppm"),
        ("a.pam", "b.pnm"),
    ],
)
def test_every_format_on_both_sides(folder, source, target):
    write(source, np.full((20, 30, 3), [10, 100, 200], np.uint8))
    assert run(["filter", "--kernel", "box", source, target]) == 0
    pixels = read(target).pixels
    assert pixels.shape == (20, 30, 3)
    assert np.abs(pixels.astype(int) - [10, 100, 200]).max() <= 2


def test_in_and_out_may_be_one_file(folder):
    write("a.png", SIX)
    assert run(["filter", "-k", "box", "a.png", "b.png"]) == 0
    assert run(["filter", "-k", "box", "a.png", "a.png"]) == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    assert sorted(os.listdir()) == ["a.png", "b.png"]


class TestStreams:
    def test_stdin_to_stdout_keeps_the_format(self, folder):
        write("a.tif", SIX)
        done = process("filter", "-k", "box", "-", "-", stdin=Path("a.tif").read_bytes())
        assert (done.returncode, done.stderr) == (0, b"")
        Path("b").write_bytes(done.stdout)
        assert read("b").format == "tiff"
        np.testing.assert_array_equal(read("b").pixels, filtered("-k", "box", source=SIX))

    def test_bad_stdin(self, folder):
        done = process("filter", "-k", "box", "-", "out.png", stdin=b"nonsense")
        assert done.returncode == 1
        assert done.stdout == b""
        assert done.stderr.startswith(b"convtool: error: standard input: is of no format")
        assert os.listdir() == []

    def test_stdout_is_empty_and_warnings_go_to_stderr(self, folder, capsys):
        write("a.png", SIX * 25)
        assert run(["filter", "-k", "laplacian-8", "a.png", "b.png"]) == 0
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("convtool: warning: ")
        assert "% of the values were outside" in err
        assert len(err.splitlines()) == 1

    def test_explain(self, folder, capsys):
        write("a.png", SIX)
        line = ["filter", "-k", "box", "-k", "sobel", "--explain", "--engine", "direct"]
        assert run([*line, "a.png", "b.png"]) == 0
        out, err = capsys.readouterr()
        assert out == ""
        assert "kernel 1, box: engine direct: asked for" in err
        assert "kernel 2, sobel: engine direct" in err
        assert "would take: " in err
        assert re.search(r"^kernel 2, sobel: took \S+ m?s, expected \S+ m?s$", err, re.MULTILINE)

    def test_dry_run_checks_and_writes_nothing(self, folder, capsys):
        write("a.png", np.dstack([SIX] * 4))
        line = ["filter", "-k", "box", "--dry-run", "--stride", "2", "--depth", "16"]
        assert run([*line, "a.png", "b.png"]) == 0
        assert capsys.readouterr() == (
            "",
            "would write b.png: PNG, 3×3 (width × height), 4 channels, depth 16\n",
        )
        assert run([*line, "a.png", "b.jpg"]) == 2
        assert run([*line, "a.png", "no/b.png"]) == 1
        assert run([*line, "missing.png", "b.png"]) == 1
        assert os.listdir() == ["a.png"]


class TestJson:
    def test_report(self, folder, capsys):
        write("a.png", SIX)
        line = ["filter", "-k", "box:size=5", "-k", "disk", "a.png", "b.tif"]
        assert run([*line, "--json"]) == 0
        out, _ = capsys.readouterr()
        report = json.loads(out)
        assert report["schema"] == "convtool.filter/1"
        kind = {"format": "png", "shape": [6, 6], "depth": "8", "pages": 1}
        assert report["input"] == {"path": "a.png"} | kind
        assert report["output"]["format"] == "tiff"
        assert report["output"]["shape"] == [6, 6]
        assert [step["kernel"] for step in report["steps"]] == ["box:size=5", "disk"]
        for step in report["steps"]:
            assert set(step) == {"kernel", "engine", "rank", "costs", "reason", "shape", "seconds"}
            assert step["seconds"] > 0
            assert step["engine"] in step["costs"]
        assert 0 <= report["clipped_share"] <= 1
        assert report["warnings"] == []
        assert report["seconds"] > 0

    def test_into_a_file(self, folder, capsys):
        write("a.png", SIX)
        line = ["filter", "-k", "box", "--json", "report.json", "a.png", "b.png"]
        assert run(line) == 0
        assert capsys.readouterr().out == ""
        assert json.loads(Path("report.json").read_text())["output"]["path"] == "b.png"

    def test_of_a_dry_run(self, folder, capsys):
        write("a.png", SIX)
        assert run(["filter", "-k", "box", "--dry-run", "a.png", "b.png", "--json"]) == 0
        report = json.loads(capsys.readouterr().out)
        assert report["dry_run"] is True
        assert report["input"]["shape"] == [6, 6]

    def test_not_beside_the_picture_on_stdout(self, folder, capsys):
        write("a.png", SIX)
        assert run(["filter", "-k", "box", "a.png", "-", "--json"]) == 2
        assert "cannot both go to stdout" in capsys.readouterr().err


BAD = {
    "no kernel": (["in.png", "out.png"], 2, "--kernel"),
    "unknown preset": (["-k", "gausian", "in.png", "out.png"], 2, "did you mean gaussian"),
    "nan kernel": (["-k", "1x2:nan,1", "in.png", "out.png"], 2, "nan"),
    "stride 0": (["-k", "box", "--stride", "0", "in.png", "out.png"], 2, "stride must be at least"),
    "stride x": (
        ["-k", "box", "--stride", "a,b", "in.png", "out.png"],
        2,
        "neither a whole number",
    ),
    "padding -1": (["-k", "box", "--padding", "-1", "in.png", "out.png"], 2, "padding must be"),
    "bias nan": (["-k", "box", "--bias", "nan", "in.png", "out.png"], 2, "bias must be a finite"),
    "engine": (["-k", "box", "--engine", "gpu", "in.png", "out.png"], 2, "one of auto, direct"),
    "border": (["-k", "box", "--border", "no", "in.png", "out.png"], 2, "'no' is not one of"),
    "no output": (["-k", "box:size=9", "--mode", "valid", "in.png", "out.png"], 1, "no output"),
    "direction": (["-k", "box", "--direction", "in.png", "out.png"], 2, "needs a gradient"),
    "ending": (["-k", "box", "in.png", "out.xyz"], 2, "'.xyz' is the ending of no format"),
    "depth": (["-k", "box", "--depth", "16", "in.png", "out.jpg"], 2, "JPEG holds no 16 bits"),
    "quality": (["-k", "box", "--quality", "9", "in.png", "out.png"], 2, "PNG is lossless"),
    "too large": (["-k", "box", "--max-pixels", "35", "in.png", "out.png"], 1, "limit of 35"),
    "missing": (["-k", "box", "missing.png", "out.png"], 1, "missing.png: there is no such file"),
    "empty": (["-k", "box", "empty.jpg", "out.png"], 1, "empty.jpg: is empty"),
    "text": (["-k", "box", "text.jpg", "out.png"], 1, "text.jpg: is of no format"),
    "cut off": (["-k", "box", "cut.jpg", "out.png"], 1, "cut.jpg: is cut off"),
    "folder in": (["-k", "box", "folder", "out.png"], 1, "folder: is a folder"),
    "folder out": (["-k", "box", "in.png", "folder.png"], 1, "folder.png: is a folder"),
    "no folder": (["-k", "box", "in.png", "no/such/out.png"], 1, "there is no folder"),
    "alpha": (["-k", "box", "alpha.png", "out.jpg"], 2, "JPEG holds no alpha"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_line_and_leaves_nothing(folder, capsys, case):
    write("in.png", SIX)
    write("alpha.png", np.dstack([SIX] * 4))
    write("whole.jpg", SIX)
    Path("cut.jpg").write_bytes(Path("whole.jpg").read_bytes()[:200])
    Path("empty.jpg").touch()
    Path("text.jpg").write_text("not a picture")
    Path("folder").mkdir()
    Path("folder.png").mkdir()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    arguments, code, message = BAD[case]
    assert run(["filter", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("convtool: error: ")
    assert message in err
    assert err.count("\n") == 1
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


class TestProcesses:
    def test_exit_codes(self, folder):
        write("in.png", SIX)
        for name, arguments in (("done", ["in.png", "out.png"]), ("failed", ["x.png", "out.png"])):
            done = process("filter", "-k", "box", *arguments)
            assert (done.returncode, done.stdout) == ({"done": 0, "failed": 1}[name], b"")
            assert done.stderr.count(b"\n") == (name == "failed")

    def test_no_word_of_a_native_library_on_a_damaged_picture(self, folder):
        write("in.jpg", samples.load("checkerboard"))
        data = Path("in.jpg").read_bytes()
        Path("bad.jpg").write_bytes(data[: len(data) // 2] + b"\xff\xd9")
        done = process("filter", "-k", "box", "bad.jpg", "out.png")
        assert done.returncode == 1
        assert done.stderr.startswith(b"convtool: error: bad.jpg: is damaged: ")
        assert done.stderr.count(b"\n") == 1
        assert not Path("out.png").exists()

    def test_a_full_disk_leaves_the_old_file(self, folder):
        write("in.png", samples.load("siemens-star"))
        write("out.png", SIX)

        def little_room():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

        done = process("filter", "-k", "box", "in.png", "out.png", preexec_fn=little_room)
        assert done.returncode == 1
        assert b"out.png: cannot be written" in done.stderr
        np.testing.assert_array_equal(read("out.png").pixels, SIX)
        assert sorted(os.listdir()) == ["in.png", "out.png"]

    def test_start_up_imports_nothing_heavy(self, folder):
        write("in.jpg", np.full((40, 40, 3), 99, np.uint8))
        program = (
            "import sys; from convtool.cli import run;"
            "code = run(['filter', '--kernel', 'sobel', 'in.jpg', 'out.png']);"
            "print(code, *sorted(m for m in sys.modules if '.' not in m))"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            check=True,
        )
        code, *modules = done.stdout.split()
        assert code == "0"
        heavy = {"numba", "scipy", "matplotlib", "PIL", "imageio", "rich", "sklearn"}
        assert heavy.isdisjoint(modules)


def examples():
    """Return the command lines of the help's examples."""
    lines = [line.strip() for line in command.epilog.splitlines()]
    return [line for line in lines if line.startswith("convtool ")]


def test_there_are_examples():
    assert len(examples()) >= 5


@pytest.mark.parametrize("line", examples())
def test_the_examples_of_the_help_run_as_they_stand(folder, line):
    (folder / "sample_images").symlink_to(ROOT / "sample_images")
    program, *arguments = shlex.split(line)
    assert program == "convtool"
    assert run(arguments) == 0
    if arguments[-1].endswith("/"):
        assert len(os.listdir(arguments[-1])) > 3
    elif "--dry-run" not in arguments:
        assert read(arguments[-1]).width >= 512
