"""The convolution theorem, as text."""

import numpy as np
from numpy.typing import NDArray

from convtool.cli._explain_blocks import SMALL, beside, grid
from convtool.explain import Theorem, Walk
from convtool.report.matrix import table
from convtool.report.units import number_text


def spectrum_lines(one: Walk, shown: Theorem) -> list[str]:
    """Format the spectra, their product and both results.

    Parameters
    ----------
    one : Walk
        The convolution.
    shown : Theorem
        The same by its spectra.
    """
    rows, columns = shown.image.shape
    spectra = {
        "spectrum of the image": shown.image_spectrum,
        "× spectrum of the kernel": shown.kernel_spectrum,
        "= their product": shown.product,
    }
    told = [
        "convolution theorem: the spectrum of a circular convolution is the product of the spectra",
        "",
    ]
    if max(rows, columns) > SMALL:
        told += [
            f"{title} at frequency 0,0: {_complex_text(values[0, 0], 0)}"
            for title, values in spectra.items()
        ]
        return [*told, "", difference_line(shown)]
    kernel = (
        "kernel, one period; the weight at the anchor at 0,0",
        grid(shown.kernel),
    )
    told += [*beside([("image, one period", grid(shown.image)), kernel]), ""]
    for title, values in spectra.items():
        least = 1e-12 * float(np.abs(values).max())
        cells = [[_complex_text(v, least) for v in row] for row in values.tolist()]
        told += [f"{title}:", *(f"  {line}" for line in table(cells, right=True, gap="   ")), ""]
    blocks = [
        ("circular (border wrap)", grid(exact(shown.circular, shown))),
        (f"linear (border {border_text(one)})", grid(shown.linear)),
        ("circular − linear", grid(exact(shown.difference, shown))),
    ]
    return [*told, *beside(blocks), difference_line(shown)]


def exact(values: NDArray[np.float64], shown: Theorem) -> NDArray[np.float64]:
    """Round values to remove the rounding errors of the transforms."""
    least = _least(shown)
    places = int(np.floor(-np.log10(least))) if least > 0 else 0
    return np.round(values, places) + 0.0


def _least(shown: Theorem) -> float:
    return 1e-11 * float(np.abs(shown.image).sum() * np.abs(shown.kernel).max())


def difference_line(shown: Theorem) -> str:
    """Say how the circular and the linear result compare."""
    size = np.abs(shown.difference)
    other = int((size > _least(shown)).sum())
    if not other:
        return "Both results are equal."
    return (
        f"They differ in {other:,} of {size.size:,} pixels, by up to {number_text(size.max())}: "
        "there the window reaches beyond the edge. With --mode full nothing wraps round."
    )


def border_text(one: Walk) -> str:
    """Return the name of a border, ``zero`` for a constant of 0."""
    return "zero" if one.border == "constant" and one.cval == 0 else one.border


def _complex_text(value: complex, least: float) -> str:
    real, imaginary = (0.0 if abs(v) <= least else v for v in (value.real, value.imag))
    if not imaginary:
        return number_text(_short(real))
    sign = "−" if imaginary < 0 else "+"
    size = f"{number_text(_short(abs(imaginary)))}i"
    if not real:
        return size if sign == "+" else f"−{size}"
    return f"{number_text(_short(real))} {sign} {size}"


def _short(value: float) -> float:
    return float(f"{value:.4g}")
