"""Quantisation of factors to 8-bit integers, 16-bit or 32-bit floats with a scale per vector."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.errors import check_choice
from convtool.kernels.weights import FloatArray
from convtool.records import Record

LOSS_DB = 0.08
"""The largest PSNR loss by quantisation with ``auto``."""

_STEPS_8 = 127
_MOST = 0.9


class Code(Record):
    """The numeric format of a vector's entries."""

    number: int
    """Its code in files."""
    dtype: np.dtype[Any]
    """Little-endian type of an entry."""
    top: float
    """The stored value of a vector's largest magnitude."""
    weight: np.dtype[Any]
    """Little-endian type of a product's weight."""


CODES = {
    "8bit": Code(0, np.dtype("i1"), _STEPS_8, np.dtype("<f2")),
    "float16": Code(1, np.dtype("<f2"), 1.0, np.dtype("<f2")),
    "float32": Code(2, np.dtype("<f4"), 1.0, np.dtype("<f4")),
}
"""The codes by name, the coarsest first."""

PRECISIONS = ("auto", *CODES)
"""The valid values of `precision`; ``auto`` mixes the codes."""


class Layer(Record, eq=False):
    """One product of each of T tiles, quantised.

    A product is weight/top² times the outer product of its stored vectors, `weight` in units of
    `unit`.
    """

    code: Code
    """The numeric format of entries and weights."""
    unit: float
    """The largest weight."""
    weights: NDArray[Any]
    left: NDArray[Any]
    right: NDArray[Any]
    """Stored values, shapes (T,), (T, h) and (T, w)."""

    def factors(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return singular values in float64, and unit vectors in float32."""
        s = self.weights.astype(np.float64) * self.unit
        vectors = []
        for stored in (self.left, self.right):
            wide = stored.astype(np.float32) / np.float32(self.code.top)
            norms = np.linalg.norm(wide, axis=1)
            vectors.append(wide / np.where(norms > 0, norms, 1)[:, np.newaxis])
            s = s * norms
        return s, vectors[0], vectors[1]


def quantise(code: Code, s: FloatArray, left: FloatArray, right: FloatArray) -> Layer:
    """Quantise one product of each tile.

    Parameters
    ----------
    code : Code
        The numeric format.
    s : ndarray
        Shape (T,), singular values.
    left, right : ndarray
        Shapes (T, h) and (T, w), unit vectors.
    """
    left, top_left = _topped(left, code)
    right, top_right = _topped(right, code)
    weights = s * top_left * top_right
    unit = float(np.float32(weights.max(initial=0.0))) or 1.0
    return Layer(code, unit, (weights / unit).astype(code.weight), left, right)


def _topped(vectors: FloatArray, code: Code) -> tuple[NDArray[Any], FloatArray]:
    """Scale vectors to the code's top and quantise them; return their original maxima, too."""
    tops = np.abs(vectors).max(axis=1).astype(np.float64)
    scaled = vectors * (code.top / np.where(tops > 0, tops, 1.0))[:, np.newaxis]
    if code.dtype.kind == "i":
        scaled = np.rint(scaled)
    return scaled.astype(code.dtype), tops


def squared_error(layer: Layer, s: FloatArray, left: FloatArray, right: FloatArray) -> float:
    """Return the squared error of a quantised layer.

    ‖a·bᵀ − c·dᵀ‖² = ‖a‖²‖b‖² + ‖c‖²‖d‖² − 2(a·c)(b·d), in a form without cancellation.
    """
    weight, c, d = layer.factors()
    scale = weight[:, np.newaxis]
    c, d = c.astype(np.float64) * scale, d.astype(np.float64)
    a, b = left.astype(np.float64) * s[:, np.newaxis], right.astype(np.float64)
    of_left = ((a - c) ** 2).sum(axis=1) * (b**2).sum(axis=1)
    of_right = (c**2).sum(axis=1) * ((b - d) ** 2).sum(axis=1)
    mixed = 2 * ((a - c) * c).sum(axis=1) * ((b - d) * b).sum(axis=1)
    return float(np.maximum(of_left + of_right + mixed, 0.0).sum())


def code_all(
    products: list[tuple[FloatArray, FloatArray, FloatArray]], precision: str, budget: float
) -> list[Layer]:
    """Quantise the products of a picture.

    Parameters
    ----------
    products : list of (s, left, right)
        As for `quantise`.
    precision : str
        One of `PRECISIONS`. ``auto`` starts with 8 bits for all layers and moves those with the
        largest error to the next finer code until the total error is within the budget.
    budget : float
        The largest total squared error, for ``auto``.

    Raises
    ------
    OptionError
        If the precision is unknown.
    """
    check_choice("precision", precision, PRECISIONS)
    names = list(CODES) if precision == "auto" else [precision]
    layers = [quantise(CODES[names[0]], *product) for product in products]
    errors = [
        squared_error(layer, *product) for layer, product in zip(layers, products, strict=True)
    ]
    for name in names[1:]:
        share = budget if name == names[-1] else _MOST * budget
        order = np.argsort(errors)
        kept = np.cumsum(np.asarray(errors)[order]) <= share
        for index in order[~kept]:
            layers[index] = quantise(CODES[name], *products[index])
            errors[index] = squared_error(layers[index], *products[index])
    return layers
