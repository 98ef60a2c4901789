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
    (
        first,
        last,
        first_panel,
        last_panel,
        vectors,
        lines,
        first_row,
        last_row,
        c,
        c_p,
        c_n,
        c_i,
        c_row,
        a,
        a_p,
        a_i,
        a_row,
        a_inner,
        a_outer,
        b,
        b_p,
        b_n,
        b_i,
        b_inner,
        b_outer,
        inner,
        inner_total,
        outer,
        start,
    ) = unpack(row, 29)
    most = MAX_ROWS[vectors]
    height = last_row - first_row
    tiles = (height + most - 1) // most
    for p in range(first, last):
        for n in range(first_panel, last_panel):
            for i in range(lines):
                begin = start
                count = inner
                if inner_total:
                    begin = start if i == 0 else -2
                    count = min(inner, inner_total - i * inner)
                if begin >= 0:
                    begin += n * vectors * WIDTH
                for t in range(tiles):
                    low = first_row + height * t // tiles
                    high = first_row + height * (t + 1) // tiles
                    tile(
                        mem,
                        vectors,
                        high - low,
                        c + p * c_p + n * c_n + i * c_i + low * c_row,
                        c_row,
                        a + p * a_p + i * a_i + low * a_row,
                        a_row,
                        a_inner,
                        a_outer,
                        b + p * b_p + n * b_n + i * b_i,
                        b_inner,
                        b_outer,
                        count,
                        outer,
                        begin,
                    )


@operation
def transpose(mem: Any, row: Any) -> None:
    """Copy ``to[j, i] = from[i, j]`` for rows i and columns first to last."""
    rows, first, last, source, source_row, target, target_row, block = unpack(row, 8)
    for start in range(first, last, block):
        stop = min(start + block, last)
        for i in range(rows):
            for j in range(start, stop):
                mem[target + j * target_row + i] = mem[source + i * source_row + j]


@operation
def flip(mem: Any, row: Any) -> None:
    """Turn packed convolution weights around for the gradient of the input.

    ``to[panel(ci)][KH-1-kh][KW-1-kw][co][ci] = from[panel(co)][kh][kw][ci][co]``, for the taps
    first to last. A panel is made of the rows of its groups alone: see ``layout.Reach.first``.
    """
    (
        first,
        last,
        taps,
        source,
        width_out,
        rows_in,
        stored_in,
        group_in,
        target,
        width_in,
        panels_in,
        rows_out,
        stored_out,
        group_out,
    ) = unpack(row, 14)
    for tap in range(first, last):
        for panel_in in range(panels_in):
            begin_out = min(panel_in * width_in // group_in * group_out, stored_out - rows_out)
            base = target + (panel_in * taps + taps - 1 - tap) * rows_out * width_in
            for r in range(rows_out):
                co = begin_out + r
                panel = co // width_out
                begin_in = min(panel * width_out // group_out * group_in, stored_in - rows_in)
                origin = source + (panel * taps + tap) * rows_in * width_out + co % width_out
                low = panel_in * width_in - begin_in
                for i in range(width_in):
                    inside = 0 <= low + i < rows_in
                    value = mem[origin + (low + i) * width_out] if inside else np.float32(0)
                    mem[base + r * width_in + i] = value


@operation
def keep_marked(mem: Any, row: Any) -> None:
    """Set the numbers first to last to zero where no mark is above zero."""
    first, last, marks = unpack(row, 3)
    zero = splat(np.float32(0))
    for i in range(first, last, WIDTH):
        mark = load(mem, marks + i - first)
        store(mem, i, select_greater(mark, zero, load(mem, i), zero))


@operation
def column_sums(mem: Any, row: Any) -> None:
    """Add ``to[:] += sum over p, i of from[p, i, :]``, one vector after the other."""
    first, last, source, step, lines, columns, target = unpack(row, 7)
    for j in range(0, columns, WIDTH):
        sums = load(mem, target + j)
        for p in range(first, last):
            base = source + p * step + j
            for i in range(lines):
                sums = sums + load(mem, base + i * columns)
        store(mem, target + j, sums)


@operation
def clear(mem: Any, row: Any) -> None:
    """Set the numbers first to last, whole vectors, to zero."""
    first, last = unpack(row, 2)
    for i in range(first, last, WIDTH):
        store(mem, i, splat(np.float32(0)))
