"""Who may import what, where the import linter cannot see: heavy modules and where they load."""

import ast
import re
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import convtool

PACKAGE = Path(convtool.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
ON_USE = {
    "PIL",
    "cv2",
    "dask",
    "distributed",
    "fsspec",
    "imagecodecs",
    "imageio",
    "llvmlite",
    "matplotlib",
    "numba",
    "onnx",
    "onnxruntime",
    "rich",
    "safetensors",
    "scipy",
    "skimage",
    "sklearn",
    "threadpoolctl",
    "tifffile",
    "torch",
    "xarray",
    "zarr",
}
"""Modules that cost more to import than a small job takes: never at a module's top level …"""

COMPILERS = {"numba", "llvmlite"}
OF_OTHER_PYTHONS = {"_sha2", "_sha256"}
"""Modules of the standard library that the newest or the oldest Python does not have."""

NN_COMPILED = tuple(
    f"nn/jit/{name}.py"
    for name in (
        "contraction_code",
        "noise_simd",
        "normalization_code",
        "objective_code",
        "pooling_code",
        "program_code",
        "simd",
        "warp_code",
    )
)
NDIMAGE_COMPILED = tuple(
    f"ndimage/jit/{name}.py"
    for name in (
        *("along", "dense_code", "down", "lanes", "memory", "passes_code", "running", "simd"),
        "vectors",
    )
)
ENGINES_COMPILED = tuple(
    f"convolution/engines/jit/{name}.py"
    for name in (
        *("block_sums", "butterflies", "exact_sums", "exact_tiles_code", "int16_passes"),
        *("copies", "filling", "lanes", "line_simd", "lines_code"),
        *("means_code", "patches_code", "plane", "products", "reading", "running", "survey"),
        *("simd", "small_code", "strip", "sums", "together", "together_code", "transform"),
        *("transforms_code", "uniform"),
        *("two_passes_code", "vectors", "volume_code", "volume_simd"),
        *("whole_code", "whole_passes"),
    )
)
COMPILED = tuple(
    f"compiled/{name}.py"
    for name in ("atomics", "calls", "checksummed", "emitter", "jit", "memory", "objects", "target")
)
JIT = (*COMPILED, *ENGINES_COMPILED, *NDIMAGE_COMPILED, *NN_COMPILED)
ZARR = tuple(f"images/stores/{name}.py" for name in ("bounded", "zarr_source", "zarr_target"))
AT_THE_TOP = {JIT: COMPILERS, ZARR: {"zarr"}}
"""… except where the whole module is loaded only on use: folders and files that begin so."""

ONLY_IN = {
    "click": ("cli/",),
    "dask": ("distributed/",),
    "distributed": ("distributed/",),
    "llvmlite": JIT,
    "numba": JIT,
}
"""Where alone these may be imported at all."""


def place(path):
    return path.relative_to(PACKAGE).as_posix()


def roots(node):
    """Return the top-level packages that an import statement names."""
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return {node.module.partition(".")[0]}
    return set()


def is_for_checkers(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) in (
        "TYPE_CHECKING",
        "typing.TYPE_CHECKING",
    )


def on_import(body):
    """Yield the statements that run when the module is imported."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or is_for_checkers(node):
            continue
        yield node
        for field in ("body", "orelse", "finalbody", "handlers"):
            yield from on_import(getattr(node, field, None) or [])


class Facts(NamedTuple):
    """What a module imports, at its top level and anywhere, and the names it has and calls."""

    at_the_top: set[str]
    imported: set[str]
    named: set[str]
    called: set[str]


@cache
def facts(path):
    """Parse a module once for all tests; trees themselves would burden the garbage collector."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    calls = [node.func for node in nodes if isinstance(node, ast.Call)]
    return Facts(
        set().union(*(roots(node) for node in on_import(tree.body))),
        set().union(*map(roots, nodes)),
        {node.id for node in nodes if isinstance(node, ast.Name)},
        {function.id for function in calls if isinstance(function, ast.Name)},
    )


def test_there_is_something_to_check():
    assert len(MODULES) > 20
    for prefixes in (*AT_THE_TOP, *ONLY_IN.values()):
        assert any(place(path).startswith(prefixes) for path in MODULES)


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_heavy_modules_are_imported_on_use(path):
    allowed = [names for prefix, names in AT_THE_TOP.items() if place(path).startswith(prefix)]
    assert facts(path).at_the_top & ON_USE <= set().union(*allowed)


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_where_it_may_be_imported_at_all(path):
    allowed = {name for name, prefixes in ONLY_IN.items() if place(path).startswith(prefixes)}
    assert facts(path).imported & ONLY_IN.keys() <= allowed


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_nothing_outside_the_command_line_prints(path):
    if not place(path).startswith("cli/"):
        assert not facts(path).called & {"print", "input", "exit", "quit", "breakpoint"}


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_modules_named_at_run_time_come_from_registries(path):
    """``import_module`` hides an import from the linter, so it stands in registries alone."""
    registries = (
        *("compiled/jit.py", "convolution/deferred.py", "extras.py"),
        *("images/codec.py", "images/doors/child.py"),
    )
    if path.name != "__init__.py" and place(path) not in registries:
        assert not facts(path).named & {"import_module", "__import__"}


MODULE_OF = {
    "opencv-python-headless": "cv2",
    "openexr": "OpenEXR",
    "pillow": "PIL",
    "protobuf": "google",
    "scikit-learn": "sklearn",
}
BROUGHT_ALONG = {"llvmlite"}


class TestDependencies:
    """What is imported is declared, and what is declared is imported."""

    @pytest.fixture
    def project(self):
        text = (PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8")
        return tomllib.loads(text)["project"]

    @pytest.fixture
    def imported(self):
        named = set().union(*(facts(path).imported for path in MODULES))
        return named - set(sys.stdlib_module_names) - {"convtool"} - BROUGHT_ALONG

    def names(self, requirements):
        plain = [re.match(r"[\w-]+", requirement)[0] for requirement in requirements]
        return {MODULE_OF.get(name, name) for name in plain}

    def test_every_import_is_declared(self, project, imported):
        extras = project.get("optional-dependencies", {}).values()
        declared = self.names(project["dependencies"]).union(*map(self.names, extras))
        assert imported - OF_OTHER_PYTHONS <= declared

    def test_every_dependency_is_imported(self, project, imported):
        assert self.names(project["dependencies"]) <= imported
