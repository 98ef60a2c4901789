"""What ``--dry-run`` and ``--explain`` name is what runs: engine, rank, costs and reason."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from convtool.cli import run
from convtool.convolution import engines
from convtool.convolution import run as convolution_run
from convtool.images.image import Image
from convtool.images.write import write

HEIGHT, WIDTH = 200, 230
COLOURS = {
    "grey8.png": ((), "uint8"),
    "rgb8.png": ((3,), "uint8"),
    "grey16.png": ((), "uint16"),
    "rgb16.png": ((3,), "uint16"),
    "grey.tif": ((), "float32"),
    "rgb.tif": ((3,), "float32"),
    "double.tif": ((), "float64"),
}
WITH_ALPHA = {"clear.png": 0, "opaque.png": 255}
LINES = """
-k box grey8.png out.png
-k box rgb8.png out.jpg
-k box:size=15 rgb8.png out.png
-k box:size=15 rgb.tif out.tif
-k gaussian:sigma=1 grey8.png out.png
-k gaussian:sigma=1 rgb16.png out.png
-k gaussian:sigma=5 rgb8.png out.png
-k gaussian:sigma=5 rgb.tif out.tif
-k gaussian:sigma=5 double.tif out.tif
-k sobel grey8.png out.png
-k sobel rgb8.png out.png
-k sobel:scale=0.25 grey8.png out.png
-k sobel rgb16.png out.png
-k sobel grey.tif out.tif
-k sobel-vertical --range offset grey8.png out.png
-k laplacian-4 grey8.png out.png
-k laplacian-8 rgb8.png out.png
-k laplacian-8 --range abs rgb8.png out.png
-k laplacian-8 --range stretch rgb16.png out.png
-k laplacian-8 double.tif out.tif
-k disk:radius=9 grey8.png out.png
-k disk:radius=9 rgb8.png out.png
-k disk:radius=9 grey16.png out.png
-k disk:radius=9 rgb.tif out.tif
-k dense15.npy grey8.png out.png
-k dense15.npy rgb.tif out.tif
-k dense63.npy grey8.png out.png
-k dense63.npy grey.tif out.tif
-k dense63.npy double.tif out.tif
-k whole15.npy grey8.png out.png
-k whole15.npy grey16.png out.png
-k 1x3:1,0,-1 --range offset grey8.png out.png
-k 2x2:1,2,3,4 --bias 3 grey8.png out.png
-k unsharp rgb8.png out.png
-k emboss grey8.png out.png
-k dense15.npy --depth 16 grey8.png out.png
-k dense15.npy --depth float grey8.png out.tif
-k dense15.npy --depth 8 rgb.tif out.png
-k gaussian:sigma=2 --gray rgb8.png out.png
-k gaussian:sigma=2 --linear rgb8.png out.png
-k gaussian:sigma=2 --linear rgb16.png out.png
-k scharr --direction grey8.png out.png
-k scharr --direction --depth 16 rgb8.png out.png
-k gaussian:sigma=1 -k sobel grey8.png out.png
-k gaussian:sigma=1 -k laplacian-8 -k box --range offset rgb8.png out.png
-k gaussian:sigma=1 -k sobel --direction rgb16.png out.png
-k box:size=5 --mode valid grey8.png out.png
-k box:size=5 --mode full grey8.png out.png
-k dense15.npy --padding 3,4 rgb8.png out.png
-k gaussian:sigma=2 --stride 2 rgb8.png out.png
-k dense15.npy --stride 2,3 grey16.png out.png
-k dense15.npy --border wrap grey8.png out.png
-k dense15.npy --border constant --cval 9 grey8.png out.png
-k box --border constant --cval 300 grey8.png out.png
-k dense15.npy --correlate grey8.png out.png
-k gaussian:sigma=2 --region 20,30,90,80 grey8.png out.png
-k disk:radius=9 --region 20,30,90,80 rgb8.png out.png
-k laplacian-8 --region 20,30,90,80 grey.tif out.tif
-k gaussian:sigma=2 --mask mask.png rgb8.png out.png
-k sobel --mask mask.png grey16.png out.png
-k unsharp --channels L rgb8.png out.png
-k gaussian:sigma=2 --channels R,G rgb8.png out.png
-k gaussian:sigma=2 --channels A clear.png out.png
-k gaussian:sigma=2 --channels R clear.png out.png
-k gaussian:sigma=2 clear.png out.png
-k gaussian:sigma=1 opaque.png out.png
-k dense15.npy clear.png out.png
-k sobel clear.png out.png
-k gaussian:sigma=2 --alpha keep clear.png out.png
-k gaussian:sigma=2 --nan fill holes.tif out.tif
-k gaussian:sigma=2 --nan fill grey.tif out.tif
-k gaussian:sigma=2 --threads 1 rgb8.png out.png
-k dense63.npy --threads 7 rgb8.png out.png
-k gaussian:sigma=2 --engine direct grey8.png out.png
-k gaussian:sigma=2 --engine opencv grey8.png out.png
-k dense15.npy --engine fft grey8.png out.png
-k gaussian:sigma=2 --engine separable:rank=2 grey8.png out.png
-k gaussian:sigma=2 rgb8.png out.btf
-k dense15.npy rgb.tif out.zarr
-k sobel --range stretch grey16.png out.zarr
-k gaussian:sigma=2 clear.png out.btf
""".strip().splitlines()
_EXPLAINED = re.compile(
    r"^kernel \d+, .*?: engine ([\w-]+)(?: \(rank (\d+)\))?: (.*)", re.MULTILINE
)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Write pictures and kernels."""
    folder, rng = tmp_path_factory.mktemp("inputs"), np.random.default_rng(3)
    for name, (channels, dtype) in COLOURS.items():
        peak = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1
        write(folder / name, (rng.random((HEIGHT, WIDTH, *channels)) * peak).astype(dtype))
    write(folder / "mask.png", (rng.random((HEIGHT, WIDTH)) * 255).astype(np.uint8))
    holes = rng.random((HEIGHT, WIDTH)).astype(np.float32)
    holes[50:60, 70] = np.nan
    write(folder / "holes.tif", holes)
    for name, least in WITH_ALPHA.items():
        pixels = rng.integers(0, 256, (HEIGHT, WIDTH, 4), np.uint8)
        pixels[:, :, 3] = np.maximum(pixels[:, :, 3], least)
        write(folder / name, Image(pixels, has_alpha=True))
    for size in (15, 63):
        kernel = rng.random((size, size))
        np.save(folder / f"dense{size}.npy", kernel / kernel.sum())
    np.save(folder / "whole15.npy", rng.integers(-3, 4, (15, 15)))
    return folder


