"""The compiled functions: their names, where their sources stand, and for which types.

Names and facts alone: the sources import Numba, and are imported where one is compiled. A function
is called by its address, with addresses and 64-bit integers (and one number of its type).
"""

from convtool.compiled.families import Family
from convtool.records import Record

Types = tuple[str, ...]
"""The names of the dtypes that a function is compiled for."""


class Function(Record):
    """Where the source of a compiled function stands.

    Attributes
    ----------
    module, attribute : str
        The module, and the function in it.
    variants : tuple of tuple of str
        The types that it is compiled for; one without any where it has none.
    needs : str
        A property of :class:`~.families.Family` that a processor must have for it, if any.
    """

    module: str
    attribute: str
    variants: tuple[Types, ...] = ((),)
    needs: str = ""


_POOL = "convtool.compiled.threadpool_code"
_JIT = "convtool.convolution.engines.jit"
_NN = "convtool.nn.jit"
_NDIMAGE = "convtool.ndimage.jit"

WORKING: tuple[Types, ...] = (("float32",), ("float64",))
"""The types that convolutions are computed in."""

_INTEGERS = tuple(f"{sign}int{bits}" for sign in ("u", "") for bits in (8, 16, 32, 64))
_READS = tuple(
    (image, working)
    for (working,) in WORKING
    for image in (*_INTEGERS, "float32", "float64")
    if (image, working) != ("float64", "float32")
)
_WRITES = tuple(
    (working, answer) for (working,) in WORKING for answer in ("uint8", "uint16", working)
)

_SIZES: tuple[Types, ...] = tuple((f"uint{bits}",) for bits in (8, 16, 32, 64))

_SMALL = ("uint8", "int8", "uint16", "int16")
_NDIMAGE_LINES: tuple[Types, ...] = (("float64",), ("int16",), ("int32",))
_NDIMAGE_READS = (*((name, "int16") for name in _SMALL), ("uint8", "int32"))
_NDIMAGE_WRITES = (
    *(("float64", name) for name in (*_INTEGERS, "float32", "float64") if name != "uint64"),
    *(("int16", name) for name in _SMALL),
    ("int32", "uint8"),
)
"""The types that lines are summed in, what is read as integers, and how answers are written."""

_STEP = {
    "contraction": ("contract", "transpose", "flip", "keep_marked", "column_sums", "clear"),
    "pooling": ("post_forward", "post_backward"),
    "normalization": (
        "moments",
        "norm_forward",
        "norm_sums",
        "norm_backward",
        "norm_apply",
    ),
    "objective": (
        "cross_entropy",
        "elementwise_loss",
        "squares",
        "sgd",
        "momentum",
        "adagrad",
        "adagrad_momentum",
        "rmsprop",
        "adam",
    ),
    "program": ("run_program",),
    "warp": ("warp",),
}
"""The functions of a network's training step, by their modules."""

FUNCTIONS: dict[str, Function] = {
    **{
        f"pool_{name}": Function(_POOL, name)
        for name in ("make_semaphores", "serve", "post", "release", "finish", "lead", "wake")
    },
    "pool_call": Function(_POOL, "call"),
    "read_line": Function(f"{_JIT}.lines_code", "read_line", _READS),
    "write_line": Function(f"{_JIT}.lines_code", "write_line", _WRITES),
    "plane": Function(f"{_JIT}.plane", "plane", WORKING),
    "correlate": Function(f"{_JIT}.plane", "correlate_plane", WORKING),
    "correlate_uniform": Function(f"{_JIT}.uniform", "correlate_uniform", WORKING),
    "strips": Function(f"{_JIT}.strip", "make_strips", WORKING),
    "patches": Function(f"{_JIT}.patches_code", "make_patches", _SIZES),
    "correlate_together": Function(f"{_JIT}.together_code", "correlate_together", WORKING),
    "convolve_tile": Function(f"{_JIT}.transforms_code", "convolve_tile", WORKING),
    "convolve_exactly": Function(f"{_JIT}.exact_tiles_code", "convolve_exactly", WORKING),
    "tiles": Function(f"{_JIT}.transforms_code", "make_tiles", WORKING),
    "fixed_strips": Function(f"{_JIT}.two_passes_code", "make_strips"),
    "small_strips": Function(f"{_JIT}.small_code", "make_strips", needs="rounds_products"),
    "mean_strips": Function(f"{_JIT}.means_code", "make_strips"),
    "whole_strips": Function(f"{_JIT}.whole_code", "make_strips"),
    "volume_bars": Function(f"{_JIT}.volume_code", "make_bars", WORKING),
    "ndimage_read": Function(f"{_NDIMAGE}.convert_code", "read", _NDIMAGE_READS),
    "ndimage_write": Function(f"{_NDIMAGE}.convert_code", "write", _NDIMAGE_WRITES),
    "ndimage_down": Function(f"{_NDIMAGE}.passes_code", "filter_down", _NDIMAGE_LINES),
    "ndimage_along": Function(f"{_NDIMAGE}.passes_code", "filter_along", _NDIMAGE_LINES),
    "ndimage_down_along": Function(f"{_NDIMAGE}.passes_code", "filter_down_along", _NDIMAGE_LINES),
    "ndimage_along_down": Function(f"{_NDIMAGE}.passes_code", "filter_along_down", _NDIMAGE_LINES),
    "ndimage_correlate": Function(f"{_NDIMAGE}.dense_code", "correlate", _NDIMAGE_LINES[:2]),
    **{
        f"nn_{name}": Function(f"{_NN}.{module}_code", name)
        for module, names in _STEP.items()
        for name in names
    },
}


def symbol(name: str, types: Types) -> str:
    """Return the name that a function has in the library.

    Examples
    --------
    >>> symbol("strips", ("float32",))
    'convtool_strips_float32'
    """
    return "_".join(("convtool", name, *types))


def all_functions(family: Family) -> list[tuple[str, Types]]:
    """Return the name and types of each function that is compiled for a family.

    Examples
    --------
    >>> from convtool.compiled.families import native
    >>> ("strips", ("float64",)) in all_functions(native(16))
    True
    """
    return [
        (name, types)
        for name, function in FUNCTIONS.items()
        if not function.needs or getattr(family, function.needs)
        for types in function.variants
    ]
