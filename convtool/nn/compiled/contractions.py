"""The sums of products of a convolution: forward, and the gradients of its weights and input.

Each function yields the fields of ``contract`` operations. A kernel row whose pixels lie side by
side (no groups, no horizontal dilation) is one long sum over pixels and channels; else each pixel
of it is a sum of its own, which is added to the one before.
"""

from collections.abc import Iterator

from convtool.nn.compiled.buffers import Place
from convtool.nn.compiled.layout import Reach
from convtool.nn.compiled.stages import Stage
from convtool.nn.layers import Conv2D

Fields = dict[str, int]
ADD, ZERO = -2, -1
"""What a sum starts with: what is there, or nothing."""


def _conv(stage: Stage) -> Conv2D:
    assert stage.conv is not None
    return stage.conv[1]


def _parts(reach: Reach) -> list[tuple[int, int, int]]:
    """Return (first panel, last panel, first row): all panels, or with groups one at a time."""
    if reach.whole:
        return [(0, reach.panels.count, 0)]
    return [(n, n + 1, reach.first(n)) for n in range(reach.panels.count)]


def slide(stage: Stage, place: Place, low: int, high: int, z: int) -> Iterator[Fields]:
    """Yield what makes the sums z of the pictures low to high."""
    conv, reach, c = _conv(stage), place.reach, place.x_channels
    (kh, kw), (sy, sx), (dy, dx) = conv.kernel_size, conv.stride, conv.dilation
    (_, height, width), wide, rows = stage.sums, reach.panels.width, reach.rows
    fields = {
        "first": low,
        "last": high,
        "vectors": reach.panels.vectors,
        "lines": height,
        "first_row": 0,
        "last_row": width,
        "c": z,
        "c_p": height * width * place.columns,
        "c_n": wide,
        "c_i": width * place.columns,
        "c_row": place.columns,
        "a_p": place.x_p,
        "a_i": sy * place.x_row,
        "a_row": sx * c,
        "a_inner": 1,
        "b_p": 0,
        "b_n": kh * kw * rows * wide,
        "b_i": 0,
        "b_inner": wide,
        "inner_total": 0,
    }
    if reach.whole and dx == 1:
        yield fields | {
            "first_panel": 0,
            "last_panel": reach.panels.count,
            "a": place.x,
            "a_outer": dy * place.x_row,
            "b": place.weight,
            "b_outer": kw * c * wide,
            "inner": kw * c,
            "outer": kh,
            "start": place.bias,
        }
        return
    for first, last, row in _parts(reach):
        for ky in range(kh):
            yield fields | {
                "first_panel": first,
                "last_panel": last,
                "a": place.x + ky * dy * place.x_row + row,
                "a_outer": dx * c,
                "b": place.weight + ky * kw * rows * wide,
                "b_outer": rows * wide,
                "inner": rows,
                "outer": kw,
                "start": ADD if ky else place.bias,
            }


def weight_gradient(
    stage: Stage, place: Place, low: int, high: int, dz: int, target: int
) -> Iterator[Fields]:
    """Yield what adds to the weights' gradient; `dz` is where the first number of dz lies."""
    conv, reach, c = _conv(stage), place.reach, place.x_channels
    (kh, kw), (sy, sx), (dy, dx) = conv.kernel_size, conv.stride, conv.dilation
    (_, height, width), wide, rows = stage.sums, reach.panels.width, reach.rows
    fields = {
        "first": low,
        "last": high,
        "vectors": reach.panels.vectors,
        "lines": kh,
        "first_row": 0,
        "c_p": 0,
        "c_n": kh * kw * rows * wide,
        "c_i": kw * rows * wide,
        "c_row": wide,
        "a_p": place.x_p,
        "a_i": dy * place.x_row,
        "a_row": 1,
        "a_inner": sx * c,
        "a_outer": sy * place.x_row,
        "b": dz,
        "b_p": place.dz_p,
        "b_n": wide,
        "b_i": 0,
        "b_inner": place.columns,
        "b_outer": place.dz_row,
        "inner": width,
        "inner_total": 0,
        "outer": height,
        "start": ADD,
    }
    if reach.whole and dx == 1:
        every = {"first_panel": 0, "last_panel": reach.panels.count}
        yield fields | every | {"last_row": kw * c, "c": target, "a": place.x}
        return
    for first, last, row in _parts(reach):
        for kx in range(kw):
            yield fields | {
                "first_panel": first,
                "last_panel": last,
                "last_row": rows,
                "c": target + kx * rows * wide,
                "a": place.x + kx * dx * c + row,
            }


