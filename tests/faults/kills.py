"""Kill what writes a file in the middle of it: the file is the old one or the new one, and whole.

``python kills.py KIND`` works in the current folder, which is empty: it kills a command before each
call of the system that its writing makes, the first, the second and so on. ``--kills 200`` kills at
random moments instead. After each kill the same command runs once more; then there is the new file
and nothing else. Prints JSON: the kills, those in the middle of the writing, what was found then,
and what was wrong.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from random import Random

import numpy as np

from convtool.cli import run
from convtool.images.write import write
from convtool.nn import modelfile

WRITERS = ("convtool.files", "convtool.journal", "convtool.images.stores.tiff_writer")
CALLS = ("open", "write", "writelines", "flush", "fsync", "replace", "unlink", "truncate")


@dataclass(frozen=True)
class Kind:
    """Commands that make the old and the new file, and what the file says when it is read."""

    target: str
    old: list[str]
    new: list[str]
    costly: tuple[str, ...]
    """Imported before there are other processes, which then have them."""
    read: Callable[[Path], object] = Path.read_bytes


def weights(path):
    """Return what a model file holds; it also says how long the training took."""
    return {name: array.tobytes() for name, array in modelfile.load(path).parameters().items()}


def pictures():
    """Make two pictures of a few strips, and two folders of small ones."""
    rng = np.random.default_rng(4)
    for name in "ab":
        write(f"{name}.tif", rng.integers(0, 256, (300, 240, 3), np.uint8))
        Path(name).mkdir()
        for number in range(8):
            write(f"{name}/{number:02}.pgm", rng.integers(0, 256, (200, 200), np.uint8))


def in_another(function):
    """Call a function in another process, so that this one stays as it is."""
    child = os.fork()
    if not child:
        function()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def done(path):
    """Return the pictures that a journal names, all of which are there as it says."""
    names = []
    for line in path.read_bytes().splitlines(keepends=True)[1:]:
        if line.endswith(b"\n"):
            entry = json.loads(line)
            content = Path(entry["target"]).read_bytes()
            assert sha256(content).hexdigest() == entry["output"]["sha256"]
            names.append(entry["target"])
    return sorted(names)


def _train(seed):
    line = ["train", "digits", "--epochs", "1", "--limit", "60", "--arch", "conv 2 3x3, relu"]
    return [*line, "--seed", str(seed), "--out", "out.safetensors"]


def _batch(name):
    line = ["filter", "-k", "identity", "--jobs", "1", "--journal", "out.journal"]
    return [*line, "-r", name, f"out.{name}"]


def _filter(name):
    return ["filter", "-k", "box", f"{name}.tif", "out.btf"]


def _svd(name):
    return ["svd", f"{name}.tif", "--gray", "--k", "20", "--save", "out.ctsvd"]


_STRIPS = "convtool.filtering.strips.job"
KINDS = {
    "tiff": Kind("out.btf", _filter("a"), _filter("b"), ("tifffile", _STRIPS)),
    "factors": Kind("out.ctsvd", _svd("a"), _svd("b"), ("cv2", "convtool.cli.svd")),
    "model": Kind("out.safetensors", _train(1), _train(2), ("convtool.cli.train",), weights),
    "journal": Kind("out.journal", _batch("a"), _batch("b"), ("convtool.cli.filter",), done),
}


def forked(line, kill=None):
    """Run a command in another process; return how it ended, when its last child has.

    ``kill`` is called with the process's number, in a thread, or is the number of the call before
    which the process kills itself.
    """
    ending, held = os.pipe()
    child = os.fork()
    if not child:
        os.close(ending)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        if isinstance(kill, int):
            _kill_before(kill)
        os.set_inheritable(held, True)
        os._exit(run(line))
    os.close(held)
    if callable(kill):
        kill(child)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.read(ending, 1)
    os.close(ending)
    return code


def _kill_before(moment):
    """Kill this process before a call of its writing."""
    seen, own = [], os.getpid()

    def watch(frame, event, function):
        known = event == "c_call" and frame.f_globals.get("__name__") in WRITERS
        if known and function.__name__ in CALLS and os.getpid() == own:
            seen.append(function.__name__)
            if len(seen) > moment:
                Path("moment").write_text(function.__name__)
                os.kill(own, signal.SIGKILL)

    sys.setprofile(watch)
    threading.setprofile(watch)


def found(folder="."):
    """Return the files that are called out.*, or are temporary, and how long they are."""
    places = [Path(one) for one in os.listdir(folder) if one.startswith(("out.", ".convtool-"))]
    files = [path for place in places for path in (place, *place.rglob("*")) if path.is_file()]
    return {str(path): path.stat().st_size for path in files}


class Trial:
    """A kind of file, its old and new state, and the count of what kills have left."""

    def __init__(self, kind: Kind) -> None:
        self.kind, self.target = kind, Path(kind.target)
        in_another(pictures)
        self.seen: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.remove()
        assert forked(kind.old) == 0
        self.old = kind.read(self.target)
        Path("before").mkdir()
        for name in os.listdir():
            if name.startswith("out."):
                os.rename(name, f"before/{name}")
        self.begin()
        self.before = found()
        assert forked(kind.new) == 0
        self.new, self.whole = kind.read(self.target), found()
        assert self.new != self.old

    def remove(self):
        """Remove what commands have written."""
        for name in os.listdir():
            if name.startswith(("out.", ".convtool-")):
                shutil.rmtree(name) if os.path.isdir(name) else os.unlink(name)

    def begin(self):
        """Put things as they were before the command."""
        self.remove()
        shutil.copytree("before", ".", dirs_exist_ok=True)

    def judge(self, code, what):
        """Look at what a kill has left, and run the command again."""
        strays = [name for name in found() if Path(name).name.startswith(".convtool-")]
        there = self.kind.read(self.target)
        if self.kind.read is done:
            state = "old" if there == self.old else "new" if there == self.new else "part"
            whole = set(self.old) <= set(there) <= set(self.new)
        else:
            state = "new" if there == self.new else "old"
            whole = there in (self.old, self.new)
        self.seen[state] += 1
        self.seen["kills"] += code != 0
        self.seen["writing"] += bool(code and found() not in (self.before, self.whole))
        again = forked(self.kind.new)
        after = self.kind.read(self.target)
        problems = {
            f"ended with {code}": code not in (0, -signal.SIGKILL),
            "no whole file": not whole,
            f"{len(strays)} strays": len(strays) > 2,
            "done and not new": code == 0 and state != "new",
            f"the next run ended with {again}": again != 0,
            "not new after the next run": after != self.new,
            f"left {sorted(found().keys() ^ self.whole)}": found().keys() != self.whole.keys(),
        }
        self.wrong += [f"{what}: {words}" for words, true in problems.items() if true]


def each_moment(trial):
    """Kill before each call of the writing."""
    moment, code = 0, -signal.SIGKILL
    while code:
        trial.begin()
        code = forked(trial.kind.new, moment)
        what = Path("moment").read_text() if code else "none"
        trial.seen[f"before {what}"] += 1
        trial.judge(code, f"moment {moment}, before {what}")
        moment += 1


def random_moments(trial, kills, rng):
    """Kill at moments from the first sign of writing on, or, one in four, at any."""
    seconds = 0.0
    while trial.seen["kills"] < kills:
        trial.begin()
        if trial.seen["kills"] % 10 == 0:  # the machine's pace changes
            began: list[float] = []
            forked(trial.kind.new, partial(_note_sign, began, trial.before))
            seconds = time.monotonic() - began[0]
            trial.begin()
        first = {} if rng.random() < 0.25 else trial.before
        kill = partial(_kill_after, rng.random() * seconds, first)
        trial.judge(forked(trial.kind.new, kill), "a random moment")


def _note_sign(began, before, child):
    _changed(child, before)
    began.append(time.monotonic())


def _kill_after(seconds, before, child):
    """Kill a process some time after something is not as before."""
    _changed(child, before)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)


def _changed(child, before):
    """Wait until something was written, or the process has ended."""
    while not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        with suppress(FileNotFoundError):
            if found() != before:
                return
        time.sleep(0.0002)


def main():
    """Run as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--kills", type=int)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    kind = KINDS[chosen.kind]
    for module in kind.costly:
        import_module(module)
    trial = Trial(kind)
    if chosen.kills:
        random_moments(trial, chosen.kills, Random(chosen.seed))
    else:
        each_moment(trial)
    print(json.dumps({"seen": trial.seen, "wrong": trial.wrong}))


if __name__ == "__main__":
    main()
