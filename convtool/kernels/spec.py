"""Text or file to kernel.

A SPEC is one of

- a preset: ``sobel``, ``gaussian:sigma=2,size=15``
- a file: ``edge.csv``, ``edge.csv:scale=1/4`` (.txt, .csv, .npy, .json; an existing file wins)
- a literal: ``3x3:0,-1,0,-1,5,-1,0,-1,0`` (rows x columns, row by row)

and each takes ``normalize=none|sum|abs`` (divide by the sum, or by the sum of absolute values) and
``scale=NUMBER``, applied in that order, to each kernel of a pair. A number may be a fraction.
"""

import os
import re

import numpy as np
from numpy.typing import ArrayLike

from convtool.errors import KernelError
from convtool.kernels import numerals
from convtool.kernels.files import FILE_TYPES, read_weights
from convtool.kernels.numerals import shown
from convtool.kernels.presets import PRESETS, Parameter, Value
from convtool.kernels.weights import Weights, check_finite, checked
from convtool.records import Record

NORMALIZATIONS = ("none", "sum", "abs")
_SHARED = ("scale", "normalize")
_LITERAL = re.compile(r"\s*([0-9]+x[0-9]+)\s*:(.*)", re.DOTALL)
_OPTIONS = re.compile(r"\s*[A-Za-z][A-Za-z_-]*\s*=.*", re.DOTALL)


class KernelSpec(Record, eq=False):
    """A kernel and the text it was made from.

    Attributes
    ----------
    text : str
        The spec as it was given.
    name : str
        The preset's name, the file's path, or the literal's size.
    weights : ndarray
        float64, C-contiguous: (KH, KW), or (2, KH, KW) for a gradient pair, horizontal first.
    """

    text: str
    name: str
    weights: Weights

    @property
    def is_gradient(self) -> bool:
        """Whether this is a pair, of which the gradient is taken."""
        return self.weights.ndim == 3


def kernel(spec: str) -> Weights:
    """Return the kernel that a text describes.

    Parameters
    ----------
    spec : str
        A preset with parameters (``gaussian:sigma=2,size=15``), a file (.txt, .csv, .npy, .json)
        or a literal (``3x3:0,-1,0,-1,5,-1,0,-1,0``, row by row); then ``normalize=none|sum|abs``
        and ``scale=``, in that order of effect. `convtool.presets` names the presets.

    Returns
    -------
    ndarray
        float64, C-contiguous, shape (KH, KW); for a pair such as ``sobel`` (2, KH, KW), the kernel
        for horizontal edges first: `convtool.gradient_magnitude` takes such a pair.

    Raises
    ------
    KernelError
        Where the text or the file describes no kernel; says which part and what would be right.

    Examples
    --------
    >>> import convtool
    >>> convtool.kernel("gaussian:normalize=none,scale=16")
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    >>> convtool.kernel("sobel").shape
    (2, 3, 3)
    """
    return parse(spec).weights


def parse(spec: str) -> KernelSpec:
    """Return the kernel that a text describes, with its name; see `kernel`.

    Raises
    ------
    KernelError
        As `kernel` does.

    Examples
    --------
    >>> parse("sobel:scale=1/4").is_gradient
    True
    """
    try:
        name, weights, options = _read(spec)
        return KernelSpec(spec, name, _adjusted(weights, options))
    except KernelError as error:
        raise KernelError(f"kernel {shown(spec)}: {error}") from error


def parse_single(spec: str) -> KernelSpec:
    """Return the one kernel that a spec names.

    Parameters
    ----------
    spec : str
        As `parse` takes it.

    Returns
    -------
    KernelSpec

    Raises
    ------
    KernelError
        As `parse` does, and where the spec is a gradient pair.

    Examples
    --------
    >>> parse_single("sobel-vertical:scale=1/4").weights.tolist()
    [[-0.25, 0.0, 0.25], [-0.5, 0.0, 0.5], [-0.25, 0.0, 0.25]]
    """
    found = parse(spec)
    if found.is_gradient:
        halves = [name for name in PRESETS if name.startswith(f"{found.name}-")]
        raise KernelError(
            f"kernel {shown(spec)} is a pair of kernels; take {' or '.join(halves)} for a single "
            "one, or convtool.gradient_magnitude for both"
        )
    return found


def as_kernel(kernel: str | ArrayLike) -> Weights:
    """Return one kernel, checked, from a spec or from numbers.

    Parameters
    ----------
    kernel : str or array_like
        A spec as `convtool.kernel` takes it, or real numbers of shape (KH, KW); (KW,) is one row.

    Returns
    -------
    ndarray
        float64, C-contiguous, shape (KH, KW); may share memory with the argument.

    Raises
    ------
    KernelError
        Where the numbers are not real, not finite, none, or not of one or two dimensions, or where
        the spec is a gradient pair.

    Examples
    --------
    >>> as_kernel([1, 0, -1])
    array([[ 1.,  0., -1.]])
    """
    if isinstance(kernel, str):
        return parse_single(kernel).weights
    try:
        return checked(kernel)
    except KernelError as error:
        raise KernelError(f"kernel: {error}") from error


