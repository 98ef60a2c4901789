"""``convtool learn``: find the kernel that turns one picture into another."""

import io
import os
from collections.abc import Callable, Sequence
from typing import Any

import click
import numpy as np

from convtool.cli._completions import specs as complete_specs
from convtool.cli._file_options import page_reading_options, tell_notes
from convtool.cli._help import Command, option
from convtool.cli._kernels import read_single_kernel
from convtool.cli._learn_report import lines, report
from convtool.cli._options import FiniteRange, give, json_option, taken, whole_numbers
from convtool.cli._progress import pixel_bar
from convtool.cli._signals import ending
from convtool.cli._terminal import say
from convtool.convolution.borders import BORDERS
from convtool.convolution.threads import count, for_each
from convtool.errors import NonFiniteError, OptionError, ShapeError
from convtool.filtering.nonfinite import counted
from convtool.images.image import Image, Pixels
from convtool.images.options import ReadOptions
from convtool.images.read import read_single
from convtool.images.tone import to_gray
from convtool.kernels.export import export
from convtool.kernels.spec import KernelSpec
from convtool.kernels.weights import Weights
from convtool.learn import Learned, fit
from convtool.learn.convention import ALMOST, convention
from convtool.learn.nearest import Match, nearest
from convtool.report.whole_file import write_file

_BEYOND_WHITE = 8.0


def _text(form: str) -> Callable[[Weights], bytes]:
    return lambda weights: (export(KernelSpec("learned", "learned", weights), form) + "\n").encode()


def _npy(weights: Weights) -> bytes:
    file = io.BytesIO()
    np.save(file, weights, allow_pickle=False)
    return file.getvalue()


_WRITERS: dict[str, Callable[[Weights], bytes]] = {
    ".csv": _text("csv"),
    ".txt": _text("csv"),
    ".json": _text("json"),
    ".npy": _npy,
}


def _size(text: str) -> tuple[int, int]:
    sides = whole_numbers(text, "x")
    if len(sides) not in (1, 2) or min(sides) < 1:
        raise click.BadParameter(f"{text!r} is not a size such as 7 or 5x9")
    return sides[0], sides[-1]


@click.command(
    "learn",
    cls=Command,
    epilog="""\b
Examples:
  convtool learn sample_images/photograph.jpg sample_images/photograph.jpg --size 3
  convtool learn before.png after.png --size 7 -o kernel.csv
  convtool learn before.png after.png --size 5 --bias --json learned.json
  convtool learn a.png a2.png b.png b2.png --size 9 --l2 0.1
  convtool learn before.png after.png --size 5 --kernel mask.csv""",
)
@click.argument("pictures", metavar="BEFORE AFTER [BEFORE AFTER]...", nargs=-1, required=True)
@option(
    "--size",
    topic="method",
    type=_size,
    metavar="N|ROWSxCOLUMNS",
    default="7",
    show_default=True,
    help="Size of the kernel, rows first.",
)
@option("--bias", topic="method", is_flag=True, help="Also fit a constant that is added.")
@option(
    "--l2",
    topic="method",
    type=FiniteRange(min=0),
    default=0.0,
    show_default=True,
    help="Penalty on squared weights, in squared units of the pixels: regularises a kernel that "
    "the pictures do not determine.",
)
@option(
    "--border",
    topic="method",
    type=click.Choice(list(BORDERS)),
    help="Border of the program; the fit then includes pixels at the edge.  [default: they are "
    "left out]",
)
@option(
    "--kernel",
    "-k",
    "spec",
    shell_complete=complete_specs,
    topic="report",
    metavar="SPEC",
    help="Kernel that was given to the program, to compare with in place of the presets.",
)
@option(
    "--output",
    "-o",
    "--out",
    "target",
    topic="output",
    metavar="FILE",
    help=f"Write the kernel as a file for --kernel ({' '.join(_WRITERS)}).",
)
@page_reading_options
@json_option
@ending()
def command(
    pictures: Sequence[str],
    size: tuple[int, int],
    bias: bool,
    l2: float,
    border: str | None,
    spec: str | None,
    target: str | None,
    json_target: str | None,
    **how: Any,
) -> None:
    """Find the kernel that turns the picture BEFORE into the picture AFTER.

    The kernel is fitted by least squares over all windows of one or more pairs. The report gives
    the residual and the nearest preset. If the kernel matches a preset, it also gives the
    convention of the program that made AFTER: flip, scale, shift, rounding and border. The kernel
    is for convolution, as in 'convtool filter --kernel'; the report of --json is also a kernel
    file.
    """
    if len(pictures) % 2:
        raise click.UsageError(
            f"{pictures[-1]} has no partner; give pairs, BEFORE AFTER [BEFORE AFTER]..."
        )
    given = read_single_kernel(spec) if spec is not None else None
    writer = _writer(target) if target is not None else None
    notes: list[str] = []
    names = list(zip(pictures[::2], pictures[1::2], strict=True))
    reading = taken(how, ReadOptions)
    pairs = [_pair(*one, reading, notes) for one in names]
    with pixel_bar("fitting") as progress:
        learned = fit(pairs, size, bias=bias, l2=l2, border=border, progress=progress)
    matches = _nearest(learned, given)
    known = None
    if matches and matches[0].cosine >= ALMOST and learned.decided:
        known = convention(learned, matches[0], pairs)
    for note in notes:
        say(f"convtool: note: {note}", err=True)
    if target is not None and writer is not None:
        write_file(target, writer(learned.kernel), "kernel")
    words = lines(len(names), size, learned, matches, known, spec)
    give(report(names, size, learned, matches, known), json_target, words)


