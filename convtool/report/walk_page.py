"""A web page in one file on which a kernel slides over a picture that the reader draws."""

from collections.abc import Mapping, Sequence

from convtool.records import Record
from convtool.report.page import Matrix, page

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
    images : sequence of matrix or None
        The channels of the picture, one for a group of kernels; the page draws them without.
    kernels : sequence of matrix
        The weights, for each channel or of the group.
    presets : sequence of str
        What the kernels are called where the reader may choose them by a name.
    names : sequence of str
        What each convolution is called.
    combination : str or None
        What is taken of a group's answers, ``magnitude`` or ``maximum``; None adds channels.
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
    bias : float
        What is added to each sum.
    activation : str or None
        The activation function's name, and `leak` the slope of ``leaky``.
    leak : float
        The slope below zero.
    pool : str or None
        ``max`` or ``average``, of windows of `pool_size`, `pool_stride` apart.
    pool_size, pool_stride : (int, int)
        Rows, columns.
    gradient : matrix or None
        The loss's gradient with respect to what comes out last.
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
