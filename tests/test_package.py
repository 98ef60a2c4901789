"""The package's face: names, lazily loaded."""

import importlib
import re
import tomllib
from pathlib import Path

import pytest

import convtool
from convtool import errors


def test_names_are_sorted_and_there():
    assert convtool.__all__ == sorted(set(convtool.__all__))
    assert "convolve" in convtool.__all__


@pytest.mark.parametrize("name", convtool.__all__)
def test_every_name_loads_and_stays(name):
    value = getattr(convtool, name)
    assert value is not None
    assert vars(convtool)[name] is value
    assert getattr(value, "__doc__", None)


def test_dir_lists_them_unloaded():
    assert dir(convtool) == convtool.__all__


def test_loading_does_not_depend_on_what_was_loaded_before():
    for name in convtool.__all__:
        if not name.startswith("__"):
            vars(convtool).pop(name, None)
            assert getattr(convtool, name) is not None
    assert convtool.kernels is importlib.import_module("convtool.kernels")


@pytest.mark.parametrize("name", ["convolve2d", "numpy", "_nothing", "__wrapped__"])
def test_unknown_name(name):
    with pytest.raises(AttributeError, match=f"module 'convtool' has no attribute '{name}'"):
        getattr(convtool, name)


def test_every_public_name_is_typed_for_checkers():
    source = Path(convtool.__file__).read_text(encoding="utf-8")
    typed = set(re.findall(r"import \w+ as (\w+)$", source, re.MULTILINE))
    assert typed == set(convtool.__all__) - {"__version__"}


def test_version_is_a_release_number():
    assert re.fullmatch(r"\d+\.\d+\.\d+", convtool.__version__)


def test_version_is_the_last_one_of_the_changelog_and_of_the_citation():
    root = Path(convtool.__file__).parents[1]
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    (version, date), *_ = re.findall(r"^## \[([\d.]+)\] - ([\d-]+)$", changelog, re.MULTILINE)
    assert version == convtool.__version__
    citation = (root / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {version}\ndate-released: {date}\n" in citation


@pytest.mark.parametrize(
    "name", [n for n in vars(errors) if n.endswith("Error") and n != "ConvtoolError"]
)
def test_every_error_is_also_a_builtin_one(name):
    error = getattr(errors, name)
    assert issubclass(error, errors.ConvtoolError)
    assert issubclass(error, ValueError | TypeError | OSError | ArithmeticError)
    assert error.__doc__


def test_ships_its_types_and_its_license():
    root = Path(convtool.__file__).parent
    assert (root / "py.typed").is_file()
    project = tomllib.loads((root.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"convtool": "convtool.__main__:main"}
    assert project["license"] == "MIT"
    assert (root.parent / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
