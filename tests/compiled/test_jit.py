"""Compiling at use: the same bits as the built library, for every function and every type.

This is the one place where functions are compiled by the tests: ``convtool compile`` fills a cache
of its own, and a process without the library works from it.
"""

import os
import subprocess
import sys

import numpy as np
import pytest

from convtool.compiled import library

CASES = """
import sys
import numpy as np
import convtool

rng = np.random.default_rng(11)
KERNELS = {
    "dense3": rng.normal(size=(3, 3)), "dense5": rng.normal(size=(5, 5)),
    "dense4x7": rng.normal(size=(4, 7)), "dense11": rng.normal(size=(11, 11)),
    "dense33": rng.normal(size=(33, 33)), "sparse": np.eye(7),
    "gauss": convtool.kernel("gaussian:sigma=2"), "binomial": convtool.kernel("gaussian"),
    "box": np.full((9, 9), 1 / 81), "box3": np.full((3, 3), 1 / 9), "box5": np.full((5, 5), 1 / 25),
    "box7": np.full((7, 7), 1 / 49), "binomial5": convtool.kernel("gaussian:size=5"),
    "whole": np.outer([1, 2, 0, 5], [3, 4, 1]) / 64, "box17": np.full((17, 17), 1 / 289),
    "tall": np.full((31, 5), 0.1),
}
answers = {}
INTEGERS = [f"{sign}int{bits}" for sign in ("u", "") for bits in (8, 16, 32, 64)]
for dtype in (*INTEGERS, "float32", "float64"):
    for shape in ((61, 83), (40, 50, 3), (33, 21, 5)):
        image = (rng.random(shape) * 120).astype(dtype)
        last = {"channel_axis": 2} if len(shape) == 3 else {}
        for name, kernel in KERNELS.items():
            for engine in ("numba", "numba-fft"):
                for out in (None, "uint8", "uint16", "float64"):
                    for border in ("reflect", "constant", "wrap"):
                        key = f"{dtype}-{shape}-{name}-{engine}-{out}-{border}"
                        answers[key] = convtool.correlate(
                            image, kernel, engine=engine, dtype=out, border=border, cval=7, **last)
        for out in (None, "uint8"):
            for engine in ("numba", "numba-fft"):
                key = f"{dtype}-{shape}-magnitude-{engine}-{out}"
                answers[key] = convtool.gradient_magnitude(
                    image, engine=engine, dtype=out, **last)
        answers[f"{dtype}-{shape}-strided"] = convtool.correlate(
            image, KERNELS["dense5"], engine="numba", stride=(2, 3), padding=2, **last)
    poisoned = (rng.random((50, 60)) * 100).astype(dtype)
    if poisoned.dtype.kind == "f":
        poisoned[20, 30], poisoned[5, 5] = np.nan, np.inf
    answers[f"{dtype}-nonfinite"] = convtool.correlate(poisoned, KERNELS["sparse"], engine="numba")
assert ("numba" in sys.modules) == (sys.argv[2] == "jit"), "the wrong source of compiled functions"
np.savez(sys.argv[1], **answers)
"""


def run(*command, **variables):
    """Run Python in a fresh process."""
    done = subprocess.run(
        [sys.executable, *command],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def jit(tmp_path_factory):
    """The variables of an installation without a library, after ``convtool compile``."""
    home = tmp_path_factory.mktemp("jit")
    variables = {"CONVTOOL_LIBRARY": "none", "XDG_CACHE_HOME": str(home), "NUMBA_CACHE_DIR": ""}
    done = run("-m", "convtool", "compile", **variables)
    assert done.stdout == f"compiled functions are kept in {next(home.glob('convtool/jit/*'))}\n"
    return variables


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Return the answers of all cases, from the library or compiled at use."""

    def made(kind, variables):
        file = tmp_path_factory.mktemp("answers") / "answers.npz"
        run("-c", CASES, str(file), kind, **variables)
        with np.load(file) as loaded:
            return {name: loaded[name] for name in loaded.files}

    return made


def same_bits(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].dtype == other[name].dtype
        assert one[name].tobytes() == other[name].tobytes(), name


@pytest.mark.skipif(library.load() is None, reason="no library was built in this environment")
def test_bits_are_those_of_the_library(jit, answers):
    same_bits(answers("library", {}), answers("jit", jit))


@pytest.mark.skipif(library.load() is None, reason="no library was built in this environment")
def test_bits_of_both_families_are_the_same(answers):
    if library.load().family != "x86-64-v4":
        pytest.skip("this processor runs one family only")
    same_bits(answers("library", {}), answers("library", {"CONVTOOL_LIBRARY": "x86-64-v3"}))


def test_a_filled_cache_makes_auto_take_compiled_engines(jit):
    code = (
        "import convtool; print(convtool.build_info()['compiled'],"
        " convtool.plan((1080, 1920), 'float32', 'gaussian').engine)"
    )
    assert run("-c", code, **jit).stdout == "jit numba\n"


def test_an_empty_cache_leaves_auto_to_numpy(jit, tmp_path):
    code = (
        "import convtool; print(convtool.build_info()['compiled'],"
        " convtool.plan((1080, 1920), 'float32', 'gaussian').engine)"
    )
    assert run("-c", code, **jit | {"XDG_CACHE_HOME": str(tmp_path)}).stdout == "None separable\n"


def test_compile_says_what_it_is_needed_for(capfd):
    from convtool.cli import run as command

    if library.load() is None:
        pytest.skip("no library was built in this environment")
    assert command(["compile"]) == 0
    assert capfd.readouterr().out.startswith("nothing to compile: a library for ")