def input_gradient(
    stage: Stage, place: Place, low: int, high: int, dz: int, target: int
) -> Iterator[Fields]:
    """Yield what makes the input's gradient at `target` of dz, whose border begins at `dz`.

    With strides the pixels of the input fall into phases, by their place modulo the stride: each
    phase meets only some of the kernel's pixels.
    """
    conv, back = _conv(stage), place.back
    (kh, kw), (sy, sx), (dy, dx) = conv.kernel_size, conv.stride, conv.dilation
    _, height, width = stage.inputs
    top, left, _, _ = stage.padding
    rows, wide, c = back.rows, back.panels.width, place.x_channels
    fields = {
        "first": low,
        "last": high,
        "vectors": back.panels.vectors,
        "first_row": 0,
        "c_p": height * width * c,
        "c_n": wide,
        "c_i": sy * width * c,
        "c_row": sx * c,
        "a_p": place.dz_p,
        "a_i": place.dz_row,
        "a_row": place.columns,
        "a_inner": 1,
        "b_p": 0,
        "b_n": kh * kw * rows * wide,
        "b_i": 0,
        "b_inner": wide,
        "inner_total": 0,
    }
    for (ry, kys), (rx, kxs) in _phases(conv, stage.padding, stage.inputs):
        step = kxs[0] - kxs[1] if len(kxs) > 1 else 0
        side = place.dz_left + (rx + left - kxs[0] * dx) // sx if kxs else 0
        here = {
            "lines": -(-(height - ry) // sy),
            "last_row": -(-(width - rx) // sx),
            "c": target + (ry * width + rx) * c,
        }
        joined = back.whole and len(kxs) == kw and step * dx == sx
        for first, last, row in _parts(back):
            own = fields | here | {"first_panel": first, "last_panel": last}
            if not kys or not kxs:
                nothing = dict.fromkeys(("a", "a_outer", "b", "b_outer", "inner", "outer"), 0)
                yield own | nothing | {"start": ZERO}
                continue
            at_once = joined or len(kxs) == 1
            down = kys[0] - kys[1] if len(kys) > 1 else 0
            for count, ky in enumerate(kys[:1] if at_once else kys):
                line = place.dz_top + (ry + top - ky * dy) // sy
                tap = (kh - 1 - ky) * kw + kw - 1 - kxs[0]
                across = {
                    "a_outer": down * dy // sy * place.dz_row,
                    "b_outer": down * kw * rows * wide,
                    "inner": kw * rows if joined else rows,
                    "outer": len(kys),
                }
                along = {
                    "a_outer": step * dx // sx * place.columns,
                    "b_outer": step * rows * wide,
                    "inner": rows,
                    "outer": len(kxs),
                }
                places = {
                    "a": dz + line * place.dz_row + side * place.columns + row,
                    "b": place.flipped + tap * rows * wide,
                    "start": ADD if count else ZERO,
                }
                yield own | places | (across if at_once else along)


def _phases(
    conv: Conv2D, padding: tuple[int, int, int, int], inputs: tuple[int, int, int]
) -> Iterator[tuple[tuple[int, list[int]], tuple[int, list[int]]]]:
    """Yield each phase's row and column, with the kernel rows and columns that it meets.

    They are counted from the last, so that they meet dz in the order in which it lies.
    """
    axes = []
    for axis in (0, 1):
        k, s, d = conv.kernel_size[axis], conv.stride[axis], conv.dilation[axis]
        axes.append(
            [
                (r, [t for t in reversed(range(k)) if (r + padding[axis] - t * d) % s == 0])
                for r in range(min(s, inputs[axis + 1]))
            ]
        )
    for rows in axes[0]:
        for columns in axes[1]:
            yield rows, columns
