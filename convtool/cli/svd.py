"""``convtool svd``: compress a picture with the singular value decomposition."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from convtool.cli import _svd_report as words
from convtool.cli._existing import is_kept, no_clobber_option, telling_replaced
from convtool.cli._file_options import (
    check_kind,
    form_of,
    keep_times_option,
    page_reading_options,
    read_page,
)
from convtool.cli._help import Command, option
from convtool.cli._options import (
    check_no_terminal,
    choice,
    json_option,
    peak_option,
    taken,
    whole_numbers,
)
from convtool.cli._progress import step_bar
from convtool.cli._signals import ending
from convtool.cli._terminal import say
from convtool.errors import NonFiniteError, OptionError
from convtool.extras import need
from convtool.filtering.nonfinite import counted
from convtool.images import samples
from convtool.images.image import Document, Image
from convtool.images.options import ReadOptions, WriteOptions
from convtool.images.paths import shown
from convtool.images.write import (
    STDOUT,
    check_writable,
    save_bytes,
    time_to_keep,
    write_document,
)
from convtool.records import Record, replace
from convtool.report.json_report import write_report
from convtool.report.units import seconds_text
from convtool.svd.compressed import chosen_k, largest_k, load, to_bytes
from convtool.svd.fileformat import BLOCKS, is_compressed
from convtool.svd.metrics import Peak, peak_for
from convtool.svd.planes import cleared, coloring
from convtool.svd.planner import plan
from convtool.svd.quantise import PRECISIONS
from convtool.svd.solvers import methods
from convtool.svd.study import (
    Point,
    Study,
    better_coloring,
    default_ks,
    jpeg_curve,
    study,
    tiles_at,
)
from convtool.svd.targets import Target

SAMPLE = "photograph"
_FILES = ("output", "save", "plot", "html")


def _numbers(text: str) -> tuple[int, ...]:
    """Return ``5,10,20`` as numbers."""
    numbers = whole_numbers(text)
    if not numbers:
        raise click.BadParameter(f"{text!r}: give whole numbers, as in 5,10,20")
    return numbers


class _Outputs(Record):
    """The outputs besides the report."""

    output: str | None
    save: str | None
    plot: str | None
    html: str | None
    json_target: str | None

    @property
    def to_stdout(self) -> int:
        """How many of them go to standard output."""
        return list(vars(self).values()).count(STDOUT)


@click.command(
    "svd",
    cls=Command,
    usual=(
        "--k",
        "--output",
        "--target-psnr",
        "--gray",
        "--save",
        "--block",
        "--plot",
        "--html",
        "--compare",
        "--json",
    ),
    epilog="""\b
