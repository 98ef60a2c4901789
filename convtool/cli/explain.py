"""``convtool explain``: walk through a convolution, number by number."""

import re
from collections.abc import Sequence
from typing import Any

import click
import numpy as np
from click.core import ParameterSource
from numpy.typing import NDArray

from convtool.cli._completions import specs as complete_specs
from convtool.cli._explain_backward import backward_lines
from convtool.cli._explain_blocks import SMALL
from convtool.cli._explain_images import read_images, read_numbers, read_rows
from convtool.cli._explain_json import report
from convtool.cli._explain_page import PAGE_SIDE, write_page, write_spectrum_page
from convtool.cli._explain_report import (
    heading,
    lines,
    polynomial_lines,
)
from convtool.cli._explain_spectrum import spectrum_lines
from convtool.cli._file_options import page_reading_options
from convtool.cli._help import Command, option
from convtool.cli._kernels import read_kernel, read_single_kernel
from convtool.cli._options import choice, json_option, pair, taken
from convtool.cli._terminal import say
from convtool.convolution.borders import BORDERS
from convtool.convolution.geometry import MODES
from convtool.errors import OptionError
from convtool.explain import Backward, Layer, Theorem, backward, layer, theorem
from convtool.explain.polynomial import product_walk
from convtool.images.options import ReadOptions
from convtool.kernels.presets import PRESETS
from convtool.kernels.weights import Combination, is_even
from convtool.records import Record, replace
from convtool.report.json_report import write_report

_DEFAULT_KERNEL = "emboss"
_MOST_SPECTRUM = 1024
_FOLLOWING = frozenset(("bias", "activate", "pool", "gradient"))
_NOT_WITH_SPECTRUM = _FOLLOWING | {"places"}
_CONVOLUTION = frozenset(
    ("sources", "specs", "crop", "mode", "padding", "stride", "border", "cval", "correlate")
)
_NOT_WITH_POLYNOMIALS = _CONVOLUTION | _FOLLOWING | {"spectrum"}


def _place(text: str) -> tuple[int, int]:
    numbers = pair(text)
    if isinstance(numbers, int) or min(numbers) < 0:
        raise click.BadParameter(f"{text!r} is not a row and a column such as 1,2, counted from 0")
    return numbers[0], numbers[1]


def _box(text: str) -> tuple[int, int, int, int]:
    found = re.fullmatch(r"(\d+),(\d+),(\d+)x(\d+)", text)
    if not found or "0" in found.groups()[2:]:
        raise click.BadParameter(f"{text!r} is not ROW,COLUMN,HEIGHTxWIDTH such as 100,200,6x6")
    top, left, height, width = (int(part) for part in found.groups())
    return top, left, height, width


