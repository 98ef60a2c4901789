"""Pictures for reports: 8 bits, smaller, side by side."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

from convtool.report.curves import Curve, compression_plot, plain_log_scale
from convtool.report.pictures import contact_sheet, reduced, to_bytes


def test_every_depth_becomes_bytes():
    np.testing.assert_array_equal(to_bytes(np.array([[0, 65535]], np.uint16), 65535), [[0, 255]])
    assert to_bytes(np.ones((2, 2, 4)), 1.0).shape == (2, 2, 3)
    assert to_bytes(np.ones((2, 2, 2)), 1.0).shape == (2, 2)


def test_reduced_is_the_mean_of_squares(rng):
    pixels = rng.integers(0, 256, (30, 47, 3)).astype(np.uint8)
    small, by = reduced(pixels, 20)
    assert by == 3
    assert small.shape == (10, 15, 3)
    np.testing.assert_allclose(small[1, 2], pixels[3:6, 6:9].mean(axis=(0, 1)), atol=0.5)
    same, by = reduced(pixels, 47)
    assert by == 1
    assert same is pixels
    assert reduced(np.zeros((1, 50), np.uint8), 20)[0].shape == (1, 16)


def test_sheet_holds_each_picture_and_a_label_below():
    pictures = [np.full((40, 60, 3), (level, 9, 200), np.uint8) for level in (50, 100, 150)]
    sheet = contact_sheet(pictures, ["one", "two\nlines", "three"])
    for level in (50, 100, 150):
        rows, columns = np.nonzero((sheet == (level, 9, 200)).all(axis=2))
        assert rows.max() - rows.min() >= 39
        place = sheet[rows.min() : rows.min() + 40, columns.min() : columns.min() + 60]
        assert (place == (level, 9, 200)).all()
    assert (sheet < 60).any()
    assert contact_sheet([pictures[0][:, :, 0]], ["grey"]).ndim == 2


def test_plot_is_a_picture_whatever_the_numbers_are():
    energies = np.array([9.0, 1.0, 0.0])
    quality = [Curve("SVD", [0.1, 0.2], [30.0, np.inf], ["k=1", "k=2"]), Curve("JPEG", [0.1], [35])]
    png = compression_plot("title", energies, [1, 2, 3], quality)
    assert png.startswith(b"\x89PNG")
    assert compression_plot("black", np.zeros(3), [1], []).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("values", "named"),
    [([1.7, 53], ["2", "5", "10", "20", "50"]), ([0.012, 0.3], ["0.02", "0.05", "0.1", "0.2"])],
)
def test_sizes_are_named_in_plain_numbers_that_do_not_overlap(values, named):
    figure = Figure(figsize=(6, 5))
    axes = figure.subplots()
    axes.plot(values, [30, 40])
    axes.set_xlim(values)
    plain_log_scale(axes)
    figure.canvas.draw()
    shown = [one for one in axes.xaxis.get_ticklabels(which="both") if one.get_text()]
    inside = [one for one in shown if values[0] <= one.get_position()[0] <= values[1]]
    assert [one.get_text() for one in inside] == named
    boxes = [one.get_window_extent() for one in inside]
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))
