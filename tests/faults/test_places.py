"""Places that go away, are closed or lie elsewhere, and clocks that jump: no false success."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from corpus.run import at_once, convtool

from convtool.images.read import read
from convtool.images.write import write
from convtool.nn import modelfile

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}
PIXELS = np.random.default_rng(5).integers(0, 256, (60, 80, 3), np.uint8)
TRAIN = ["train", "digits", "--epochs", "1", "--limit", "60", "--arch", "conv 2 3x3, relu", "--out"]
WRITING = {
    "PNG": ["filter", "-k", "box", "in.tif", "place/out.png"],
    "streamed TIFF": ["filter", "-k", "box", "in.tif", "place/out.btf"],
    "Zarr": ["filter", "-k", "box", "in.tif", "place/out.zarr"],
    "factors": ["svd", "in.tif", "--k", "30", "--save", "place/out.ctsvd"],
    "model": [*TRAIN, "place/out.safetensors"],
}
REMOVING = """
import os, shutil, sys
from convtool.cli import run

def remove(event, arguments):
    if event == sys.argv[1] and any(name in str(arguments[0]) for name in (".convtool-", ".zarr")):
        if os.path.isdir("place"):
            os.rename("place", "elsewhere")

sys.addaudithook(remove)
sys.exit(run(sys.argv[2:]))
"""


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "in.tif", PIXELS)
    return tmp_path


def refused(code, said):
    """Check that one line names the place."""
    lines = said.decode().splitlines()
    assert code == 1, said
    assert len(lines) == 1, said
    assert lines[0].startswith("convtool: error: ")
    assert "place/out" in lines[0]


@pytest.mark.parametrize(
    ("event", "name"), [("open", "PNG"), ("open", "model"), *(("os.rename", n) for n in WRITING)]
)
def test_a_folder_that_is_moved_away_meanwhile(folder, event, name):
    (folder / "place").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", REMOVING, event, *WRITING[name]],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
    )
    refused(done.returncode, done.stderr)
    assert not (folder / "place").exists()


@pytest.mark.parametrize("name", WRITING)
def test_a_file_system_that_is_read_only(folder, small_disk, name):
    place = small_disk(folder / "place", "size=1m")
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    done = convtool(WRITING[name], folder, fork=True)
    refused(done.code, done.said)
    assert os.listdir(place) == []


@pytest.mark.parametrize("name", [name for name in WRITING if name != "PNG"])
def test_a_file_system_that_is_full(folder, small_disk, name):
    place = small_disk(folder / "place", "size=8k")
    done = convtool(WRITING[name], folder, fork=True)
    refused(done.code, done.said)
    assert "No space left on device" in done.said.decode()
    assert [one for one in os.listdir(place) if not one.endswith(".incomplete")] == []


def test_a_link_to_another_file_system_is_followed(folder, small_disk):
    place = small_disk(folder / "place", "size=1m")
    (folder / "out.png").symlink_to(place / "real.png")
    done = convtool(["filter", "-k", "identity", "in.tif", "out.png"], folder, fork=True)
    assert (done.code, done.said) == (0, b"")
    assert (folder / "out.png").is_symlink()
    assert os.listdir(place) == ["real.png"]
    np.testing.assert_array_equal(read(place / "real.png").pixels, PIXELS)


def test_a_clock_that_jumps_between_two_runs(folder):
    (folder / "in").mkdir()
    for number in range(3):
        write(folder / "in" / f"{number}.pgm", PIXELS[:, :, number])
    line = ["filter", "-k", "identity", "--resume", "-r", "in", "out/"]
    assert convtool(line, folder).code == 0
    changed, same = folder / "in" / "0.pgm", folder / "in" / "1.pgm"
    year = 365 * 86400 * 10**9
    written = changed.stat().st_mtime_ns
    write(changed, PIXELS[:, :, 2])
    os.utime(changed, ns=(written - year, written - year))
    os.utime(same, ns=(written + year, written + year))
    os.utime(folder / "out" / "2.pgm", ns=(written + year, written + year))
    done = convtool(line, folder)
    assert done.code == 0
    assert b"2 done before" in done.said
    for number, channel in enumerate((2, 1, 2)):
        np.testing.assert_array_equal(
            read(folder / "out" / f"{number}.pgm").pixels, PIXELS[:, :, channel]
        )


def test_two_trainings_to_one_file_at_once_leave_one_whole_model(folder):
    def line(seed, name):
        return [*TRAIN, name, "--seed", str(seed)]

    def weights(name):
        model = modelfile.load(folder / name)
        return {key: array.tobytes() for key, array in model.parameters().items()}

    alone = at_once([line(1, "1.safetensors"), line(2, "2.safetensors")], folder)
    together = at_once([line(1, "out.safetensors"), line(2, "out.safetensors")], folder)
    assert [ending.code for ending in alone + together] == [0, 0, 0, 0]
    assert weights("out.safetensors") in (weights("1.safetensors"), weights("2.safetensors"))
    models = {f"{name}.safetensors" for name in ("1", "2", "out")}
    assert {path.name for path in folder.iterdir()} == {"in.tif", *models}


def test_ten_first_runs_at_once_with_a_built_library(folder):
    environment = ENVIRONMENT | {"XDG_CACHE_HOME": str(folder / "cache"), "NUMBA_CACHE_DIR": ""}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "convtool", "filter", "-k", "gaussian:sigma=2", "--json", "-",
             "in.tif", f"{number}.png"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for number in range(10)
    ]  # fmt: skip
    said = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0] * 10, said
    assert {err for _, err in said} == {b""}
    assert len({(folder / f"{number}.png").read_bytes() for number in range(10)}) == 1
    steps = [step for out, _ in said for step in json.loads(out)["steps"]]
    assert len({(step["engine"], step["rank"]) for step in steps}) == 1
