"""A web page in one file on which a kernel slides over a picture that the reader draws."""

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files

from convtool.records import Record

Matrix = Sequence[Sequence[float]]

MODES = ("same", "valid", "full", "padding")
"""What the page calls a mode; ``padding`` stands for `padding` in place of one."""


class PageKernel(Record):
    """A kernel that the reader may choose: its weights, and what it does in a line."""

    weights: Matrix
    summary: str


class Opening(Record):
    """What the page shows when it opens.

    Attributes
    ----------
    image : matrix or None
        The picture; one that the page draws itself without.
    kernel : matrix
        The weights.
    name : str
        The kernel's, where the reader may choose it by one.
    operation : str
        ``convolution`` or ``correlation``.
    mode : str
        One of `MODES`.
    border : str
        The rule's name; and `cval` the value of ``constant``.
    cval : float
        The value beyond the edge for ``constant``.
    padding, stride : (int, int)
        Vertical, horizontal.
    """

    image: Matrix | None
    kernel: Matrix
    name: str
    operation: str = "convolution"
    mode: str = "same"
    border: str = "reflect"
    cval: float = 0.0
    padding: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)


_OWN_PICTURE = "from the command line"
_FIRST_PICTURE = "letter F"


def walk_page(opening: Opening, kernels: Mapping[str, PageKernel]) -> str:
    """Return the page.

    It is one file without links to others. Its numbers are computed by its own script, which does
    what `convtool.convolve` does.

    Parameters
    ----------
    opening : Opening
        What it shows first.
    kernels : mapping of str to PageKernel
        What the reader may choose from.

    Returns
    -------
    str
        HTML.
    """
    own = {} if opening.image is None else {_OWN_PICTURE: opening.image}
    state = {
        "image": opening.image,
        "kernel": opening.kernel,
        "operation": opening.operation,
        "mode": opening.mode,
        "border": opening.border,
        "cval": opening.cval,
        "padding": opening.padding,
        "stride": opening.stride,
    }
    data = {
        "state": state,
        "picture": _FIRST_PICTURE if opening.image is None else _OWN_PICTURE,
        "pictures": own,
        "kernel": opening.name,
        "kernels": {
            name: {"weights": one.weights, "summary": one.summary} for name, one in kernels.items()
        },
    }
    parts = {
        "@style@": _part("walk.css"),
        "@script@": _part("walk.js"),
        "@data@": json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c"),
    }
    page = _part("walk.html")
    for mark, text in parts.items():
        page = page.replace(mark, text, 1)
    return page


def _part(name: str) -> str:
    return (files("convtool.report") / "pages" / name).read_text(encoding="utf-8")
