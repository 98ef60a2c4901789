"""The fuzzer finds what it looks for; what it found once is run for ever."""

import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from convtool.errors import ConvtoolWarning

ROOT = Path(__file__).parents[1]
FOUND = sorted((ROOT / "tests" / "corpus" / "found").glob("*"))


def fuzz(*arguments):
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_a_short_run_finds_nothing():
    done = fuzz("-m", "tests.fuzz", "--inputs", "400", "--seed", "7", "--jobs", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("400 inputs with seed 7 in ")
    assert done.stdout.endswith(": 0 kinds of failure\n")


def test_whole_commands_find_nothing():
    done = fuzz("-m", "tests.fuzz", "--commands", "4", "--jobs", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("4 commands with seed 1 in ")


FAILING = """
import os, time
from tests.fuzz.targets import Target
from tests.fuzz.workers import Fuzzing

def fail(data, folder):
    number = int(data)
    if number == 2:
        raise IndexError("two")
    if number == 5:
        os.kill(os.getpid(), 11)
    if number == 8:
        time.sleep(60)
    if number == 9:
        memory = b"x" * (350 << 20)

target = Target("fake", ".txt", 1, None, fail)
fuzzing = Fuzzing(1, 2, inputs=12, source=lambda seed, n: (target, b"%d" % n),
                  hang_seconds=6, mebibytes=300)
print(fuzzing.run())
for key, found in sorted(fuzzing.findings.items()):
    print(key, [finding.data for finding in found])
"""


def test_exceptions_deaths_hangs_and_memory_are_noticed():
    done = fuzz("-c", FAILING)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "12",
        "fake: IndexError in <string>:fail [b'2']",
        "fake: hangs [b'8']",
        "fake: is ended by signal 11 [b'5']",
        "fake: takes more than 300 MB [b'9']",
    ]


def test_an_input_is_a_function_of_seed_and_number():
    program = (
        "from tests.fuzz.targets import input_of; from hashlib import sha256;"
        "print([(t.name, sha256(d).hexdigest()) for t, d in map(input_of, [3] * 200, range(200))])"
    )
    first, second = fuzz("-c", program), fuzz("-c", program)
    assert first.stdout == second.stdout
    assert len(first.stdout) > 1000


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_what_was_found_fails_no_more(path, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.chdir(tmp_path)
    from tests.fuzz.targets import TARGETS

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvtoolWarning)
        TARGETS[path.stem.rpartition("-")[0]].run(path.read_bytes(), tmp_path)