def _nearest(learned: Learned, given: KernelSpec | None) -> list[Match]:
    """Return the nearest presets, by the fit with a bias if truncation distorted the kernel."""
    if learned.decided:
        unbent = nearest(learned.kernel_with_bias, given)
        if unbent and unbent[0].cosine >= ALMOST:
            return unbent
    return nearest(learned.kernel, given)


def _writer(path: str) -> Callable[[Weights], bytes]:
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in _WRITERS:
        raise OptionError(f"{path}: a kernel file ends in {', '.join(_WRITERS)}")
    return _WRITERS[suffix]


def _pair(first: str, second: str, reading: ReadOptions, notes: list[str]) -> tuple[Pixels, Pixels]:
    """Read a pair; return pixels in the units of the first, with the same channels."""
    images = dict.fromkeys((0, 1), Image(np.zeros((1, 1), np.uint8)))

    def load(i: int) -> None:
        images[i] = read_single((first, second)[i], reading)

    for_each(load, images, min(2, count()))
    before, after = images[0], images[1]
    for name, image in ((first, before), (second, after)):
        tell_notes(name, image)
        nodata = image.metadata.nodata
        if nodata is not None and (found := counted(image.pixels, nodata=nodata)):
            raise NonFiniteError(f"{name}: {found}; fill them first by 'convtool filter'")
    one, other = _colours(first, before, notes), _colours(second, after, notes)
    if one.ndim != other.ndim:
        colour = first if one.ndim == 3 else second
        notes.append(f"{colour}: converted to grey, since the other picture of the pair is grey")
        one, other = (to_gray(p) if p.ndim == 3 else p for p in (one, other))
    if min(one.shape[:2]) < 1 or one.shape[2:] != other.shape[2:]:
        raise ShapeError(f"{first} and {second}: their channels differ, {one.shape}, {other.shape}")
    return one, _in_units_of(before, after, other, (first, second), notes)


def _colours(name: str, image: Image, notes: list[str]) -> Pixels:
    """Return the pixels without alpha."""
    if not image.has_alpha:
        return image.pixels
    notes.append(f"{name}: alpha is ignored")
    colours: Pixels = image.pixels[:, :, :-1]
    return colours[:, :, 0] if colours.shape[2] == 1 else colours


def _in_units_of(
    before: Image, after: Image, pixels: Pixels, names: tuple[str, str], notes: list[str]
) -> Any:
    """Scale pixels to the white level of `before`, unless floats exceed white by far."""
    if before.peak == after.peak:
        return pixels
    for image, name, other in ((after, names[1], "BEFORE"), (before, names[0], "AFTER")):
        largest = float(np.abs(image.pixels).max())
        if not image.type.is_integer and largest > _BEYOND_WHITE:
            notes.append(
                f"{name}: floats up to {largest:.6g} are assumed to be in the units of {other}"
            )
            return pixels
    return pixels * (before.peak / after.peak)
