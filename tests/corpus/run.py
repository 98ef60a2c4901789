"""Running the real command on a case and judging what came of it."""

import atexit
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from . import output
from .case import Case, Refused, Shows

ROOT = Path(__file__).parents[2]
WATCH = Path(__file__).with_name("watch.py")
SECONDS, MEBIBYTES = 10, 768
_ADDRESSES = 6 * 1024
"""A limit of the address space, so that a bomb that goes off does not take the machine along."""


@dataclass(frozen=True)
class Ending:
    """How a command ended."""

    seconds: float
    code: int
    hung: bool
    mebibytes: float
    said: bytes
    printed: bytes


def _environment():
    search = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p)
    return os.environ | {"PYTHONPATH": search, "COLUMNS": "300"}


@cache
def _server():
    """Start the process that others are forked from; it ends with this one."""
    command = [sys.executable, "-P", WATCH, str(SECONDS), str(_ADDRESSES)]
    server = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment(), text=True
    )
    atexit.register(server.communicate)
    return server


def _forked(runs):
    """Run the command line in processes forked from one that has loaded it."""
    server = _server()
    print(json.dumps(runs), file=server.stdin, flush=True)
    return json.loads(server.stdout.readline())


def _started(arguments, files):
    """Run the command in a process from its start."""
    report = f"{files['stdout']}.ending"
    command = [sys.executable, "-m", "convtool", *arguments]
    with (
        open(files["stdin"], "rb") as given,
        open(files["stdout"], "wb") as out,
        open(files["stderr"], "wb") as err,
    ):
        subprocess.run(
            [sys.executable, "-IS", WATCH, str(SECONDS), str(_ADDRESSES), report, *command],
            cwd=files["folder"],
            env=_environment(),
            stdin=given,
            stdout=out,
            stderr=err,
            check=True,
        )
    with open(report, encoding="utf-8") as file:
        return json.load(file)


def convtool(
    arguments: list[str | bytes], folder: Path, stdin: str = os.devnull, *, fork: bool = False
) -> Ending:
    """Run ``convtool`` with arguments in a folder, watched; ``fork`` saves the time of starting."""
    if fork:
        return at_once([arguments], folder, stdin=stdin)[0]
    with tempfile.TemporaryDirectory() as aside:
        files = _files(aside, folder, stdin)
        return _ending(_started(arguments, files), files)


def at_once(
    commands: list[list[str | bytes]], folder: Path, *, stdin: str = os.devnull, **faults: Any
) -> list[Ending]:
    """Run several ``convtool`` at the same time, forked, each with the same faults.

    ``signal`` is a number and the seconds after which it comes, ``patience`` how many seconds there
    are then, ``file_bytes`` how long files can become.
    """
    with ExitStack() as stack:
        asides = [stack.enter_context(tempfile.TemporaryDirectory()) for _ in commands]
        files = [_files(aside, folder, stdin) for aside in asides]
        runs = [
            {"arguments": arguments, **one, **faults}
            for arguments, one in zip(commands, files, strict=True)
        ]
        return [_ending(*pair) for pair in zip(_forked(runs), files, strict=True)]


def _files(aside, folder, stdin):
    outputs = {name: os.path.join(aside, name) for name in ("stdout", "stderr")}
    return {"folder": str(folder), "stdin": stdin} | outputs


def _ending(found, files):
    printed, said = (Path(files[name]).read_bytes() for name in ("stdout", "stderr"))
    return Ending(**found, said=said, printed=printed)


def problems(case: Case, folder: Path, *, fork: bool = False) -> list[str]:
    """Run ``convtool filter`` with the identity kernel on a case; list all that is wrong."""
    source: list[str | bytes] = ["picture"]
    if case.place is not None:
        source = case.place(folder, case.data)
    else:
        (folder / "picture").write_bytes(case.data)
    given = case.stdin or os.devnull
    if case.stdin is True:
        given = str(folder / "given")
        Path(given).write_bytes(case.data)
    before = set(os.listdir(os.fsencode(folder)))
    target = folder / "out.tif"
    arguments = ["filter", "--kernel", "identity", *case.options, *source, "out.tif"]
    ending = convtool(arguments, folder, given, fork=fork)
    found = ill_manners(ending)
    judge = _shown if isinstance(case.expect, Shows) else _refused
    found += judge(case.expect, ending, target)
    target.unlink(missing_ok=True)
    stray = set(os.listdir(os.fsencode(folder))) - before
    return found + [f"left {name!r}" for name in stray]


def ill_manners(ending: Ending, *, prints: bool = False) -> list[str]:
    """List what no run may do, whatever its input; ``prints`` allows text on standard output."""
    said = ending.said.decode("utf-8", "replace")
    rules = {
        "hung": ending.hung,
        f"took {ending.mebibytes:.0f} MB": ending.mebibytes > MEBIBYTES,
        f"was ended by signal {-ending.code}": ending.code < 0 and not ending.hung,
        f"shows a traceback: {said}": "Traceback" in said,
        f"prints on stdout: {ending.printed[:200]!r}": bool(ending.printed) and not prints,
        f"says what is no message: {said!r}": not all(map(_is_message, said.splitlines())),
    }
    return [text for text, broken in rules.items() if broken]


def _is_message(line):
    return line.startswith(("convtool: error: ", "convtool: warning: ")) and line.isprintable()


def _refused(expect: Refused, ending: Ending, target: Path) -> list[str]:
    said = ending.said.decode("utf-8", "replace")
    errors = [line for line in said.splitlines() if line.startswith("convtool: error: ")]
    found = []
    if ending.code != expect.code:
        found.append(f"ends with {ending.code}, not {expect.code}; says {said!r}")
    if len(errors) != 1 or not re.search(expect.words, errors[0]):
        found.append(f"says {said!r}, not /{expect.words}/")
    if os.path.lexists(target):
        found.append("leaves an output file")
    return found


def _shown(expect: Shows, ending: Ending, target: Path) -> list[str]:
    said = ending.said.decode("utf-8", "replace")
    if ending.code != 0:
        return [f"ends with {ending.code}; says {said!r}"]
    found = []
    for line in said.splitlines():
        if not expect.warning or not re.search(expect.warning, line):
            found.append(f"says {line!r}, expected /{expect.warning}/")
    pages = output.pages(target.read_bytes())
    if len(pages) != len(expect.pages):
        return [*found, f"has {len(pages)} pages, not {len(expect.pages)}"]
    for number, (page, truth) in enumerate(zip(pages, expect.pages, strict=True), 1):
        if page.size != truth.size:
            found.append(f"page {number} has {page.size}, not {truth.size}")
        elif not _alike(page.values, truth.values, expect.tolerance):
            found.append(f"page {number} has {_apart(page.values, truth.values)}")
    return found


def _alike(values, truth, tolerance):
    if tolerance:
        return max(abs(a - b) for a, b in zip(values, truth, strict=True)) <= tolerance
    return struct.pack(f"{len(values)}d", *values) == struct.pack(f"{len(truth)}d", *truth)


def _apart(values, truth):
    differing = [i for i, (a, b) in enumerate(zip(values, truth, strict=True)) if a != b]
    first = differing[0] if differing else 0
    return (
        f"{len(differing)} of {len(values)} wrong values, "
        f"the first {values[first]}, not {truth[first]}"
    )
