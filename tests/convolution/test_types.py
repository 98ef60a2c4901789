"""Misspelt options, seen by a type checker."""

import subprocess
import sys

import pytest

pytest.importorskip("mypy", reason="mypy is not installed")

RIGHT = """
import numpy as np
import convtool

image = np.zeros((9, 9), np.float32)
convtool.convolve(image, "box", border="reflect", mode="full", engine="separable:rank=2")
convtool.correlate(image, [1, 0, -1], axis=0, border=("wrap",), origin=1, delta=0.5)
convtool.convolve(image, "box", axes=(0, 1), border=("wrap", "zero"), stride=(2, 1))
convtool.plan((9, 9), "uint8", "box", border="edge")
convtool.prepare("box", (9, 9), np.float32, border="wrap")(image).sum()
convtool.gradient_magnitude(image, border="mirror", channel_axis=None)
"""

WRONG = [
    'convtool.convolve(image, "box", border="refelct")',
    'convtool.correlate(image, "box", border=("wrap", "refelct"))',
    'convtool.convolve(image, "box", mode="Same")',
    'convtool.convolve(image, "box", engine="numbda")',
    'convtool.prepare("box", (9, 9), np.float32, border="refelct")',
    'convtool.prepare("box", (9, 9), np.float32, bodrer="wrap")',
    'convtool.plan((9, 9), "uint8", "box", border="refelct")',
    'convtool.gradient_magnitude(image, border="refelct")',
    'convtool.convolve(image, "box", axes=0.5)',
]


@pytest.mark.slow
def test_mypy_catches_misspelt_options(tmp_path):
    script = tmp_path / "calls.py"
    script.write_text(RIGHT + "\n".join(WRONG) + "\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = {
        int(line.split(":")[1]) for line in done.stdout.splitlines() if line.startswith(str(script))
    }
    first = RIGHT.count("\n") + 1
    assert lines == set(range(first, first + len(WRONG))), done.stdout
