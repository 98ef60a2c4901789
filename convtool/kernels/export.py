"""Export kernels in the syntax of other tools, flipped for those that correlate.

In its tool, each form computes the same convolution as convtool, for even kernels too. This was
verified on random images with odd and even kernels for OpenCV 5.0, ImageMagick 6.9, libvips 8.18
and G'MIC 3.6.
"""

import json
import shlex
from collections.abc import Callable

import numpy as np

from convtool.errors import KernelError
from convtool.kernels.numerals import shown
from convtool.kernels.presets import PRESETS
from convtool.kernels.spec import KernelSpec, one_of
from convtool.kernels.weights import COMBINATIONS, Combination, Weights
from convtool.records import Record


class Format(Record):
    """The syntax of one tool."""

    write: Callable[[KernelSpec], str]
    """Takes a `KernelSpec`; returns text without a final newline."""
    summary: str
    """A description of the text."""
    note: str
    """How to use it, and differences of the tool."""
    groups: tuple[Combination, ...] = ()
    """The combinations of the groups that it supports."""


def export(spec: KernelSpec, form: str) -> str:
    """Format a kernel in the syntax of a tool.

    Parameters
    ----------
    spec : KernelSpec
        As returned by `convtool.kernels.spec.parse`.
    form : str
        A key of `FORMATS`.

    Returns
    -------
    str
        Without a final newline; parsing its numbers restores them exactly.

    Raises
    ------
    KernelError
        If the form is unknown or does not support a group of kernels.

    Examples
    --------
    >>> from convtool.kernels.spec import parse
    >>> print(export(parse("sobel-vertical"), "csv"))
    -1,0,1
    -2,0,2
    -1,0,1
    """
    if form not in FORMATS:
        raise KernelError(f"unknown form {shown(form)}; take one of {', '.join(FORMATS)}")
    if spec.combination and spec.combination not in FORMATS[form].groups:
        able = ", ".join(name for name in FORMATS if spec.combination in FORMATS[name].groups)
        what = "a pair" if spec.is_gradient else f"a group of {len(spec.weights)}"
        known = PRESETS.get(spec.name)
        single = f"take {one_of(known.parts)}" if known else "take one of them"
        raise KernelError(
            f"kernel {shown(spec.text)}: {form} holds one kernel, and this is {what}; "
            f"{single}, or one of {able}"
        )
    return FORMATS[form].write(spec)


def numeral(value: float) -> str:
    """Return the shortest text that parses to this number.

    Examples
    --------
    >>> numeral(2.0), numeral(0.1)
    ('2', '0.1')
    """
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(float(value))


def _lines(weights: Weights, separator: str) -> list[str]:
    return [separator.join(map(numeral, row)) for row in weights.tolist()]


def _array(weights: Weights, indent: str = "") -> str:
    """Return the expression ``np.array(...)``, with float64 even for integer entries."""
    if weights.ndim == 3:
        blocks = [_block(single, f"{indent}     ") for single in weights]
        body = f"[\n{indent}    " + f",\n{indent}    ".join(blocks) + f",\n{indent}]"
    else:
        body = _block(weights, indent)
    return f"np.array({body}, dtype=np.float64)"


def _block(weights: Weights, indent: str) -> str:
    rows = f",\n{indent}          ".join(f"[{line}]" for line in _lines(weights, ", "))
    return f"[{rows}]"


def _turned(weights: Weights) -> Weights:
    """Flip the kernel, for tools that correlate."""
    return weights[::-1, ::-1] + 0.0


def _turned_odd(weights: Weights) -> Weights:
    """Flip the kernel and zero-pad even sides to odd, at their start.

    The anchor of a flipped even kernel is size // 2 - 1, and tools without an anchor option
    disagree on it; the anchor of an odd kernel is the centre everywhere.
    """
    rows, columns = weights.shape
    return np.pad(_turned(weights), ((1 - rows % 2, 0), (1 - columns % 2, 0)))


def _numpy(spec: KernelSpec) -> str:
    return _array(spec.weights)


def _opencv(spec: KernelSpec) -> str:
    singles = list(spec.weights) if spec.is_group else [spec.weights]
    names = {
        None: ["filtered"],
        "magnitude": ["horizontal", "vertical"],
        "maximum": [f"filtered_{number}" for number in range(1, len(singles) + 1)],
    }[spec.combination]
    lines = ["import cv2", "import numpy as np", ""]
    for name, weights in zip(names, singles, strict=True):
        rows, columns = weights.shape
        anchor = ""
        if rows % 2 == 0 or columns % 2 == 0:
            anchor = f"anchor=({(columns - 1) // 2}, {(rows - 1) // 2}), "
        lines += [
            f"kernel = {_array(_turned(weights), ' ' * 9)}",
            f"{name} = cv2.filter2D(image, cv2.CV_32F, kernel, {anchor}"
            "borderType=cv2.BORDER_REFLECT)",
        ]
    if spec.is_gradient:
        lines.append("filtered = cv2.magnitude(horizontal, vertical)")
    elif spec.is_group:
        lines.append(f"filtered = np.maximum.reduce([{', '.join(names)}])")
    return "\n".join(lines)


def _imagemagick(spec: KernelSpec) -> str:
    rows, columns = spec.weights.shape
    origin = "" if rows % 2 and columns % 2 else f"+{columns // 2}+{rows // 2}"
    numbers = "  ".join(_lines(spec.weights, ","))
    return f"-virtual-pixel mirror -morphology Convolve '{columns}x{rows}{origin}: {numbers}'"


def _vips(spec: KernelSpec) -> str:
    weights = _turned_odd(spec.weights)
    rows, columns = weights.shape
    return "\n".join([f"{columns} {rows} 1 0", *_lines(weights, " ")])


def _gmic(spec: KernelSpec) -> str:
    mask = ";".join(_lines(_turned_odd(spec.weights), ","))
    return shlex.join([f"({mask})", "correlate[0]", "[1],3", "remove[1]"])


def _csv(spec: KernelSpec) -> str:
    return "\n".join(_lines(spec.weights, ","))


def _json(spec: KernelSpec) -> str:
    document = {"schema": "convtool.kernel/1", "spec": spec.text, "kernel": spec.weights.tolist()}
    return json.dumps(document | ({"combination": spec.combination} if spec.is_group else {}))


FORMATS: dict[str, Format] = {
    "numpy": Format(
        _numpy,
        "a NumPy expression",
        'for scipy.ndimage.convolve(image, kernel, mode="reflect"), with a float image',
        groups=COMBINATIONS,
    ),
    "opencv": Format(
        _opencv,
        "Python lines for OpenCV, flipped as its filter2D correlates",
        "image is 8 or 16 bit or float32",
        groups=COMBINATIONS,
    ),
    "imagemagick": Format(
        _imagemagick,
        "arguments of ImageMagick, whose Convolve flips the kernel itself",
        "convert IN <this> OUT; a Q16 build clips each result to its range",
    ),
    "vips": Format(
        _vips,
        "a matrix of libvips, flipped as its conv correlates",
        "save it as kernel.mat, then: vips conv IN OUT kernel.mat --precision float; "
        "it repeats the border pixels, as the border nearest does",
    ),
    "gmic": Format(
        _gmic,
        "commands of G'MIC, flipped as its correlate does not flip",
        "gmic IN <this> output OUT",
    ),
    "csv": Format(_csv, "rows of numbers", "a kernel again: FILE.csv"),
    "json": Format(
        _json, 'an object with "kernel"', "a kernel again: FILE.json", groups=COMBINATIONS
    ),
}
"""The forms that ``convtool kernels SPEC --as`` writes."""
