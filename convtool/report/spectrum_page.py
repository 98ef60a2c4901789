"""A self-contained web page that multiplies the spectra of picture and kernel."""

from collections.abc import Mapping

from convtool.records import Record
from convtool.report.page import Matrix, page

_SCRIPTS = ("numbers", "board", "spectrum")


class Spectra(Record):
    """The data of the page; all arrays have the same shape."""

    image: Matrix
    kernel: Matrix
    """One period of each."""
    spectra: Mapping[str, tuple[Matrix, Matrix]]
    """The real and the imaginary part of the spectrum of ``image``, of ``kernel`` and of their
    ``product``, frequency 0,0 first."""
    circular: Matrix
    linear: Matrix
    difference: Matrix
    """Both results, and the first minus the second."""
    border: str
    """The border of the linear convolution."""
    full: bool
    """Whether the period contains the full convolution."""
    words: str
    """The comparison of both results as text."""


def spectrum_page(shown: Spectra) -> str:
    """Return the self-contained page as HTML.

    Parameters
    ----------
    shown : Spectra
        The data.

    Returns
    -------
    str
        HTML.
    """
    spectra = {
        name: {"real": real, "imaginary": imaginary}
        for name, (real, imaginary) in shown.spectra.items()
    }
    data = vars(shown) | {"spectra": spectra}
    return page("spectrum.html", ("walk", "spectrum"), _SCRIPTS, data)
