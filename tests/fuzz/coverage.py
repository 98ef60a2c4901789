"""Fuzzing that follows the lines which inputs reach, by atheris, of one target at a time.

``python -m tests.fuzz --coverage TARGET --seconds N`` runs `guided` in another process, again after
each input that ended it.
"""

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from .targets import TARGETS
from .workers import Finding, Fuzzing, memory_folder

ROOT = Path(__file__).parents[2]
HANG_SECONDS = 10
MEBIBYTES = 1024
"""More than a process of its own may take: atheris holds the inputs and what they reach."""

_LARGEST = 1 << 15
_PATIENCE = 300
_ENDINGS = ("crash", "timeout", "oom")
"""What libFuzzer calls inputs that ended its process."""


def run_coverage(target: str, seed: int, seconds: float) -> tuple[int, dict[str, list[Finding]]]:
    """Fuzz a target; return how many inputs were run, and what was found."""
    with TemporaryDirectory(prefix="fuzz-", dir=memory_folder()) as name:
        place, end, done, least = Path(name), time.monotonic() + seconds, 0, seconds
        (place / "inputs").mkdir()
        while least >= 1:
            log = _run_once(target, seed, int(least), place)
            done += _count(log)
            seed, least = seed + 1, end - time.monotonic()
        found = _findings(target, place)
        if not done and not found:
            raise RuntimeError(log)
    return done, found


def _run_once(target, seed, seconds, place):
    """Run the other process until its time is over, or an input ends it; return what it said."""
    command = [
        sys.executable, "-m", "tests.fuzz.guided", target, str(seed), str(place),
        f"-seed={seed}", f"-max_total_time={seconds}", f"-timeout={HANG_SECONDS}",
        f"-rss_limit_mb={MEBIBYTES}", f"-max_len={_LARGEST}", "-print_final_stats=1",
        f"-artifact_prefix={place}/", str(place / "inputs"),
    ]  # fmt: skip
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=seconds + _PATIENCE,
    )
    return done.stdout + done.stderr


def _count(log):
    """Return how many inputs were run, by the statistics that libFuzzer ends with."""
    said = [line for line in log.splitlines() if line.startswith("stat::number_of_executed_units")]
    return int(said[-1].rpartition(" ")[2]) if said else 0


def _findings(target, place):
    """Return what the notes say, and what inputs that ended the process do in one of their own."""
    found: dict[str, list[Finding]] = {}
    for path in sorted(place.iterdir()):
        how, _, _ = path.name.partition("-")
        if how == "note":
            words, _, trace = path.with_name(f"trace-{path.name}").read_text().partition("\n")
            finding = Finding(target, TARGETS[target].ending, words, path.read_bytes(), trace)
            found.setdefault(f"{target}: {words}", []).append(finding)
        elif how in _ENDINGS:
            for key, again in _alone(target, path.read_bytes()).items():
                found.setdefault(key, []).extend(again)
    return found


def _alone(target, data):
    """Run one input by itself: the machine may have been busy, the memory full of others."""
    fuzzing = Fuzzing(1, 1, inputs=1, source=lambda seed, number: (TARGETS[target], data))
    fuzzing.run()
    return fuzzing.findings