@click.command(
    "explain",
    cls=Command,
    usual=(
        "--image",
        "--kernel",
        "--at",
        "--crop",
        "--mode",
        "--border",
        "--spectrum",
        "--html",
        "--json",
    ),
    epilog="""\b
Examples:
  convtool explain --image "94,50,221;98,109,50;49,213,91" --kernel 3x3:2,2,1,1,0,-2,-2,2,2
  convtool explain --image sample_images/photograph.jpg -k sobel-vertical --at 200,300
  convtool explain --image sample_images/siemens-star.png --crop 250,250,5x5 -k box --stride 2
  convtool explain --image 1,2,3,4 --kernel 1x2:1,-1
  convtool explain --polynomial 1,2,3 4,5
  convtool explain --image "1,2,3;4,5,6;7,8,9" -k 3x3:1,0,-1,2,1,0,0,-1,3 --border zero \\
      --gradient "1,0,2;-1,3,0;0,1,-2"
  convtool explain --image "1,2,1;0,2,0;1,2,1" -k identity --pool max:2
  convtool explain --image "1,2;3,4" -k 1x2:1,-1 --image "5,6;7,8" -k 1x2:0,1 --bias 0.5
  convtool explain --image "1,2,3;4,5,6;7,8,9" -k gaussian --spectrum
  convtool explain --html page.html""",
)
@option(
    "--image",
    "sources",
    topic="where",
    multiple=True,
    metavar="NUMBERS|FILE",
    help="Rows of numbers ('1,2;3,4'; one row is a signal), or a picture; repeat it, with a "
    "--kernel each, for the channels of one volume.",
)
@option(
    "--kernel",
    "-k",
    "specs",
    shell_complete=complete_specs,
    topic="kernel",
    multiple=True,
    metavar="SPEC",
    help=f"As for 'convtool filter'.  [default: {_DEFAULT_KERNEL}]",
)
@option(
    "--polynomial",
    "polynomials",
    topic="where",
    nargs=2,
    metavar="A B",
    help="Multiply two polynomials instead: their coefficients, the constant first.",
)
@option(
    "--crop",
    topic="where",
    type=_box,
    metavar="ROW,COLUMN,HxW",
    help="Use this part of a large picture: its first row and column, and height x width.",
)
@option(
    "--at",
    "places",
    topic="where",
    type=_place,
    multiple=True,
    metavar="ROW,COLUMN",
    help="Show one pixel of the output; repeat it for more.",
)
@choice("--mode", topic="kernel", values=MODES)
@option("--padding", topic="kernel", type=pair, metavar="N|PY,PX", help="In place of a mode.")
@option("--stride", topic="kernel", type=pair, metavar="S|SY,SX", default="1", show_default=True)
@option(
    "--border",
    topic="kernel",
    type=click.Choice(list(BORDERS)),
    help="What lies beyond the edge.  [default: reflect; constant with --mode full, --spectrum]",
)
@option(
    "--cval",
    topic="kernel",
    type=float,
    default=0.0,
    show_default=True,
    help="For --border constant.",
)
@option("--correlate", topic="kernel", is_flag=True, help="Do not flip the kernel.")
@option("--bias", topic="network", type=float, default=0.0, help="Add a number to each sum.")
@option(
    "--activation",
    "activate",
    topic="network",
    metavar="relu|sigmoid|tanh|leaky:SLOPE",
    help="Apply this activation function to the output.",
)
@option(
    "--pool",
    topic="network",
    metavar="max:2|average:2|max:3,stride=2",
    help="Pool by the maximum or average of windows; windows that reach beyond the edge are kept.",
)
@option(
    "--gradient",
    topic="network",
    metavar="NUMBERS",
    help="Back-propagate the loss's gradient, of the output's shape.",
)
@option(
    "--spectrum",
    topic="report",
    is_flag=True,
    help="Show the convolution theorem: the spectra, their product, the circular and the linear "
    "convolution.",
)
@option(
    "--html",
    "html",
    topic="output",
    metavar="FILE",
    help="Write a page, one file, on which the kernel slides over a picture that you can draw on.",
)
@page_reading_options
@json_option
def command(
    sources: Sequence[str],
    specs: Sequence[str],
    polynomials: tuple[str, str] | None,
    crop: tuple[int, int, int, int] | None,
    places: Sequence[tuple[int, int]],
    gradient: str | None,
    spectrum: bool,
    html: str | None,
    json_target: str | None,
    **how: Any,
) -> None:
    """Walk through a convolution: padded image, windows, products, sums, sizes.

    The report shows the border, the window at each step, its products and their sum, the formula of
    the output's size with its numbers, convolution and correlation side by side, and the
    convolution as a matrix times a vector. A colour picture is converted to rounded grey. For a
    large picture, choose a part with --crop or a pixel with --at.

    --bias, --activation and --pool compute what follows in a layer of a network, and --gradient
    computes its backward pass. For a pair of kernels such as sobel, both derivatives and the
    magnitude are shown; as in 'convtool filter', the pair is not flipped unless its size is even.
    """
    reading = taken(how, ReadOptions)
    mode = "full" if polynomials else "padding" if how["padding"] is not None else how["mode"]
    kernel_names = [polynomials[1]] if polynomials else specs or [_DEFAULT_KERNEL]
    if polynomials:
        _refuse("--polynomial excludes", _NOT_WITH_POLYNOMIALS)
        factors = [read_numbers(factor, "--polynomial") for factor in polynomials]
        product = product_walk(*factors)
        one, other = (
            Layer((walk,), names=("product",))
            for walk in (product, replace(product, flipped=False))
        )
        told = polynomial_lines(product)
    elif not sources:
        if crop is not None or places or gradient is not None or spectrum:
            name = "crop" if crop else "at" if places else "gradient" if gradient else "spectrum"
            raise click.UsageError(f"--{name} needs a picture; give --image")
        if html is None:
            raise click.UsageError(
                "there is nothing to explain; give --image, --polynomial or --html"
            )
        kernels = _kernels(kernel_names)
        blank = np.zeros((PAGE_SIDE // 2, PAGE_SIDE // 2))
        one, _ = _layers([blank] * (1 if kernels.combination else len(kernel_names)), kernels, how)
        write_page(html, one, kernel_names, mode, drawn=False)
        return
    else:
        told = []
        if spectrum:
            _refuse("--spectrum excludes", _NOT_WITH_SPECTRUM)
            how["border"] = how["border"] or "zero"
        images = read_images(sources, crop, None if places or spectrum else SMALL, reading)
        one, other = _layers(images, _kernels(kernel_names), how)
    back = backward(one, read_rows(gradient, "--gradient")) if gradient is not None else None
    shown = _theorem(one) if spectrum else None
    if html is not None and shown is not None:
        write_spectrum_page(html, one.first, shown)
    elif html is not None:
        write_page(html, one, kernel_names, mode, back=back)
    if json_target is not None:
        write_report(report(one, other, places, back, shown), json_target)
    if json_target != "-" and html is None:
        say(*told, *_told(one, other, places, back, shown))


def _told(
    one: Layer,
    other: Layer,
    places: Sequence[tuple[int, int]],
    back: Backward | None,
    shown: Theorem | None,
) -> list[str]:
    if shown is not None:
        return [heading(one), "", *spectrum_lines(one.first, shown)]
    told = lines(one, other, places)
    return [*told, "", *backward_lines(back, steps=not places)] if back is not None else told


def _theorem(one: Layer) -> Theorem:
    if not one.is_single:
        raise OptionError("--spectrum explains one image with one kernel; give one of each")
    if max(one.first.image.shape) > _MOST_SPECTRUM:
        raise OptionError(
            f"--spectrum takes up to {_MOST_SPECTRUM:,}×{_MOST_SPECTRUM:,} pixels; "
            "choose a part with --crop"
        )
    return theorem(one.first)


def _refuse(words: str, names: frozenset[str]) -> None:
    """Refuse options that have no effect or no meaning with another."""
    context = click.get_current_context()
    given = [
        option.opts[0]
        for option in context.command.params
        if option.name in names
        and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"{words} {', '.join(given)}")


class _Kernels(Record):
    """Kernels, one for each channel or those of a group, and how their answers are combined."""

    weights: Sequence[NDArray[np.float64]]
    combination: Combination | None
    names: Sequence[str]


def _kernels(specs: Sequence[str]) -> _Kernels:
    if len(specs) > 1:
        return _Kernels([read_single_kernel(spec).weights for spec in specs], None, ())
    found = read_kernel(specs[0])
    if not found.is_group:
        return _Kernels([found.weights], None, ())
    known = PRESETS.get(found.name)
    return _Kernels(list(found.weights), found.combination, known.parts if known else ())


def _layers(
    images: Sequence[NDArray[np.float64]], kernels: _Kernels, how: dict[str, Any]
) -> tuple[Layer, Layer]:
    """Return the layer that the options describe, and the same with kernels flipped otherwise."""
    group = kernels.combination is not None
    as_given = how["correlate"] or (group and not is_even(kernels.weights[0]))
    one, other = (
        layer(
            images,
            kernels.weights,
            combination=kernels.combination,
            names=kernels.names,
            **how | {"correlate": correlate},
        )
        for correlate in (as_given, not as_given)
    )
    return one, other
