"""``convtool filter --volume`` as a real process: TIFF and Zarr, axes, reports, refusals."""

import json
import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage

from convtool.cli import run
from convtool.filtering import stacks
from convtool.filtering.volume import filter_volume

tifffile = pytest.importorskip("tifffile", reason="tifffile writes the stacks")
zarr = pytest.importorskip("zarr", reason="zarr writes the stores")

SIGMA = (1, 2, 2)
SPEC = "gaussian:sigma=1,2,2"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def process(*arguments):
    """Run the command as users do."""
    command = [sys.executable, "-m", "convtool", "filter", "--volume", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def done(*arguments):
    """Run the command, which must succeed, and return its report."""
    found = process(*arguments, "--json")
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


@pytest.fixture
def refused(capsys):
    """Run the command in this process, where it must fail, and return its only line."""

    def line_of(*arguments):
        assert run(["filter", "--volume", *arguments]) in (1, 2)
        told = capsys.readouterr()
        assert told.out == ""
        (line,) = told.err.splitlines()
        return line

    return line_of


def stack(rng, *shape, dtype=np.uint8):
    """Return some voxels."""
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def smoothed(volume, axes):
    """Return the Gaussian over z, y, x of the axes, rounded as pixels are."""
    sigma = [dict(zip("ZYX", SIGMA, strict=True)).get(axis, 0) for axis in axes]
    return np.rint(ndimage.gaussian_filter(volume.astype(np.float64), sigma))


def test_a_tiff_of_pages_is_filtered_as_one_volume(folder, rng):
    volume = stack(rng, 7, 30, 40)
    tifffile.imwrite("in.tif", volume, photometric="minisblack", resolution=(300, 300))
    report = done("in.tif", "out.tif", "-k", SPEC)
    assert report["output"]["pages"] == 7
    (step,) = report["steps"]
    assert (step["rank"], step["shape"]) == (1, [7, 30, 40, 1])
    made = tifffile.imread("out.tif")
    assert made.dtype == np.uint8
    assert np.abs(made - smoothed(volume, "ZYX")).max() <= 1
    with tifffile.TiffFile("out.tif") as written:
        above, below = written.pages[3].tags["XResolution"].value
        assert above / below == 300


def test_a_dry_run_names_the_engine_that_runs(folder, rng):
    tifffile.imwrite("in.tif", stack(rng, 5, 20, 30), photometric="minisblack")
    planned = done("in.tif", "out.tif", "-k", SPEC, "-k", "laplacian", "--dry-run")
    assert not (folder / "out.tif").exists()
    ran = done("in.tif", "out.tif", "-k", SPEC, "-k", "laplacian")
    chosen = [[(step["engine"], step["rank"]) for step in one["steps"]] for one in (planned, ran)]
    assert chosen[0] == chosen[1]
    explained = process("in.tif", "out.tif", "-k", SPEC, "--explain")
    assert f"kernel 1, {SPEC}: engine {chosen[0][0][0]} (rank 1)" in explained.stderr


def test_colours_are_filtered_each_on_its_own(folder, rng):
    volume = stack(rng, 5, 20, 30, 3)
    tifffile.imwrite("in.tif", volume, photometric="rgb")
    done("in.tif", "out.tif", "-k", SPEC)
    assert np.abs(tifffile.imread("out.tif") - smoothed(volume, "ZYXC")).max() <= 1


def test_pages_along_time_and_channels_are_volumes_of_their_own(folder, rng):
    volume = stack(rng, 2, 6, 3, 20, 30, dtype=np.uint16)
    tifffile.imwrite("in.tif", volume, imagej=True, metadata={"axes": "TZCYX"})
    done("in.tif", "out.tif", "-k", SPEC)
    with tifffile.TiffFile("out.tif") as written:
        assert written.series[0].axes == "TZCYX"
        assert np.abs(written.asarray() - smoothed(volume, "TZCYX")).max() <= 1
    volume = rng.random((2, 6, 20, 30), dtype=np.float32)
    tifffile.imwrite("in.ome.tif", volume, metadata={"axes": "CZYX"})
    done("in.ome.tif", "out.ome.tif", "-k", SPEC)
    with tifffile.TiffFile("out.ome.tif") as written:
        assert written.series[0].axes == "CZYX"
        expected = ndimage.gaussian_filter(volume, (0, *SIGMA))
        np.testing.assert_allclose(written.asarray(), expected, atol=1e-6)


def test_a_zarr_store_is_filtered_along_the_axis_before_rows(folder, rng):
    volume = stack(rng, 2, 6, 20, 30)
    array = zarr.create_array("in.zarr", shape=volume.shape, chunks=(1, 1, 8, 30), dtype="u1")
    array[:] = volume
    report = done("in.zarr", "out.zarr", "-k", SPEC)
    assert report["output"]["pages"] == 12
    made = zarr.open_array("out.zarr", mode="r")
    assert made.chunks == (1, 1, 8, 30)
    assert np.abs(made[:] - smoothed(volume, "CZYX")).max() <= 1


def test_ome_zarr_names_its_axes(folder, rng):
    volume = stack(rng, 5, 2, 20, 30)
    axes = [{"name": "z", "type": "space"}, {"name": "c", "type": "channel"}]
    axes += [{"name": name, "type": "space"} for name in "yx"]
    scale = [{"type": "scale", "scale": [1.0] * 4}]
    level = {"path": "0", "coordinateTransformations": scale}
    group = zarr.create_group("in.ome.zarr")
    ome = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [level]}]}
    group.attrs["ome"] = ome
    array = group.create_array("0", shape=volume.shape, chunks=(1, 1, 20, 30), dtype="u1")
    array[:] = volume
    done("in.ome.zarr", "out.ome.zarr", "-k", SPEC)
    made = zarr.open_group("out.ome.zarr", mode="r")
    assert np.abs(made["0"][:] - smoothed(volume, "ZCYX")).max() <= 1
    names = [axis["name"] for axis in made.attrs["ome"]["multiscales"][0]["axes"]]
    assert names == ["z", "c", "y", "x"]


