"""Tries an installed convtool as a user would: filters, trains, and measures the import.

Run it in an empty folder that holds ``photograph.jpg``: ``python smoke.py PATH/TO/convtool``.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

program = sys.argv[1]


def run(*words: str) -> str:
    """Return what a command prints; end with its message if it fails."""
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    if done.returncode or "Traceback" in done.stderr:
        sys.exit(f"convtool {' '.join(words)} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def check(holds: bool, what: str) -> None:
    """End with a message unless something holds."""
    if not holds:
        sys.exit(f"not true of the installed wheel: {what}")


def seconds(statement: str) -> float:
    """Return the best of five times that a new process takes for a statement."""
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True)
        times.append(time.perf_counter() - begin)
    return min(times)


version = run("--version").split()[-1]
run("filter", "--kernel", "sobel", "photograph.jpg", "edges.png")
check(Path("edges.png").read_bytes()[:4] == b"\x89PNG", "filter writes a PNG")
report = json.loads(run("filter", "-k", "gaussian:sigma=2", "--json", "photograph.jpg", "soft.jpg"))
check("'engine': 'numba" in str(report), "a compiled engine filters")
run("train", "digits", "--epochs", "1", "--out", "digits.safetensors")
check(Path("digits.safetensors").stat().st_size > 1000, "train writes a model")

import convtool

info = convtool.build_info()
check(info["compiled"] not in ("jit", None), f"the built library is loaded: {info}")
check("site-packages" in convtool.__file__, f"convtool is the installed one: {convtool.__file__}")
empty, loaded = seconds("pass"), seconds("import convtool")
print(f"convtool {version} on Python {sys.version.split()[0]}: {info['compiled']}, ", end="")
print(f"Python starts in {1000 * empty:.0f} ms, with convtool in {1000 * loaded:.0f} ms")
