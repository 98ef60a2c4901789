"""Kill the scheduler, a nanny, a worker or the client of a cluster at random moments, and resume.

``python tests/faults/cluster_kills.py 200`` tries 200 moments, a quarter of them for each victim.
Each time a run over pictures, or over the blocks of one Zarr or TIFF picture, is disturbed once.
Afterwards its exit code and its last line have to be right, what its journal says has to be true,
and a second run with ``--resume``, on a new scheduler if the first one was killed, has to leave
exactly what an undisturbed run does. Prints a line of JSON for each moment and counts at the end.
"""

import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from importlib import import_module
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import psutil
from clusters import RealCluster

from convtool.cli import run
from convtool.images.write import write

VICTIMS = ("scheduler", "nanny", "worker", "client")
KERNEL = ["filter", "-k", "disk:radius=9", "--engine", "direct"]
RUNS = {
    "pictures": ([*KERNEL, "in", "out", "--resume"], []),
    "zarr": ([*KERNEL, "in.zarr", "out.zarr"], ["--resume"]),
    "tiff": ([*KERNEL, "in.zarr", "out.tif"], []),
}
"""Command lines, and what the second run adds."""

COSTLY = ("distributed", "zarr", "tifffile", "convtool.distributed.huge.run", "cv2")
"""Imported before there are other processes, which then have them."""

LOST = "the scheduler has ended or dropped the work; the rest was not done"
REFUSED = "no Dask scheduler answers"


class Campaign:
    """A cluster of two workers with nannies, and inputs, in the current folder."""

    def __init__(self, seed, pictures=16, size=300):
        self.random = Random(seed)
        rng = np.random.default_rng(seed)
        Path("in").mkdir()
        for number in range(pictures):
            write(f"in/{number}.png", rng.integers(0, 256, (size, size), np.uint8))
        zarr = import_module("zarr")
        shape = (8 * size, size)
        made = zarr.create_array("in.zarr", shape=shape, chunks=(size // 4, size // 2), dtype="u1")
        made[:] = rng.integers(0, 256, shape, np.uint8)
        for module in COSTLY:
            import_module(module)
        self.cluster = None
        self.nannies = []
        self.expected, self.seconds = {}, {}
        self.heal()
        for name, (line, _) in RUNS.items():
            for _ in range(2):  # workers import much for the first one
                clear()
                begin = time.monotonic()
                code, said = self.wait(self.fork(line))
                assert code == 0, said
                self.seconds[name] = time.monotonic() - begin
            self.expected[name] = contents()
            clear()

    def heal(self):
        """Start what was killed."""
        if self.cluster is None:
            self.cluster = RealCluster("cluster")
            self.scheduler = self.cluster.scheduler()
            self.nannies = []
        self.nannies = [one for one in self.nannies if one.poll() is None]
        while len(self.nannies) < 2:
            self.nannies.append(self.cluster.worker(nanny=True))

    def close(self):
        """End the cluster."""
        if self.cluster is not None:
            self.cluster.close()
        self.cluster = None

    def fork(self, line):
        """Run a command in a process of its own, with the cluster; return its number."""
        child = os.fork()
        if child:
            return child
        os.dup2(os.open("said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
        os._exit(run([*line, "--scheduler", self.cluster.address]))

    @staticmethod
    def wait(child, seconds=90):
        """Wait for a run; return its exit code and what it has said."""
        end = time.monotonic() + seconds
        while True:
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                return os.waitstatus_to_exitcode(status), Path("said").read_text()
            if time.monotonic() > end:
                os.kill(child, signal.SIGKILL)
            time.sleep(0.01)

    def moment(self, victim, name):
        """Disturb a run, resume it; return what was found, with what is wrong under "faults"."""
        self.heal()
        line, more = RUNS[name]
        delay = self.random.uniform(0, 1.1 * self.seconds[name])
        child = self.fork(line)
        time.sleep(delay)
        self.kill(victim, child)
        code, said = self.wait(child)
        faults = [*wrong_ending(victim, code, said), *untrue(name)]
        if victim == "scheduler":
            self.close()
            self.heal()
        again = None
        if code:
            again, said = self.wait(self.fork([*line, *more]))
            if again:
                faults.append(f"not resumed: {again} {said}")
        faults += [f"differs: {one}" for one in differing(contents(), self.expected[name])]
        clear()
        return {
            "victim": victim,
            "run": name,
            "after": round(delay, 2),
            "code": code,
            "resumed": again,
            "faults": faults,
        }

    def kill(self, victim, child):
        """Kill one of the processes."""
        nanny = self.random.choice(self.nannies)
        number = {"scheduler": self.scheduler.pid, "nanny": nanny.pid, "client": child}.get(victim)
        os.kill(number or self.worker(), signal.SIGKILL)

    def worker(self):
        """Return the number of a worker, which a nanny may still be starting again."""
        while True:
            nanny = psutil.Process(self.random.choice(self.nannies).pid)
            workers = nanny.children(recursive=True)
            if workers:
                return max(workers, key=lambda one: one.memory_info().rss).pid
            time.sleep(0.01)


def wrong_ending(victim, code, said):
    """Return what is wrong with how a disturbed run has ended."""
    good = {"scheduler": (0, 1), "client": (0, -signal.SIGKILL)}.get(victim, (0,))
    if code not in good or "Traceback" in said or "distributed" in said:
        return [f"ended with {code}: {said}"]
    last = said.splitlines()[-1:] or [""]
    if code == 1 and not (last[0].startswith("convtool: error: ") and names_scheduler(last[0])):
        return [f"last line: {last[0]}"]
    return []


def names_scheduler(line):
    """Return whether a line says that the scheduler is gone."""
    return LOST in line or REFUSED in line


def untrue(name):
    """Return what a journal says of finished pictures that is not so."""
    journal = Path("out/.convtool-journal")
    if name != "pictures" or not journal.exists():
        return []
    faults = []
    for line in journal.read_bytes().splitlines(keepends=True)[1:]:
        if not line.endswith(b"\n"):
            continue
        entry = json.loads(line)
        data = Path(entry["target"]).read_bytes()
        if hashlib.sha256(data).hexdigest() != entry["output"]["sha256"]:
            faults.append(f"journal: {entry['target']} is different")
    return faults


def contents():
    """Return what a run has made, and what it has left."""
    places = [*Path().glob("out*"), *Path().glob(".convtool-*")]
    files = (path for place in places for path in [place, *place.rglob("*")])
    found = {str(path): path.read_bytes() for path in files if path.is_file()}
    return {name: data for name, data in found.items() if name != "out/.convtool-journal"}


def differing(found, expected):
    """Return the names of files that are not as they should be."""
    names = found.keys() | expected.keys()
    return sorted(name for name in names if found.get(name) != expected.get(name))


def clear():
    """Remove what a run has made."""
    for place in [*Path().glob("out*"), *Path().glob(".convtool-*")]:
        shutil.rmtree(place) if place.is_dir() else place.unlink()


def main(moments, seed=1):
    """Try so many moments; return how many have shown a fault."""
    counts = Counter()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        campaign = Campaign(seed)
        try:
            for number in range(moments):
                victim, name = VICTIMS[number % 4], list(RUNS)[number // 4 % 3]
                found = campaign.moment(victim, name)
                print(json.dumps(found), flush=True)
                counts[victim, "fault" if found["faults"] else f"ended with {found['code']}"] += 1
        finally:
            campaign.close()
            os.chdir("/")
    for (victim, what), count in sorted(counts.items()):
        print(f"{victim}: {what}: {count}")
    return sum(count for (_, what), count in counts.items() if what == "fault")


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])) > 0)
