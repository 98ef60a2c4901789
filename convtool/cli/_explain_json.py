"""The JSON of ``convtool explain``."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.cli._explain_blocks import SMALL
from convtool.explain import Backward, Layer, Theorem

SCHEMA = "convtool.explain/1"

_MOST_STEPS = 1024


def report(
    one: Layer,
    other: Layer,
    places: Sequence[tuple[int, int]],
    back: Backward | None = None,
    shown: Theorem | None = None,
) -> dict[str, object]:
    """Return the report of a layer as JSON values.

    With several channels or kernels, each array has an additional first axis.

    Parameters
    ----------
    one, other : Layer
        Convolution and correlation, or vice versa.
    places : sequence of (int, int)
        The output pixels to include; by default the first 1024.
    back : Backward, optional
        The gradients.
    shown : Theorem, optional
        The spectra.
    """
    first = one.first
    rows, columns = first.formulas
    whole = max(first.image.shape) <= SMALL
    convolution, correlation = (one, other) if first.flipped else (other, one)
    images = one.walks if one.combination is None else one.walks[:1]
    told: dict[str, object] = {
        "schema": SCHEMA,
        "operation": "convolution" if first.flipped else "correlation",
        "combination": one.combination,
        "image": _stacked([walk.image for walk in images]) if whole else None,
        "shape": list(first.image.shape),
        "kernel": _stacked([walk.kernel for walk in one.walks]),
        "laid": _stacked([walk.laid for walk in one.walks]),
        "border": first.border,
        "cval": first.cval,
        "stride": [rows.stride, columns.stride],
        "added": {"rows": list(first.added[0]), "columns": list(first.added[1])},
        "padded": _stacked([walk.padded for walk in images]) if whole else None,
        "size": {"rows": rows.result, "columns": columns.result},
        "formula": {"rows": rows.text, "columns": columns.text},
        "steps": [_step(one, place) for place in _places(one, places)],
        "bias": one.bias,
        "output": one.output.tolist() if whole else None,
        "convolution": convolution.output.tolist() if whole else None,
        "correlation": correlation.output.tolist() if whole else None,
        "matrix": first.matrix.toarray().tolist() if whole and one.is_single else None,
    }
    if one.activation:
        told["activation"] = {"name": one.activation.name, "slope": one.activation.slope}
        told["activated"] = one.activated.tolist() if whole else None
    if one.pooling:
        told["pooling"] = dict(vars(one.pooling))
        told["pooled"] = one.pooled.tolist() if whole else None
    if back is not None:
        told["gradient"] = _gradient(back)
    if shown is not None:
        told["spectrum"] = _spectrum(shown) if whole else None
    return told


def _stacked(arrays: Sequence[NDArray[np.float64]]) -> list[Any]:
    return arrays[0].tolist() if len(arrays) == 1 else [one.tolist() for one in arrays]


def _places(one: Layer, places: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    rows, columns = one.first.shape
    count = min(_MOST_STEPS, rows * columns)
    return places or [divmod(i, columns) for i in range(count)]


def _step(one: Layer, place: tuple[int, int]) -> dict[str, object]:
    """Return one window of each convolution with its output pixel."""
    steps = [walk.step(*place) for walk in one.walks]
    return {
        "row": place[0],
        "column": place[1],
        "window": _stacked([step.window for step in steps]),
        "products": _stacked([step.products for step in steps]),
        "sum": steps[0].sum if one.is_single else [step.sum for step in steps],
        "output": float(one.combined([np.array(step.sum) for step in steps])),
    }


def _gradient(back: Backward) -> dict[str, object]:
    channels = range(len(back.layer.walks))
    return {
        "kernel": _stacked([back.kernel(i) for i in channels]),
        "bias": back.bias,
        "image": _stacked([back.image(i) for i in channels]),
        "padded_image": _stacked([back.padded_image(i) for i in channels]),
    }


def _spectrum(shown: Theorem) -> dict[str, object]:
    return {
        "image": _parts(shown.image_spectrum),
        "kernel": _parts(shown.kernel_spectrum),
        "product": _parts(shown.product),
        "circular": shown.circular.tolist(),
        "linear": shown.linear.tolist(),
    }


def _parts(values: NDArray[np.complex128]) -> dict[str, object]:
    return {"real": values.real.tolist(), "imaginary": values.imag.tolist()}
