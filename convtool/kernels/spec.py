"""Parse kernel specs: presets, files, pictures and literals.

A SPEC is one of

- a preset: ``sobel``, ``gaussian:sigma=2,size=15``, ``gaussian:2`` (its first parameter)
- a file: ``edge.csv``, ``edge.csv:scale=1/4`` (.txt, .csv, .npy, .json; an existing file wins)
- a picture, if the caller can read pictures: ``psf.tif``, divided by its sum by default
- a literal: ``3x3:0,-1,0,-1,5,-1,0,-1,0`` (rows x columns, row by row)

and each takes ``normalize=none|sum|abs`` (divide by the sum, or by the sum of absolute values) and
``scale=NUMBER``, applied in that order, to each kernel of a group. A number may be a fraction.
"""

import os
import re
from collections.abc import Callable

from convtool.errors import KernelError
from convtool.kernels.files import FILE_TYPES, read_weights
from convtool.kernels.literal import read_literal, split_literal
from convtool.kernels.numerals import shown
from convtool.kernels.options import SHARED, adjusted, check_names, parse_options, parse_value
from convtool.kernels.presets import ALIASES, PRESETS, SUGGESTIONS
from convtool.kernels.weights import Combination, Weights
from convtool.notebook import matrix_html, picture_html, png_of
from convtool.records import Record

_LITERAL = re.compile(r"\s*([0-9]+x[0-9]+)\s*:(.*)", re.DOTALL)
_OPTIONS = re.compile(r"\s*[A-Za-z][A-Za-z_-]*\s*=.*", re.DOTALL)
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]*")

_MOST_NUMBERS = 25
"""The longest side of a kernel that a notebook shows as numbers, not as a picture."""

Pictures = Callable[[str], tuple[Weights, str]]
"""Reads a picture as a kernel: takes a path, returns weights and a note."""


class KernelSpec(Record, eq=False):
    """A kernel and its spec."""

    text: str
    """The given spec."""
    name: str
    """The preset's name, the file's path, or the literal's size."""
    weights: Weights
    """float64, C-contiguous: (KH, KW), or (N, KH, KW) for a group; a gradient pair has the kernel
    for horizontal edges first."""
    combination: Combination | None = None
    """The combination of a group's outputs; None for a single kernel."""
    notes: tuple[str, ...] = ()
    """Notes for the user on the interpretation of the text."""

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the weights."""
        rows, columns = self.weights.shape[-2:]
        matrices = self.weights.reshape(-1, rows, columns)
        if max(rows, columns) > _MOST_NUMBERS:
            pictures = (png_of(matrix, white=None) for matrix in matrices)
            return "".join(picture_html(picture, self.text) for picture in pictures)
        return "".join(matrix_html(matrix.tolist(), self.text) for matrix in matrices)

    @property
    def is_group(self) -> bool:
        """Whether it consists of several kernels whose outputs are combined."""
        return self.combination is not None

    @property
    def is_gradient(self) -> bool:
        """Whether it is a pair for the gradient's magnitude."""
        return self.combination == "magnitude"

    @property
    def has_direction(self) -> bool:
        """Whether it is a pair that determines the direction of the gradient."""
        known = PRESETS.get(self.name)
        return self.is_gradient and (known is None or known.has_direction)


