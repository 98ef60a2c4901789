"""Zarr arrays and OME-Zarr images: pixels, chunks, metadata, missing chunks, going on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from convtool.cli import run
from convtool.filtering import execution
from convtool.filtering.memory import FilterOptions, filter_image
from convtool.filtering.strips import job as strips_job
from convtool.images.image import Image, as_image
from convtool.images.stores.zarr_writer import ZarrStore
from convtool.images.write import write

ROOT = Path(__file__).parents[3]
SHAPE = (150, 110)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch, tmp_path):
    """A few rows at a time, in a folder of its own."""
    monkeypatch.setattr(execution, "STEP_BYTES", 1 << 14)
    monkeypatch.chdir(tmp_path)


def _noise(shape, dtype="uint8"):
    rng = np.random.default_rng(3)
    if dtype == "float32":
        return rng.normal(size=shape).astype(np.float32)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def _array(name, pixels, chunks, **how):
    made = zarr.create_array(
        name, shape=pixels.shape, chunks=chunks, dtype=pixels.dtype, **({"zarr_format": 3} | how)
    )
    made[:] = pixels
    return made


def _ome(name, pixels, axes, version=3, **more):
    group = zarr.create_group(name, zarr_format=version)
    made = group.create_array(
        "s0",
        shape=pixels.shape,
        dtype=pixels.dtype,
        chunks=(*(1 for _ in pixels.shape[:-2]), 64, 64),
    )
    made[:] = pixels
    scale = [1.0] * (len(axes) - 2) + [0.5, 0.25]
    image = {
        "axes": [{"name": n, "type": "space" if n in "zyx" else "channel"} for n in axes],
        "datasets": [
            {"path": "s0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}
        ],
        "name": "cells",
    }
    told = {"multiscales": [image], **more}
    group.attrs.update({"ome": told | {"version": "0.5"}} if version == 3 else told)


def _filtered(pixels, *kernels, **options):
    """Filter one plane in memory."""
    return filter_image(as_image(pixels), kernels, FilterOptions(**options)).image.pixels


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [None, 3, 4])
def test_an_array_is_filtered_as_in_memory(version, dtype, channels):
    shape = SHAPE if channels is None else (*SHAPE, channels)
    pixels = _noise(shape, dtype)
    chunks = (32, 48) if channels is None else (32, 48, channels)
    _array("in.zarr", pixels, chunks, zarr_format=version, attributes={"lens": "tessar"})
    line = ["filter", "-k", "gaussian:sigma=2", "-k", "sharpen-5", "--border", "wrap"]
    assert run([*line, "in.zarr", "out.zarr"]) == 0
    found = zarr.open("out.zarr", mode="r")
    expected = _filtered(pixels, "gaussian:sigma=2", "sharpen-5", border="wrap")
    assert np.array_equal(found[:], expected)
    assert found.dtype == dtype
    assert found.chunks == chunks
    assert found.metadata.zarr_format == version
    assert found.attrs.asdict() == {"lens": "tessar"}
    assert found.compressors == zarr.open("in.zarr", mode="r").compressors


def test_shards_stay_shards():
    pixels = _noise(SHAPE)
    _array("in.zarr", pixels, (16, 16), shards=(64, 64))
    assert run(["filter", "-k", "box", "in.zarr", "out.zarr"]) == 0
    found = zarr.open("out.zarr", mode="r")
    assert (found.chunks, found.shards) == ((16, 16), (64, 64))
    assert np.array_equal(found[:], _filtered(pixels, "box"))


@pytest.mark.parametrize("options", [["--range", "stretch"], ["--stride", "2"], ["--mode", "full"]])
def test_every_plane_is_a_picture_of_its_own(options):
    pixels = _noise((2, 3, *SHAPE), "uint16")
    _array("in.zarr", pixels, (1, 2, 64, 64))
    assert run(["filter", "-k", "laplacian-8", *options, "in.zarr", "out.zarr"]) == 0
    found = zarr.open("out.zarr", mode="r")[:]
    how = {options[0][2:]: int(options[1]) if options[1].isdecimal() else options[1]}
    expected = [[_filtered(plane, "laplacian-8", **how) for plane in row] for row in pixels]
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("version", [2, 3])
def test_an_ome_image_keeps_its_metadata(version):
    pixels = _noise((2, *SHAPE), "uint16")
    _ome("in.zarr", pixels, "cyx", version, omero={"channels": [{"label": "DAPI"}]})
    line = ["filter", "-k", "gaussian:sigma=2", "--stride", "2,1", "--pyramid", "in.zarr", "o.zarr"]
    assert run(line) == 0
    group = zarr.open("o.zarr", mode="r")
    told = group.attrs.asdict()
    told = told["ome"] if version == 3 else told
    assert told["omero"] == {"channels": [{"label": "DAPI"}]}
    image = told["multiscales"][0]
    assert [axis["name"] for axis in image["axes"]] == ["c", "y", "x"]
    assert image["name"] == "cells"
    scales = [one["coordinateTransformations"][0]["scale"] for one in image["datasets"]]
    assert scales == [[1.0, 1.0, 0.25]]
    for number, plane in enumerate(pixels):
        expected = _filtered(plane, "gaussian:sigma=2", stride=(2, 1))
        assert np.array_equal(group["0"][number], expected)


def test_a_tiff_becomes_an_ome_image_with_levels():
    pixels = _noise((700, 530, 3))
    how = {"photometric": "rgb", "resolution": (254.0, 508.0), "resolutionunit": "inch"}
    tifffile.imwrite("in.tif", pixels, metadata=None, **how)
    assert run(["filter", "-k", "box", "--pyramid", "in.tif", "out.ome.zarr"]) == 0
    group = zarr.open("out.ome.zarr", mode="r")
    image = group.attrs["ome"]["multiscales"][0]
    assert [axis["name"] for axis in image["axes"]] == ["c", "y", "x"]
    first, second = (group[one["path"]][:] for one in image["datasets"][:2])
    assert np.array_equal(np.moveaxis(first, 0, 2), _filtered(pixels, "box"))
    parts = first.reshape(3, 350, 2, 265, 2).astype(float)
    assert np.array_equal(second, np.rint(parts.mean((2, 4))))
    placed = [one["coordinateTransformations"] for one in image["datasets"]]
    assert placed[0] == [{"type": "scale", "scale": [1.0, 50.0, 100.0]}]
    assert placed[1][0]["scale"] == [1.0, 100.0, 200.0]
    assert placed[1][1] == {"type": "translation", "translation": [0.0, 25.0, 50.0]}
    assert [group[one["path"]].shape for one in image["datasets"]][-1] == (3, 175, 133)


def test_a_plane_becomes_a_tiff(capsys):
    pixels = _noise((2, *SHAPE), "uint16")
    _ome("in.zarr", pixels, "zyx")
    assert run(["filter", "-k", "box", "in.zarr", "out.tif"]) == 2
    assert "pick one with --page N" in capsys.readouterr().err
    assert run(["filter", "-k", "box", "--page", "2", "in.zarr", "out.tif"]) == 0
    assert np.array_equal(tifffile.imread("out.tif"), _filtered(pixels[1], "box"))
    assert run(["filter", "-k", "box", "--page", "3", "in.zarr", "out.tif"]) == 1
    assert "has 2 planes, no 3" in capsys.readouterr().err


def test_a_png_becomes_a_zarr_array_and_says_what_is_lost(capsys):
    pixels = _noise((40, 30, 4))
    profile = bytes(16) + b"RGB " + bytes(120)
    write("in.png", Image(pixels, True, metadata=Image(pixels).metadata.__class__(icc=profile)))
    assert run(["filter", "-k", "box", "in.png", "out.zarr"]) == 0
    assert np.array_equal(zarr.open("out.zarr", mode="r")[:], _filtered(pixels, "box"))
    assert "Zarr holds no colour profile" in capsys.readouterr().err


def test_missing_chunks_are_refused_unless_they_mean_the_fill_value(capsys):
    pixels = _noise(SHAPE)
    _array("in.zarr", pixels, (32, 32))
    os.remove("in.zarr/c/1/2")
    assert run(["filter", "-k", "box", "in.zarr", "out.zarr"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("convtool: error: in.zarr: 1 of 20 chunks are missing (such as c/1/2)")
    assert said.count("\n") == 1
    assert not list(Path().glob("out*"))
    line = ["filter", "-k", "box", "--missing-chunks", "fill", "in.zarr", "out.zarr"]
    assert run(line) == 0
    assert "1 of 20 chunks are missing" in capsys.readouterr().err
    pixels[32:64, 64:96] = 0
    assert np.array_equal(zarr.open("out.zarr", mode="r")[:], _filtered(pixels, "box"))


def test_without_a_fill_value_missing_chunks_are_always_refused(capsys):
    _array("in.zarr", _noise(SHAPE), (32, 32), zarr_format=2)
    told = json.loads(Path("in.zarr/.zarray").read_text())
    Path("in.zarr/.zarray").write_text(json.dumps(told | {"fill_value": None}))
    os.remove("in.zarr/1.2")
    assert run(["filter", "-k", "box", "--missing-chunks", "fill", "in.zarr", "out.zarr"]) == 1
    assert "states no fill value" in capsys.readouterr().err


def _damaged_chunk():
    Path("in.zarr/c/3/1").write_bytes(b"nonsense")


def _cut_metadata():
    Path("in.zarr/zarr.json").write_text("{")


def _unknown_codec():
    told = json.loads(Path("in.zarr/zarr.json").read_text())
    told["codecs"][-1]["name"] = "unheard-of"
    Path("in.zarr/zarr.json").write_text(json.dumps(told))


def _no_array():
    shutil.rmtree("in.zarr")
    zarr.create_group("in.zarr")


def _complex():
    shutil.rmtree("in.zarr")
    _array("in.zarr", np.zeros(SHAPE, np.complex64), (32, 32))


def _a_line():
    shutil.rmtree("in.zarr")
    _array("in.zarr", np.zeros(5, np.uint8), (5,))


DAMAGE = {
    "chunk": (_damaged_chunk, "a chunk is damaged"),
    "metadata": (_cut_metadata, "no Zarr store, or damaged"),
    "codec": (_unknown_codec, "unheard-of"),
    "group": (_no_array, "without an OME image"),
    "type": (_complex, "holds values of type complex64, which are not read"),
    "shape": (_a_line, "no picture"),
}


@pytest.mark.parametrize(("damage", "words"), DAMAGE.values(), ids=DAMAGE)
def test_stores_that_make_no_sense_are_refused_with_one_line(damage, words, capsys):
    _array("in.zarr", _noise(SHAPE), (32, 32))
    damage()
    assert run(["filter", "-k", "box", "in.zarr", "out.zarr"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("convtool: error: in.zarr: ")
    assert words in said
    assert said.count("\n") == 1
    assert not list(Path().glob("out*"))


def test_an_output_that_exists_is_replaced_only_when_asked(capsys):
    pixels = _noise(SHAPE)
    _array("in.zarr", pixels, (32, 32))
    _array("out.zarr", np.zeros((9, 9), np.uint8), (9, 9))
    assert run(["filter", "-k", "box", "in.zarr", "out.zarr"]) == 1
    assert "out.zarr: exists; --overwrite replaces it" in capsys.readouterr().err
    assert zarr.open("out.zarr", mode="r").shape == (9, 9)
    assert run(["filter", "-k", "box", "--overwrite", "in.zarr", "out.zarr"]) == 0
    assert np.array_equal(zarr.open("out.zarr", mode="r")[:], _filtered(pixels, "box"))
    assert sorted(path.name for path in Path().glob("out*")) == ["out.zarr"]


def test_a_folder_that_is_no_store_is_never_replaced(capsys):
    _array("in.zarr", _noise(SHAPE), (32, 32))
    Path("out.zarr").mkdir()
    Path("out.zarr/letter.txt").write_text("dear")
    assert run(["filter", "-k", "box", "--overwrite", "in.zarr", "out.zarr"]) == 1
    assert "no Zarr store; it is not replaced" in capsys.readouterr().err
    assert Path("out.zarr/letter.txt").read_text() == "dear"


def _stop_after(monkeypatch, count):
    """Let writing be interrupted after so many strips; return the rows that are written."""
    ordinary, written = ZarrStore.put, []

    def put(self, level, plane, first, rows):
        if len(written) == count:
            raise KeyboardInterrupt
        written.append(first)
        ordinary(self, level, plane, first, rows)

    monkeypatch.setattr(ZarrStore, "put", put)
    return written


LINE = ["filter", "-k", "laplacian-8", "--range", "stretch", "in.zarr", "out.zarr"]


def test_an_interrupted_store_does_not_look_whole_and_is_gone_on_with(monkeypatch, capsys):
    pixels = _noise(SHAPE)
    _array("in.zarr", pixels, (32, 32))
    with monkeypatch.context() as patched:
        _stop_after(patched, 3)
        assert run(LINE) == 130
    assert sorted(path.name for path in Path().glob("out*")) == ["out.zarr.incomplete"]
    with monkeypatch.context() as patched:
        written = _stop_after(patched, 99)
        measured = []
        patched.setattr(strips_job, "measured_rows", lambda *_: measured.append(1))
        assert run([*LINE, "--resume"]) == 0
    assert written == [96, 128]
    assert not measured
    assert "went on with 96 rows" in capsys.readouterr().err
    expected = _filtered(pixels, "laplacian-8", range="stretch")
    assert np.array_equal(zarr.open("out.zarr", mode="r")[:], expected)
    assert sorted(path.name for path in Path().glob("out*")) == ["out.zarr"]


def test_other_work_is_not_gone_on_with(monkeypatch, capsys):
    pixels = _noise(SHAPE)
    _array("in.zarr", pixels, (32, 32))
    with monkeypatch.context() as patched:
        _stop_after(patched, 3)
        assert run(LINE) == 130
    assert run(["filter", "-k", "box", "--resume", "in.zarr", "out.zarr"]) == 1
    assert "other options" in capsys.readouterr().err
    zarr.open("in.zarr", mode="r+")[0, 0] = 255 - pixels[0, 0]
    assert run([*LINE, "--resume"]) == 1
    assert "another input" in capsys.readouterr().err
    assert run(LINE) == 0
    expected = _filtered(zarr.open("in.zarr", mode="r")[:], "laplacian-8", range="stretch")
    assert np.array_equal(zarr.open("out.zarr", mode="r")[:], expected)


def test_a_journal_that_was_cut_off_is_read_as_far_as_it_goes(monkeypatch):
    pixels = _noise(SHAPE)
    _array("in.zarr", pixels, (32, 32))
    with monkeypatch.context() as patched:
        _stop_after(patched, 3)
        assert run(LINE) == 130
    with open("out.zarr.incomplete/convtool-progress.jsonl", "ab") as journal:
        journal.write(b'{"plane": 0, "ro')
    assert run([*LINE, "--resume"]) == 0
    expected = _filtered(pixels, "laplacian-8", range="stretch")
    assert np.array_equal(zarr.open("out.zarr", mode="r")[:], expected)


def test_a_journal_never_speaks_of_what_was_removed(monkeypatch):
    """Do not resume a run that was killed while it removed the old store."""
    pixels = _noise(SHAPE)
    _array("in.zarr", pixels, (32, 32))
    with monkeypatch.context() as patched:
        _stop_after(patched, 3)
        assert run(LINE) == 130

    def killed(place, **how):
        shutil.move("out.zarr.incomplete/c/0", "elsewhere")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", killed)
        assert run(LINE) == 130
    assert run([*LINE, "--resume"]) == 0
    expected = _filtered(pixels, "laplacian-8", range="stretch")
    assert np.array_equal(zarr.open("out.zarr", mode="r")[:], expected)


def test_a_store_that_another_run_writes_is_left_alone(monkeypatch, capsys):
    from convtool.files import lock

    _array("in.zarr", _noise(SHAPE), (32, 32))
    with monkeypatch.context() as patched:
        _stop_after(patched, 2)
        assert run(LINE) == 130
    with open("out.zarr.incomplete/convtool-progress.jsonl", "rb") as other:
        assert lock(other)
        assert run(LINE) == 1
    assert "another run is writing it" in capsys.readouterr().err


@pytest.mark.parametrize("ending", [".zarr", ".tif"])
def test_ctrl_c_ends_a_process_and_leaves_nothing_that_looks_whole(ending):
    """A picture that takes long enough is interrupted as soon as its output begins to appear."""
    rng = np.random.default_rng(0)
    made = zarr.create_array("in.zarr", shape=(3000, 2000), chunks=(250, 500), dtype="u1")
    made[:] = rng.integers(0, 256, made.shape, np.uint8)
    target = f"out{ending}"
    line = ["-k", "disk:radius=24", "--engine", "scipy", "--threads", "1", "in.zarr", target]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "convtool", "filter", *line]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        while not _started() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == b"convtool: error: interrupted\n"
    assert not Path(target).exists()
    assert not list(Path().glob(".convtool-*"))
    assert Path("out.zarr.incomplete").exists() == (ending == ".zarr")


def _started():
    return list(Path().glob(".convtool-*")) or list(Path().glob("*.incomplete/zarr.json"))


def test_what_zarr_loses_is_called_what_it_is(capsys):
    tifffile.imwrite("in.tif", _noise(SHAPE), software="a scanner", metadata=None)
    assert run(["filter", "-k", "box", "in.tif", "out.zarr"]) == 0
    assert "Zarr holds no descriptive tags; they" in capsys.readouterr().err
    tags = [(65123, "H", 1, 7, True)]
    tifffile.imwrite("in.tif", _noise(SHAPE), software=False, metadata=None, extratags=tags)
    assert run(["filter", "-k", "box", "--overwrite", "in.tif", "out.zarr"]) == 0
    assert "Zarr holds no private tags of TIFF; they" in capsys.readouterr().err
