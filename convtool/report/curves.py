"""Plots of compression: spectrum, energy, and quality against size."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.errors import printable
from convtool.records import Record


class Curve(Record):
    """A line through points."""

    label: str
    """The text in the legend."""
    x: Sequence[float]
    y: Sequence[float]
    """The points; non-finite ones are skipped."""
    labels: Sequence[str] = ()
    """The label of each point; empty for none."""


_MARKERS = ("o", "s", "^", "D", "v")


def compression_plot(
    title: str, energies: NDArray[np.floating], ks: Sequence[int], quality: Sequence[Curve]
) -> bytes:
    """Return a plot of a compression as PNG, with three panels side by side.

    Parameters
    ----------
    title : str
        The title.
    energies : ndarray
        Shape (K,): Σσ² over the picture's matrices, of each triple, descending.
    ks : sequence of int
        The k to mark.
    quality : sequence of Curve
        PSNR in dB against file size relative to the raw size.

    Returns
    -------
    bytes
        A PNG file of 1800×560 pixels.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(18, 5.6), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(printable(title), parse_math=False)
    spectrum, energy, size = figure.subplots(1, 3)
    count = np.arange(1, len(energies) + 1)
    shown = energies > 0
    spectrum.loglog(count[shown], np.sqrt(energies[shown]), color="black")
    spectrum.set(title="Spectrum", xlabel="i", ylabel="singular value σᵢ")
    total = float(energies.sum()) or 1.0
    share = np.cumsum(energies) / total
    energy.semilogx(count, 100 * share, color="black")
    energy.set(title="Retained energy", xlabel="k", ylabel="Σ σᵢ² up to k, in percent of all")
    for k in ks:
        for axes, value, beside in (
            (spectrum, np.sqrt(energies[k - 1]), (4, 5)),
            (energy, 100 * share[k - 1], (6, -9)),
        ):
            if value > 0:
                axes.plot(k, value, "o", color="tab:red")
                axes.annotate(str(k), (k, value), beside, textcoords="offset points", fontsize=8)
    for curve, marker in zip(quality, _MARKERS, strict=False):
        good = np.isfinite(curve.y)
        x, y = np.asarray(curve.x)[good], np.asarray(curve.y)[good]
        size.plot(100 * x, y, marker=marker, markersize=4, label=curve.label)
        for text, at, height in zip(
            np.asarray(curve.labels)[good[: len(curve.labels)]], x, y, strict=False
        ):
            size.annotate(
                text, (100 * at, height), (4, -11), textcoords="offset points", fontsize=8
            )
    size.set(title="Quality", xlabel="bytes in the file, in percent of raw", ylabel="PSNR in dB")
    size.margins(x=0.12)
    plain_log_scale(size)
    if quality:
        size.legend()
    for axes in (spectrum, energy, size):
        axes.grid(visible=True, alpha=0.3)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def plain_log_scale(axes: Any) -> None:
    """Make the horizontal axis logarithmic, with plain labels 1, 2, 5, 10.

    Matplotlib's default labels 2 × 10⁰, 3 × 10⁰, 4 × 10⁰ overlap.
    """
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