def kernel(spec: str) -> Weights:
    """Return the kernel of a spec.

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
        for horizontal edges first: `convtool.gradient_magnitude` takes such a pair; for a group
        such as ``kirsch`` (8, KH, KW).

    Raises
    ------
    KernelError
        If the text or the file is not a valid kernel; the message names the invalid part.

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


def parse(spec: str, pictures: Pictures | None = None) -> KernelSpec:
    """Parse a spec; see `kernel`.

    Parameters
    ----------
    spec : str
        As for `kernel`.
    pictures : callable, optional
        Reads a picture as a kernel; without it pictures are refused.

    Raises
    ------
    KernelError
        As `kernel` does.

    Examples
    --------
    >>> parse("sobel:scale=1/4").is_gradient
    True
    >>> parse("laplacian").notes
    ("kernel 'laplacian' is the preset laplacian-4",)
    """
    try:
        found = _read(spec, pictures)
        weights = adjusted(found.weights, found.options)
    except KernelError as error:
        raise KernelError(f"kernel {shown(spec)}: {error}") from error
    notes = tuple(f"kernel {shown(spec)} {note}" for note in found.notes)
    return KernelSpec(spec, found.name, weights, found.combination, notes)


def parse_single(spec: str, pictures: Pictures | None = None) -> KernelSpec:
    """Parse a spec that must be a single kernel.

    Parameters
    ----------
    spec, pictures
        As for `parse`.

    Raises
    ------
    KernelError
        As `parse` does, and if the spec is a group of kernels, such as a gradient pair.

    Examples
    --------
    >>> parse_single("sobel-vertical:scale=1/4").weights.tolist()
    [[-0.25, 0.0, 0.25], [-0.5, 0.0, 0.5], [-0.25, 0.0, 0.25]]
    """
    found = parse(spec, pictures)
    if not found.is_group:
        return found
    known = PRESETS.get(found.name)
    single = f"take {one_of(known.parts)} for a single one" if known else "give a single one"
    if found.is_gradient:
        raise KernelError(
            f"kernel {shown(spec)} is a pair of kernels; {single}, "
            "or convtool.gradient_magnitude for both"
        )
    raise KernelError(
        f"kernel {shown(spec)} is a group of {len(found.weights)} kernels; {single}, "
        "or 'convtool filter' for the maximum of all"
    )


def one_of(names: tuple[str, ...]) -> str:
    """Join names by "or"; only the first and the last of many."""
    return " or ".join(names) if len(names) < 4 else f"{names[0]}, ... or {names[-1]}"


class _Found(Record):
    """What a text describes, before its shared options are applied."""

    name: str
    weights: Weights
    combination: Combination | None
    options: dict[str, str]
    notes: tuple[str, ...] = ()


def _read(spec: str, pictures: Pictures | None) -> _Found:
    if not spec.strip():
        raise KernelError(f"it is empty; name a preset ({', '.join(list(PRESETS)[:4])} ...)")
    path, rest = _split_file(spec)
    if path is not None:
        return _read_file(path, rest, pictures)
    literal = _LITERAL.fullmatch(spec)
    if literal:
        numbers, rest = split_literal(literal[2])
        options = parse_options(rest)
        check_names(options, SHARED, "a literal")
        weights, notes = read_literal(literal[1], numbers)
        return _Found(literal[1], weights, None, options, notes)
    return _read_preset(spec)


def _split_file(spec: str) -> tuple[str | None, str]:
    """Split a spec into its file (None without one) and the options after it.

    A file has a suffix: a file named ``sobel`` does not hide the preset.
    """
    end = len(spec)
    while end > 0:
        path, rest = spec[:end], spec[end + 1 :]
        if rest and not _OPTIONS.fullmatch(rest):
            break
        if os.path.splitext(path)[1] and os.path.isfile(path):
            return path, rest
        end = spec.rfind(":", 0, end)
    return None, ""


def _read_file(path: str, rest: str, pictures: Pictures | None) -> _Found:
    options = parse_options(rest)
    check_names(options, SHARED, "a file")
    if path.lower().endswith(FILE_TYPES):
        return _Found(path, *read_weights(path), options)
    if pictures is None:
        raise KernelError(
            f"a kernel file ends in {', '.join(FILE_TYPES)}; "
            "convtool.kernel and the command line take a picture, too"
        )
    weights, note = pictures(path)
    if "normalize" not in options:
        note += "; its sum is normalized to 1 (normalize=none leaves the values)"
    return _Found(path, weights, None, {"normalize": "sum"} | options, (note,))


def _read_preset(spec: str) -> _Found:
    known = _without_alias(spec)
    name, _, rest = known.partition(":")
    name = name.strip()
    if name not in PRESETS:
        raise KernelError(_unknown(name, spec))
    preset = PRESETS[name]
    parameters = {parameter.name: parameter for parameter in preset.parameters}
    options = parse_options(rest, preset.parameters)
    check_names(options, (*parameters, *SHARED), name)
    values = {
        word: parse_value(parameter, options.pop(word)) if word in options else parameter.default
        for word, parameter in parameters.items()
    }
    weights = preset.build(**values)
    notes = () if known == spec else (f"is the preset {name}",)
    return _Found(name, weights, preset.combination if weights.ndim == 3 else None, options, notes)


def _without_alias(spec: str) -> str:
    """Replace the longest alias at the start of a spec by the preset's name.

    After an alias come parameters or nothing; after an alias with a parameter, its value or other
    parameters.
    """
    plain = re.sub(r"\s*([:,=])\s*", r"\1", spec.strip())
    for alias in sorted(ALIASES, key=len, reverse=True):
        rest = plain[len(alias) :]
        ends = ("", ",", "=") if ":" in alias else ("", ":")
        if plain.lower().startswith(alias) and rest[:1] in ends:
            name = ALIASES[alias]
            return f"{name}:{rest[1:]}" if rest[:1] == "," and ":" not in name else name + rest
    return spec


def _unknown(name: str, spec: str) -> str:
    """Return the error message for a spec whose name is not a preset."""
    head, colon, rest = spec.rpartition(":")
    path = head if colon and _OPTIONS.fullmatch(rest) else spec
    if os.path.isfile(path):
        return (
            f"a kernel file ends in {', '.join(FILE_TYPES)}, and a picture in its format's suffix"
        )
    if _SUFFIX.fullmatch(os.path.splitext(path)[1]) or os.sep in path:
        return "no such file; give one that exists, a preset or a literal"
    if name.lower() in SUGGESTIONS:
        near = SUGGESTIONS[name.lower()]
    else:
        import difflib

        near = tuple(difflib.get_close_matches(name.lower(), PRESETS, n=3, cutoff=0))
    choice = f"{', '.join(near[:-1])} or {near[-1]}"
    return (
        f"unknown preset {shown(name)}; did you mean {choice}? "
        "'convtool kernels' lists all; a literal is 1x3:1,0,-1"
    )
