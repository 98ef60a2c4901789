"""The wheel that the build backend makes where no library can be built, or none is wanted."""

import os
import shutil
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

import convtool
from convtool.cli import COMMANDS
from convtool.compiled import build, library

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


@pytest.fixture
def built(tmp_path):
    """A folder that looks like a built library, of the checkout's sources."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "libconvtool-cpu.so").write_bytes(b"a library")
    digest = sha256(b"a library").hexdigest()
    lines = [f"# sources {library.sources_digest()}", f"{digest}  libconvtool-cpu.so", ""]
    (folder / library.SUMS).write_text("\n".join(lines))
    return folder


def test_a_library_of_the_same_sources_is_taken(copy, built):
    name, names, said = wheel(copy, CONVTOOL_BUILD=str(built))
    assert "-py3-none-" in name
    assert not name.endswith("-any.whl")
    assert {one for one in names if "compiled/built" in one} == {
        "convtool/compiled/built/SHA256SUMS",
        "convtool/compiled/built/libconvtool-cpu.so",
    }
    assert said == [f"convtool: the library in {built} is taken"]
    kept = copy / "convtool" / "compiled" / "built"
    assert sorted(file.name for file in kept.iterdir()) == ["SHA256SUMS", "libconvtool-cpu.so"]
    shutil.rmtree(copy / "dist")
    assert wheel(copy, CONVTOOL_BUILD=str(built))[1] == names
    shutil.rmtree(copy / "dist")
    assert is_pure(*wheel(copy, CONVTOOL_BUILD="python")[:2])


def _other_sources(folder):
    sums = folder / library.SUMS
    sums.write_text("# sources 0000000000000000\n" + sums.read_text().partition("\n")[2])


def _damaged(folder):
    (folder / "libconvtool-cpu.so").write_bytes(b"a librarz")


def _nothing(folder):
    (folder / library.SUMS).unlink()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_other_sources, "was built from other sources"),
        (_damaged, "is damaged: libconvtool-cpu.so"),
        (_nothing, "holds no built library"),
    ],
)
def test_another_library_is_not_taken(built, tmp_path, spoil, reason):
    spoil(built)
    with pytest.raises(build.BuildError, match=reason):
        build.take(built, tmp_path / "target")
    assert not (tmp_path / "target").exists()
