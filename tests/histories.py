"""Filter many cases in one process, after a history of it; print bits, engines and plans as JSON.

A script: ``python tests/histories.py HISTORY FOLDER``, HISTORY a key of `HISTORIES`.
"""

import contextlib
import hashlib
import io
import itertools
import json
import multiprocessing
import os
import re
import sys
from pathlib import Path

import numpy as np

import convtool
from convtool.cli import run
from convtool.convolution import engines
from convtool.convolution import run as convolution_run
from convtool.images.read import read
from convtool.images.write import write

KERNELS = (
    "box",
    "box:size=15",
    "gaussian:sigma=0.6",
    "gaussian:sigma=1",
    "gaussian:sigma=5",
    "sobel",
    "disk:radius=9",
    "laplacian-4",
    "dense-15.npy",
    "dense-63.npy",
)
ENDINGS = {"uint8": ".png", "uint16": ".png", "float32": ".tif", "float64": ".tif"}
BORDERS = ("reflect", "mirror", "nearest", "wrap", "constant")
SHAPES = ((90, 120), (300, 400))
STRIDES = (1, 1, 2)
_EXPLAINED = re.compile(r"^kernel 1, .*?: engine ([\w-]+)(?: \(rank (\d+)\))?: ", re.MULTILINE)


def cases():
    """Return the cases: kernel, type, channels, shape, border, stride."""
    rows = itertools.product(KERNELS, ENDINGS, (1, 3))
    return [
        (*row, SHAPES[n % 2], BORDERS[n % len(BORDERS)], STRIDES[n % len(STRIDES)])
        for n, row in enumerate(rows)
    ]


def write_inputs(folder):
    """Write the kernels and pictures that the cases name."""
    rng = np.random.default_rng(14)
    for size in (15, 63):
        kernel = rng.random((size, size))
        np.save(folder / f"dense-{size}.npy", kernel / kernel.sum())
    for dtype, channels, shape in itertools.product(ENDINGS, (1, 3), SHAPES):
        values = rng.random(shape if channels == 1 else (*shape, channels))
        peak = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1
        pixels = (values * peak).astype(dtype)
        write(folder / _name(dtype, channels, shape), pixels)


def _name(dtype, channels, shape):
    return f"{dtype}-{channels}-{shape[0]}{ENDINGS[dtype]}"


@contextlib.contextmanager
def _recorded():
    """Yield a set of the engines, with their ranks, that are made ready meanwhile."""
    seen, ordinary = set(), engines.load

    def load(name):
        prepare = ordinary(name)
        return lambda job: (seen.add((name, job.rank)), prepare(job))[1]

    convolution_run._remembered.cache_clear()
    engines.load = load
    try:
        yield seen
    finally:
        engines.load = ordinary


def _digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


def _command(*arguments):
    """Run a command; return what its first step is said to take, in both reports."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        code = run(["filter", "--json", "report.json", "--explain", *map(str, arguments)])
    assert code == 0, said.getvalue()
    engine, rank = _EXPLAINED.search(said.getvalue()).groups()
    step = json.loads(Path("report.json").read_text())["steps"][0]
    return [[engine, rank and int(rank)], [step["engine"], step["rank"]]]


def filtered(number):
    """Filter one case by the library and by the command line; return what is to be compared."""
    kernel, dtype, channels, shape, border, stride = cases()[number]
    name = _name(dtype, channels, shape)
    pixels = read(name).pixels
    answer_type = {"out_dtype": dtype} if np.dtype(dtype).kind == "u" else {}
    weights = np.load(kernel) if kernel.endswith(".npy") else kernel
    how = {"border": border, "stride": stride}
    found = {"case": [kernel, dtype, channels, shape, border, stride]}
    if kernel != "sobel":
        plan = convtool.plan(pixels.shape, dtype, weights, **how, **answer_type)
        with _recorded() as seen:
            answer = convtool.convolve(pixels, weights, **how, dtype=answer_type.get("out_dtype"))
        found["library"] = {
            "named": [plan.engine, plan.rank],
            "ran": sorted(map(list, seen)),
            "bits": _digest(answer.tobytes()),
        }
    output = f"out{ENDINGS[dtype]}"
    words = ["-k", kernel, "--border", border, "--stride", stride, name, output]
    named = _command("--dry-run", *words)
    with _recorded() as seen:
        named += _command(*words)
    found["command"] = {
        "named": named,
        "ran": sorted(map(list, seen)),
        "bits": _digest(read(output).pixels.tobytes()),
    }
    return found


def _here(numbers):
    return [filtered(number) for number in numbers]


def _after_others(numbers):
    """Filter each case after all engines have done other work."""
    image = np.random.default_rng(1).random((40, 50)).astype(np.float32)
    for engine in engines.ENGINES:
        for weights in (np.ones((3, 3)), np.random.default_rng(2).random((9, 9))):
            convtool.convolve(image, weights, engine=engine)
            convtool.convolve(image.astype(np.float64), weights, engine=engine)
    return _here(reversed(numbers))


def _after_imports(numbers):
    """Filter each case where other libraries were imported before."""
    import cv2  # noqa: F401
    import numba  # noqa: F401
    import scipy.fft  # noqa: F401

    return _here(numbers)


def _on_one_core(numbers):
    """Filter each case on one core, with one thread."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return _here(numbers)


def _in_pool(numbers):
    """Filter each case in one of two spawned processes, which write to folders of their own."""
    with multiprocessing.get_context("spawn").Pool(2, _move) as pool:
        return pool.map(filtered, numbers, chunksize=3)


def _move():
    """Work in a folder of this process, with links to the inputs."""
    here = Path.cwd()
    folder = here / multiprocessing.current_process().name
    folder.mkdir()
    for path in here.iterdir():
        if path.is_file():
            (folder / path.name).symlink_to(path)
    os.chdir(folder)


HISTORIES = {
    "fresh": _here,
    "others": _after_others,
    "imports": _after_imports,
    "one core": _on_one_core,
    "pool": _in_pool,
}

if __name__ == "__main__":
    os.chdir(sys.argv[2])
    made = HISTORIES[sys.argv[1]](range(len(cases())))
    print(json.dumps(sorted(made, key=lambda one: json.dumps(one["case"]))))
