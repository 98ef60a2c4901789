"""The back-propagation of ``convtool explain``, as text."""

from convtool.cli._explain_blocks import SHOWN_STEPS, beside, grid, product_lines, sum_text
from convtool.explain import Backward, Walk
from convtool.report.units import number_text


def backward_lines(back: Backward, steps: bool) -> list[str]:
    """Return the gradients of bias, weights and image as lines.

    Parameters
    ----------
    back : Backward
        The gradients.
    steps : bool
        Whether to show each window.
    """
    layer = back.layer
    told = ["back-propagation of the loss's gradient", ""]
    given = [("dZ, the gradient of the output", grid(back.output))]
    if layer.activation or layer.pooling:
        names = [*(["pooled"] if layer.pooling else []), layer.activation and "activated"]
        last = next(name for name in names if name)
        given.insert(0, (f"the gradient of the {last} values", grid(back.given)))
    told += [*beside(given), ""]
    numbers = back.output.ravel().tolist()
    told += [f"db, the sum of dZ: {sum_text(numbers)} = {number_text(back.bias)}", ""]
    for channel, name in enumerate(layer.names):
        title = "" if layer.is_single else f", {name}"
        told += [*_kernel_lines(back, channel, title, steps), ""]
        told += [*_image_lines(back, channel, title, steps), ""]
    return told[:-1]


def _kernel_lines(back: Backward, channel: int, title: str, steps: bool) -> list[str]:
    walk, flipped = back.kernel_walk(channel), back.layer.walks[channel].flipped
    told = [f"dK{title}: the padded image correlated with dZ{_spread_text(back)}"]
    told += _window_lines(walk, "weight", "of the correlated kernel") if steps else []
    blocks = [("dK", grid(back.kernel(channel)))]
    if flipped:
        blocks.insert(0, ("for the flipped kernel", grid(walk.output)))
        blocks[1] = ("dK, flipped back", blocks[1][1])
    return [*told, *beside(blocks)]


def _image_lines(back: Backward, channel: int, title: str, steps: bool) -> list[str]:
    one, walk = back.layer.walks[channel], back.image_walk(channel)
    told = [f"dX{title}: full convolution of dZ{_spread_text(back)} with the correlated kernel"]
    told += _window_lines(walk, "pixel", "of the padded image") if steps else []
    if one.padded.shape == one.image.shape:
        return [*told, *beside([("dX", grid(back.image(channel)))])]
    after = "cropped" if one.border == "constant" else "each copy added to the pixel it copies"
    return [
        *told,
        *beside(
            [
                ("dX with its border", grid(walk.output)),
                (f"dX, {after}", grid(back.image(channel))),
            ]
        ),
    ]


def _spread_text(back: Backward) -> str:
    return "" if back.spread.shape == back.output.shape else " (with zeros between, for the stride)"


def _window_lines(one: Walk, what: str, where: str) -> list[str]:
    told = []
    rows, columns = one.shape
    for i in range(min(SHOWN_STEPS, rows * columns)):
        row, column = divmod(i, columns)
        told.append(f"  {what} in row {row}, column {column} {where}:")
        told += product_lines(one, one.step(row, column))
    if rows * columns > SHOWN_STEPS:
        told.append(f"  … and {rows * columns - SHOWN_STEPS:,} more {what}s")
    return told