def test_an_interrupted_store_is_resumed_with_the_volumes_that_are_missing(
    folder, rng, monkeypatch, capsys
):
    volume = stack(rng, 3, 4, 20, 30)
    array = zarr.create_array("in.zarr", shape=volume.shape, chunks=(1, 1, 8, 30), dtype="u1")
    array[:] = volume
    calls = []

    def interrupted(plan, pages):
        calls.append(len(pages))
        if len(calls) == 2:
            raise MemoryError("no room")
        return filter_volume(plan, pages)

    monkeypatch.setattr(stacks, "filter_volume", interrupted)
    command = ["filter", "--volume", "in.zarr", "out.zarr", "-k", SPEC, "--resume"]
    assert run(command) == 1
    assert not (folder / "out.zarr").exists()
    assert run(command) == 0, capsys.readouterr().err
    assert calls == [4] * 4
    made = zarr.open_array("out.zarr", mode="r")
    assert np.abs(made[:] - smoothed(volume, "CZYX")).max() <= 1


def test_tone_is_that_of_pictures(folder, rng):
    volume = stack(rng, 5, 20, 30)
    tifffile.imwrite("in.tif", volume, photometric="minisblack")
    plain = ndimage.convolve(volume.astype(float), np.array([-1.0, 0, 1])[:, None, None])
    kernel = ("-k", "3x1x1:-1,0,1")
    done("in.tif", "float.tif", *kernel, "--depth", "float")
    np.testing.assert_allclose(tifffile.imread("float.tif"), plain / 255, atol=1e-6)
    done("in.tif", "abs.tif", *kernel, "--range", "abs", "--bias", "3", "--correlate")
    expected = np.clip(np.abs(3 - plain), 0, 255)
    np.testing.assert_array_equal(tifffile.imread("abs.tif"), np.rint(expected))
    done("in.tif", "stretch.tif", *kernel, "--range", "stretch", "--depth", "16")
    made = tifffile.imread("stretch.tif")
    assert (made.dtype, made.min(), made.max()) == (np.uint16, 0, 65535)


def test_alpha_stays_where_colours_are_filtered_alone(folder, rng, refused):
    volume = stack(rng, 4, 20, 30, 4)
    tifffile.imwrite("in.tif", volume, photometric="rgb", extrasamples=["unassalpha"])
    line = refused("in.tif", "out.tif", "-k", SPEC)
    assert line.endswith("; --alpha keep filters colours alone")
    done("in.tif", "out.tif", "-k", SPEC, "--alpha", "keep")
    made = tifffile.imread("out.tif")
    np.testing.assert_array_equal(made[..., 3], volume[..., 3])
    assert np.abs(made[..., :3] - smoothed(volume[..., :3], "ZYXC")).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("in.tif", "out.tif", "-k", "nothing"), "no preset 'nothing' of three dimensions"),
        (("in.tif", "out.tif", "-k", "box", "--stride", "2"), "--stride is for pictures, not for"),
        (("in.tif", "out.tif", "-k", "box", "--mode", "full"), "--mode is for pictures, not for"),
        (("in.tif", "out.tif", "-k", "box", "--nan", "fill"), "--nan is for pictures, not for"),
        (("in.tif", "out.tif", "-k", "box", "--page", "2"), "--page picks one page of a volume"),
        (("in.tif", "out.tif", "-k", "box", "--jobs", "2"), "--jobs is for many pictures"),
        (("in.tif", "in.tif", "out.tif", "-k", "box"), "--volume filters one file"),
        (("in.tif", "out.png", "-k", "box"), "out.png"),
        (("one.tif", "out.tif", "-k", "box"), "one.tif: holds one page, no volume"),
        (("mixed.tif", "out.tif", "-k", "box"), "mixed.tif: is no volume: page 2 is 6×5"),
        (("time.tif", "out.tif", "-k", "box"), "its pages lie along t (4), none along z"),
        (("flat.zarr", "out.zarr", "-k", "box"), "flat.zarr: holds one plane, no volume"),
        (("in.tif", "out.tif", "-k", "box", "--max-memory", "20K"), "the limit of 0.02 MB; --max"),
        (("in.tif", "out.tif", "-k", "box", "--engine", "opencv"), "does not filter volumes; use"),
    ],
)
def test_what_is_no_volume_is_refused_in_a_line(folder, rng, refused, arguments, words):
    tifffile.imwrite("in.tif", stack(rng, 4, 20, 30), photometric="minisblack")
    tifffile.imwrite("one.tif", stack(rng, 20, 30))
    with tifffile.TiffWriter("mixed.tif") as writer:
        writer.write(stack(rng, 5, 5))
        writer.write(stack(rng, 6, 5))
    tifffile.imwrite("time.tif", stack(rng, 4, 20, 30), imagej=True, metadata={"axes": "TYX"})
    zarr.create_array("flat.zarr", shape=(8, 9), chunks=(8, 9), dtype="u1")[:] = 1
    line = refused(*arguments)
    assert line.startswith("convtool: error: ")
    assert words in line
    assert not [path.name for path in folder.iterdir() if path.name.startswith("out")]
