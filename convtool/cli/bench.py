"""``convtool bench``: time the engines and their peers on this machine."""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import click

from convtool import jsontext, reading
from convtool.bench import calibrate as measuring
from convtool.bench import contenders
from convtool.bench.cells import work_named
from convtool.bench.chart import panels
from convtool.bench.compare import compare as compared
from convtool.bench.results import Row, as_row, read_rows
from convtool.bench.run import Outcome, Request, report, run
from convtool.bench.tables import comparison_lines
from convtool.cli._file_options import page_reading_options, read_page
from convtool.cli._help import Command
from convtool.cli._options import (
    FiniteRange,
    json_option,
    names_of,
    taken,
    threads_option,
    whole_numbers,
)
from convtool.cli._progress import Bar
from convtool.cli._terminal import say
from convtool.convolution import calibration
from convtool.convolution.threads import count
from convtool.errors import OptionError, ReportReadError, ReportWriteError
from convtool.images.options import ReadOptions
from convtool.records import Record, replace
from convtool.report.csv_table import csv_text
from convtool.report.json_report import write_report
from convtool.report.line_chart import check_target, write_chart
from convtool.report.matrix import table
from convtool.report.whole_file import write_file

DTYPES = ("uint8", "uint16", "float32", "float64")
"""Image types that all contenders support."""

LARGEST_KERNEL = 1023


def _numbers(text: str) -> tuple[int, ...]:
    numbers = whole_numbers(text)
    if text and not all(1 <= number <= LARGEST_KERNEL for number in numbers or (0,)):
        raise click.BadParameter(
            f"{text!r}: kernels are sides from 1 to {LARGEST_KERNEL}, as in 3,5,15"
        )
    return tuple(dict.fromkeys(numbers))


def _sizes(text: str) -> tuple[tuple[int, int, int], ...]:
    found = []
    for part in text.split(",") if text else ():
        sides = whole_numbers(part.lower().replace("×", "x"), "x")
        if len(sides) not in (2, 3) or min(sides) < 1:
            raise click.BadParameter(
                f"{part!r}: sizes are HEIGHTxWIDTH or HEIGHTxWIDTHxCHANNELS, as in 1080x1920x3"
            )
        height, width, channels = (*sides, 1)[:3]
        found.append((height, width, channels))
    return tuple(dict.fromkeys(found))


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names_of(text)))


class Targets(Record):
    """The output files besides stdout."""

    json_target: str | None
    csv_target: str | None = None
    plot_target: str | None = None


@click.command(
    "bench",
    cls=Command,
    epilog="""\b
Examples:
  convtool bench
  convtool bench --kernels 3,9,31 --dtypes uint8,float32 --engines numba,fft
  convtool bench --input sample_images/photograph.jpg --plot times.svg
  convtool bench --json before.json
  convtool bench --compare before.json
  convtool bench --calibrate""",
)
@click.option(
    "--sizes",
    metavar="HxW[xC],...",
    type=_sizes,
    default="",
    help="Sizes of random images, height first.",
)
@click.option("--kernels", metavar="N,...", type=_numbers, default="", help="Sides of the kernels.")
@click.option(
    "--dtypes",
    metavar="TYPE,...",
    type=_names,
    default="",
    help=f"Image types: {', '.join(DTYPES)}.",
)
@click.option(
    "--engines",
    metavar="NAME,...",
    type=_names,
    default="",
    help="Engines to time.  [default: all]",
)
@click.option(
    "--works", metavar="NAME,...", type=_names, default="", help="Kinds of kernels: dense, box..."
)
@threads_option
@click.option(
    "--repeats", "rounds", type=click.IntRange(1, 1000), help="Rounds.  [default: as time allows]"
)
@click.option("--input", "source", metavar="IMAGE", help="Take a picture instead of noise.")
@json_option
@click.option("--csv", "csv_target", metavar="FILE", help="Write the measurements as CSV.")
@click.option(
    "--plot",
    "plot_target",
    metavar="FILE",
    type=check_target,
    help="Draw time against kernel size: .png, .svg or .html.",
)
@click.option("--compare", metavar="OLD.json", help="Compare with an earlier report.")
@click.option(
    "--tolerance",
    type=FiniteRange(0),
    default=0.1,
    show_default=True,
    help="Relative slowdown that --compare accepts.",
)
@click.option(
    "--calibrate",
    is_flag=True,
    help="Measure the planner's cost model on this machine and save it; with --json - only "
    "print it.",
)
@page_reading_options
def command(
    threads: int | None,
    source: str | None,
    compare: str | None,
    tolerance: float,
    calibrate: bool,
    **how: Any,
) -> int:
    """Time the engines and their peers on this machine.

    Each contender is checked against float64 before it is timed. The contenders take turns, so that
    changes of the machine's speed affect all of them. The exit code is 1 if --compare finds
    convtool slower.
    """
    targets, reading = taken(how, Targets), taken(how, ReadOptions)
    if calibrate:
        return _calibrate(count(threads), targets.json_target)
    request = Request(**how, threads=count(threads))
    if source is not None and request.sizes:
        raise click.UsageError("--input has its own size; leave out --sizes")
    check_names(request.engines, request.works, request.dtypes)

    def measured() -> Outcome:
        image = read_page(source, reading).pixels if source is not None else None
        with Bar() as bar:
            return run(replace(request, image=image), bar)

    return deliver(measured, targets, request.threads, compare, tolerance)