Examples:
  convtool svd sample_images/photograph.jpg --k 50
  convtool svd sample_images/photograph.jpg --k 10,50,200 --gray -o sheet.png --plot curves.png
  convtool svd sample_images/photograph.jpg --target-psnr 30 --save photograph.ctsvd
  convtool svd photograph.ctsvd -o photograph-again.png
  convtool svd sample_images/photograph.jpg --k 5,20,50 --gray --compare
  convtool svd sample_images/photograph.jpg --k 2,10,50 --html report.html""",
)
@click.argument("source", metavar="[IMAGE]", required=False)
@option(
    "--k",
    "ks",
    topic="method",
    metavar="K[,K...]",
    type=_numbers,
    help="Number of singular triples to keep; with --block, the average of each tile.  "
    "[default: 5,10,20,100,200,400,500 as far as the picture allows]",
)
@option(
    "--target-psnr", topic="method", type=float, metavar="DB", help="The smallest k with this PSNR."
)
@option(
    "--target-ratio",
    topic="method",
    type=float,
    metavar="PART",
    help="The largest k that stores at most this part of the picture's numbers.",
)
@option(
    "--energy",
    topic="method",
    type=float,
    metavar="SHARE",
    help="The smallest k that keeps this share of Σσ².",
)
@option(
    "--color",
    "color",
    topic="method",
    flag_value="channels",
    default="channels",
    help="Compress each channel by itself (default).",
)
@option(
    "--joint",
    "color",
    topic="method",
    flag_value="joint",
    help="Compress all channels side by side in one matrix.",
)
@option("--gray", "color", topic="method", flag_value="gray", help="0.299 R + 0.587 G + 0.114 B.")
@option(
    "--block",
    topic="method",
    type=click.Choice([str(block) for block in BLOCKS]),
    help="Cut the picture into tiles of this side.",
)
@choice("--method", topic="method", values=methods(), help="How factors are computed.")
@option(
    "--explain",
    topic="report",
    is_flag=True,
    help="Print the chosen method, the reason, and the cost of each method.",
)
@option(
    "--compare",
    topic="report",
    is_flag=True,
    help="Compare whole matrices with tiles at the same size in bytes.",
)
@option(
    "--output",
    "-o",
    topic="output",
    metavar="FILE",
    help="Write the picture; for several k or with --compare, a labelled sheet.",
)
@option(
    "--save", topic="output", metavar="FILE.ctsvd", help="Write the factors, quantised and packed."
)
@choice(
    "--precision",
    topic="method",
    values=PRECISIONS,
    help="How factors are stored; auto loses less than 0.1 dB.",
)
@option(
    "--plot",
    topic="output",
    metavar="FILE.png",
    help="Plot spectrum, energy, and PSNR against size, with JPEG's curve.",
)
@option(
    "--html",
    topic="output",
    metavar="FILE.html",
    help="Write a page with a slider over k, in one file.",
)
@peak_option
@page_reading_options
@keep_times_option
@no_clobber_option
@json_option
@ending()
def command(
    source: str | None,
    ks: Sequence[int] | None,
    target_psnr: float | None,
    target_ratio: float | None,
    energy: float | None,
    color: str,
    block: str | None,
    method: str,
    explain: bool,
    compare: bool,
    precision: str,
    peak: float | None,
    keep_times: bool,
    no_clobber: bool,
    **how: Any,
) -> None:
    """Compress IMAGE with the singular value decomposition, and report how good it is.

    Without IMAGE the built-in photograph is used. An IMAGE that is a .ctsvd file, made by --save,
    is decompressed: give -o. The report has a row for each k: the numbers stored, their share of
    the picture's, the quality, and the size of the file in bytes. Colours under an alpha of 0 are
    taken as black.
    """
    reading = taken(how, ReadOptions)
    task = _Outputs(**how)
    kept = [
        name
        for name, target in vars(task).items()
        if name in _FILES and is_kept(target, no_clobber=no_clobber)
    ]
    if kept == ["output"] and source is not None and is_compressed(source):
        return
    task = replace(task, **dict.fromkeys(kept))
    wishes = {"target-psnr": target_psnr, "target-ratio": target_ratio, "energy": energy}
    wish = _one_wish(ks, wishes)
    _check(task, ks)
    if source is not None and is_compressed(source):
        modified = _modified(source, keep_times=keep_times)
        with telling_replaced([task.output], source):
            _restore(source, task, reading, modified, asked=ks is not None or wish is not None)
        return
    image = Image(samples.load(SAMPLE)) if source is None else read_page(source, reading)
    name = SAMPLE if source is None else source
    modified = _modified(source, keep_times=keep_times)
    if found := counted(image.pixels, nodata=image.metadata.nodata):
        fill = "convtool filter --kernel gaussian --nan fill"
        raise NonFiniteError(f"{name}: {found}; the SVD needs numbers, as '{fill}' gives")
    image = _seen(name, image, color)
    side = int(block) if block else None
    best = peak_for([image], peak)
    if wish is not None:
        ks = [chosen_k(image, wish, color, side, best.value)]
    ks = ks or default_ks(largest_k(image, color, side))
    _check_kind(image, task, color, sheet=len(ks) > 1 or compare)
    with step_bar("compressing") as progress:
        result = study(
            image,
            ks,
            method=method,
            color=color,
            block=side,
            precision=precision,
            peak=best.value,
            progress=progress,
        )
    if explain:
        say(*_plan_lines(image, result, method), err=True)
    files = [target for file, target in vars(task).items() if file in _FILES]
    with telling_replaced(files, name):
        _give(name, image, result, best, task, modified, compare=compare, precision=precision)


def _modified(source: str | None, *, keep_times: bool) -> int | None:
    """Return the time of change that picture and factors get."""
    if keep_times and source is None:
        raise OptionError("--keep-times takes over the time of an IMAGE; give one")
    return time_to_keep(source or STDOUT, "", WriteOptions(keep_times=keep_times))


def _write(target: str, image: Image, modified: int | None) -> None:
    check_kind(target, image.channels, image.type, bands=image.has_bands)
    how = WriteOptions(format=form_of(target))
    for remark in write_document(target, Document((image,)), how, modified=modified):
        say(f"convtool: warning: {shown(target)}: {remark}", err=True)


def _seen(name: str, image: Image, color: str) -> Image:
    """Return what is compressed of a picture; print what is left out."""
    seen = cleared(image)
    if seen is not image:
        say(f"convtool: note: {name}: colours under alpha 0 are taken as black", err=True)
    if color != "gray" or not image.has_alpha:
        return seen
    say(f"convtool: note: {name}: --gray leaves alpha out", err=True)
    colours = seen.pixels[:, :, :-1]
    return replace(
        seen,
        pixels=colours[:, :, 0] if colours.shape[2] == 1 else colours,
        has_alpha=False,
        metadata=replace(seen.metadata, extra=()),
    )


def _check_kind(image: Image, task: _Outputs, color: str, *, sheet: bool) -> None:
    """Refuse before any work a kind of picture that an output cannot hold."""
    if image.has_bands:
        drawn = {"--plot": task.plot, "--html": task.html}
        drawn |= {"--output, for several pictures,": task.output} if sheet else {}
        if names := [name for name, target in drawn.items() if target is not None]:
            raise OptionError(
                f"{names[0]} draws grey or colours, and the picture has {image.channels} bands"
            )
    if task.output is not None and not sheet:
        channels = 1 if color == "gray" else image.channels
        check_kind(task.output, channels, image.type, bands=image.has_bands)


def _one_wish(ks: Sequence[int] | None, wishes: Mapping[str, float | None]) -> Target | None:
    given = [f"--{name}" for name, value in wishes.items() if value is not None]
    if ks is not None:
        given.insert(0, "--k")
    if len(given) > 1:
        raise OptionError(f"{' and '.join(given)} both choose k; give one of them")
    if ks is not None or not given:
        return None
    psnr, ratio, energy = wishes.values()
    return Target.of(k=None, psnr=psnr, ratio=ratio, energy=energy)


def _check(task: _Outputs, ks: Sequence[int] | None) -> None:
    """Refuse before any work what cannot be written."""
    if task.to_stdout > 1:
        raise OptionError("only one result can go to stdout; give the others a file")
    for target in (task.output, task.save, task.plot):
        check_no_terminal(target)
    if task.plot is not None:
        need("plots", "matplotlib")
    if task.save is not None and ks is not None and len(ks) > 1:
        raise OptionError("--save writes one k; give --k one number")
    if task.output is not None and task.output != STDOUT:
        check_writable(task.output)


def _restore(
    source: str, task: _Outputs, reading: ReadOptions, modified: int | None, *, asked: bool
) -> None:
    """Decompress a .ctsvd file to a picture."""
    if asked or task.save or task.plot or task.html or task.json_target:
        raise OptionError(f"{source}: a .ctsvd file is only decompressed; give -o FILE only")
    if task.output is None:
        raise OptionError(f"{source}: give -o FILE for the picture")
    picture = load(source, max_pixels=reading.max_pixels, max_memory=reading.max_memory)
    _write(task.output, picture.image(), modified)
    shape = "×".join(map(str, picture.shape))
    say(f"{source}: {shape}, k {picture.k}, {picture.stored} numbers", err=True)


def _plan_lines(image: Image, result: Study, method: str) -> list[str]:
    best = result.best
    if best.block:
        return [f"tiles of {best.block}×{best.block}: LAPACK decomposes all of them"]
    matrices = coloring(best.color).split(image)
    rows, columns = matrices[0].shape
    single = matrices[0].dtype.name == "float32"
    chosen = plan(rows, columns, best.k, single=single, method=method)
    costs = sorted(chosen.costs.items(), key=lambda item: item[1])
    listed = ", ".join(f"{name} {seconds_text(cost)}" for name, cost in costs)
    return [
        f"{len(matrices)} × {rows}×{columns}, k {best.k}: {chosen.reason}",
        f"  would take: {listed}",
    ]


def _give(
    name: str,
    image: Image,
    result: Study,
    peak: Peak,
    task: _Outputs,
    modified: int | None,
    *,
    compare: bool,
    precision: str,
) -> None:
    """Print the report and write the requested outputs."""
    best = result.best
    choice = None
    if image.channels > 1 and best.color != "gray" and best.block is None:
        choice = better_coloring(image, result.rows[-1].ratio, peak.value)
    tiles: Mapping[int, Sequence[Point]] = {}
    if compare:
        if best.block is not None:
            raise OptionError("--compare shows all tiles beside whole matrices; leave --block out")
        sizes = [row.file_bytes for row in result.rows]
        draw = (lambda one: words.cell(one.values(), peak.value)) if task.output else None
        tiles = tiles_at(
            image, sizes, color=best.color, precision=precision, peak=peak.value, draw=draw
        )
    remarks = [words.smallest_line(result)]
    remarks += [words.choice_line(choice)] if choice else []
    remarks.append(f"peak {peak.value:.10g} ({peak.reason})")
    if task.output is not None:
        _write(task.output, words.picture(image, result, tiles), modified)
    if task.save is not None:
        save_bytes(task.save, to_bytes(best, precision=precision), modified)
    if task.plot is not None:
        jpeg = jpeg_curve(image, result.original, peak.value)
        save_bytes(task.plot, words.plot(name, image, result, tiles, jpeg))
    if task.html is not None:
        save_bytes(task.html, words.page(name, image, result, remarks).encode())
    if task.json_target is not None:
        write_report(words.as_json(name, image, result, choice, tiles), task.json_target)
    if not task.to_stdout:
        lines = [words.heading(name, image, result), *words.row_lines(result), *remarks]
        lines += words.tile_lines(result, tiles) if tiles else []
        say(*lines)
