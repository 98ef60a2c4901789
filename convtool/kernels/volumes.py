"""Kernels of three dimensions from text: presets, literals and arrays in files.

A SPEC is one of

- a preset: ``gaussian:sigma=1,2,2``, ``box:size=3,5,5``, ``sobel:axis=z``
- a literal: ``3x1x1:1,0,-1`` (planes x rows x columns, plane by plane and row by row)
- a .npy file of three dimensions

and each takes ``normalize=`` and ``scale=`` as kernels of two dimensions do. Where a parameter has
three values, they are those along z, y and x; one alone is that of all three.
"""

import io
import math
import os
import re
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from convtool.errors import KernelError
from convtool.kernels import numerals
from convtool.kernels.derivatives import DIFFERENCE, ONES, SCHARR_SMOOTH
from convtool.kernels.edges import CENTRE, SECOND_DIFFERENCE
from convtool.kernels.numerals import shown
from convtool.kernels.options import SHARED, adjusted, check_names
from convtool.kernels.smoothing import binomial, sampled_gaussian
from convtool.kernels.weights import Weights
from convtool.reading import load
from convtool.records import Record

MOST_WEIGHTS = 1 << 24
"""The most weights of a kernel."""

AXES = ("z", "y", "x")
"""The names of a volume's axes: planes, rows, columns."""

Sizes = tuple[int, int, int]
Numbers = tuple[float, float, float]
Kind = Literal["numbers", "sizes", "odd sizes", "orders", "axis"]

_LITERAL = re.compile(r"\s*([0-9]{1,4})x([0-9]{1,4})x([0-9]{1,4})\s*:(.*)", re.DOTALL)


class VolumeParameter(Record):
    """A parameter of a preset: ``name=value`` in a spec."""

    name: str
    """The name before ``=``."""
    kind: Kind
    """What its value is: three numbers, sizes or orders of a derivative; or the name of an axis."""
    default: Any
    """The value where none is given."""
    meaning: str
    """A description with the unit."""


class VolumePreset(Record):
    """A named kernel of three dimensions."""

    build: Callable[..., Weights]
    """Takes the parameters by name; returns float64 of shape (KD, KH, KW)."""
    summary: str
    """A one-line description."""
    parameters: tuple[VolumeParameter, ...] = ()
    """The parameters besides ``scale`` and ``normalize``."""


def outer(lines: tuple[Weights, ...]) -> Weights:
    """Return the outer product of three lines, along z, y and x.

    Examples
    --------
    >>> outer((np.ones(1), np.array([1.0, 2.0]), np.array([1.0, -1.0]))).tolist()
    [[[1.0, -1.0], [2.0, -2.0]]]
    """
    depth, height, width = lines
    return depth[:, None, None] * height[:, None] * width


def _check_count(sizes: Sizes) -> Sizes:
    if math.prod(sizes) > MOST_WEIGHTS or max(sizes) > numerals.MAX_SIDE:
        text = "x".join(map(str, sizes))
        raise KernelError(
            f"these parameters need a kernel of {text}, more than {MOST_WEIGHTS} weights; "
            "choose smaller ones"
        )
    return sizes


def _gaussian_sizes(sigma: Numbers) -> Sizes:
    """Return the sizes that span four standard deviations on either side, rounded like SciPy."""
    depth, height, width = (2 * int(4 * each + 0.5) + 1 for each in sigma)
    return _check_count((depth, height, width))


def gaussian(sigma: Numbers | None, size: Sizes | None, order: Sizes) -> Weights:
    """Return a Gaussian: sampled if ``sigma`` is given, else the binomial of ``size`` (3×3×3)."""
    if sigma is None:
        if any(order):
            raise KernelError("a derivative needs sigma, as in gaussian:sigma=2,order=1,0,0")
        return outer(tuple(binomial(taps) for taps in _check_count(size or (3, 3, 3))))
    sizes = _check_count(size) if size else _gaussian_sizes(sigma)
    lines = zip(sizes, sigma, order, strict=True)
    return outer(tuple(sampled_gaussian(taps, width, rank) for taps, width, rank in lines))


def box(size: Sizes) -> Weights:
    """Return the mean over a cuboid."""
    return np.full(_check_count(size), 1 / math.prod(size))


