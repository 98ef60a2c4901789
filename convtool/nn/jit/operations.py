"""The operations of a step, as data: their names, and the fields that each reads from its row.

A program is rows of 64-bit integers. A row starts with the address of an operation and goes on with
its fields, in the order given here: programs write them by `row`, compiled functions read them by
name (:func:`~.simd.unpack`).
"""

from collections import namedtuple
from functools import cache
from typing import Any

from convtool import compiled

LINEAR, RELU, LEAKY, SIGMOID, TANH = range(5)
"""The activations."""

MAXIMUM, MEAN = range(2)
"""The kinds of pooling."""

LABELS, CLASSES = range(2)
"""The kinds of targets of the cross-entropy: a label, or a number for each class."""

BINARY, PROBABILITY, BINARY_PROBABILITY, SQUARED = range(4)
"""The losses of each output alone."""

BARRIER = [0]
"""A row that waits for the other threads."""

_LOSS = "first last count classes y y_p labels dy loss smoothing kind"
_POOL = (
    "pool_h pool_w stride_h stride_w dilation_h dilation_w top left pooled_h pooled_w"
    " counted_h counted_w include_pad pooling"
)
_NOISE = "activation slope key threshold normals level drop_p drop_c"
_RULE = "first last grads step copies decayed one two numbers loss loss_step threads"


@cache
def _schema(fields: str) -> Any:
    return namedtuple("Fields", fields)


OPERATIONS: dict[str, Any] = {
    name: _schema(fields)
    for name, fields in {
        "contract": (
            "first last first_panel last_panel vectors lines first_row last_row"
            " c c_p c_n c_i c_row a a_p a_i a_row a_inner a_outer"
            " b b_p b_n b_i b_inner b_outer inner inner_total outer start"
        ),
        "transpose": "rows first last source source_row target target_row block",
        "flip": (
            "first last taps source width_out rows_in stored_in group_in"
            " target width_in panels_in rows_out stored_out group_out"
        ),
        "keep_marked": "first last marks",
        "column_sums": "first last source step lines columns target",
        "clear": "first last",
        "post_forward": (
            "first last z z_p z_row y y_p y_row where columns channels height width"
            f" {_POOL} {_NOISE} affine mask training"
        ),
        "post_backward": (
            "first last dy dy_p y y_p y_row where dz dz_p dz_row columns height width"
            f" {_POOL} {_NOISE} overlap"
        ),
        "moments": "first last z z_p pixels columns target",
        "norm_forward": (
            "threads partial partial_step count pixels columns channels gamma beta"
            " mean variance numbers affine leader training"
        ),
        "norm_sums": "first last z z_p dz dz_p dz_row height width columns affine target",
        "norm_backward": (
            "threads partial partial_step count columns channels gamma affine dgamma dbeta leader"
        ),
        "norm_apply": "first last z z_p dz dz_p dz_row height width columns affine",
        "cross_entropy": _LOSS,
        "elementwise_loss": _LOSS,
        "squares": "first last l2 loss",
        "sgd": _RULE,
        "momentum": _RULE,
        "adagrad": _RULE,
        "adagrad_momentum": _RULE,
        "rmsprop": _RULE,
        "adam": _RULE,
    }.items()
}
"""The fields of each operation, a named tuple of integers."""


def row(operation: str, **numbers: int) -> list[int]:
    """Return the program row that calls an operation with these numbers.

    Raises
    ------
    TypeError
        If the numbers are not those of the operation's fields.
    """
    fields = OPERATIONS[operation](**numbers)
    return [compiled.address(f"nn_{operation}"), *map(int, fields)]


def column(operation: str, field: str) -> int:
    """Return where a field stands in the rows of an operation.

    Examples
    --------
    >>> column("clear", "last")
    2
    """
    fields: tuple[str, ...] = OPERATIONS[operation]._fields
    return 1 + fields.index(field)
