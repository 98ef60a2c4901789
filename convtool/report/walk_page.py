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
    """The initial state of the page.

    Attributes
    ----------
    images : sequence of matrix or None
        The channels of the picture, one for a group of kernels; if None, the page draws a picture.
    kernels : sequence of matrix
        The weights, for each channel or of the group.
    presets : sequence of str
        The names of the kernels, if they are among the choices.
    names : sequence of str
        The name of each convolution.
    combination : str or None
        The combination of a group's outputs, ``magnitude`` or ``maximum``; None sums channels.
    operation : str
        ``convolution`` or ``correlation``.
    mode : str
        One of `MODES`.
    border : str
        The name of the border's rule.
    cval : float
        The value beyond the edge for ``constant``.
    padding, stride : (int, int)
        Vertical, horizontal.
    bias : float
        The constant added to each sum.
    activation : str or None
        The activation function's name.
    leak : float
        The slope of ``leaky`` below zero.
    pool : str or None
        ``max`` or ``average``, with windows of `pool_size` and stride `pool_stride`.
    pool_size, pool_stride : (int, int)
        Rows, columns.
    gradient : matrix or None
        The loss's gradient with respect to the final output.
    """

    images: Sequence[Matrix] | None
    kernels: Sequence[Matrix]
    presets: Sequence[str]
    names: Sequence[str] = ("channel 1",)
    combination: str | None = None
    operation: str = "convolution"
    mode: str = "same"
    border: str = "reflect"
    cval: float = 0.0
    padding: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    bias: float = 0.0
    activation: str | None = None
    leak: float = 0.01
    pool: str | None = None
    pool_size: tuple[int, int] = (2, 2)
    pool_stride: tuple[int, int] = (2, 2)
    gradient: Matrix | None = None


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
