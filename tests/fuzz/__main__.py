"""``python -m tests.fuzz``: look for inputs that crash, hang or eat memory.

Inputs are made from a seed and a number, so that a run can be repeated. What is found is kept in
``tests/corpus/found``, where a test runs it from then on.
"""

import argparse
import hashlib
import os
import signal
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from .commands import run_commands
from .coverage import run_coverage
from .targets import TARGETS
from .workers import Finding, Fuzzing

FOUND = Path(__file__).parents[1] / "corpus" / "found"


def _arguments():
    parser = argparse.ArgumentParser("python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, help="how long; no limit unless given")
    parser.add_argument("--inputs", type=int, help="how many; no limit unless given")
    parser.add_argument("--commands", type=int, help="whole commands on changed files instead")
    parser.add_argument("--coverage", choices=TARGETS, help="guided by coverage, of one target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    if not (chosen.seconds or chosen.inputs or chosen.commands):
        parser.error("one of --seconds, --inputs and --commands is needed")
    if chosen.coverage and not chosen.seconds:
        parser.error("--coverage needs --seconds")
    if chosen.coverage and find_spec("atheris") is None:
        parser.error("--coverage needs atheris, which the tests' extra brings on Linux")
    return chosen


def _keep(finding: Finding) -> Path:
    digest = hashlib.sha256(finding.data).hexdigest()[:12]
    path = FOUND / f"{finding.target}-{digest}{finding.ending}"
    FOUND.mkdir(exist_ok=True)
    path.write_bytes(finding.data)
    return path


def main() -> int:
    """Fuzz as the arguments say; return 1 if something was found."""
    chosen = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    start = time.monotonic()
    if chosen.coverage:
        done, findings = run_coverage(chosen.coverage, chosen.seed, chosen.seconds)
        what = f"inputs of {chosen.coverage}, guided,"
    elif chosen.commands:
        done, findings = run_commands(chosen.seed, chosen.commands, chosen.jobs)
        what = "commands"
    else:
        fuzzing = Fuzzing(chosen.seed, chosen.jobs, chosen.seconds, chosen.inputs)
        done, findings, what = fuzzing.run(), fuzzing.findings, "inputs"
    taken = time.monotonic() - start
    for key, found in sorted(findings.items()):
        first = min(found, key=lambda finding: len(finding.data))
        print(f"{key} ({len(found)} times), kept as {_keep(first)}\n{first.trace}")
    print(
        f"{done} {what} with seed {chosen.seed} in {taken:.1f} s, {done / taken:.0f} a second: "
        f"{len(findings)} kinds of failure"
    )
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
