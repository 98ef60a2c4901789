"""The suite ``scaling``: how time grows with pixels and shrinks with threads, and the memory."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from convtool.bench.cells import Cell
from convtool.bench.contenders import AUTO, engine, warm
from convtool.bench.machine import describe, in_words
from convtool.bench.measure import Effort
from convtool.bench.run import Outcome, Request
from convtool.bench.task import task
from convtool.bench.timing import interleave
from convtool.convolution import scratch
from convtool.convolution.threads import for_each
from convtool.progress import Progress, tracked
from convtool.records import Record, replace
from convtool.report.matrix import table
from suites.duels import own_engines
from suites.memory import extra_bytes
from suites.verdicts import Verdict, verdict_lines

PIXELS = ((288, 384), (612, 817), (1080, 1920), (3000, 4000), (6000, 8000), (8660, 11547))
"""Heights and widths from 0.1 to 100 megapixels."""

KERNELS = (3, 7, 15, 31)
"""Kernels whose growth with the pixels is measured."""

GROWTH = 1.1
"""The largest exponent of time over pixels that counts as linear."""

THREADED = (7, 11, 15, 31)
"""Kernels for which threads are to pay."""

MACHINE = "square roots in the cache"
"""What tells how much faster the machine lets several threads be."""

SPEEDUP = 1.8
"""What two threads are to give."""

NUMBERS, TIMES, PARTS = 1 << 14, 10, 32
"""How many square roots are taken of how many numbers, which stay in a core's cache, how often, by
how many parts that threads share: what the machine gives two threads for whatever they do."""

SPARE = 64 << 20
"""Bytes that an engine may take beside its answer."""

MEMORY_CELL = Cell("dense", 3000, 4000, 1, "float32", 15)
"""The convolution whose memory is measured."""


class Finding(Record):
    """A quantity that was measured: what, how much, in what unit."""

    name: str
    value: float
    unit: str

    def as_dict(self) -> dict[str, object]:
        """Return it as plain values."""
        return dict(vars(self))


Part = tuple[list[Finding], Verdict]
"""What a part of the suite measured, and whether it is enough."""


def exponent(pixels: Sequence[float], seconds: Sequence[float]) -> float:
    """Return with which power of the pixels the time grows, by least squares of the logarithms.

    Examples
    --------
    >>> round(exponent([1, 10, 100], [3, 30, 300]), 9)
    1.0
    """
    slope, _ = np.polyfit(np.log(pixels), np.log(seconds), 1)
    return float(slope)


def growth(kernel: int, threads: int, effort: Effort) -> Part:
    """Measure the planner's choice over images of all sizes."""
    findings, pixels, seconds = [], [], []
    for height, width in PIXELS:
        cell = Cell("dense", height, width, 1, "float32", kernel, threads=threads)
        call = engine(AUTO).prepare(task(cell))
        call()
        timing = interleave({AUTO: call}, rounds=effort.rounds, budget=effort.budget)[AUTO]
        pixels.append(height * width)
        seconds.append(timing.median)
        name = f"{kernel}×{kernel}, {height * width / 1e6:.1f} megapixels"
        findings.append(Finding(name, timing.median / (height * width) * 1e9, "ns a pixel"))
    power = exponent(pixels, seconds)
    name = f"{kernel}×{kernel}: power of the pixels with which time grows"
    return findings, Verdict.at_most(name, len(pixels), power, GROWTH)


def arithmetic(threads: int) -> Callable[[], None]:
    """Return work of known size that needs no memory beyond a core's cache."""
    numbers = np.linspace(1, 2, NUMBERS)

    def part(_: int) -> None:
        into = scratch.take("arithmetic", numbers.shape, numbers.dtype)
        for _ in range(TIMES):
            np.sqrt(numbers, out=into)

    return lambda: for_each(part, range(PARTS), threads)


def speedup(kernel: int, threads: int, effort: Effort) -> Part:
    """Measure the planner's choice on one thread and on several, and arithmetic in turns with it.

    Two cores of a machine that is shared give less than twice of one, and not always the same.
    """
    cell = Cell("dense", 3000, 4000, 1, "float32", kernel)
    calls: dict[str, Callable[[], object]] = {}
    for count in (1, threads):
        calls[f"{AUTO} {count}"] = engine(AUTO).prepare(task(replace(cell, threads=count)))
        calls[f"{MACHINE} {count}"] = arithmetic(count)
    for call in calls.values():
        call()
    timings = interleave(calls, rounds=effort.rounds, budget=effort.budget)
    gain, possible = (
        timings[f"{work} 1"].median / timings[f"{work} {threads}"].median
        for work in (AUTO, MACHINE)
    )
    name = f"{kernel}×{kernel}: {threads} threads are faster than one"
    needed = SPEEDUP if threads == 2 else SPEEDUP / 2 * threads
    findings = [Finding(name, gain, "times"), Finding(f"{name} at {MACHINE}", possible, "times")]
    detail = f"{possible:.2f} at {MACHINE}"
    return findings, Verdict(name, 1, gain, needed, gain >= needed, detail)


def memory(name: str, threads: int) -> Part:
    """Measure how much memory an engine takes beside its answer."""
    cell = replace(MEMORY_CELL, threads=threads)
    extra = extra_bytes(name, cell) - cell.outputs * np.dtype(cell.dtype).itemsize
    title = f"engine {name}: MB of memory beside the answer"
    verdict = Verdict.at_most(title, 1, extra / 2**20, SPARE / 2**20)
    return [Finding(title, extra / 2**20, "MB")], verdict


def parts(threads: int, effort: Effort) -> list[Callable[[], Part]]:
    """Return the parts of the suite; speed-up only where there are several threads."""
    growths = [partial(growth, kernel, threads, effort) for kernel in KERNELS]
    gains = [partial(speedup, kernel, threads, effort) for kernel in THREADED]
    memories = [partial(memory, name, threads) for name in own_engines()]
    return [*growths, *(gains if threads > 1 else ()), *memories]


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    """Return a line for each quantity."""
    return table([[one.name, f"{one.value:.3g}", one.unit] for one in findings]) if findings else []


def run_scaling(request: Request, progress: Progress) -> Outcome:
    """Run the suite ``scaling``: growth with the pixels, threads, memory."""
    warm()
    outcomes = [
        part()
        for part in tracked(progress, "scaling", parts(request.threads, Effort(request.rounds)))
    ]
    findings = [finding for found, _ in outcomes for finding in found]
    verdicts = [verdict for _, verdict in outcomes]
    lines = [*finding_lines(findings), "", *verdict_lines(verdicts), ""]
    return Outcome(
        lines + in_words(describe(request.threads)),
        [],
        {
            "findings": [one.as_dict() for one in findings],
            "verdicts": [one.as_dict() for one in verdicts],
        },
    )
