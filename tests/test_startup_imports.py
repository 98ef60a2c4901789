"""Starting is part of the job: what each way in imports, seen in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from convtool.compiled import library

COMPILERS = {"llvmlite", "numba"}
HEAVY = {
    "PIL",
    "click",
    "cv2",
    "dask",
    "distributed",
    "imagecodecs",
    "imageio",
    "llvmlite",
    "matplotlib",
    "numba",
    "numpy",
    "onnx",
    "rich",
    "scipy",
    "skimage",
    "sklearn",
    "tifffile",
    "torch",
    "xarray",
    "zarr",
}
COMMAND = """
import sys
from convtool.cli import run
code = run(sys.argv[1:])
sys.stdout.flush()
print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)
sys.exit(code)
"""


def imported(program, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split()) & HEAVY


def test_import_convtool_imports_nothing_heavy():
    program = (
        "import sys, convtool, convtool.errors; convtool.__version__; dir(convtool);"
        "print('-', *{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    assert imported(program) == set()


def test_import_of_filters_imports_nothing_heavy():
    program = (
        "import sys, convtool.filters; dir(convtool.filters);"
        "print('-', *{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    assert imported(program) == set()


def test_import_of_ndimage_imports_nothing_heavy():
    program = (
        "import sys, inspect, convtool.ndimage as ndi; inspect.signature(ndi.sobel);"
        "print('-', *{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    assert imported(program) == set()


def test_import_of_the_command_line_needs_click_alone():
    program = (
        "import sys, convtool.cli;"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    assert imported(program) == {"click"}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--help"],
        ["-h"],
        ["--version"],
        ["-V"],
        ["help"],
        ["help", "help"],
        ["completion", "bash"],
    ],
)
def test_help_and_completion_need_click_alone(arguments):
    assert imported(COMMAND, *arguments) == {"click"}


def test_a_preset_needs_numpy_alone():
    program = (
        "import sys, convtool; convtool.kernel('gaussian:sigma=2'); convtool.presets();"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    assert imported(program) == {"numpy"}


@pytest.mark.parametrize("kernel", ["sobel", "gaussian:sigma=2", "3x3:0,-1,0,-1,5,-1,0,-1,0"])
@pytest.mark.parametrize("name", ["photograph.jpg", "siemens-star.png"])
def test_filtering_a_small_picture_waits_for_no_compiler_and_no_plots(kernel, name, tmp_path):
    source = Path(__file__).parents[1] / "sample_images" / name
    target = tmp_path / "out.png"
    assert imported(COMMAND, "filter", "--kernel", kernel, source, target) <= {
        "click",
        "cv2",
        "numpy",
    }
    assert target.is_file()


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["--image", "1,2;3,4", "-k", "box", "--at", "1,1"], {"click", "numpy"}),
        (["--html", "{folder}/page.html"], {"click", "numpy"}),
        (["--image", "1,2;3,4", "-k", "box"], {"click", "numpy", "scipy"}),
    ],
)
def test_explaining_needs_numpy_and_for_the_matrix_scipy(arguments, needed, tmp_path):
    found = imported(COMMAND, "explain", *(one.format(folder=tmp_path) for one in arguments))
    assert found == needed


def test_learning_waits_for_no_compiler_and_no_plots():
    folder = Path(__file__).parents[1] / "sample_images"
    pair = folder / "zone-plate.png", folder / "results" / "rings.jpg"
    assert imported(COMMAND, "learn", *pair, "--size", "5") <= {"click", "cv2", "numpy"}


needs_library = pytest.mark.skipif(library.load() is None, reason="no library was built")

TRAINING = ["--arch", "conv 4 3x3, norm, relu, pool 2, dropout 0.1, dense 8", "--lr", "0.02"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a model of digits, and what the command that trained it imported."""
    model = tmp_path_factory.mktemp("trained") / "m.safetensors"
    arguments = ["train", "digits", *TRAINING, "--epochs", "1", "--augment", "shift=1"]
    return model, imported(COMMAND, *arguments, "--out", model)


@needs_library
def test_training_waits_for_no_compiler(trained):
    model, found = trained
    assert model.is_file()
    assert not found & COMPILERS


@needs_library
def test_prediction_and_evaluation_wait_for_no_compiler(trained, tmp_path):
    model, _ = trained
    assert not imported(COMMAND, "evaluate", model, "digits") & COMPILERS
    picture = Path(__file__).parents[1] / "sample_images" / "siemens-star.png"
    assert not imported(COMMAND, "predict", model, picture) & COMPILERS


@needs_library
def test_many_predictions_wait_for_no_compiler(trained):
    model, _ = trained
    program = (
        "import sys, numpy, convtool.nn as nn; model = nn.load(sys.argv[1]);"
        "model.predict(numpy.zeros((600, *model.input_shape), 'float32'));"
        "assert model._plan is not None;"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    assert not imported(program, model) & COMPILERS


@needs_library
def test_a_filter_of_ndimage_needs_numpy_alone():
    program = (
        "import sys, numpy, convtool.ndimage as ndi;"
        "ndi.gaussian_filter(numpy.zeros((90, 90), 'uint8'), 2);"
        "assert ndi.explain().route == 'compiled';"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    assert imported(program) == {"numpy"}


@needs_library
def test_a_grid_search_waits_for_no_compiler(tmp_path):
    arguments = ["gridsearch", "digits", *TRAINING[:2], "--epochs", "1", "--jobs", "1"]
    maps = tmp_path / "maps.png"
    found = imported(COMMAND, *arguments, "--grid", "lr=0.01,0.02", "--out", maps)
    assert maps.is_file()
    assert not found & COMPILERS


def test_listing_kernels_needs_numpy_and_click():
    assert imported(COMMAND, "kernels") == {"click", "numpy"}
    assert imported(COMMAND, "kernels", "disk:radius=3") == {"click", "numpy"}


UNUSED = {
    "convtool.cli._batch",
    "convtool.cli._summary",
    "convtool.convolution.gradient",
    "convtool.images.background",
    "convtool.work.worker",
    "convtool.images.codecs.ifd",
    "convtool.images.codecs.cmyk",
    "convtool.images.codecs.png",
    "convtool.images.codecs.tiff",
    "convtool.filtering.mask",
    "convtool.filtering.partial",
    "convtool.images.stores",
    "convtool.filtering.strips.inputs",
    "convtool.filtering.where",
    "convtool.report.json_report",
}
"""What filtering one JPEG has no use for."""


def test_filtering_one_picture_imports_no_batch_no_stores_and_one_codec(tmp_path):
    program = COMMAND.replace("name.partition('.')[0]", "name")
    source = Path(__file__).parents[1] / "sample_images" / "photograph.jpg"
    arguments = ["filter", "--kernel", "gaussian", str(source), str(tmp_path / "out.jpg")]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    found = set(done.stderr.splitlines()[-1].split())
    assert "convtool.images.codecs.jpeg" in found
    assert not found & UNUSED


BLAS = """
import os, sys
from convtool.cli import run
run(sys.argv[1:])
print(os.environ.get("OPENBLAS_NUM_THREADS"), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "asked", "threads"),
    [
        (["kernels", "box"], None, "1"),
        (["kernels", "box"], "3", "3"),
        (["svd", "--help"], None, "None"),
    ],
)
def test_blas_starts_threads_only_for_commands_with_large_matrices(
    arguments, asked, threads, monkeypatch
):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    if asked is not None:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", asked)
    program = [sys.executable, "-c", BLAS, *arguments]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    assert done.stderr.split()[-1] == threads
