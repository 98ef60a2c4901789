"""Small pictures in compiled code: groups are copied into a canvas, and correlated as one."""

from typing import NamedTuple

import numpy as np

from convtool import compiled
from convtool.convolution.engines.jit.canvas import SCALARS, Canvas
from convtool.convolution.engines.jit.job import PATCHES_JOB, Call, address_of, run, table_of
from convtool.convolution.types import Array, DType


def _runs(targets: list[int], sources: list[int]) -> list[tuple[int, int, int, int]]:
    """Return runs of columns that repeat others: source, target, how many, and whether turned.

    Examples
    --------
    >>> _runs([0, 1, 2, 9], [5, 4, 3, 8])
    [(3, 0, 3, 1), (8, 9, 1, 0)]
    """
    runs = []
    place = 0
    while place < len(targets):
        for way in (1, -1):
            end = place + 1
            while (
                end < len(targets)
                and targets[end] - targets[place] == end - place
                and sources[end] - sources[place] == way * (end - place)
            ):
                end += 1
            if end > place + 1:
                break
        least = min(sources[place], sources[end - 1])
        runs.append((least, targets[place], end - place, int(least < sources[place])))
        place = end
    return runs


def _border(canvas: Canvas, rule: str) -> tuple[int, int, Array]:
    """Return the first and last of a picture's own scalars in a row, and which others repeat them.

    The last is an array of shape (N, 4): `_runs` of scalars in a row of the canvas.
    """
    columns, channels = canvas.own.columns, canvas.shape[2]
    table = table_of(columns, rule).array
    first = max(0, -columns.start)
    last = min(columns.size - columns.start, len(table))
    outside = [p for p in range(len(table)) if not first <= p < last and table[p] >= 0]
    repeated = [int(table[p] - table[first]) + first for p in outside]
    targets = [p * channels + c for p in outside for c in range(channels)]
    sources = [p * channels + c for p in repeated for c in range(channels)]
    runs = np.array(_runs(targets, sources), np.intp).reshape(-1, 4)
    return first * channels, last * channels, runs


ROWS_TOGETHER = 4
"""Rows of the blocks that take vectors from several pictures: these have as many at least."""


def pictures_together(vector_bytes: int) -> int:
    """Return of how many pictures a block takes a vector each, for vectors of so many bytes."""
    return 4 if vector_bytes == 64 else 2


def lanes_of(dtype: DType) -> int:
    """Return how many scalars of a type a vector holds."""
    return _vector_bytes() // dtype.itemsize


def _vector_bytes() -> int:
    from convtool.compiled import target

    return target.current().vector_bytes


def at_once() -> int:
    """Return `pictures_together` for the processor that the compiled functions are for."""
    return pictures_together(_vector_bytes())


def holds(dtype: DType, rule: tuple[str, float]) -> bool:
    """Return whether pictures of a type can hold the value beyond their edges."""
    name, value = rule
    if name != "constant" or dtype.kind == "f":
        return name != "constant" or bool(dtype.type(value) == value)
    limits = np.iinfo(dtype)
    return float(value).is_integer() and limits.min <= value <= limits.max


class Together(NamedTuple):
    """What correlates as many pictures at once as a block has vectors.

    Attributes
    ----------
    kernel : int
        The address of the kernel's record.
    parts : int
        Its factors; 0 where it is done as it is.
    guarded : bool
        Whether pixels must be finite.
    """

    kernel: int
    parts: int
    guarded: bool


class Patches:
    """A convolution of many small pictures.

    Parameters
    ----------
    canvas : Canvas
        How they are copied.
    dtype : dtype
        The type that they are copied as: their own, or the working one.
    call : Call
        What makes the answer of a canvas.
    together : Together or None
        What makes the answers of a canvas where they belong, if anything does.
    rule : (str, float)
        The border's rule, and the value beyond the edge.
    images, out : ndarray, shape (N, H, W, C)
        Pictures and answers that lie in memory as all that follow.
    """

    def __init__(
        self,
        canvas: Canvas,
        dtype: DType,
        call: Call,
        together: Together | None,
        rule: tuple[str, float],
        images: Array,
        out: Array,
    ) -> None:
        rows, (height, width, channels) = canvas.own.rows, canvas.shape
        table = table_of(rows, rule[0])
        first, last, border = _border(canvas, rule[0])
        top = max(0, -rows.start)
        own_rows = min(rows.size - rows.start, height) - top
        column = table_of(canvas.own.columns, rule[0]).array[first // channels]
        size, made_size = dtype.itemsize, out.itemsize
        pitch, made = canvas.pitch * channels * size, canvas.layout.columns.count * channels
        value = np.array([rule[1] if rule[0] == "constant" else 0]).astype(dtype)
        read = dtype != images.dtype
        fields = {
            "function": call.function,
            "strip": address_of(call.job),
            "strip_bytes": call.job.nbytes,
            "strip_counter": call.counter,
            "channels": channels,
            "patches": len(images),
            "patch_bytes": images.strides[0],
            "row_bytes": images.strides[1],
            "own_start": table.array[top] * images.strides[1] + column * images.strides[2],
            "own_rows": own_rows,
            "own_bytes": (last - first) * size,
            "read": compiled.address("read_line", images.dtype.name, dtype.name) if read else 0,
            "packed": images.strides[1] == (last - first) * images.itemsize,
            "rows": table.address,
            "row_count": height,
            "top": top,
            "left": first * size,
            "border": address_of(border),
            "border_count": len(border),
            "fills": 1,
            "outside": address_of(value),
            "group": canvas.group,
            "turn": max(1, min(SCALARS // (height * width * channels), len(images) // 64)),
            "pitch": pitch,
            "canvas_stride": width * channels * size,
            "canvas_bytes": height * width * channels * size,
            "made_pitch": canvas.pitch // canvas.own.columns.stride * channels * made_size,
            "made_stride": made * made_size,
            "made_bytes": rows.count * made * made_size,
            "answer_bytes": out.strides[0],
            "answer_stride": out.strides[1],
            "answer_rows": out.shape[1],
            "answer_row_bytes": out.shape[2] * channels * made_size,
        }
        if together is not None:
            fields["together"] = compiled.address("correlate_together", dtype.name)
            fields["kernel"], fields["guarded"] = together.kernel, together.guarded
            scalars = out.shape[2] * channels
            fields["width"] = scalars
            fields["end_stride"], fields["end_bytes"] = out.strides[1], out.strides[0]
            if out.dtype != dtype:
                fields["write"] = compiled.address("write_line", dtype.name, out.dtype.name)
                fields["end_stride"], fields["end_bytes"] = (
                    scalars * size,
                    scalars * len(out[0]) * size,
                )
            fields["summed_start"], fields["summed_bytes"] = 0, pitch
            if together.parts and rule[0] != "constant" and last - first >= lanes_of(dtype):
                fields["summed_start"], fields["summed_bytes"] = first * size, fields["own_bytes"]
                fields["fills"] = together.guarded
            blocks = -(-rows.dense // 4) * -(-(fields["summed_bytes"] // size) // lanes_of(dtype))
            share = canvas.group * max(0, images.strides[0]) // (blocks * max(1, together.parts))
            fields["ahead_bytes"] = -(-share // 64) * 64
            sums = together.parts * canvas.group * rows.dense * pitch
            fields["made_bytes"] = max(fields["made_bytes"], sums)
        self._template = np.zeros(PATCHES_JOB.itemsize, np.uint8)
        record = self._template.view(PATCHES_JOB)[0]
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
