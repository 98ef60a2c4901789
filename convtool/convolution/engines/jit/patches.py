"""Small pictures in compiled code: groups are copied into a canvas, and correlated as one."""

import numpy as np

from convtool import compiled
from convtool.convolution.canvas import Canvas
from convtool.convolution.engines.jit.job import PATCHES_JOB, Call, address_of, run, table_of
from convtool.convolution.types import Array


def _border(canvas: Canvas, rule: str) -> tuple[int, int, Array]:
    """Return the first and last of a picture's own scalars in a row, and which others repeat them.

    The last is an array of shape (2, N): places in a row of the canvas, and the places of the same
    row that they repeat.
    """
    columns, channels = canvas.own.columns, canvas.shape[2]
    table = table_of(columns, rule).array
    first = max(0, -columns.start)
    last = min(columns.size - columns.start, len(table))
    outside = np.array([p for p in range(len(table)) if not first <= p < last and table[p] >= 0])
    repeated = table[outside.astype(np.intp)] - table[first] + first
    scalars = np.stack((outside, repeated)).astype(np.intp)[:, :, None] * channels
    pairs = (scalars + np.arange(channels)).reshape(2, -1)
    return first * channels, last * channels, np.ascontiguousarray(pairs)


class Patches:
    """A convolution of many small pictures.

    Parameters
    ----------
    canvas : Canvas
        How they are copied.
    call : Call
        What makes the answer of a canvas.
    rule : (str, float)
        The border's rule, and the value beyond the edge.
    images, out : ndarray, shape (N, H, W, C)
        Pictures and answers that lie in memory as all that follow.
    """

    def __init__(
        self, canvas: Canvas, call: Call, rule: tuple[str, float], images: Array, out: Array
    ) -> None:
        rows, (height, width, channels) = canvas.own.rows, canvas.shape
        table = table_of(rows, rule[0])
        first, last, border = _border(canvas, rule[0])
        top = max(0, -rows.start)
        size, made_size = images.itemsize, out.itemsize
        value = np.array([rule[1] if rule[0] == "constant" else 0]).astype(images.dtype)
        self._template = np.zeros(PATCHES_JOB.itemsize, np.uint8)
        record = self._template.view(PATCHES_JOB)[0]
        column = table_of(canvas.own.columns, rule[0]).array[first // channels]
        fields = {
            "function": call.function,
            "strip": address_of(call.job),
            "strip_bytes": call.job.nbytes,
            "strip_counter": call.counter,
            "patches": len(images),
            "patch_bytes": images.strides[0],
            "row_bytes": images.strides[1],
            "own_start": table.array[top] * images.strides[1] + column * channels * size,
            "own_rows": min(rows.size - rows.start, height) - top,
            "own_bytes": (last - first) * size,
            "rows": table.address,
            "row_count": height,
            "top": top,
            "left": first * size,
            "border": address_of(border),
            "border_count": border.shape[1],
            "outside": address_of(value),
            "group": canvas.group,
            "pitch": canvas.pitch * channels * size,
            "canvas_stride": width * channels * size,
            "canvas_bytes": height * width * channels * size,
            "made_pitch": canvas.pitch // canvas.own.columns.stride * channels * made_size,
            "made_stride": canvas.layout.columns.count * channels * made_size,
            "made_bytes": rows.count * canvas.layout.columns.count * channels * made_size,
            "answer_bytes": out.strides[0],
            "answer_stride": out.strides[1],
            "answer_rows": out.shape[1],
            "answer_row_bytes": out.shape[2] * channels * made_size,
        }
        for name, number in fields.items():
            record[name] = number
        self._function = compiled.address("patches", f"uint{8 * size}")
        self._kept = call, table, border, value

    def __call__(self, images: Array, out: Array, workers: int) -> None:
        """Make the answers, on several threads."""
        memory = self._template.copy()
        record = memory.view(PATCHES_JOB)
        record["pixels"], record["out"] = address_of(images), address_of(out)
        run(self._function, memory, workers)
