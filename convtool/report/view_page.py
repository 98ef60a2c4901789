"""The page on which sliders filter a picture; a server gives it its script and its style."""

from collections.abc import Mapping

from convtool.report.page import escaped, page, part


def view_page(title: str, about: str, data: Mapping[str, object]) -> str:
    """Return the page as HTML, which loads ``view.js`` and ``view.css`` from beside it.

    Parameters
    ----------
    title : str
        The picture's name.
    about : str
        A line on it.
    data : mapping
        What the script reads.
    """
    return page("view.html", (), (), data, {"title": escaped(title), "about": escaped(about)})


def view_part(name: str) -> bytes:
    """Return the bytes of ``view.js`` or ``view.css``."""
    return part(name).encode()