@pytest.fixture(autouse=True)
def working_folder(inputs, tmp_path, monkeypatch):
    """Work beside the inputs' links."""
    for path in inputs.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def prepared(monkeypatch):
    """Return the engines, with their ranks, that are made ready meanwhile."""
    seen, ordinary = set(), engines.load

    def load(name):
        prepare = ordinary(name)
        return lambda job: (seen.add((name, job.rank)), prepare(job))[1]

    convolution_run._remembered.cache_clear()
    monkeypatch.setattr(engines, "load", load)
    return seen


def steps_of(*arguments):
    """Run ``filter`` and return the steps of its report, without the seconds that they took."""
    assert run(["filter", "--json", "report.json", *arguments]) == 0
    report = json.loads(Path("report.json").read_text())
    for step in report["steps"]:
        del step["seconds"]
    return report["steps"]


@pytest.mark.parametrize("line", LINES)
def test_a_dry_run_says_what_a_run_does(line, prepared, capsys):
    words = line.split()
    planned = steps_of("--dry-run", "--explain", *words)
    explained = _EXPLAINED.findall(capsys.readouterr().err)
    assert not prepared
    done = steps_of("--explain", *words)
    assert planned == done
    named = [(step["engine"], step["rank"]) for step in done]
    for said in (explained, _EXPLAINED.findall(capsys.readouterr().err)):
        assert [(engine, int(rank) if rank else None) for engine, rank, _ in said] == named
        assert [reason for *_, reason in said] == [step["reason"] for step in done]
    # Alpha is filtered and holes are filled by other convolutions, which are no steps.
    others = prepared - set(named)
    assert prepared - others == set(named)
    assert not others or any(name in line for name in (*WITH_ALPHA, "--nan fill holes.tif"))


def test_a_batch_says_and_does_what_single_runs_do():
    kernels = ("-k", "gaussian:sigma=1", "-k", "dense15.npy")
    names = sorted(name for name in (*COLOURS, *WITH_ALPHA) if name.endswith(".png"))
    alone = {name: steps_of(*kernels, name, f"alone-{name}") for name in names}
    reports = []
    for more in ([], ["--jobs", "1"], ["--dry-run"]):
        assert run(["filter", *kernels, *names, "out/", *more, "--json", "report.json"]) == 0
        reports.append(json.loads(Path("report.json").read_text()))
    for report in reports:
        assert sorted(one["input"] for one in report["each"]) == names
        for one in report["each"]:
            steps = [step | {"seconds": None} for step in one["steps"]]
            single = [step | {"seconds": None} for step in alone[one["input"]]]
            for step in (*steps, *single):
                del step["costs"], step["reason"]  # of as many threads as there are
            assert steps == single
    assert [one["status"] for one in reports[-1]["each"]] == ["planned"] * len(names)
    assert reports[-1]["dry_run"] is True
    for name in names:
        made, single = (Path(folder, name).read_bytes() for folder in ("out", "."))
        assert Path(f"alone-{name}").read_bytes() == made != single
