"""A folder of pictures for the commands."""

import numpy as np
import pytest

from convtool.images.write import write

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with pictures in a tree, each one brighter than the one before."""
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(("a.png", "b.png", "deep/c.png")):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, GREY + number)
    return tmp_path
