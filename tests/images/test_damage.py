"""Damaged files of every format: refused, or read; never anything else, never a word on stderr."""

from contextlib import suppress

import numpy as np
import pytest

from convtool.errors import ImageReadError
from convtool.images.formats import FORMATS
from convtool.images.read import read
from convtool.images.write import write

WRITTEN = [name for name, entry in FORMATS.items() if entry.depths]


@pytest.fixture(params=WRITTEN)
def whole(request, tmp_path, rng):
    """A whole file of each format."""
    entry = FORMATS[request.param]
    channels = max(entry.channels)
    shape = (19, 26) if channels == 1 else (19, 26, channels)
    path = tmp_path / f"whole{entry.extensions[0]}"
    pixels = rng.integers(0, 256, shape).astype(np.uint8)
    if entry.depths == ("float",):
        pixels = pixels / np.float32(255)
    write(path, pixels, quantize=True)
    return path.read_bytes()


def test_cut_off_anywhere(whole, tmp_path, capfd):
    path = tmp_path / "cut"
    for end in sorted({int(n) for n in np.linspace(0, len(whole) - 1, 60)}):
        path.write_bytes(whole[:end])
        with pytest.raises(ImageReadError):
            read(path)
    assert capfd.readouterr() == ("", "")


def test_bytes_changed_anywhere(whole, tmp_path, rng, capfd):
    path = tmp_path / "changed"
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(int(rng.integers(1, 4))):
            data[int(rng.integers(len(data)))] = int(rng.integers(256))
        path.write_bytes(data)
        with suppress(ImageReadError):
            read(path, max_pixels=1_000_000)
    assert capfd.readouterr() == ("", "")
