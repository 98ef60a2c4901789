"""``convtool filter``: convolve a picture with one or more kernels."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from convtool.cli import DONE
from convtool.cli import _filter_report as report
from convtool.cli._cluster_options import Cluster, cluster_options
from convtool.cli._completions import engine_names
from convtool.cli._completions import specs as complete_specs
from convtool.cli._existing import check_there, is_kept, no_clobber_option, telling_replaced
from convtool.cli._file_options import (
    depth_option,
    format_option,
    strip_reading_options,
    writing_options,
)
from convtool.cli._help import Command, option
from convtool.cli._kernels import read_kernel
from convtool.cli._options import (
    FiniteRange,
    check_stdout,
    choice,
    json_option,
    output_option,
    pair,
    taken,
    target_of,
)
from convtool.cli._places import Batch, is_batch
from convtool.cli._progress import pixel_bar
from convtool.cli._signals import ending, signals
from convtool.cli._store_options import store_options, take_store
from convtool.cli._terminal import detail
from convtool.cli._where_options import read_mask, where_options
from convtool.convolution.borders import BORDERS
from convtool.convolution.engines import engines
from convtool.convolution.geometry import MODES
from convtool.errors import OptionError
from convtool.filtering.alpha_rules import RULES
from convtool.filtering.job import FilterJob, Outcome
from convtool.filtering.options import FilterOptions, check_options
from convtool.filtering.run import filter_picture, is_divisible, is_written_by_rows
from convtool.filtering.strips.options import StoreOptions, check_store_options
from convtool.images.options import ReadOptions, WriteOptions
from convtool.images.paths import shown
from convtool.images.tone import RANGES
from convtool.images.write import STDOUT, check_writable
from convtool.work.inputs import looks_like_picture

if TYPE_CHECKING:
    from convtool.filtering.plan import FilterPlan


@click.command(
    "filter",
    cls=Command,
    usual=(
        "--kernel",
        "--output",
        "--border",
        "--range",
        "--depth",
        "--gray",
        "--quality",
        "--recursive",
        "--explain",
        "--dry-run",
    ),
    epilog="""\b
