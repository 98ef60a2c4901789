"""Every OME-Zarr output is what the models of the specification accept, in versions 0.4 and 0.5."""

import logging
from pathlib import Path

import numpy as np
import ome_zarr_models
import pytest
import tifffile
import zarr

from convtool.cli import run
from convtool.images.write import write

SIZE = (300, 270)


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def _pixels(*shape):
    return np.random.default_rng(5).integers(0, 255, shape, np.uint8)


def _array(pixels, version, names=None):
    how = {"dimension_names": names} if version == 3 else {}
    chunks = (*(1 for _ in pixels.shape[:-2]), 64, 64) if pixels.shape[-1] > 4 else (64, 64, 3)
    made = zarr.create_array(
        "in.zarr",
        shape=pixels.shape,
        chunks=chunks,
        dtype=pixels.dtype,
        zarr_format=version,
        **how,
    )
    made[:] = pixels


def _image(pixels, axes, version):
    group = zarr.create_group("in.zarr", zarr_format=version)
    chunks = (*(1 for _ in pixels.shape[:-2]), 64, 64)
    how = {"dimension_names": list(axes)} if version == 3 else {}
    group.create_array("s0", shape=pixels.shape, chunks=chunks, dtype="u1", **how)[:] = pixels
    kinds = {"t": "time", "c": "channel"}
    placed = [{"type": "scale", "scale": [1.0] * (len(axes) - 2) + [0.5, 0.25]}]
    told = {
        "axes": [{"name": axis, "type": kinds.get(axis, "space")} for axis in axes],
        "datasets": [{"path": "s0", "coordinateTransformations": placed}],
    }
    if version == 3:
        group.attrs["ome"] = {"version": "0.5", "multiscales": [told]}
    else:
        group.attrs["multiscales"] = [told | {"version": "0.4"}]


def _grey(version):
    _array(_pixels(*SIZE), version)


def _named(version):
    _array(_pixels(*SIZE), version, ["row", "column"])


def _colours(version):
    _array(_pixels(*SIZE, 3), version)


def _planes(version):
    _array(_pixels(2, *SIZE), version)


def _channels(version):
    _image(_pixels(2, *SIZE), "cyx", version)


def _volume(version):
    _image(_pixels(2, *SIZE), "zyx", version)


def _series(version):
    _image(_pixels(2, 1, 2, *SIZE), "tczyx", version)


INPUTS = {
    "grey": (_grey, "yx"),
    "named": (_named, "yx"),
    "colours": (_colours, "cyx"),
    "planes": (_planes, "cyx"),
    "channels": (_channels, "cyx"),
    "volume": (_volume, "zyx"),
    "series": (_series, "tczyx"),
}


def _check(path, axes, version):
    group = zarr.open_group(path, mode="r")
    image = ome_zarr_models.open_ome_zarr(group)
    assert image.ome_zarr_version == {2: "0.4", 3: "0.5"}[version]
    told = image.attributes.ome.multiscales[0] if version == 3 else image.attributes.multiscales[0]
    assert [axis.name for axis in told.axes] == list(axes)
    for level in told.datasets:
        array = group[level.path]
        assert array.shape[-2:] <= SIZE
        if version == 3:
            assert array.metadata.dimension_names == tuple(axes)
    return len(told.datasets)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(("make", "axes"), INPUTS.values(), ids=INPUTS)
@pytest.mark.parametrize("options", [[], ["--pyramid", "--stride", "1,2"]], ids=["plain", "levels"])
def test_an_image_from_zarr_is_valid(make, axes, version, options):
    make(version)
    assert run(["filter", "-k", "box", *options, "in.zarr", "out.ome.zarr"]) == 0
    assert _check("out.ome.zarr", axes, version) == (2 if options else 1)


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_from_a_picture_is_valid(channels):
    write("in.png", _pixels(*SIZE, channels).squeeze())
    assert run(["filter", "-k", "box", "--pyramid", "in.png", "out.ome.zarr"]) == 0
    assert _check("out.ome.zarr", "cyx" if channels == 3 else "yx", 3) == 2


def test_an_image_of_an_older_version_becomes_one_that_is_valid():
    _image(_pixels(2, *SIZE), "cyx", 2)
    group = zarr.open_group("in.zarr", mode="r+")
    told = dict(group.attrs["multiscales"][0])
    group.attrs["multiscales"] = [told | {"version": "0.3", "axes": ["c", "y", "x"]}]
    assert run(["filter", "-k", "box", "in.zarr", "out.zarr"]) == 0
    assert _check("out.zarr", "cyx", 2) == 1


def test_axes_without_names_are_not_guessed(capsys):
    _array(_pixels(2, 2, *SIZE), 3)
    assert run(["filter", "-k", "box", "in.zarr", "out.ome.zarr"]) == 2
    assert "have no names; write a .zarr" in capsys.readouterr().err
    assert not Path("out.ome.zarr").exists()


def test_an_array_keeps_the_names_of_its_axes():
    _named(3)
    assert run(["filter", "-k", "box", "in.zarr", "out.zarr"]) == 0
    assert zarr.open("out.zarr", mode="r").metadata.dimension_names == ("row", "column")


def test_a_pyramid_of_a_tiff_that_tifffile_wrote_says_nothing_untrue(caplog):
    pixels = _pixels(*SIZE, 3)
    tifffile.imwrite("in.tif", pixels, photometric="rgb")
    assert run(["filter", "-k", "identity", "--pyramid", "in.tif", "out.tif"]) == 0
    with caplog.at_level(logging.WARNING, "tifffile"), tifffile.TiffFile("out.tif") as file:
        assert [level.shape for level in file.series[0].levels] == [(300, 270, 3), (150, 135, 3)]
        assert np.array_equal(file.series[0].asarray(), pixels)
    assert not caplog.records
