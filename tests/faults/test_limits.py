"""Low limits of the system: an error of one line within seconds, no crash, no hang."""

import resource
import subprocess
import sys

import numpy as np
import pytest
from processes import ENVIRONMENT

from convtool.images.write import write

MIB = 1 << 20
NETWORK = "network.safetensors"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("limits")
    (folder / "in").mkdir()
    for number in range(6):
        write(folder / "in" / f"{number}.png", np.full((8, 8), number, np.uint8))
    return folder


def limited(folder, *arguments, environment=None, **limits):
    """Run ``convtool`` with low limits; return its exit code and what it said."""

    def lower():
        for name, most in limits.items():
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))

    done = subprocess.run(
        [sys.executable, "-m", "convtool", *arguments],
        cwd=folder,
        env=ENVIRONMENT | (environment or {}),
        capture_output=True,
        preexec_fn=lower,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize(
    ("options", "files", "who", "needed"),
    [
        ((), 12, "convtool filter", 16),
        (("--jobs", "2"), 20, "a batch with 2 processes", 38),
        (("--workers", "2"), 20, "--workers 2", 320),
        (("--workers", "2"), 319, "--workers 2", 320),
        (("--scheduler", "tcp://127.0.0.1:1"), 20, "--scheduler", 64),
    ],
)
def test_few_open_files(folder, options, files, who, needed):
    code, said = limited(folder, "filter", "-k", "box", *options, "in", "out/", NOFILE=files)
    words = (
        f"{who} may need {needed} open files, and the limit is {files}; raise it with 'ulimit -n'"
    )
    assert code == 1
    assert said.splitlines()[-1] == f"convtool: error: {words}"
    assert "Traceback" not in said


def test_as_many_open_files_as_are_needed_are_enough(folder):
    code, said = limited(folder, "filter", "-k", "box", "--jobs", "2", "in", "some/", NOFILE=38)
    assert (code, "6 pictures: 6 done" in said) == (0, True)


def test_a_search_with_few_open_files(folder):
    line = ["gridsearch", "digits", "--limit", "20", "--epochs", "1", "--grid", "lr=0.1,0.2"]
    code, said = limited(folder, *line, "--jobs", "2", NOFILE=20)
    assert code == 1
    assert said.endswith(
        "convtool: error: a search with 2 processes may need 32 open files, and the limit is 20; "
        "raise it with 'ulimit -n'\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        ["svd", "in/0.png", "--k", "1"],
        ["predict", "network.safetensors", "in/0.png"],
        ["train", "digits", "--out", "new.safetensors"],
        ["gridsearch", "digits", "--grid", "lr=0.1,0.2"],
        ["learn", "in/0.png", "in/1.png"],
        ["compare", "in/0.png", "in/1.png"],
        ["deconvolve", "-k", "box", "in/0.png", "out.png"],
    ],
    ids=lambda line: line[0],
)
def test_little_address_space(folder, line):
    words = "needs 1,024 MiB of address space, and the limit is 400 MiB; raise it with 'ulimit -v'"
    said = f"convtool: error: convtool {line[0]} {words}\n"
    assert limited(folder, *line, AS=400 * MIB) == (1, said)


def test_little_address_space_for_workers(folder):
    line = ["filter", "-k", "box", "--workers", "2", "in", "out/"]
    code, said = limited(folder, *line, AS=400 * MIB)
    assert code == 1
    assert "--workers 2 needs" in said.splitlines()[-1]
    assert "MiB of address space, and the limit is 400 MiB" in said.splitlines()[-1]


def test_small_commands_need_little_address_space(folder):
    assert limited(folder, "info", "in/0.png", AS=256 * MIB) == (0, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_limit_on_the_length_of_files_names_standard_output(folder, unbuffered):
    with open(folder / "report", "wb") as report:
        done = subprocess.run(
            [sys.executable, "-m", "convtool", "kernels"],
            env=ENVIRONMENT | {"PYTHONUNBUFFERED": unbuffered},
            stdout=report,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
            check=False,
        )
    assert (done.returncode, done.stderr) == (
        1,
        b"convtool: error: standard output: File too large\n",
    )


def test_a_limit_on_the_length_of_files_names_the_report(folder):
    line = ["filter", "-k", "box", "--jobs", "1", "--json", "in", "out/"]
    code, said = limited(folder, *line, FSIZE=300)
    assert code == 1
    assert "convtool: error: a temporary file for the report cannot be written" in said


def test_no_folder_for_temporary_files(folder):
    line = ["filter", "-k", "box", "--jobs", "1", "--json", "in", "out/"]
    places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder / "none"))
    code, said = limited(folder, *line, environment=places)
    assert (code, "Traceback" in said) == (0, False)
