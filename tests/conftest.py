"""What all tests share: the tolerance table, the oracle, a private place for compiled code."""

import gc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

settings.register_profile("convtool", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("convtool")

MARKS = {
    "cluster": ("distributed/", "cli/test_filter_cluster.py", "cli/test_filter_blocks.py"),
    "browser": (
        "report/test_layer_page.py",
        "report/test_line_chart.py",
        "report/test_slider_page.py",
        "report/test_walk_page.py",
        "view/test_page.py",
    ),
    "fuzz": ("test_fuzz.py",),
    "slow": (
        "bench/",
        "benchmarks/",
        "compiled/",
        "convolution/test_flat.py",
        "convolution/test_in_place.py",
        "convolution/test_local.py",
        "convolution/test_transforms.py",
        "convolution/test_windows.py",
        "course/",
        "deconvolution/",
        "faults/",
        "filtering/strips/test_stream.py",
        "filtering/test_urls.py",
        "images/test_doors.py",
        "learn/",
        "cli/test_deconvolve.py",
        "cli/test_gridsearch.py",
        "cli/test_networks.py",
        "cli/test_train.py",
        "nn/",
        "peers/test_scipy_ndimage.py",
        "report/test_model_pictures.py",
        "svd/",
        "test_corpus.py",
        "test_histories.py",
        "docs/test_doors.py",
        "docs/test_pages.py",
        "docs/test_site.py",
        "test_startup_imports.py",
    ),
}
"""Which tests have which mark, by their file or folder; `pyproject.toml` says what a mark means."""


HERE = Path(__file__).parent


def marks(path):
    """Return the marks of all tests of a file; examples have those of the tests beside them."""
    root = HERE if HERE in path.parents else HERE.parent / "convtool"
    if root not in path.parents:
        return []
    place = path.relative_to(root).as_posix()
    return [mark for mark, starts in MARKS.items() if place.startswith(starts)]


def pytest_ignore_collect(collection_path, config):
    """Leave out files whose tests are all deselected: importing some takes many seconds."""
    conditions = config.option.markexpr.split(" and ")
    if any(f"not {mark}" in conditions for mark in marks(collection_path)):
        return True
    return None


def pytest_collection_modifyitems(items):
    """Mark the tests of each file and folder in `MARKS`."""
    for item in items:
        for mark in marks(item.path):
            item.add_marker(mark)


def pytest_collection_finish():
    """Spare garbage collections, which benchmarks force, the thousands of tests."""
    gc.collect()
    gc.freeze()


RELATIVE = {np.dtype(np.float32): 4e-6, np.dtype(np.float64): 1e-13}
"""The tolerance table: the largest error of any engine, by working type, relative to the largest
magnitude that the kernel could make of the image, max|image| · sum|kernel|."""


def tolerance(dtype, image, kernel):
    """Return the largest absolute error that is allowed."""
    finite = np.abs(np.asarray(image, np.float64))
    finite = finite[np.isfinite(finite)]
    largest = max(1.0, float(finite.max(initial=0.0)))
    return RELATIVE[np.dtype(dtype)] * largest * max(1e-3, float(np.abs(kernel).sum()))


@pytest.fixture
def close():
    """Compare with the oracle within the tolerance table."""

    def check(answer, expected, image, kernel):
        assert answer.shape == expected.shape
        np.testing.assert_allclose(
            answer, expected, rtol=0, atol=tolerance(answer.dtype, image, kernel)
        )

    return check


@pytest.fixture
def small_disk():
    """Mount file systems of little room in memory, where that is possible; skip the test else."""
    mounted = []

    def mount(place, options):
        place.mkdir(exist_ok=True)
        how = ["-t", "tmpfs", "-o", f"mode=700,{options}", "tmpfs", str(place)]
        done = subprocess.run(["mount", *how], capture_output=True, check=False, text=True)
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def rng():
    """A seeded generator."""
    return np.random.default_rng(20260721)