def deliver(
    measured: Callable[[], Outcome],
    targets: Targets,
    threads: int,
    compare: str | None,
    tolerance: float,
    suite: str | None = None,
) -> int:
    """Measure, compare with an earlier report if one is given, and write the results.

    The folders of the targets and the earlier report are checked first.

    Returns
    -------
    int
        The exit code: 1 if convtool became slower.
    """
    _check_folders(targets)
    before = _read_report(compare) if compare is not None else None
    outcome = measured()
    made = report(outcome, threads, suite)
    lines, comparison = outcome.lines, None
    if before is not None:
        comparison = compared(before, read_rows(made, "this run"), tolerance)
        lines = [*lines, "", f"since {compare}:", *comparison_lines(comparison)]
    _give(lines, made, outcome, targets)
    return 1 if comparison is not None and comparison.failed else 0


def check_names(engines: Sequence[str], works: Sequence[str], dtypes: Sequence[str]) -> None:
    """Check the names of engines, works and types."""
    for work in works:
        work_named(work)
    for name in engines:
        contenders.engine(name)
    for dtype in dtypes:
        if dtype not in DTYPES:
            raise OptionError(f"type {dtype!r} is not measured; one of {', '.join(DTYPES)}")


def _check_folders(targets: Targets) -> None:
    for target in asdict(targets).values():
        if target is not None and target != "-":
            folder = os.path.dirname(os.path.realpath(target))
            if not os.path.isdir(folder):
                raise ReportWriteError(f"{target}: there is no folder {folder}; make it first")


def _read_report(name: str) -> list[Row]:
    try:
        found = jsontext.parse(reading.load(name, "report"))
    except OSError as error:
        raise ReportReadError(
            f"{name}: cannot be read ({error.strerror}); make a report with --json FILE"
        ) from error
    except ValueError as error:
        raise OptionError(f"{name}: is not JSON; make a report with --json FILE") from error
    return read_rows(found, name)


def _give(
    lines: Sequence[str], made: dict[str, object], outcome: Outcome, targets: Targets
) -> None:
    if "-" not in (targets.json_target, targets.csv_target):
        say(*lines)
    if targets.json_target is not None:
        write_report(made, targets.json_target)
    if targets.csv_target is not None:
        _write_csv([as_row(entry) for entry in outcome.entries], targets.csv_target)
    if targets.plot_target is not None:
        write_chart(targets.plot_target, panels(outcome.entries))


def _write_csv(rows: Sequence[dict[str, object]], target: str) -> None:
    text = csv_text([*(list(row) for row in rows[:1]), *(list(row.values()) for row in rows)])
    if target == "-":
        say(*text.splitlines())
    else:
        write_file(target, text.encode(), "table")


def _calibrate(threads: int, json_target: str | None) -> int:
    contenders.warm()
    with Bar() as bar:
        rates = measuring.measured_rates(threads, bar)
    if json_target is not None:
        write_report(calibration.as_report(rates), json_target)
    if json_target == "-":
        return 0
    file = measuring.save(rates)
    head = ["RATE", "SECONDS A CALL", "NS A SAMPLE", "NS A STEP", "PARALLEL"]
    numbers = [[name, *(f"{number:g}" for number in rate)] for name, rate in rates.items()]
    say(*table([head, *numbers]))
    say(f"kept in {file}", err=True)
    return 0
