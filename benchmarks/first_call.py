"""What a user meets: the first calls of a fresh process, and what a call costs beside its work.

Run ``python benchmarks/first_call.py`` in an installed copy. Each cell is a process of its own that
makes the same filter 80 times and says how long each call took; convtool and OpenCV take turns. It
is done with empty caches (a private home for each process) and with warm ones. The import is not
counted in the sums, and stands in a column of its own. Then the cost of one call, 8×8 to 1024×1024,
beside SciPy and OpenCV, the fastest of many in one process. All answers are compared before.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import timeit
from pathlib import Path

import numpy as np

import convtool
from convtool.bench.machine import describe, in_words
from convtool.convolution.threads import count
from convtool.report.matrix import table

CALLS = 80
SHAPE = (1080, 1920)
SIDES = (8, 16, 32, 64, 128, 256, 512, 1024)

CELLS = {
    "dense 3×3 float32": ("float32", "dense"),
    "Gaussian 3×3 uint8": ("uint8", "gaussian"),
    "box 63×63 uint8": ("uint8", "box:size=63"),
}
"""What is measured: the type of the image, and the kernel."""

PROCESS = f"""
import json, sys, time
import numpy as np
name, dtype, kernel, calls = sys.argv[1:4] + [int(sys.argv[4])]
rng = np.random.default_rng(7)
image = (rng.random(({SHAPE[0]}, {SHAPE[1]})) * 255).astype(dtype)
weights = rng.normal(size=(3, 3)).astype("float32")
begin = time.perf_counter()
if name == "convtool":
    import convtool
    made = weights if kernel == "dense" else kernel
    call = lambda: convtool.correlate(image, made, border="mirror", dtype=dtype)
else:
    import cv2
    call = dict(
        dense=lambda: cv2.filter2D(image, -1, weights),
        gaussian=lambda: cv2.GaussianBlur(image, (3, 3), 0),
    ).get(kernel.split(":")[0], lambda: cv2.blur(image, (63, 63)))
imported = time.perf_counter()
seconds = []
for _ in range(calls):
    start = time.perf_counter()
    answer = call()
    seconds.append(time.perf_counter() - start)
print(json.dumps(dict(imported=imported - begin, seconds=seconds,
                      sample=answer[500:520, 900:920].astype(float).tolist())))
"""


def fresh(name: str, cell: str, home: Path | None) -> dict[str, list[float]]:
    """Return what a fresh process measured; with a home of its own, its caches are empty."""
    environment = dict(os.environ)
    if home is not None:
        environment |= {"XDG_CACHE_HOME": str(home), "NUMBA_CACHE_DIR": ""}
    done = subprocess.run(
        [sys.executable, "-c", PROCESS, name, *CELLS[cell], str(CALLS)],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    measured: dict[str, list[float]] = json.loads(done.stdout)
    return measured


def check(cell: str) -> None:
    """Raise an error unless convtool and OpenCV give the same answer."""
    ours, theirs = (np.array(fresh(name, cell, None)["sample"]) for name in ("convtool", "opencv"))
    allowed = 1.0 if CELLS[cell][0] == "uint8" else 1e-3
    if not np.abs(ours - theirs).max() <= allowed:
        raise SystemExit(f"{cell}: the answers differ by {np.abs(ours - theirs).max():g}")


def first_calls(rounds: int) -> list[list[str]]:
    """Measure the cells in turns; return rows of a table."""
    rows = []
    for cell in CELLS:
        check(cell)
        for caches in ("empty", "warm"):
            sums, firsts, imports = [], [], []
            for _ in range(rounds):
                with tempfile.TemporaryDirectory() as home:
                    place = Path(home) if caches == "empty" else None
                    ours = fresh("convtool", cell, place)
                    theirs = fresh("opencv", cell, place)
                sums.append(sum(ours["seconds"]) / sum(theirs["seconds"]))
                firsts.append(ours["seconds"][0])
                imports.append((ours["imported"], theirs["imported"]))
            middle = [statistics.median(column) for column in zip(*imports, strict=True)]
            rows.append(
                [
                    cell,
                    caches,
                    f"{statistics.median(sums):.2f} ({min(sums):.2f} to {max(sums):.2f})",
                    f"{statistics.median(firsts) * 1e3:.1f}",
                    " / ".join(f"{seconds * 1e3:.0f}" for seconds in middle),
                ]
            )
    return rows


def call_costs(rounds: int) -> list[list[str]]:
    """Measure one call of a dense 3×3 filter on float32 images; return rows of a table."""
    import cv2
    from scipy import ndimage

    rng = np.random.default_rng(3)
    weights = rng.normal(size=(3, 3))
    single = weights.astype(np.float32)
    rows = []
    for side in SIDES:
        image = rng.random((side, side), np.float32)
        calls = {
            "convtool": lambda image=image: convtool.correlate(image, weights),
            "scipy": lambda image=image: ndimage.correlate(image, weights),
            "opencv": lambda image=image: cv2.filter2D(
                image, -1, single, borderType=cv2.BORDER_REFLECT
            ),
        }
        answers = [call() for call in calls.values()]
        for answer in answers[1:]:
            np.testing.assert_allclose(answers[0], answer, atol=1e-4)
        best = dict.fromkeys(calls, float("inf"))
        number = max(1, int(2e6 / side**2))
        for _ in range(rounds):
            for name, call in calls.items():
                best[name] = min(best[name], timeit.timeit(call, number=number) / number)
        rows.append([f"{side}×{side}", *(f"{seconds * 1e6:.1f}" for seconds in best.values())])
    return rows


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="Turns of each contender.")
    rounds = parser.parse_args().rounds
    print("\n".join(in_words(describe(count()))))
    print(f"compiled functions: {convtool.build_info()['compiled']}\n")
    head = ["80 calls at 1080×1920", "caches", "convtool / OpenCV", "first call, ms", "imports, ms"]
    print("\n".join(table([head, *first_calls(rounds)])))
    print("\none call of a dense 3×3 filter, float32, in microseconds, the fastest of many")
    print(
        "\n".join(
            table([["image", "convtool", "SciPy", "OpenCV"], *call_costs(rounds)], right=True)
        )
    )


if __name__ == "__main__":
    main()
