"""A web page in one file on which the spectra of picture and kernel are multiplied."""

from collections.abc import Mapping

from convtool.records import Record
from convtool.report.page import Matrix, page

_SCRIPTS = ("numbers", "board", "spectrum")


class Spectra(Record):
    """What the page shows, each array of one shape.

    Attributes
    ----------
    image, kernel : matrix
        One period of each.
    spectra : mapping of str to (matrix, matrix)
        The real and the imaginary part of the spectrum of ``image``, of ``kernel`` and of their
        ``product``, frequency 0,0 first.
    circular, linear, difference : matrix
        Both answers, and the first minus the second.
    border : str
        What the linear answer takes beyond the edge.
    full : bool
        Whether the period has room for the whole answer.
    words : str
        How both answers compare.
    """

    image: Matrix
    kernel: Matrix
    spectra: Mapping[str, tuple[Matrix, Matrix]]
    circular: Matrix
    linear: Matrix
    difference: Matrix
    border: str
    full: bool
    words: str


def spectrum_page(shown: Spectra) -> str:
    """Return the page, one file without links to others.

    Parameters
    ----------
    shown : Spectra
        What it shows.

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
