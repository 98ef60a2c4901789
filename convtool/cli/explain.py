"""``convtool explain``: walk through a convolution, number by number."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click
import numpy as np
from click.core import ParameterSource
from numpy.typing import NDArray

from convtool.cli._explain_report import SMALL, lines, polynomial_lines, report
from convtool.cli._kernels import read_single_kernel
from convtool.cli._options import json_option, pair
from convtool.convolution.borders import BORDERS
from convtool.convolution.geometry import MODES
from convtool.errors import KernelError, OptionError, ReportWriteError
from convtool.explain import Walk, walk
from convtool.explain.polynomial import product_walk
from convtool.images.read import read
from convtool.images.tone import to_gray
from convtool.kernels.numerals import number
from convtool.kernels.presets import PRESETS
from convtool.kernels.spec import parse
from convtool.report.json_report import write_report
from convtool.report.walk_page import Opening, PageKernel, walk_page
from convtool.report.whole_file import replace_file

_LITERAL = re.compile(r"[\d\s.,;/+eE-]*\d[\d\s.,;/+eE-]*")
_SEPARATORS = frozenset(",;")
_MIDDLE = 6
_DEFAULT_KERNEL = "emboss"
_PAGE_SIDE, _PAGE_KERNEL = 16, 9
_NOT_WITH_POLYNOMIALS = frozenset(
    ("source", "spec", "crop", "mode", "padding", "stride", "border", "cval", "correlate")
)


def _numbers(text: str, option: str) -> list[float]:
    try:
        return [number(part) for part in text.split(",")]
    except KernelError as error:
        raise OptionError(f"{option} {text!r}: {error}; commas stand between numbers") from error


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
    epilog="""\b
