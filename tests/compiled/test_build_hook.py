"""The wheel that the build backend makes where no library can be built, or none is wanted."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import convtool
from convtool.cli import COMMANDS

CHECKOUT = Path(convtool.__file__).parents[1]

pytestmark = pytest.mark.skipif(
    not (CHECKOUT / "hatch_build.py").exists(),
    reason="this is no checkout: there is nothing to build",
)


@pytest.fixture
def copy(tmp_path):
    """A copy of the checkout as it is in version control."""
    for name in ("convtool", "hatch_build.py", "pyproject.toml", "README.md", "LICENSE"):
        source = CHECKOUT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("built", "__pycache__")
            shutil.copytree(source, tmp_path / "copy" / name, ignore=ignored)
        else:
            shutil.copy(source, tmp_path / "copy" / name)
    return tmp_path / "copy"


def wheel(copy, **variables):
    """Build a wheel; return its name, the names of its files and what was said."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"],
        cwd=copy,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = (copy / "dist").iterdir()
    with zipfile.ZipFile(made) as archive:
        names = archive.namelist()
    said = [
        line for line in (done.stdout + done.stderr).splitlines() if line.startswith("convtool:")
    ]
    return made.name, names, said


def is_pure(name, names):
    return name.endswith("-py3-none-any.whl") and not any("compiled/built" in one for one in names)


def test_no_library_is_wanted(copy):
    name, names, said = wheel(copy, CONVTOOL_BUILD="python")
    assert is_pure(name, names)
    assert "convtool/compiled/jit.py" in names
    manual = {one.rpartition("/")[2] for one in names if ".data/data/share/man/man1/" in one}
    assert manual == {"convtool.1", *(f"convtool-{command}.1" for command in COMMANDS)}
    assert said == [
        "convtool: CONVTOOL_BUILD=python: compiled functions are left to 'convtool compile'"
    ]


def test_there_is_no_c_compiler(copy, tmp_path):
    variables = {"PATH": str(tmp_path / "nothing"), "CC": ""}
    name, names, said = wheel(copy, **variables)
    assert is_pure(name, names)
    (line,) = said
    assert line.startswith("convtool: no library was built (there is no C compiler; install one")
    assert line.endswith("compiled functions are left to 'convtool compile'")
