"""Sums of products: convolutions, dense layers and all their gradients are one operation.

Matrices are cut into panels, each `vectors` vectors wide, and panels into tiles whose sums stay in
registers. Which matrix is which is only a matter of the distances between their numbers: a
convolution reads its pictures in place (no im2col), since for one row of the kernel the pixels
and channels under it lie side by side.
"""

from typing import Any

import numpy as np

from convtool.nn.jit.simd import (
    MAX_ROWS,
    WIDTH,
    load,
    operation,
    select_greater,
    splat,
    store,
    tile,
    unpack,
)


@operation
def contract(mem: Any, row: Any) -> None:
    """Compute ``C[p, n, i, r, :] = start + sum over o, k of A[p, i, r, o, k] B[p, n, i, o, k, :]``.

    p counts pictures, n panels, i lines, r rows; ``c_i`` is C's distance from line to line, and so
    on. With ``blocked`` the lines are blocks of one long sum instead: ``inner_total`` products in
    blocks of ``inner``.
    """
    f = unpack(row, "contract")
    most = MAX_ROWS[f.vectors]
    height = f.last_row - f.first_row
    tiles = (height + most - 1) // most
    for p in range(f.first, f.last):
        for n in range(f.first_panel, f.last_panel):
            for i in range(f.lines):
                begin = f.start
                count = f.inner
                if f.inner_total:
                    begin = f.start if i == 0 else -2
                    count = min(f.inner, f.inner_total - i * f.inner)
                if begin >= 0:
                    begin += n * f.vectors * WIDTH
                for t in range(tiles):
                    low = f.first_row + height * t // tiles
                    high = f.first_row + height * (t + 1) // tiles
                    tile(
                        mem,
                        f.vectors,
                        high - low,
                        f.c + p * f.c_p + n * f.c_n + i * f.c_i + low * f.c_row,
                        f.c_row,
                        f.a + p * f.a_p + i * f.a_i + low * f.a_row,
                        f.a_row,
                        f.a_inner,
                        f.a_outer,
                        f.b + p * f.b_p + n * f.b_n + i * f.b_i,
                        f.b_inner,
                        f.b_outer,
                        count,
                        f.outer,
                        begin,
                    )


@operation
def transpose(mem: Any, row: Any) -> None:
    """Copy ``to[j, i] = from[i, j]`` for rows i and columns first to last."""
    f = unpack(row, "transpose")
    for start in range(f.first, f.last, f.block):
        stop = min(start + f.block, f.last)
        for i in range(f.rows):
            for j in range(start, stop):
                mem[f.target + j * f.target_row + i] = mem[f.source + i * f.source_row + j]


@operation
def flip(mem: Any, row: Any) -> None:
    """Turn packed convolution weights around for the gradient of the input.

    ``to[panel(ci)][KH-1-kh][KW-1-kw][co][ci] = from[panel(co)][kh][kw][ci][co]``, for the taps
    first to last. A panel is made of the rows of its groups alone: see ``layout.Reach.first``.
    """
    f = unpack(row, "flip")
    for tap in range(f.first, f.last):
        for panel_in in range(f.panels_in):
            begin_out = min(
                panel_in * f.width_in // f.group_in * f.group_out, f.stored_out - f.rows_out
            )
            base = f.target + (panel_in * f.taps + f.taps - 1 - tap) * f.rows_out * f.width_in
            for r in range(f.rows_out):
                co = begin_out + r
                panel = co // f.width_out
                begin_in = min(
                    panel * f.width_out // f.group_out * f.group_in, f.stored_in - f.rows_in
                )
                origin = (
                    f.source + (panel * f.taps + tap) * f.rows_in * f.width_out + co % f.width_out
                )
                low = panel_in * f.width_in - begin_in
                for i in range(f.width_in):
                    inside = 0 <= low + i < f.rows_in
                    value = mem[origin + (low + i) * f.width_out] if inside else np.float32(0)
                    mem[base + r * f.width_in + i] = value


@operation
def keep_marked(mem: Any, row: Any) -> None:
    """Set the numbers first to last to zero where no mark is above zero."""
    f = unpack(row, "keep_marked")
    zero = splat(np.float32(0))
    for i in range(f.first, f.last, WIDTH):
        mark = load(mem, f.marks + i - f.first)
        store(mem, i, select_greater(mark, zero, load(mem, i), zero))


@operation
def column_sums(mem: Any, row: Any) -> None:
    """Add ``to[:] += sum over p, i of from[p, i, :]``, one vector after the other."""
    f = unpack(row, "column_sums")
    for j in range(0, f.columns, WIDTH):
        sums = load(mem, f.target + j)
        for p in range(f.first, f.last):
            base = f.source + p * f.step + j
            for i in range(f.lines):
                sums = sums + load(mem, base + i * f.columns)
        store(mem, f.target + j, sums)


@operation
def clear(mem: Any, row: Any) -> None:
    """Set the numbers first to last, whole vectors, to zero."""
    f = unpack(row, "clear")
    for i in range(f.first, f.last, WIDTH):
        store(mem, i, splat(np.float32(0)))
