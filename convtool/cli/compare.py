"""``convtool compare``: measure the difference of two pictures."""

from dataclasses import asdict

import click

from convtool.cli._options import check_stdout, give, json_option
from convtool.cli._signals import ending
from convtool.images.image import Image
from convtool.images.read import read
from convtool.images.write import STDOUT, check_writable, write
from convtool.report.json_report import finite
from convtool.report.matrix import table
from convtool.report.units import decibel_text
from convtool.svd.difference import Difference, differences, magnitude

SCHEMA = "convtool.compare/1"


@click.command(
    "compare",
    epilog="""\b
Examples:
  convtool compare sample_images/photograph.jpg sample_images/photograph.jpg
  convtool compare before.png after.png --diff diff.png
  convtool compare before.png after.png --max-diff 1 --json""",
)
@click.argument("a")
@click.argument("b")
@click.option(
    "--diff",
    metavar="FILE",
    help="Write the absolute difference as a picture of the same depth.",
)
@click.option(
    "--max-diff",
    type=click.FloatRange(min=0),
    metavar="D",
    help="Exit with code 1 if any pixel differs by more (8 bits: of 255).",
)
@click.option(
    "--min-psnr",
    type=float,
    metavar="DB",
    help="Exit with code 1 if the PSNR over all channels is lower.",
)
@json_option
@ending()
def command(
    a: str,
    b: str,
    diff: str | None,
    max_diff: float | None,
    min_psnr: float | None,
    json_target: str | None,
) -> int:
    """Measure the difference of the pictures A and B: in total, and in each channel.

    The report has the mean-square error, the PSNR with the peak of their depth, the structural
    similarity (SSIM), and the largest difference with its first position, as row,column from 0. The
    exit code is 1 if a limit is exceeded.
    """
    if diff is not None and diff != STDOUT:
        check_writable(diff)
    check_stdout(diff, json_target)
    first, second = read(a), read(b)
    found = differences(first, second)
    if diff is not None:
        form = "png" if diff == STDOUT else None
        write(diff, Image(magnitude(first, second), first.has_alpha), format=form)
    failures = _failures(found[0], max_diff, min_psnr)
    report = _report(a, b, first, found, failures)
    give(report, json_target, _lines(found), quiet=diff == STDOUT)
    for failure in failures:
        click.echo(f"convtool: differs: {failure}", err=True)
    return 1 if failures else 0


def _failures(whole: Difference, max_diff: float | None, min_psnr: float | None) -> list[str]:
    failures = []
    if max_diff is not None and whole.largest > max_diff:
        failures.append(f"the largest difference is {whole.largest:g}, the limit {max_diff:g}")
    if min_psnr is not None and whole.psnr < min_psnr:
        failures.append(f"the PSNR is {decibel_text(whole.psnr)} dB, the limit {min_psnr:g}")
    return failures


def _lines(found: list[Difference]) -> list[str]:
    rows = [
        [
            one.channel,
            f"{one.mse:.6g}",
            decibel_text(one.psnr),
            f"{one.ssim:.6f}",
            f"{one.largest:g}",
            "{},{}".format(*one.where) if one.largest else "-",
        ]
        for one in found
    ]
    return table([["CHANNEL", "MSE", "PSNR dB", "SSIM", "LARGEST", "AT"], *rows], right=True)


def _report(
    a: str, b: str, first: Image, found: list[Difference], failures: list[str]
) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "a": a,
        "b": b,
        "shape": list(first.pixels.shape),
        "depth": first.depth,
        "channels": [finite(asdict(one)) for one in found],
        "equal": found[0].largest == 0,
        "failures": failures,
    }
