"""Axes of the pages of a TIFF, from the descriptions of ImageJ, OME and tifffile."""

import numpy as np
import pytest

from convtool.images.stack_axes import axes_of, volumes_of

OME = (
    '<?xml version="1.0"?><OME><Image><Pixels DimensionOrder="{}" SizeX="9" SizeY="8" '
    'SizeZ="{}" SizeC="{}" SizeT="{}"/></Image></OME>'
)


@pytest.mark.parametrize(
    ("description", "pages", "axes"),
    [
        ("ImageJ=1.5\nimages=24\nchannels=2\nslices=4\nframes=3\n", 24, "t3 z4 c2"),
        ("ImageJ=1.5\nimages=24\nloop=false\n", 24, "z24"),
        ("ImageJ=1.5\nimages=4\nslices=4\nchannels=3\n", 4, "t1 z4"),
        (OME.format("XYZCT", 4, 2, 3), 24, "t3 c2 z4"),
        (OME.format("XYCZT", 4, 2, 3), 24, "t3 z4 c2"),
        (OME.format("XYCZT", 4, 3, 1), 4, "t1 z4"),
        (OME.format("XYCZT", 4, 3, 1), 5, "z5"),
        ('{"shape": [2, 3, 8, 9], "axes": "TZYX"}', 6, "t2 z3"),
        ('{"shape": [6, 8, 9]}', 6, "z6"),
        ('{"shape": [6, 8, 9], "axes": 3}', 6, "z6"),
        ("{broken", 6, "z6"),
        ("taken at dusk", 6, "z6"),
    ],
)
def test_axes(description, pages, axes):
    assert " ".join(f"{name}{size}" for name, size in axes_of(description, pages)) == axes


@pytest.mark.parametrize("order", ["tzc", "ctz", "zct", "z"])
def test_volumes_are_the_pages_along_z(order):
    sizes = {"t": 2, "z": 4, "c": 3}
    axes = tuple((name, sizes[name]) for name in order)
    numbers = np.arange(np.prod([size for _, size in axes])).reshape([size for _, size in axes])
    expected = np.moveaxis(numbers, order.index("z"), -1).reshape(-1, 4)
    assert volumes_of(axes) == expected.tolist()


@pytest.mark.parametrize("axes", [(("t", 5),), (("t", 5), ("z", 1))])
def test_pages_in_time_alone_are_no_volume(axes):
    with pytest.raises(ValueError, match=r"t \(5\)"):
        volumes_of(axes)
