"""``convtool filter``: convolve a picture with one or more kernels."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from convtool.cli._options import json_option, pair
from convtool.convolution.borders import BORDERS
from convtool.convolution.engines import engines
from convtool.convolution.geometry import MODES
from convtool.errors import OptionError
from convtool.images.alpha import RULES
from convtool.images.filter import FilterOptions, Outline, Step, filter_image, outline
from convtool.images.image import DEPTHS, Image
from convtool.images.read import MAX_PIXELS, read, read_header
from convtool.images.tone import OUTPUT_DEPTHS, RANGES
from convtool.images.write import STDOUT, check_writable, write
from convtool.kernels.spec import KernelSpec, parse
from convtool.report.json_report import write_report
from convtool.report.units import seconds_text

SCHEMA = "convtool.filter/1"


@dataclass(frozen=True)
class _Task:
    """What was asked for, besides how to filter."""

    source: str
    target: str
    kernels: tuple[KernelSpec, ...]
    max_pixels: int
    quality: int | None
    explain: bool
    json_target: str | None

    def format_name(self, source_format: str) -> str | None:
        """Return the format to write where no file name tells it: the input's."""
        return source_format if self.target == STDOUT else None


@click.command(
    "filter",
    epilog="""\b
Examples:
  convtool filter --kernel sobel sample_images/photograph.jpg edges.png
  convtool filter -k gaussian:sigma=2 sample_images/photograph.jpg soft.jpg
  convtool filter -k gaussian -k laplacian-8 --range offset sample_images/photograph.jpg relief.png
  convtool filter -k 3x3:0,-1,0,-1,5,-1,0,-1,0 sample_images/photograph.jpg sharp.png
  convtool filter -k scharr --direction --depth 16 sample_images/siemens-star.png angles.png
  convtool filter -k disk:radius=9 --explain --dry-run sample_images/zone-plate.png out.png""",
)
@click.option(
    "--kernel",
    "-k",
    "specs",
    metavar="SPEC",
    multiple=True,
    required=True,
    help="Preset (gaussian:sigma=2), file (.txt .csv .npy .json) or literal (1x3:1,0,-1); "
    "repeat it to apply several in order. 'convtool kernels' lists the presets.",
)
@click.option(
    "--direction",
    is_flag=True,
    help="Write the angle of the gradient (sobel, prewitt, scharr) as grey: black is to the "
    "right, a quarter of white is downwards, white would be a full turn.",
)
@click.option("--mode", type=click.Choice(MODES), default="same", show_default=True)
@click.option(
    "--padding",
    type=pair,
    metavar="N|PY,PX",
    help="Pixels that the border adds on each side, in place of a mode.",
)
@click.option(
    "--stride",
    type=pair,
    metavar="S|SY,SX",
    default="1",
    show_default=True,
    help="Keep every S-th row and column of the last kernel's answer.",
)
@click.option(
    "--border",
    type=click.Choice(list(BORDERS)),
    help="What lies beyond the edge.  [default: reflect; constant with --mode full]",
)
@click.option(
    "--cval",
    type=float,
    default=0.0,
    show_default=True,
    help="The value beyond the edge for --border constant, in units of the input's pixels.",
)
@click.option(
    "--bias",
    type=float,
    default=0.0,
    show_default=True,
    help="Added after the last kernel, in units of the input's pixels (8 bits: 0 to 255).",
)
@click.option("--correlate", is_flag=True, help="Do not flip the kernels.")
@click.option("--gray", is_flag=True, help="Filter 0.299 R + 0.587 G + 0.114 B.")
@click.option(
    "--engine",
    metavar=f"[{'|'.join(('auto', *engines()))}]",
    default="auto",
    show_default=True,
    help="What computes; separable:rank=N insists on N factors.",
)
@click.option(
    "--range",
    "range_name",
    type=click.Choice(list(RANGES)),
    default="clip",
    show_default=True,
    help="How negative and overflowing values reach the output: cut off; as magnitudes; with half "
    "of white added; smallest to largest stretched over all greys.",
)
@click.option(
    "--depth",
    type=click.Choice(list(OUTPUT_DEPTHS)),
    default="keep",
    show_default=True,
    help="Bits a channel of the output.",
)
@click.option(
    "--alpha",
    type=click.Choice(RULES),
    default=RULES[0],
    show_default=True,
    help="Filter colours multiplied by alpha, so that transparent pixels bleed none, or leave "
    "alpha alone.",
)
@click.option(
    "--quality",
    type=click.IntRange(1, 100),
    help="For JPEG and lossy WebP.  [default: JPEG 95, WebP lossless]",
)
@click.option("--threads", type=click.IntRange(1), help="[default: all cores]")
@click.option(
    "--max-pixels",
    type=click.IntRange(1),
    default=MAX_PIXELS,
    show_default=True,
    help="Refuse a picture whose header claims more.",
)
@click.option("--explain", is_flag=True, help="Say which engine is taken, why, and all costs.")
@click.option("--dry-run", is_flag=True, help="Check everything that can be; write nothing.")
@json_option
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
def command(
    specs: tuple[str, ...],
    source: str,
    target: str,
    range_name: str,
    quality: int | None,
    max_pixels: int,
    explain: bool,
    dry_run: bool,
    json_target: str | None,
    **how: Any,
) -> None:
    """Convolve the picture IN with kernels and write it to OUT.

    Reads and writes JPEG, PNG, TIFF, WebP, BMP and PNM (PBM is read only); IN is recognised by its
    content, OUT's ending names its format, and 8 bits, 16 bits or floats, grey or colour, and alpha
    stay as they are unless you ask for another. IN and OUT may be the same file, or - for standard
    input and output; - is written in the format of IN.
    """
    task = _Task(
        source, target, tuple(map(parse, specs)), max_pixels, quality, explain, json_target
    )
    options = FilterOptions(range=range_name, **how)
    if target == STDOUT == json_target:
        raise OptionError("the picture and the report cannot both go to stdout; use --json FILE")
    if target != STDOUT:
        check_writable(target, quality=quality)
    (_dry_run if dry_run else _run)(task, options)


