"""Whole commands on changed files, each a process of its own, watched."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from corpus.run import convtool, ill_manners

from .targets import make_picture
from .workers import Finding

COMMANDS = (
    ("filter", "--kernel", "gaussian", "picture", "out.tif"),
    ("filter", "--kernel", "identity", "picture", "out.png"),
    ("filter", "--kernel", "sobel", "--gray", "--depth", "float", "picture", "out.tif"),
    ("svd", "--k", "1", "picture", "-o", "out.png"),
    ("compare", "picture", "picture"),
)


def run_commands(seed: int, count: int, jobs: int) -> tuple[int, dict[str, list[Finding]]]:
    """Run ``count`` commands; return how many were run, and what was wrong."""
    findings: dict[str, list[Finding]] = {}
    with ThreadPoolExecutor(jobs) as pool:
        for data, wrong in pool.map(lambda number: _run(seed, number), range(count)):
            for what in wrong:
                finding = Finding("picture", ".bin", what, data)
                findings.setdefault(what.partition(":")[0], []).append(finding)
    return count, findings


def _run(seed, number):
    rng = Random(seed << 48 | number)
    data = make_picture(rng)
    command = rng.choice(COMMANDS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "picture").write_bytes(data)
        ending = convtool(list(command), folder)
        wrong = ill_manners(ending, prints=command[0] in ("svd", "compare"))
        if ending.code not in (0, 1, 2):
            wrong.append(f"ends with {ending.code}")
        left = {path.name for path in folder.iterdir()} - {"picture"}
        if left != ({command[-1]} if command[-1] != "picture" and ending.code == 0 else set()):
            wrong.append(f"{' '.join(command)} leaves {left} and ends with {ending.code}")
    return data, wrong
