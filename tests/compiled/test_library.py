"""The built library: found, checked before it is loaded, and left aside with one warning."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import convtool
from convtool import compiled
from convtool.compiled import build, library
from convtool.compiled.functions import FUNCTIONS, all_functions, symbol

BUILT = Path(library.FOLDER)
built = pytest.mark.skipif(
    library.load() is None, reason="no library was built in this environment"
)

REPORT = """
import json, sys
import convtool
from convtool.compiled import library
if sys.argv[1]:
    library.FOLDER = sys.argv[1]
plan = convtool.plan((1080, 1920), "float32", "gaussian")
print(json.dumps({"info": convtool.build_info(), "engine": plan.engine, "reason": plan.reason,
                  "numba": "numba" in sys.modules}))
"""


def report(folder="", **variables):
    """Return what a fresh process says of its compiled functions, and its warnings."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT, str(folder)],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout), done.stderr


@pytest.fixture
def copy(tmp_path):
    """A copy of the built files."""
    return Path(shutil.copytree(BUILT, tmp_path / "built"))


@built
class TestBuilt:
    def test_is_named_by_build_info(self):
        info = convtool.build_info()
        assert info["compiled"] in ("x86-64-v4", "x86-64-v3", "native")
        assert Path(info["library"]).parent == BUILT

    def test_holds_every_function(self):
        from convtool.compiled import target

        loaded = library.load()
        for name, types in all_functions(target.current()):
            assert loaded.address(name, types) > 0
        with pytest.raises(AttributeError, match="convtool_strips_int8"):
            loaded.address("strips", ("int8",))

    def test_auto_takes_compiled_engines_and_imports_no_compiler(self):
        said, warnings = report()
        assert (said["engine"], said["numba"], warnings) == ("numba", False, "")

    def test_is_built_by_a_known_list_of_files(self):
        sums = (BUILT / library.SUMS).read_text().splitlines()
        names = {line.split()[-1] for line in sums if not line.startswith("#")}
        assert names == {path.name for path in BUILT.iterdir()} - {library.SUMS}
        assert {library.file_name(family) for family in build.families()} <= names


def cut(data):
    return data[: len(data) // 2]


def flipped(data):
    return data[:-99] + bytes([data[-99] ^ 1]) + data[-98:]


@built
class TestDamaged:
    def falls_back(self, folder, what):
        said, warnings = report(folder, XDG_CACHE_HOME=str(folder), NUMBA_CACHE_DIR="")
        assert said["info"] == {"compiled": None, "library": None}
        assert said["engine"] == "separable"
        assert "run 'convtool compile'" in said["reason"]
        (line,) = [line for line in warnings.splitlines() if "Warning: " in line]
        assert "compiled code is left aside" in line
        assert what in line
        assert "install convtool again" in line

    @pytest.mark.parametrize("damage", [cut, flipped, lambda data: b""])
    def test_is_never_loaded(self, copy, damage):
        name = Path(convtool.build_info()["library"]).name
        (copy / name).write_bytes(damage((copy / name).read_bytes()))
        self.falls_back(copy, "is damaged")

    def test_missing(self, copy):
        (copy / Path(convtool.build_info()["library"]).name).unlink()
        self.falls_back(copy, "cannot be read: No such file")

    def test_for_another_processor(self, copy):
        sums = (copy / library.SUMS).read_text().splitlines()
        kept = [line for line in sums if line.startswith("#") or "-cpu" in line]
        other = shutil.copy(convtool.build_info()["library"], copy / "libconvtool-x86-64-v9.so")
        digest = hashlib.sha256(Path(other).read_bytes()).hexdigest()
        (copy / library.SUMS).write_text("\n".join([*kept, f"{digest}  {other.name}", ""]))
        self.falls_back(copy, "is for libconvtool-x86-64-v9.so, this is x86-64-v")

    def test_list_of_digests_that_is_no_text(self, copy):
        (copy / library.SUMS).write_bytes(b"\xff\xfe")
        self.falls_back(copy, "cannot be read")

    def test_from_other_sources(self, copy):
        sums = (copy / library.SUMS).read_text()
        (copy / library.SUMS).write_text(sums.replace("# sources ", "# sources 0"))
        self.falls_back(copy, "was built from other sources")


def test_none_is_built_means_no_warning(tmp_path):
    said, warnings = report(tmp_path / "nothing", XDG_CACHE_HOME=str(tmp_path), NUMBA_CACHE_DIR="")
    assert (said["info"]["compiled"], said["engine"], warnings) == (None, "separable", "")


def test_the_variable_leaves_it_aside(tmp_path):
    said, warnings = report(
        CONVTOOL_LIBRARY="none", XDG_CACHE_HOME=str(tmp_path), NUMBA_CACHE_DIR=""
    )
    assert (said["info"]["library"], warnings) == (None, "")


class TestBuilding:
    def test_without_a_compiler_changes_nothing(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.delenv("CC", raising=False)
        (tmp_path / "built").mkdir()
        (tmp_path / "built" / "old").touch()
        with pytest.raises(build.BuildError, match="there is no C compiler; install one"):
            build.build(tmp_path / "built")
        assert [path.name for path in tmp_path.rglob("*")] == ["built", "old"]

    def test_that_fails_half_way_leaves_nothing(self, tmp_path, monkeypatch):
        monkeypatch.setattr(build, "_compile_all", lambda place, names, workers, say: None)
        monkeypatch.setenv("CC", "false")
        with pytest.raises(build.BuildError, match=r"false ended with 1"):
            build.build(tmp_path / "built", lambda line: None)
        assert list(tmp_path.iterdir()) == []

    def test_without_a_function_is_refused(self, tmp_path, monkeypatch):
        monkeypatch.setattr(build, "_compile_all", lambda place, names, workers, say: None)
        with pytest.raises(build.BuildError, match="convtool_"):
            build.build(tmp_path / "built", lambda line: None)
        assert list(tmp_path.iterdir()) == []


def test_names_of_functions_are_unique():
    from convtool.compiled.families import FAMILIES

    names = [symbol(*each) for each in all_functions(FAMILIES["x86-64-v4"])]
    assert len(names) == len(set(names)) > len(FUNCTIONS)


def test_a_function_without_its_types_is_an_error():
    with pytest.raises((AttributeError, KeyError)):
        compiled.address("no_such_function")


@built
def test_answers_are_right_through_the_library():
    image = np.arange(35.0).reshape(5, 7)
    answer = convtool.convolve(image, [[1, 2, 1]], engine="numba")
    np.testing.assert_array_equal(answer[:, 1:-1], 4 * image[:, 1:-1])
