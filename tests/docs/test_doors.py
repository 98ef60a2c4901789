"""Pages for people who come from elsewhere: both sides of each row of their tables agree."""

import doctest
import functools
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from pages import PAGES, ROOT, blocks
from processes import finished

from convtool.images.read import read

MAGICK = PAGES["docs/howto/from-imagemagick.md"]
COMMANDS = re.findall(r"^\| `(.*?)` \| `convtool (.*?)` \| (\d) \|$", MAGICK, re.MULTILINE)
LIBRARIES = {"opencv": "cv2", "scipy": "scipy", "scikit-image": "skimage"}
CALLS = [
    (library, theirs, ours)
    for library in LIBRARIES
    for theirs, ours in re.findall(
        r"^\| `(.*?)` \| `(.*?)` \|$", PAGES[f"docs/howto/from-{library}.md"], re.MULTILINE
    )
]
BOUNDS = {"ndi.": 0.0, "cv2.phase": 1e-4, "cv2.": 1e-5, "skimage.": 1e-6}
"""The largest difference relative to the largest value, by what a row holds; else 1e-5."""


@functools.cache
def names(library: str) -> dict[str, object]:
    """Return what the first Python block of a page defines."""
    reason = f"{library} is not installed (convtool[peers])"
    pytest.importorskip(LIBRARIES[library], reason=reason)
    page = PAGES[f"docs/howto/from-{library}.md"]
    code = next(part for language, part in blocks(page) if language == "python")
    example = doctest.DocTestParser().get_doctest(code, {}, "names", "names", 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        doctest.DocTestRunner(verbose=False).run(example, clear_globs=False)
    return example.globs


@pytest.mark.parametrize(("library", "theirs", "ours"), CALLS)
def test_call_of_another_library(
    library: str, theirs: str, ours: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = names(library)
    monkeypatch.chdir(ROOT)
    expected, found = (np.asarray(eval(side, known)) for side in (theirs, ours))
    assert expected.shape == found.shape
    bound = next((bound for part, bound in BOUNDS.items() if part in theirs + ours), 1e-5)
    if not bound:
        np.testing.assert_array_equal(found, expected, strict=True)
    wide = np.result_type(expected, found, np.float64)
    expected, found = expected.astype(wide), found.astype(wide)
    assert np.abs(found - expected).max() <= bound * np.abs(expected).max()


def imagemagick() -> str | None:
    """Return ImageMagick's program: ``magick``, or ``convert`` where it is a program, no script."""
    for name in ("magick", "convert", "/usr/bin/convert"):
        found = shutil.which(name)
        if found is None or Path(found).read_bytes()[:2] == b"#!":
            continue
        said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False)
        if "ImageMagick" in said.stdout:
            return found
    return None


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the files that IN and MASK stand for."""
    folder = tmp_path_factory.mktemp("doors")
    source, mask = folder / "in.png", folder / "mask.mat"
    photograph = str(ROOT / "sample_images" / "photograph.jpg")
    assert finished("filter", "-k", "identity", photograph, str(source)).returncode == 0
    mask.write_bytes(finished("kernels", "3x3:0,-1,0,-1,5,-1,0,-1,0", "--as", "vips").stdout)
    return {"IN": str(source), "MASK": str(mask)}


@pytest.mark.parametrize(("theirs", "ours", "levels"), COMMANDS)
def test_command_of_another_program(
    theirs: str, ours: str, levels: str, files: dict[str, str], tmp_path: Path
) -> None:
    program, *words = shlex.split(theirs)
    found = imagemagick() if program == "convert" else shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    there, here = tmp_path / "there.png", tmp_path / "here.png"
    places = files | {"OUT": str(there)}
    subprocess.run([found, *(places.get(word, word) for word in words)], check=True)
    places["OUT"] = str(here)
    done = finished(*(places.get(word, word) for word in shlex.split(ours)))
    assert done.returncode == 0, done.stderr
    apart = np.abs(read(there).pixels.astype(int) - read(here).pixels)
    assert apart.max() <= int(levels)


def test_the_tables_have_rows() -> None:
    assert len(CALLS) > 50
    assert len(COMMANDS) > 10