Examples:
  convtool explain --image "94,50,221;98,109,50;49,213,91" --kernel 3x3:2,2,1,1,0,-2,-2,2,2
  convtool explain --image sample_images/photograph.jpg -k sobel-vertical --at 200,300
  convtool explain --image sample_images/siemens-star.png --crop 250,250,5x5 -k box --stride 2
  convtool explain --image 1,2,3,4 --kernel 1x2:1,-1
  convtool explain --polynomial 1,2,3 4,5
  convtool explain --html page.html""",
)
@click.option(
    "--image",
    "source",
    metavar="NUMBERS|FILE",
    help="Rows of numbers ('1,2;3,4'; one row is a signal), or a picture.",
)
@click.option(
    "--kernel",
    "-k",
    "spec",
    metavar="SPEC",
    help=f"As for 'convtool filter'.  [default: {_DEFAULT_KERNEL}]",
)
@click.option(
    "--polynomial",
    "polynomials",
    nargs=2,
    metavar="A B",
    help="Multiply two polynomials instead: their coefficients, the constant first.",
)
@click.option("--crop", type=_box, metavar="ROW,COLUMN,HxW", help="Take a part of a large picture.")
@click.option(
    "--at",
    "places",
    type=_place,
    multiple=True,
    metavar="ROW,COLUMN",
    help="Show one pixel of the output; repeat it for more.",
)
@click.option("--mode", type=click.Choice(MODES), default="same", show_default=True)
@click.option("--padding", type=pair, metavar="N|PY,PX", help="In place of a mode.")
@click.option("--stride", type=pair, metavar="S|SY,SX", default="1", show_default=True)
@click.option(
    "--border",
    type=click.Choice(list(BORDERS)),
    help="What lies beyond the edge.  [default: reflect; constant with --mode full]",
)
@click.option("--cval", type=float, default=0.0, show_default=True, help="For --border constant.")
@click.option("--correlate", is_flag=True, help="Do not flip the kernel.")
@click.option(
    "--html",
    "page",
    metavar="FILE",
    help="Write a page in one file on which the kernel slides over a picture to draw on.",
)
@json_option
def command(
    source: str | None,
    spec: str | None,
    polynomials: tuple[str, str] | None,
    crop: tuple[int, int, int, int] | None,
    places: Sequence[tuple[int, int]],
    page: str | None,
    json_target: str | None,
    **how: Any,
) -> None:
    """Walk through a convolution: padded image, windows, products, sums, sizes.

    Shows what lies beyond the edge, the window at each step, its products and their sum, the
    formula of the output's size with the numbers in it, convolution beside correlation, and the
    same as a matrix times a vector. A colour picture is taken in grey, rounded; of a large one, say
    which part with --crop, or which pixel with --at.
    """
    if polynomials:
        _refuse_beside_polynomials()
        one = product_walk(*(_numbers(factor, "--polynomial") for factor in polynomials))
        other = replace(one, flipped=False)
        told = polynomial_lines(one)
    elif source is None and (crop is not None or places):
        raise click.UsageError(f"--{'at' if places else 'crop'} needs a picture; give --image")
    elif source is None and page is not None:
        _write_page(page, None, spec, how)
        return
    elif source is None:
        raise click.UsageError("there is nothing to explain; give --image, --polynomial or --html")
    else:
        told = []
        image = _image(source, crop, bool(places))
        one = walk(image, _weights(spec), **how)
        other = walk(image, one.kernel, **how | {"correlate": one.flipped})
    if page is not None and polynomials:
        _write_page(page, one, polynomials[1], how | {"mode": "full"})
    elif page is not None:
        _write_page(page, one, spec, how)
    if json_target is not None:
        write_report(report(one, other, places), json_target)
    if json_target != "-" and page is None:
        click.echo("\n".join(told + lines(one, other, places)))


def _refuse_beside_polynomials() -> None:
    """Refuse what a product of polynomials leaves no choice in."""
    context = click.get_current_context()
    given = [
        option.opts[0]
        for option in context.command.params
        if option.name in _NOT_WITH_POLYNOMIALS
        and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"--polynomial stands alone, without {', '.join(given)}")


def _image(
    source: str, crop: tuple[int, int, int, int] | None, at_places: bool
) -> NDArray[np.float64]:
    values = _values(source)
    height, width = values.shape
    if crop is not None:
        top, left, high, wide = crop
        if top + high > height or left + wide > width:
            raise OptionError(
                f"--crop reaches to row {top + high - 1}, column {left + wide - 1}, "
                f"but the image has {height}×{width} pixels"
            )
        return values[top : top + high, left : left + wide]
    if max(height, width) > SMALL and not at_places:
        top, left = max(0, (height - _MIDDLE) // 2), max(0, (width - _MIDDLE) // 2)
        click.echo(
            f"convtool: note: the image has {height}×{width} pixels; shown are {_MIDDLE}×{_MIDDLE} "
            f"in its middle, from {top},{left}; --crop takes another part, --at one pixel",
            err=True,
        )
        return values[top : top + _MIDDLE, left : left + _MIDDLE]
    return values


def _values(source: str) -> NDArray[np.float64]:
    """Return the numbers that a text writes, or a picture in grey."""
    if not source.strip():
        raise OptionError("--image is empty; give rows of numbers such as 1,2;3,4, or a picture")
    there = os.path.exists(source)
    if _LITERAL.fullmatch(source) and not there:
        rows = [_numbers(row, "--image") for row in source.strip().rstrip(";").split(";")]
        if len({len(row) for row in rows}) > 1:
            raise OptionError(
                f"--image: its rows have {', '.join(str(len(row)) for row in rows)} numbers; "
                "give rows of equal length"
            )
        return np.array(rows)
    if not there and _SEPARATORS & set(source):
        raise OptionError(
            f"--image {source!r}: neither rows of finite numbers such as 1,2;3,4 "
            "nor a picture that is there"
        )
    picture = read(source)
    pixels = picture.pixels[:, :, :-1] if picture.has_alpha else picture.pixels
    if pixels.ndim == 2:
        return pixels.astype(np.float64)
    grey = pixels[:, :, 0] if pixels.shape[2] == 1 else to_gray(pixels)
    whole = pixels.dtype.kind in "ui"
    return np.asarray(np.rint(grey) if whole else grey, np.float64)


def _write_page(path: str, one: Walk | None, spec: str | None, how: dict[str, Any]) -> None:
    text = walk_page(_opening(one, spec, how), _page_kernels())
    try:
        replace_file(os.path.realpath(path), text.encode())
    except OSError as error:
        raise ReportWriteError(
            f"{path}: cannot write the page ({error.strerror or error}); choose another file"
        ) from error


def _weights(spec: str | None) -> NDArray[np.float64]:
    return read_single_kernel(spec or _DEFAULT_KERNEL).weights


def _opening(one: Walk | None, spec: str | None, how: dict[str, Any]) -> Opening:
    """Return what the page begins with."""
    known = spec or _DEFAULT_KERNEL
    if one is None:
        one = walk(np.zeros((_PAGE_SIDE // 2, _PAGE_SIDE // 2)), _weights(spec), **how)
        image = None
    else:
        image = one.image.tolist()
        if max(one.image.shape) > _PAGE_SIDE:
            raise OptionError(
                f"the page shows up to {_PAGE_SIDE}×{_PAGE_SIDE} pixels; take a part with --crop"
            )
    if max(one.kernel.shape) > _PAGE_KERNEL:
        raise OptionError(f"the page shows kernels of up to {_PAGE_KERNEL}×{_PAGE_KERNEL}")
    rows, columns = one.layout.rows, one.layout.columns
    padded = how["padding"] is not None
    return Opening(
        image=image,
        kernel=one.kernel.tolist(),
        name=known,
        operation="convolution" if one.flipped else "correlation",
        mode="padding" if padded else how["mode"],
        border=one.border,
        cval=one.cval,
        padding=(-rows.start, -columns.start) if padded else (1, 1),
        stride=(rows.stride, columns.stride),
    )


def _page_kernels() -> dict[str, PageKernel]:
    """Return the presets that a page has room for."""
    found = {name: parse(name) for name, preset in PRESETS.items() if not preset.parts}
    return {
        name: PageKernel(one.weights.tolist(), PRESETS[name].summary)
        for name, one in found.items()
        if max(one.weights.shape) <= _PAGE_KERNEL
    }
