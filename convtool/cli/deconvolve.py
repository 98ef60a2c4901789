"""``convtool deconvolve``: undo the blur of a known kernel."""

from typing import Any

import click
import numpy as np

from convtool.cli._existing import check_there, is_kept, no_clobber_option, telling_replaced
from convtool.cli._file_options import (
    depth_option,
    document_reading_options,
    format_option,
    read_page,
    writing_options,
)
from convtool.cli._kernels import read_single_kernel
from convtool.cli._options import (
    FiniteRange,
    check_stdout,
    choice,
    give,
    json_option,
    taken,
    threads_option,
)
from convtool.cli._signals import ending
from convtool.cli._terminal import say
from convtool.cli._wording import report_as_options
from convtool.convolution.borders import BORDERS
from convtool.deconvolution import METHODS
from convtool.deconvolution.api import ITERATIONS
from convtool.filtering.alpha_rules import RULES
from convtool.filtering.deconvolve import (
    Deconvolution,
    DeconvolveOptions,
    check_options,
    deconvolve_file,
)
from convtool.images.image import Image
from convtool.images.options import ReadOptions, WriteOptions
from convtool.images.paths import shown
from convtool.images.write import STDOUT
from convtool.report.json_report import finite
from convtool.report.units import decibel_text
from convtool.svd.metrics import peak_for, psnr

SCHEMA = "convtool.deconvolve/1"

_WORTH_SAYING = 0.001


@click.command(
    "deconvolve",
    epilog="""\b
Examples:
  convtool filter -k gaussian:sigma=2 sample_images/photograph.jpg soft.png
  convtool deconvolve -k gaussian:sigma=2 --reference sample_images/photograph.jpg soft.png back.png
  convtool deconvolve -k gaussian:sigma=2 --noise 2 soft.png back.png --json
  convtool deconvolve -k gaussian:sigma=2 --method richardson-lucy --iterations 20 soft.png back.png
""",
)
@click.option(
    "--kernel",
    "-k",
    "specs",
    metavar="SPEC",
    multiple=True,
    required=True,
    help="The blur's kernel: a preset, file, picture (psf.tif) or literal, as for filter.",
)
@choice(
    "--method",
    values=METHODS,
    help="Wiener's filter with a Laplacian prior, or Richardson and Lucy's iteration.",
)
@click.option(
    "--noise",
    type=FiniteRange(0),
    metavar="SIGMA",
    help="Standard deviation of the noise, in units of the input's pixels (8 bits: of 255). The "
    "quantisation noise of its depth is added.  [default: that alone]",
)
@click.option(
    "--balance",
    type=FiniteRange(0, min_open=True),
    metavar="LAMBDA",
    help="For wiener: the weight of the Laplacian, as in scikit-image.  [default: by --noise]",
)
@click.option(
    "--iterations",
    type=click.IntRange(1),
    metavar="N",
    help=f"For richardson-lucy.  [default: {ITERATIONS}]",
)
@choice("--border", values=BORDERS, help="Border that the blur used.")
@click.option(
    "--cval",
    type=float,
    default=0.0,
    show_default=True,
    help="The blur's value beyond the edge for --border constant, in units of the input's pixels.",
)
@click.option("--correlate", is_flag=True, help="The blur did not flip the kernel.")
@choice("--alpha", values=RULES, help="How the blur treated alpha.")
@depth_option
@click.option(
    "--reference", metavar="FILE", help="The picture before the blur, to measure the PSNR against."
)
@writing_options
@threads_option
@document_reading_options
@format_option
@no_clobber_option
@json_option
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@ending()
def command(
    specs: tuple[str, ...],
    source: str,
    target: str,
    reference: str | None,
    no_clobber: bool,
    json_target: str | None,
    **how: Any,
) -> None:
    """Undo the blur of the picture IN by a known kernel, and write the result to OUT.

    The report says how much of the picture can be restored: frequencies that the kernel attenuated
    below the noise are lost with every method.
    """
    if len(specs) > 1:
        raise click.UsageError("it undoes one kernel at a time; give one --kernel, the last first")
    check_stdout(target, json_target)
    reading, writing = taken(how, ReadOptions), taken(how, WriteOptions)
    kernel = read_single_kernel(specs[0])
    options = DeconvolveOptions(**how)
    check_options(kernel, options)
    check_there(source)
    if is_kept(target, no_clobber=no_clobber):
        skipped = {"schema": SCHEMA, "source": source, "target": target, "skipped": True}
        give(skipped, json_target, [], quiet=True)
        return
    original = None if reference is None else read_page(reference, reading)
    with telling_replaced([target], source):
        made = deconvolve_file(
            source, target, kernel, options, reading, writing, reference=original
        )
    for warning in made.warnings:
        say(f"convtool: warning: {warning}", err=True)
    levels = None
    if original is not None:
        images = made.before, made.first.image
        levels = [_psnr(image, original) for image in images]
    report = _report(source, target, kernel.text, options, made, levels)
    lines = _lines(target, made, levels, float(kernel.weights.sum()))
    give(report, json_target, lines, quiet=target == STDOUT)


def _psnr(image: Image, original: Image) -> float:
    """Return the PSNR of a picture against the one before the blur; white of integers is white."""
    if image.type.is_integer == original.type.is_integer:
        pixels = np.multiply(image.pixels, original.peak / image.peak)
        return psnr(original.pixels, pixels, peak_for([original]).value)
    return psnr(image.pixels / image.peak, np.divide(original.pixels, original.peak), 1.0)


def _lines(target: str, made: Deconvolution, levels: list[float] | None, total: float) -> list[str]:
    found = made.first.found
    steps = f", {found.iterations} iterations" if found.iterations else ""
    lines = [
        f"{shown(target)}: {found.method}{steps}, noise {found.noise:.4g}, "
        f"balance {found.balance:.3g}",
        f"blurred again it differs from the input by {found.residual:.4g} (root mean square)",
    ]
    if levels is not None:
        page = " of the first page" if made.pages > 1 else ""
        lines.append(
            f"PSNR{page} {decibel_text(levels[1])} dB; {decibel_text(levels[0])} dB before"
        )
    if found.lost > _WORTH_SAYING:
        zeros = f"; at {found.zeros:.1%} its spectrum is zero" if found.zeros else ""
        lines.append(
            f"lost: {found.lost:.1%} of the frequencies, which the kernel attenuated below the "
            f"noise{zeros}"
        )
    else:
        lines.append("all frequencies are above the noise")
    if abs(total) < 1e-9:
        lines.append("lost: the mean, as the kernel sums to 0")
    return lines


def _report(
    source: str,
    target: str,
    kernel: str,
    options: DeconvolveOptions,
    made: Deconvolution,
    levels: list[float] | None,
) -> dict[str, object]:
    found, image = made.first.found, made.first.image
    before, after = levels or (None, None)
    return {
        "schema": SCHEMA,
        "source": source,
        "target": target,
        "kernel": kernel,
        "method": found.method,
        "border": options.border,
        "noise": found.noise,
        "balance": found.balance if found.method == "wiener" else None,
        "iterations": found.iterations,
        "shape": list(image.pixels.shape),
        "depth": image.depth,
        "residual": found.residual,
        "psnr_before": finite(before),
        "psnr": finite(after),
        "lost": found.lost,
        "zeros": found.zeros,
        "warnings": report_as_options(list(made.warnings)),
        "seconds": made.seconds,
    }
