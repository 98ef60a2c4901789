"""``convtool compare``: measure the difference of two pictures."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from convtool.cli._file_options import check_kind, document_reading_options, form_of, tell_notes
from convtool.cli._help import Command
from convtool.cli._options import FiniteRange, check_stdout, give, json_option, peak_option, taken
from convtool.cli._signals import ending
from convtool.cli._terminal import complain, say
from convtool.errors import ShapeError
from convtool.images.image import Document, Image
from convtool.images.options import ReadOptions, WriteOptions
from convtool.images.paths import shown
from convtool.images.read import read_document
from convtool.images.write import STDOUT, check_writable, write_document
from convtool.records import Record, replace
from convtool.report.json_report import finite
from convtool.report.matrix import table
from convtool.report.units import decibel_text
from convtool.svd.difference import (
    Difference,
    differences,
    largest_shown,
    magnitude,
    over_pages,
)
from convtool.svd.metrics import Peak, peak_for

SCHEMA = "convtool.compare/1"


@click.command(
    "compare",
    cls=Command,
    epilog="""\b
Examples:
  convtool compare sample_images/photograph.jpg sample_images/photograph.jpg
  convtool compare before.png after.png --diff diff.png
  convtool compare before.png after.png --max-diff 1 --json
  convtool compare height.tif height-again.tif --peak 8848""",
)
@click.argument("a")
@click.argument("b")
@click.option(
    "--diff",
    metavar="FILE",
    help="Write the absolute difference as a picture of the same depth, with all pages, stretched "
    "so that the largest is white; the report gives the factor.",
)
@click.option(
    "--max-diff",
    type=FiniteRange(min=0),
    metavar="D",
    help="Exit with code 1 if any pixel differs by more (8 bits: of 255).",
)
@click.option(
    "--min-psnr",
    type=FiniteRange(),
    metavar="DB",
    help="Exit with code 1 if the PSNR over all channels is lower.",
)
@peak_option
@document_reading_options
@json_option
@ending()
def command(
    a: str,
    b: str,
    diff: str | None,
    max_diff: float | None,
    min_psnr: float | None,
    peak: float | None,
    json_target: str | None,
    **how: Any,
) -> int:
    """Measure the difference of the pictures A and B: in total, and in each channel.

    The report has the mean-square error, the PSNR, the structural similarity (SSIM), and the
    largest difference with its first position, as row,column from 0. All pages of a TIFF and all
    frames of an animation are compared, each with the one of the same number. The exit code is 1 if
    a limit is exceeded, or if the numbers of pages differ.
    """
    if diff is not None and diff != STDOUT:
        check_writable(diff)
    check_stdout(diff, json_target)
    reading = taken(how, ReadOptions)
    first, second = _read(a, reading), _read(b, reading)
    if len(first.pages) != len(second.pages):
        raise ShapeError(
            f"{shown(a)} has {len(first.pages)} pages, {shown(b)} {len(second.pages)}; "
            "--page N compares one of each"
        )
    found = _compared(first, second, peak)
    drawn = None if diff is None else _write_difference(diff, first, second)
    failures = _failures(found, max_diff, min_psnr)
    report = _report(a, b, first, found, failures)
    lines = _lines(found)
    if drawn is not None:
        report["diff"] = finite(vars(drawn))
        lines.append(_scale_line(drawn))
    if diff == STDOUT:
        say(*lines[-1:], err=True)
    give(report, json_target, lines, quiet=diff == STDOUT)
    for failure in failures:
        complain(f"convtool: differs: {failure}")
    return 1 if failures else 0


class _Found(Record):
    """The differences over all pages, and on each of them."""

    peak: Peak
    channels: Sequence[Difference]
    pages: Sequence[Difference]


class _Drawn(Record):
    """The picture of the difference."""

    path: str
    white: float
    """The difference that is white."""
    factor: float
    """What differences are multiplied by."""


def _read(path: str, reading: ReadOptions) -> Document:
    document = read_document(path, reading)
    for page in document.pages:
        tell_notes(path, page)
    return document


def _compared(first: Document, second: Document, given: float | None) -> _Found:
    peak = peak_for(first.pages, given)
    pages = [
        (one, differences(one, other, peak.value, number))
        for number, (one, other) in enumerate(zip(first.pages, second.pages, strict=True), 1)
    ]
    return _Found(peak, over_pages(pages, peak.value), [found[0] for _, found in pages])


def _write_difference(target: str, first: Document, second: Document) -> _Drawn:
    pairs = list(zip(first.pages, second.pages, strict=True))
    peak = first.pages[0].peak
    white = largest_shown(pairs) or peak
    pages = tuple(
        Image(magnitude(one, other, white), one.has_alpha, bits=one.bits) for one, other in pairs
    )
    for page in pages:
        check_kind(target, page.channels, page.type, bands=page.has_bands)
    how = WriteOptions(format=form_of(target))
    write_document(target, replace(first, pages=pages), how)
    return _Drawn(target, white, peak / white)


def _scale_line(drawn: _Drawn) -> str:
    return f"{shown(drawn.path)}: differences times {drawn.factor:.4g}; white is {drawn.white:.6g}"


def _failures(found: _Found, max_diff: float | None, min_psnr: float | None) -> list[str]:
    whole, failures = found.channels[0], []
    if max_diff is not None and whole.largest > max_diff:
        where = f" on page {whole.page}" if len(found.pages) > 1 else ""
        failures.append(
            f"the largest difference is {whole.largest:g}{where}, the limit {max_diff:g}"
        )
    if min_psnr is not None and whole.psnr < min_psnr:
        failures.append(f"the PSNR is {decibel_text(whole.psnr)} dB, the limit {min_psnr:g}")
    return failures


def _lines(found: _Found) -> list[str]:
    several = len(found.pages) > 1
    rows = [
        [
            one.channel,
            f"{one.mse:.6g}",
            decibel_text(one.psnr),
            f"{one.ssim:.6f}",
            f"{one.largest:g}",
            "{},{}".format(*one.where) if one.largest else "-",
            *([str(one.page) if one.largest else "-"] if several else []),
        ]
        for one in found.channels
    ]
    titles = ["CHANNEL", "MSE", "PSNR dB", "SSIM", "LARGEST", "AT", *(["PAGE"] if several else [])]
    lines = table([titles, *rows], right=True)
    lines.append(f"peak {found.peak.value:.10g} ({found.peak.reason})")
    if several:
        differ = sum(one.largest > 0 for one in found.pages)
        lines.append(f"{len(found.pages)} pages compared, {differ or 'none'} of them differ")
    return lines


def _report(
    a: str, b: str, first: Document, found: _Found, failures: list[str]
) -> dict[str, object]:
    page = first.pages[0]
    return {
        "schema": SCHEMA,
        "a": a,
        "b": b,
        "shape": list(page.pixels.shape),
        "depth": page.depth,
        "pages": len(found.pages),
        "peak": found.peak.value,
        "peak_reason": found.peak.reason,
        "psnr": finite(found.channels[0].psnr),
        "channels": [finite(asdict(one)) for one in found.channels],
        "by_page": [finite(asdict(one)) for one in found.pages],
        "equal": found.channels[0].largest == 0,
        "failures": failures,
    }
