"""A self-contained web page with a kernel that slides over a picture that the reader can draw."""

from collections.abc import Mapping, Sequence

from convtool.records import Record
from convtool.report.page import Matrix, page

MODES = ("same", "valid", "full", "padding")
"""The names of the modes on the page; ``padding`` stands for explicit padding."""


class PageKernel(Record):
    """A kernel that the reader may choose: its weights and a one-line description."""

    weights: Matrix
    summary: str


class Opening(Record):
    """The initial state of the page."""

    images: Sequence[Matrix] | None
    """The channels of the picture, one for a group of kernels; if None, the page draws a
    picture."""
    kernels: Sequence[Matrix]
    """The weights, for each channel or of the group."""
    presets: Sequence[str]
    """The names of the kernels, if they are among the choices."""
    names: Sequence[str] = ("channel 1",)
    """The name of each convolution."""
    combination: str | None = None
    """The combination of a group's outputs, ``magnitude`` or ``maximum``; None sums channels."""
    operation: str = "convolution"
    """``convolution`` or ``correlation``."""
    mode: str = "same"
    """One of `MODES`."""
    border: str = "reflect"
    """The name of the border's rule."""
    cval: float = 0.0
    """The value beyond the edge for ``constant``."""
    padding: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    """Vertical, horizontal."""
    bias: float = 0.0
    """The constant added to each sum."""
    activation: str | None = None
    """The activation function's name."""
    leak: float = 0.01
    """The slope of ``leaky`` below zero."""
    pool: str | None = None
    """``max`` or ``average``, with windows of `pool_size` and stride `pool_stride`."""
    pool_size: tuple[int, int] = (2, 2)
    pool_stride: tuple[int, int] = (2, 2)
    """Rows, columns."""
    gradient: Matrix | None = None
    """The loss's gradient with respect to the final output."""


_SCRIPTS = ("convolution", "layer", "numbers", "board", "views", "walk", "choices")
_OWN_PICTURE = "from the command line"
_FIRST_PICTURE = "letter F"


def walk_page(opening: Opening, kernels: Mapping[str, PageKernel]) -> str:
    """Return the page as HTML.

    The page is self-contained. Its script computes the same numbers as `convtool.convolve`.

    Parameters
    ----------
    opening : Opening
        The initial state.
    kernels : mapping of str to PageKernel
        The kernels to choose from.

    Returns
    -------
    str
        HTML.
    """
    own = {} if opening.images is None else {_OWN_PICTURE: opening.images}
    state = {
        "images": opening.images,
        "kernels": opening.kernels,
        "presets": opening.presets,
        "names": opening.names,
        "channel": 0,
        "combination": opening.combination,
        "operation": opening.operation,
        "mode": opening.mode,
        "border": opening.border,
        "cval": opening.cval,
        "padding": opening.padding,
        "stride": opening.stride,
        "bias": opening.bias,
        "activation": opening.activation or "none",
        "leak": opening.leak,
        "pool": {
            "kind": opening.pool or "none",
            "size": opening.pool_size,
            "stride": opening.pool_stride,
        },
        "gradient": opening.gradient,
    }
    data = {
        "state": state,
        "picture": _FIRST_PICTURE if opening.images is None else _OWN_PICTURE,
        "pictures": own,
        "kernels": {
            name: {"weights": one.weights, "summary": one.summary} for name, one in kernels.items()
        },
    }
    return page("walk.html", ("walk",), _SCRIPTS, data)
