"""A kernel in the syntax of other tools, flipped where they correlate.

Each form gives, in its tool, the convolution that convtool computes, for even kernels too. That
was compared with convtool on random images and on kernels odd and even with OpenCV 5.0, ImageMagick
6.9, libvips 8.18 and G'MIC 3.6.
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
    """The syntax of one tool.

    Attributes
    ----------
    write : callable
        Takes a `KernelSpec`, returns text without a last line end.
    summary : str
        What the text is.
    note : str
        How to use it, and where the tool cannot do quite the same.
    groups : tuple of {"magnitude", "maximum"}
        The groups that it can hold, by what is taken of their answers.
    """

    write: Callable[[KernelSpec], str]
    summary: str
    note: str
    groups: tuple[Combination, ...] = ()


def export(spec: KernelSpec, form: str) -> str:
    """Return a kernel in the syntax of a tool.

    Parameters
    ----------
    spec : KernelSpec
        As `convtool.kernels.spec.parse` gives it.
    form : str
        A key of `FORMATS`.

    Returns
    -------
    str
        Without a last line end; numbers are written so that they read back exactly.

    Raises
    ------
    KernelError
        Where the form is unknown or cannot hold a group of kernels.

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
    """Return the shortest text that reads back as this number.

    Examples
    --------
    >>> numeral(2.0), numeral(0.1)
    ('2', '0.1')
    """
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(float(value))


def _lines(weights: Weights, separator: str) -> list[str]:
    return [separator.join(map(numeral, row)) for row in weights.tolist()]


def _array(weights: Weights, indent: str = "") -> str:
    """Return the expression ``np.array(...)``, float64 also where all entries are integers."""
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
    """Return the kernel turned by half a circle: what a tool that correlates must be given."""
    return weights[::-1, ::-1] + 0.0


def _turned_odd(weights: Weights) -> Weights:
    """Return the turned kernel, a zero row or column before an even side.

    The anchor of a turned even kernel is size // 2 - 1, and tools that cannot be told where it is
    disagree; that of an odd one is the centre everywhere.
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
        "Python lines for OpenCV, turned by half as its filter2D needs",
        "image is 8 or 16 bit or float32",
        groups=COMBINATIONS,
    ),
    "imagemagick": Format(
        _imagemagick,
        "arguments of ImageMagick, whose Convolve turns the kernel itself",
        "convert IN <this> OUT; a Q16 build clips each answer to its range",
    ),
    "vips": Format(
        _vips,
        "a matrix of libvips, turned by half as its conv needs",
        "save it as kernel.mat, then: vips conv IN OUT kernel.mat --precision float; "
        "it repeats the border pixels, as --border nearest does",
    ),
    "gmic": Format(
        _gmic,
        "commands of G'MIC, turned by half as its correlate needs",
        "gmic IN <this> output OUT",
    ),
    "csv": Format(_csv, "rows of numbers", "read again by --kernel FILE.csv"),
    "json": Format(
        _json, 'an object with "kernel"', "read again by --kernel FILE.json", groups=COMBINATIONS
    ),
}
"""The forms that ``convtool kernels SPEC --as`` writes."""