def _run(task: _Task, options: FilterOptions) -> None:
    start = time.perf_counter()
    image = read(task.source, max_pixels=task.max_pixels)
    plan = outline(image.pixels.shape, image.pixels.dtype, image.has_alpha, task.kernels, options)
    form = task.format_name(image.format)
    entry = check_writable(
        task.target, plan.channels, plan.dtype, format=form, quality=task.quality
    )
    if task.explain:
        _explain(plan)
    result = filter_image(image, task.kernels, options)
    if task.explain:
        _compare(result.steps)
    write(task.target, result.image, format=form, quality=task.quality)
    for warning in result.warnings:
        click.echo(f"convtool: warning: {warning}", err=True)
    if task.json_target is not None:
        report = _report(task, result.steps, plan, _describe(image), entry.name) | {
            "clipped_share": result.clipped_share,
            "warnings": list(result.warnings),
            "seconds": time.perf_counter() - start,
        }
        write_report(report, task.json_target)


def _dry_run(task: _Task, options: FilterOptions) -> None:
    source, header = read_header(task.source, max_pixels=task.max_pixels)
    plan = outline(header.shape, header.pixel_type, header.has_alpha, task.kernels, options)
    form = task.format_name(source.name)
    entry = check_writable(
        task.target, plan.channels, plan.dtype, format=form, quality=task.quality
    )
    if task.explain:
        _explain(plan)
    shape = "×".join(map(str, plan.shape))
    depth = DEPTHS[plan.dtype.name]
    click.echo(f"would write {task.target}: {entry.title}, {shape}, depth {depth}", err=True)
    if task.json_target is not None:
        source_kind: dict[str, object] = {
            "format": source.name,
            "shape": list(header.shape),
            "depth": DEPTHS[header.dtype],
        }
        report = _report(task, plan.steps, plan, source_kind, entry.name) | {"dry_run": True}
        write_report(report, task.json_target)


def _describe(image: Image) -> dict[str, object]:
    return {"format": image.format, "shape": list(image.pixels.shape), "depth": image.depth}


def _report(
    task: _Task,
    steps: Sequence[Step],
    plan: Outline,
    source: dict[str, object],
    target_format: str,
) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "input": {"path": task.source} | source,
        "output": {
            "path": task.target,
            "format": target_format,
            "shape": list(plan.shape),
            "depth": DEPTHS[plan.dtype.name],
        },
        "steps": [
            {
                "kernel": step.kernel,
                "engine": step.engine,
                "rank": step.rank,
                "costs": dict(step.costs),
                "reason": step.reason,
                "shape": list(step.shape),
                "seconds": step.seconds,
            }
            for step in steps
        ],
    }


def _explain(plan: Outline) -> None:
    for number, step in enumerate(plan.steps, 1):
        click.echo("\n".join(_step_lines(number, step)), err=True)


def _compare(steps: Sequence[Step]) -> None:
    """Say what each kernel took, beside what was expected of its engine."""
    for number, step in enumerate(steps, 1):
        if step.seconds is not None:
            expected = seconds_text(step.costs[step.engine])
            taken = seconds_text(step.seconds)
            line = f"kernel {number}, {step.kernel}: took {taken}, expected {expected}"
            click.echo(line, err=True)


def _step_lines(number: int, step: Step) -> Sequence[str]:
    rank = f" (rank {step.rank})" if step.rank is not None else ""
    costs = sorted(step.costs.items(), key=lambda item: item[1])
    return [
        f"kernel {number}, {step.kernel}: engine {step.engine}{rank}: {step.reason}",
        "  would take: " + ", ".join(f"{name} {seconds_text(cost)}" for name, cost in costs),
    ]
