"""How much memory a convolution needs beside its image; each measured in a process of its own."""

import json
import subprocess
import sys
from dataclasses import asdict

from convtool.bench.cells import Cell
from convtool.errors import EngineError

_STATUS = "/proc/self/status"


def _peak() -> int:
    """Return the most memory that this process ever had, in bytes (since the last `_forget`)."""
    try:
        with open(_STATUS, encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _forget() -> None:
    """Reset the peak, where the system can."""
    try:
        with open("/proc/self/clear_refs", "w", encoding="utf-8") as file:
            file.write("5")
    except OSError:
        pass


def _measure(engine: str, cell: Cell) -> int:
    """Return the bytes by which the peak rises, the image in memory and the engine warm."""
    from convtool.bench import contenders
    from convtool.bench.task import task
    from convtool.convolution import api

    small = Cell(**asdict(cell) | {"height": 64, "width": 64 + cell.kernel})
    contenders.engine(engine).prepare(task(small))()
    job = task(cell)
    _forget()
    before = _peak()
    api.correlate(
        job.image,
        job.kernel,
        engine=engine,
        dtype=cell.dtype,
        stride=cell.stride,
        threads=cell.threads,
    )
    return _peak() - before


def extra_bytes(engine: str, cell: Cell) -> int:
    """Return the bytes that a convolution takes at its peak, the answer among them.

    Parameters
    ----------
    engine : str
        The engine.
    cell : Cell
        What it does.

    Returns
    -------
    int

    Raises
    ------
    EngineError
        If it fails.
    """
    request = json.dumps({"engine": engine, "cell": asdict(cell)})
    done = subprocess.run(
        [sys.executable, __file__],
        input=request,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = done.stderr.strip().rpartition("\n")[2]
        raise EngineError(f"engine {engine!r} failed: {last}")
    return int(done.stdout)


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    sys.stdout.write(f"{_measure(asked['engine'], Cell(**asked['cell']))}\n")