Examples:
  convtool filter --kernel sobel sample_images/photograph.jpg edges.png
  convtool filter -k gaussian:sigma=2 sample_images/photograph.jpg soft.jpg
  convtool filter -k gaussian -k laplacian-8 --range offset sample_images/photograph.jpg relief.png
  convtool filter -k 3x3:0,-1,0,-1,5,-1,0,-1,0 sample_images/photograph.jpg sharp.png
  convtool filter -k scharr --direction --depth 16 sample_images/siemens-star.png angles.png
  convtool filter -k disk:radius=9 --region 64,200,180,210 sample_images/photograph.jpg house.png
  convtool filter -k unsharp --channels L sample_images/photograph.jpg crisp.jpg
  convtool filter -k unsharp -r --jobs 2 sample_images sharpened/
  convtool filter -k disk:radius=9 --explain --dry-run sample_images/zone-plate.png out.png""",
)
@option(
    "--kernel",
    "-k",
    "specs",
    shell_complete=complete_specs,
    topic="kernel",
    metavar="SPEC",
    multiple=True,
    required=True,
    help="Preset (gaussian:sigma=2), file (.txt .csv .npy .json), picture (psf.tif) or literal "
    "(1x3:1,0,-1); repeat it to apply several in order. 'convtool kernels' lists the presets.",
)
@option(
    "--direction",
    topic="kernel",
    is_flag=True,
    help="Write the angle of the gradient (sobel, prewitt, scharr) as grey: black means right, "
    "a quarter of white means down, and white a full turn.",
)
@choice("--mode", topic="kernel", values=MODES)
@option(
    "--padding",
    topic="kernel",
    type=pair,
    metavar="N|PY,PX",
    help="Pad by this many pixels on each side, in place of a mode.",
)
@option(
    "--stride",
    topic="kernel",
    type=pair,
    metavar="S|SY,SX",
    default="1",
    show_default=True,
    help="Keep every S-th row and column of the last kernel's output.",
)
@option(
    "--border",
    topic="kernel",
    type=click.Choice(list(BORDERS)),
    help="What lies beyond the edge.  [default: reflect; constant with --mode full]",
)
@option(
    "--cval",
    topic="kernel",
    type=float,
    default=0.0,
    show_default=True,
    help="The value beyond the edge for --border constant, in units of the input's pixels.",
)
@option(
    "--bias",
    topic="kernel",
    type=float,
    default=0.0,
    show_default=True,
    help="A constant added after the last kernel, in units of the input's pixels (8 bits: 0 to "
    "255).",
)
@option("--correlate", topic="kernel", is_flag=True, help="Do not flip the kernels.")
@option(
    "--volume",
    topic="kernel",
    is_flag=True,
    help="Filter the pages of a TIFF, or the planes of a Zarr store, as one volume, with kernels "
    "of three dimensions: gaussian:sigma=1,2,2 (z, y, x), box, sobel:axis=z, 3x1x1:1,0,-1.",
)
@option("--gray", topic="kept", is_flag=True, help="Filter 0.299 R + 0.587 G + 0.114 B.")
@option(
    "--engine",
    shell_complete=engine_names,
    topic="machine",
    metavar=f"[{'|'.join(('auto', *engines()))}]",
    default="auto",
    show_default=True,
    help="Algorithm that computes the convolution; separable:rank=N uses exactly N factors.",
)
@choice(
    "--range",
    "range_name",
    topic="kept",
    values=RANGES,
    help="How negative and overflowing values are mapped to the output: clip them; take "
    "magnitudes; add half of white; stretch the smallest to largest value over all greys.",
)
@depth_option
@choice(
    "--alpha",
    topic="kept",
    values=RULES,
    help="Filter colours multiplied by alpha, so that transparent pixels do not affect their "
    "neighbours, or filter colours alone.",
)
@option(
    "--linear",
    topic="kept",
    is_flag=True,
    help="Filter in linear light: decode the sRGB transfer function first and encode it last.",
)
@where_options
@writing_options
@option(
    "--threads",
    topic="machine",
    type=click.IntRange(1),
    help="[default: all cores; with --jobs 1 for each picture]",
)
@strip_reading_options
@store_options
@option(
    "--timeout",
    topic="machine",
    type=FiniteRange(0, min_open=True),
    metavar="SECONDS",
    help="Give up on a picture that takes longer.",
)
@format_option
@option("--recursive", "-r", topic="many", is_flag=True, help="Search subfolders too.")
@option(
    "--from-file",
    topic="many",
    metavar="LIST",
    help="Read the names of the inputs from LIST, one a line or NUL-terminated; - reads stdin.",
)
@option(
    "--suffix",
    topic="many",
    default="",
    metavar="TEXT",
    help="In a batch: text to insert before each output's extension.",
)
@option(
    "--jobs",
    topic="many",
    type=click.IntRange(1),
    help="In a batch: number of pictures filtered in parallel, one thread each.  [default: all "
    "cores]",
)
@option("--fail-fast", topic="many", is_flag=True, help="In a batch: stop at the first failure.")
@option(
    "--journal",
    topic="many",
    metavar="FILE",
    help="In a batch: record finished pictures in FILE, and skip those that it already holds.",
)
@option(
    "--resume",
    topic="many",
    is_flag=True,
    help="Resume an interrupted run: in a batch, skip pictures that an earlier run finished, by "
    "its journal in OUT or the report that --json names, else ask; for a Zarr OUT, keep finished "
    "chunks.",
)
@no_clobber_option
@cluster_options
@option(
    "--explain",
    topic="report",
    is_flag=True,
    help="Print the chosen engine, the reason, and the cost of each engine.",
)
@option(
    "--dry-run",
    topic="report",
    is_flag=True,
    help="Check inputs and options and plan the work, but write nothing.",
)
@json_option
@output_option
@click.argument("places", nargs=-1, metavar="IN… OUT")
def command(
    specs: tuple[str, ...],
    places: tuple[str, ...],
    output: str | None,
    range_name: str,
    explain: bool,
    volume: bool,
    **how: Any,
) -> int:
    """Convolve the picture IN with kernels and write it to OUT.

    Reads and writes JPEG, PNG, TIFF, WebP, GIF, BMP, PNM, PFM, JPEG 2000, OpenEXR and HDR (PBM is
    read only); IN is recognised by its content, OUT's ending names its format. Depth (8 bits, 16
    bits or floats), grey or colour, alpha, pages, frames and metadata are kept unless an option
    changes them. IN and OUT may be the same file, or - for standard input and output; - is written
    in the format of IN.

    With several IN, a folder, a pattern in quotes or --from-file, or where OUT is a folder, the
    outputs are written to the folder OUT under the inputs' names; folders and patterns keep their
    directory tree. A picture that fails is reported, and the others are still filtered.
    """
    cluster = how["cluster"] = taken(how, Cluster)
    batch = taken(how, Batch)
    places, target = _parted(places, output, listed=batch.from_file is not None)
    store = take_store(how, resume=batch.resume)
    reading, writing = taken(how, ReadOptions), taken(how, WriteOptions)
    read_mask(how, reading)
    filtering = FilterOptions(range=range_name, **how)
    if volume:
        from convtool.cli._volume import run_volume
        from convtool.filtering.volume import volume_spec

        job = FilterJob(tuple(map(volume_spec, specs)), filtering, reading, writing)
        return run_volume(places, target, job, store, batch, explain=explain)
    job = FilterJob(tuple(map(read_kernel, specs)), filtering, reading, writing)
    check_options(job.kernels, job.filtering)
    by_rows = len(places) == 1 and is_written_by_rows(places[0], target, store)
    if not by_rows and is_batch(places, target, batch):
        if explain:
            raise OptionError("--explain is for one picture; leave it out, or name one IN and OUT")
        from convtool.cli._batch import run_batch

        return run_batch(places, target, job, batch)
    check_there(places[0])
    check_store_options(target, store)
    for name in ("recursive", "suffix", "jobs", "fail_fast", "journal"):
        if getattr(batch, name):
            option = name.replace("_", "-")
            raise OptionError(f"--{option} is for many pictures; OUT must be a folder then")
    if cluster and not (by_rows or is_divisible(places[0], target)):
        name = "workers" if cluster.workers is not None else "scheduler"
        raise OptionError(
            f"--{name} is for many pictures, whose OUT is a folder, and for a TIFF or Zarr picture "
            "that becomes one"
        )
    if is_kept(target, no_clobber=batch.no_clobber):
        _give_report(report.skipped(places[0], target), batch)
    elif cluster:
        _filter_blocks(places[0], target, job, store, batch, explain=explain)
    else:
        if not by_rows:
            _check_target(target, job, batch)
        _filter_one(places[0], target, job, store, batch, explain=explain)
    return DONE


def _parted(
    places: Sequence[str], output: str | None, *, listed: bool
) -> tuple[tuple[str, ...], str]:
    """Return the inputs and OUT, which is the last argument or that of ``--output``.

    Several inputs with a picture as output are taken for OUT given twice.
    """
    *inputs, last = places or (None,)
    if (
        output is not None
        and (listed or inputs)
        and last is not None
        and looks_like_picture(output)
    ):
        target_of(last, output)
    target = target_of(None if output is not None else last, output)
    sources = tuple(places) if output is not None else tuple(inputs)
    if not sources and not listed:
        raise click.UsageError("it takes what to read and where to write; give IN and OUT")
    return sources, target


def _explaining(asked: bool) -> "Callable[[FilterPlan], None]":
    """Return a function that prints the plan if ``--explain`` is given, else does nothing."""
    return report.explain if asked else lambda plan: None


def _check_target(target: str, job: FilterJob, batch: Batch) -> None:
    """Check what can be of an output that is a file, before anything is read."""
    check_stdout(target, batch.json_target)
    if target != STDOUT:
        check_writable(target, format=job.writing.format, quality=job.writing.quality)


def _filter_one(
    source: str,
    target: str,
    job: FilterJob,
    store: StoreOptions,
    batch: Batch,
    *,
    explain: bool,
) -> None:
    before = _explaining(explain)
    if batch.dry_run:
        outcome = filter_picture(source, target, job, store, planned=before, dry_run=True)
        report.would_write(target, outcome)
    else:
        with (
            telling_replaced([target], source),
            pixel_bar(shown(source)) as bar,
            ending(shown(source), batch.timeout),
        ):
            outcome = filter_picture(source, target, job, store, planned=before, progress=bar)
        if explain:
            report.compare(outcome.steps)
        detail(*report.details(source, target, outcome))
        report.warn(outcome)
    _write_report(source, target, outcome, batch)


def _filter_blocks(
    source: str, target: str, job: FilterJob, store: StoreOptions, batch: Batch, *, explain: bool
) -> None:
    from convtool.distributed.huge.run import divided

    batch.cluster.check(jobs=batch.jobs, timeout=batch.timeout)

    def facts() -> tuple[int, int | None]:
        with ending("the cluster"):
            return batch.cluster.facts()

    with divided(source, target, job, store, facts) as work:
        _explaining(explain)(work.plan)
        if batch.dry_run:
            report.would_write(target, work.outcome)
        else:
            with telling_replaced([target], source):
                with signals() as stop, ExitStack() as stack:
                    with ending("the cluster"):
                        client = stack.enter_context(batch.cluster.open())
                    progress = stack.enter_context(pixel_bar(shown(source)))
                    work.over(client, progress=progress, stop=stop)
                with ending(shown(source)):
                    work.finish()
            if explain:
                report.compare(work.outcome.steps)
            report.warn(work.outcome)
    _write_report(source, target, work.outcome, batch)


def _write_report(source: str, target: str, outcome: Outcome, batch: Batch) -> None:
    _give_report(report.as_json(source, target, outcome, dry_run=batch.dry_run), batch)


def _give_report(found: dict[str, object], batch: Batch) -> None:
    if batch.json_target is not None:
        from convtool.report.json_report import write_report

        write_report(found, batch.json_target)