def _read(spec: str) -> tuple[str, Weights, dict[str, str]]:
    """Return name, weights and the shared options that a text gives, before they are applied."""
    if not spec.strip():
        raise KernelError(f"it is empty; name a preset ({', '.join(list(PRESETS)[:4])} ...)")
    path, rest = _split_file(spec)
    if path is not None:
        options = _options(rest)
        _check_names(options, _SHARED, "a file")
        return path, read_weights(path), options
    literal = _LITERAL.fullmatch(spec)
    if literal:
        return _read_literal(literal[1], literal[2])
    return _read_preset(spec)


def _split_file(spec: str) -> tuple[str | None, str]:
    """Split a spec into the file it names (None where it names none) and the options after it."""
    end = len(spec)
    while end > 0:
        path, rest = spec[:end], spec[end + 1 :]
        if rest and not _OPTIONS.fullmatch(rest):
            break
        if path.lower().endswith(FILE_TYPES) and os.path.isfile(path):
            return path, rest
        end = spec.rfind(":", 0, end)
    return None, ""


def _read_literal(size: str, body: str) -> tuple[str, Weights, dict[str, str]]:
    rows, columns = numerals.size(size)
    items = body.split(",")
    end = next((i for i, item in enumerate(items) if "=" in item), len(items))
    options = _options(",".join(items[end:]))
    _check_names(options, _SHARED, "a literal")
    if end != rows * columns:
        raise KernelError(f"{size} takes {rows * columns} numbers, not {end}")
    values = np.empty(end)
    for i, item in enumerate(items[:end]):
        try:
            values[i] = numerals.number(item)
        except KernelError as error:
            row, column = divmod(i, columns)
            raise KernelError(f"row {row + 1}, column {column + 1}: {error}") from error
    return size, values.reshape(rows, columns), options


def _read_preset(spec: str) -> tuple[str, Weights, dict[str, str]]:
    name, _, rest = spec.partition(":")
    name = name.strip()
    if name not in PRESETS:
        raise KernelError(_unknown(name, spec))
    preset = PRESETS[name]
    options = _options(rest)
    parameters = {parameter.name: parameter for parameter in preset.parameters}
    _check_names(options, (*parameters, *_SHARED), name)
    values = {
        word: _value(parameter, options.pop(word)) if word in options else parameter.default
        for word, parameter in parameters.items()
    }
    return name, preset.build(**values), options


def _unknown(name: str, spec: str) -> str:
    """Return what is wrong with a spec whose first word is no preset."""
    head, colon, rest = spec.rpartition(":")
    path = head if colon and _OPTIONS.fullmatch(rest) else spec
    if os.path.isfile(path):
        return f"a kernel file ends in {', '.join(FILE_TYPES)}"
    if path.lower().endswith(FILE_TYPES) or os.sep in path:
        return "no such file; give one that exists, a preset or a literal"
    import difflib

    near = difflib.get_close_matches(name.lower(), PRESETS, n=3)
    if near:
        return f"unknown preset {shown(name)}; did you mean {' or '.join(near)}?"
    return (
        f"unknown preset {shown(name)}; take one of {', '.join(PRESETS)}, "
        "a file, or a literal such as 1x3:1,0,-1"
    )


def _options(text: str) -> dict[str, str]:
    """Return what ``name=value,name=value`` gives."""
    options: dict[str, str] = {}
    for item in text.split(",") if text.strip() else []:
        name, equals, value = (part.strip() for part in item.partition("="))
        if not equals or not name:
            raise KernelError(f"{shown(item.strip())} is not name=value")
        if name in options:
            raise KernelError(f"{name} is given twice; give it once")
        options[name] = value
    return options


def _check_names(options: dict[str, str], valid: tuple[str, ...], what: str) -> None:
    for name in options:
        if name not in valid:
            raise KernelError(f"unknown parameter {shown(name)}; {what} takes {', '.join(valid)}")


def _value(parameter: Parameter, text: str) -> Value:
    try:
        return parameter.parse(text)
    except KernelError as error:
        raise KernelError(f"{parameter.name}: {error}") from error


def _adjusted(weights: Weights, options: dict[str, str]) -> Weights:
    """Return the weights normalised, then scaled, as the options say, with no zero negative."""
    rule = options.get("normalize", "none")
    if rule not in NORMALIZATIONS:
        raise KernelError(f"normalize: {shown(rule)} is none of {', '.join(NORMALIZATIONS)}")
    factor = 1.0
    if "scale" in options:
        try:
            factor = numerals.number(options["scale"])
        except KernelError as error:
            raise KernelError(f"scale: {error}") from error
    with np.errstate(over="ignore"):
        scaled = weights / _divisors(weights, rule) * factor
    check_finite(scaled)
    return np.ascontiguousarray(scaled + 0.0)


def _divisors(weights: Weights, rule: str) -> Weights:
    """Return what each kernel is divided by, in a shape that divides `weights`."""
    with np.errstate(over="ignore", invalid="ignore"):
        magnitudes = np.abs(weights).sum(axis=(-2, -1), keepdims=True)
        sums = weights.sum(axis=(-2, -1), keepdims=True)
    divisors: Weights = {"none": np.ones_like(sums), "sum": sums, "abs": magnitudes}[rule]
    rounding = np.finfo(np.float64).eps * weights.size
    if rule != "none" and not np.isfinite(magnitudes).all():
        raise KernelError(f"normalize={rule}: the weights sum to more than float64 holds")
    if rule != "none" and (abs(divisors) <= rounding * magnitudes).any():
        other = " or abs" if magnitudes.all() else ""
        raise KernelError(f"normalize={rule}: the weights sum to zero; take none{other}")
    return divisors