def identity(size: Sizes) -> Weights:
    """Return the kernel that leaves a volume unchanged."""
    weights = np.zeros(_check_count(size))
    weights[tuple(taps // 2 for taps in size)] = 1
    return weights


def derivative(axis: int | None, smooth: Weights) -> Weights:
    """Return the difference along an axis, smoothed along the others."""
    if axis is None:
        raise KernelError("it needs the axis to differentiate along: axis=z, axis=y or axis=x")
    return outer(tuple(DIFFERENCE if place == axis else smooth for place in range(3)))


def _sum_along_axes(along: tuple[Weights, ...], across: tuple[Weights, ...]) -> Weights:
    """Return the sum over the axes of what lies along one, and what lies across it."""
    parts = [
        outer(tuple(along[place] if place == axis else across[place] for place in range(3)))
        for axis in range(3)
    ]
    return np.asarray(sum(parts))


def laplacian() -> Weights:
    """Return the Laplacian over six neighbours, centre +6."""
    return _sum_along_axes((SECOND_DIFFERENCE,) * 3, (CENTRE,) * 3)


def laplacian_of_gaussian(sigma: Numbers) -> Weights:
    """Return the sum of the second derivatives of a Gaussian; its centre is negative."""
    lines = [list(zip(_gaussian_sizes(sigma), sigma, strict=True))] * 2
    curved, smooth = (
        tuple(sampled_gaussian(taps, width, order) for taps, width in each)
        for order, each in zip((2, 0), lines, strict=True)
    )
    return _sum_along_axes(curved, smooth)


_AXIS = VolumeParameter("axis", "axis", None, "z, y or x: the axis it differentiates along")
_SIZE = VolumeParameter("size", "sizes", (3, 3, 3), "planes,rows,columns")
_ODD = VolumeParameter("size", "odd sizes", None, "planes,rows,columns, all odd")
_SIGMA = VolumeParameter("sigma", "numbers", (1.0, 1.0, 1.0), "standard deviations in voxels")

VOLUMES: dict[str, VolumePreset] = {
    "identity": VolumePreset(
        identity,
        "leaves the volume as it is",
        (VolumeParameter("size", "odd sizes", (3, 3, 3), "planes,rows,columns, all odd"),),
    ),
    "box": VolumePreset(box, "mean over a cuboid", (_SIZE,)),
    "gaussian": VolumePreset(
        gaussian,
        "Gaussian blur: binomial, or sampled with sigma; its derivatives with order",
        (
            VolumeParameter("sigma", "numbers", None, "in voxels; binomial without"),
            _ODD,
            VolumeParameter("order", "orders", (0, 0, 0), "orders of the derivatives, 0 to 4"),
        ),
    ),
    **{
        name: VolumePreset(
            lambda axis, smooth=smooth: derivative(axis, smooth),
            f"derivative along an axis, smoothed by {weights}",
            (_AXIS,),
        )
        for name, weights, smooth in (
            ("sobel", "1 2 1", np.array([1.0, 2, 1])),
            ("prewitt", "1 1 1", ONES),
            ("scharr", "3 10 3", SCHARR_SMOOTH),
        )
    },
    "laplacian": VolumePreset(laplacian, "edges: centre +6 against six neighbours"),
    "log": VolumePreset(
        laplacian_of_gaussian, "Laplacian of Gaussian, centre negative: blobs", (_SIGMA,)
    ),
}
"""The presets of three dimensions. They are those of two with an axis more."""


def _three(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 1:
        return parts * 3
    if len(parts) != 3:
        raise KernelError(f"{shown(text)} is not one value or three, for z, y and x")
    return parts


def _numbers(text: str) -> Numbers:
    z, y, x = (numerals.number(part) for part in _three(text))
    if not all(0.01 <= value <= 511 for value in (z, y, x)):
        raise KernelError(f"{shown(text)} is out of range; each is 0.01 to 511")
    return z, y, x


def _wholes(text: str, low: int, high: int) -> Sizes:
    values = [numerals.number(part) for part in _three(text.replace("x", ","))]
    if not all(value.is_integer() and low <= value <= high for value in values):
        raise KernelError(f"{shown(text)} is out of range; each is whole, {low} to {high}")
    z, y, x = map(int, values)
    return z, y, x


def _odd_sizes(text: str) -> Sizes:
    sizes = _wholes(text, 1, numerals.MAX_SIDE)
    if not all(taps % 2 for taps in sizes):
        raise KernelError(f"{shown(text)} is even; each must be odd, as it has a centre")
    return sizes


def _axis(text: str) -> int:
    if text not in AXES:
        raise KernelError(f"{shown(text)} is none of {', '.join(AXES)}")
    return AXES.index(text)


_READERS: dict[Kind, Callable[[str], Any]] = {
    "numbers": _numbers,
    "sizes": lambda text: _wholes(text, 1, numerals.MAX_SIDE),
    "odd sizes": _odd_sizes,
    "orders": lambda text: _wholes(text, 0, 4),
    "axis": _axis,
}


def _options(text: str, first: str | None) -> dict[str, str]:
    """Parse ``name=value,name=value``, where a value may have commas and the first no name."""
    options: dict[str, str] = {}
    last = first
    for index, item in enumerate(text.split(",") if text.strip() else []):
        name, equals, value = (part.strip() for part in item.partition("="))
        if equals and name in options:
            raise KernelError(f"{name} is given twice; give it once")
        if equals:
            options[name], last = value, name
        elif last is None or not name:
            raise KernelError(f"{shown(item.strip())} is not name=value")
        else:
            options[last] = f"{options[last]},{name}" if index else name
    return options


def _preset(spec: str) -> tuple[Weights, dict[str, str]]:
    name, _, rest = (part.strip() for part in spec.partition(":"))
    if name not in VOLUMES:
        raise KernelError(
            f"there is no preset {shown(name)} of three dimensions; "
            f"those are {', '.join(VOLUMES)}, a literal is 3x1x1:1,0,-1"
        )
    parameters = {each.name: each for each in VOLUMES[name].parameters}
    options = _options(rest, next(iter(parameters), None))
    check_names(options, (*parameters, *SHARED), name)
    values = {}
    for word, parameter in parameters.items():
        values[word] = parameter.default
        if word in options:
            try:
                values[word] = _READERS[parameter.kind](options.pop(word))
            except KernelError as error:
                raise KernelError(f"{word}: {error}") from error
    return VOLUMES[name].build(**values), options


def _literal(match: re.Match[str]) -> tuple[Weights, dict[str, str]]:
    depth, height, width = (int(match[place]) for place in (1, 2, 3))
    option = re.search(r"[A-Za-z][A-Za-z_-]*\s*=", match[4])
    end = option.start() if option else len(match[4])
    items = match[4][:end].replace(",", " ").split()
    if len(items) != depth * height * width or not items:
        raise KernelError(
            f"{depth}x{height}x{width} takes {depth * height * width} numbers, not {len(items)}"
        )
    values = np.array([numerals.number(item) for item in items])
    return values.reshape(depth, height, width), _options(match[4][end:], None)


def _file(path: str, rest: str) -> tuple[Weights, dict[str, str]]:
    try:
        array = np.load(io.BytesIO(load(path, "kernel file")), allow_pickle=False)
    except OSError as error:
        raise KernelError(f"cannot read the file: {error.strerror or error}") from error
    except (ValueError, EOFError) as error:
        raise KernelError(f"the file is no array of NumPy's: {error}") from error
    if array.ndim != 3 or array.dtype.kind not in "buif" or not array.size:
        raise KernelError(f"it holds {array.dtype} of shape {array.shape}; give three dimensions")
    return np.ascontiguousarray(array, np.float64), _options(rest, None)


def _read(spec: str) -> tuple[Weights, dict[str, str]]:
    literal = _LITERAL.fullmatch(spec)
    if literal:
        return _literal(literal)
    end = spec.lower().find(".npy")
    if end >= 0 and os.path.isfile(spec[: end + 4]):
        return _file(spec[: end + 4], spec[end + 4 :].removeprefix(":"))
    return _preset(spec)


def volume_kernel(spec: str) -> Weights:
    """Return the kernel of three dimensions that a text describes.

    Parameters
    ----------
    spec : str
        A preset with parameters (``gaussian:sigma=1,2,2``), a literal (``3x1x1:1,0,-1``) or a .npy
        file; then ``normalize=none|sum|abs`` and ``scale=``. Three values are those along z, y, x.

    Returns
    -------
    ndarray
        float64, C-contiguous, shape (KD, KH, KW).

    Raises
    ------
    KernelError
        If the text or the file is no such kernel; the message names the invalid part.

    Examples
    --------
    >>> volume_kernel("gaussian:sigma=1,2,2").shape
    (9, 17, 17)
    >>> volume_kernel("sobel:axis=z")[:, 1, 1].tolist()
    [-4.0, 0.0, 4.0]
    """
    try:
        weights, options = _read(spec)
        check_names(options, SHARED, "a kernel")
        flat = adjusted(weights.reshape(-1, weights.shape[2]), options)
    except KernelError as error:
        raise KernelError(f"kernel {shown(spec)}: {error}") from error
    return np.ascontiguousarray(flat.reshape(weights.shape))
