"""A real cluster of two worker processes, and a folder of pictures."""

import numpy as np
import pytest

from convtool.distributed import local_cluster
from convtool.images.write import write


@pytest.fixture(scope="session")
def client():
    with local_cluster(2) as client:
        yield client


@pytest.fixture
def folder(tmp_path, monkeypatch, rng):
    """A working folder with twelve pictures in a tree, of several kinds and sizes."""
    monkeypatch.chdir(tmp_path)
    for number in range(12):
        place = tmp_path / "in" / ("deep" if number % 3 else "")
        place.mkdir(parents=True, exist_ok=True)
        shape = (60 + number, 80, 3) if number % 2 else (400, 300 + number)
        pixels = rng.integers(0, 256, shape).astype(np.uint8)
        write(place / f"{number}{'.tiff' if number % 4 else '.png'}", pixels)
    return tmp_path
