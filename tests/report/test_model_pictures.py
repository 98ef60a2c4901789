"""Pictures of networks, and heat maps: files that are whole, of the asked form."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from convtool.errors import OptionError, ReportWriteError
from convtool.report.figures import ENDINGS, check_drawing
from convtool.report.heat_maps import HeatMap, draw_heat_maps
from convtool.report.model_pictures import (
    Activation,
    draw_activations,
    draw_deciding,
    draw_kernels,
    mosaic,
)


def shown(path):
    picture = cv2.imread(str(path))
    assert picture is not None
    return picture


def written(path):
    """Return the texts of an SVG drawing, which Matplotlib names in comments."""
    return set(re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8")))


def heat(cells, **more):
    rows = [str(i) for i in range(len(cells))]
    columns = [str(j) for j in range(len(cells[0]))]
    return HeatMap("title", cells, rows, columns, "lr", "l2", **more)


def test_mosaic_keeps_every_plane(rng):
    planes = rng.standard_normal((5, 3, 4))
    sheet = mosaic(planes, 2)
    assert sheet.shape == (11, 9)
    assert np.isnan(sheet[3]).all()
    np.testing.assert_array_equal(sheet[4:7, 5:], planes[3])
    np.testing.assert_array_equal(sheet[8:, :4], planes[4])


@pytest.mark.parametrize("shape", [(1, 1, 3, 3), (9, 1, 5, 5), (4, 3, 3, 3), (40, 30, 3, 3)])
def test_kernels(shape, rng, tmp_path):
    weights = rng.standard_normal(shape)
    draw_kernels(weights, rng.standard_normal(shape[0]), "conv1", tmp_path / "k.png")
    picture = shown(tmp_path / "k.png")
    blue, red = picture[..., 0].astype(int), picture[..., 2].astype(int)
    assert (red - blue > 80).any()
    assert (blue - red > 80).any()


@pytest.mark.parametrize(
    ("shape", "present", "absent"),
    [
        ((12, 9, 3, 3), ["filter", "channel of its input", "12", "9"], ["filters, from"]),
        ((100, 1, 3, 3), ["filters, from", "97"], ["channel of its input", "100"]),
        ((1500, 1, 3, 3), ["conv1; the first 1024"], ["filter"]),
    ],
)
def test_many_kernels_are_numbered(shape, present, absent, rng, tmp_path):
    draw_kernels(rng.standard_normal(shape), None, "conv1", tmp_path / "k.svg")
    words = written(tmp_path / "k.svg")
    assert set(present) <= words
    assert not set(absent) & words


@pytest.mark.parametrize(
    ("shape", "named", "numbers"),
    [
        ((2, 3, 2, 2), {"1.1, bias +0.5", "1.3", "2.1, bias -0.5", "2.3"}, 24),
        ((2, 1, 5, 5), {"1, bias +0.5", "2, bias -0.5"}, 50),
        ((10, 3, 5, 5), {"1.1, bias +0.5", "10.3"}, 0),
    ],
)
def test_few_kernels_have_names_and_numbers_where_there_is_room(shape, named, numbers, tmp_path):
    biases = np.resize([0.5, -0.5], shape[0])
    draw_kernels(np.full(shape, 0.125), biases, "conv1", tmp_path / "k.svg")
    assert named <= written(tmp_path / "k.svg")
    text = (tmp_path / "k.svg").read_text(encoding="utf-8")
    assert text.count("<!-- 0.12 -->") == numbers


def test_kernels_of_zeros_can_be_drawn(tmp_path):
    draw_kernels(np.zeros((2, 1, 3, 3)), None, "conv1", tmp_path / "k.png")
    assert shown(tmp_path / "k.png").size


def test_activations(rng, tmp_path):
    layers = [
        Activation("conv1", rng.standard_normal((5, 6, 6))),
        Activation("relu1", np.zeros((5, 6, 6))),
        Activation("dense1", rng.standard_normal(130)),
        Activation("dense2", np.ones(1)),
    ]
    draw_activations(np.zeros((6, 6, 3), np.uint8), "a picture", layers, tmp_path / "a.png")
    assert shown(tmp_path / "a.png").shape[0] > 400


def test_activations_name_the_classes_and_draw_few_maps_small(rng, tmp_path):
    layers = [
        Activation("conv1", rng.standard_normal((1, 6, 6))),
        Activation("dense1", rng.standard_normal(3), ("cat", "dog", "bird")),
        Activation("dense2", np.full(1, 0.25), ("yes",)),
    ]
    picture = np.full((6, 6), 255, np.uint8)
    draw_activations(picture, "a picture", layers, tmp_path / "a.svg")
    assert {"cat", "dog", "bird", "yes", "dense2   0.25"} <= written(tmp_path / "a.svg")
    draw_activations(picture, "a picture", layers, tmp_path / "a.png")
    assert 600 < shown(tmp_path / "a.png").shape[0] < 1000
    assert (shown(tmp_path / "a.png")[:300, :300] < 255).any(axis=2).any(axis=0)[10:230].all()


def test_deciding_pixels(rng, tmp_path):
    for name, values in (("signed", rng.standard_normal((6, 7))), ("zero", np.zeros((6, 7)))):
        draw_deciding(np.zeros((6, 7), np.uint8), values, "t", "label", tmp_path / f"{name}.png")
        assert shown(tmp_path / f"{name}.png").size


def test_heat_maps_stand_side_by_side_with_the_best_framed(tmp_path):
    cells = [[0.1, 0.5, None], [0.9, 0.95, 0.2]]
    plain, framed = tmp_path / "plain.png", tmp_path / "framed.png"
    draw_heat_maps([heat(cells)] * 2, plain)
    draw_heat_maps([heat(cells, best=(1, 1))] * 2, framed)

    def red(picture):
        return ((picture[..., 2] > 240) & (picture[..., :2] < 30).all(axis=2)).sum()

    assert red(shown(plain)) == 0
    assert red(shown(framed)) > 100
    assert shown(plain).shape[1] > shown(plain).shape[0]


def test_heat_maps_of_very_many_cells_still_fit_a_picture(tmp_path):
    draw_heat_maps([heat([[j / 3000 for j in range(3000)]], best=(0, 7))] * 2, tmp_path / "w.png")
    assert max(shown(tmp_path / "w.png").shape) < 2**13


def test_heat_maps_without_any_number(tmp_path):
    draw_heat_maps([heat([[None]], missing="diverged")], tmp_path / "none.svg")
    assert "diverged" not in (tmp_path / "none.svg").read_text()[:100]
    draw_heat_maps([heat([[0.5, 0.5]])], tmp_path / "same.pdf")
    assert (tmp_path / "same.pdf").read_bytes().startswith(b"%PDF")


def test_where_a_drawing_cannot_go(tmp_path):
    with pytest.raises(OptionError, match=r"a drawing ends in \.png"):
        check_drawing(tmp_path / "a.txt")
    with pytest.raises(ReportWriteError, match="no such folder"):
        check_drawing(tmp_path / "no" / "a.png")
    for ending in ENDINGS:
        assert check_drawing(tmp_path / f"a{ending}") == Path(tmp_path / f"a{ending}")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ReportWriteError, match=r"folder\.png: cannot write the drawing"):
        draw_kernels(np.ones((1, 1, 3, 3)), None, "t", tmp_path / "folder.png")
