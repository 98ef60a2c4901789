"""Fourier transforms of a tile's columns.

The columns of a plane of complex numbers are transformed side by side, as many as fit a vector, in
passes over four rows at a time and, where the length asks for it, a last one over two. Frequencies
come out in the order that this leaves (:func:`~.transforms.frequencies`), and the inverse takes
them so: nothing is sorted.
"""

from typing import Any

from convtool.compiled.jit import compiled
from convtool.convolution.engines.jit.butterflies import (
    butterfly,
    butterfly_of_two,
    inverse_butterfly,
    multiply_spectra,
    transpose_block,
    turned_butterfly,
    turned_inverse_butterfly,
)
from convtool.convolution.engines.jit.vectors import VECTOR_BYTES, lanes_of
from convtool.convolution.types import Array

GROUP_BYTES = max(64, VECTOR_BYTES)
"""Bytes of each row that go through all passes together: a cache line."""


@compiled
def forward(
    like: Any, re: int, im: int, stride: int, length: int, width: int, roots: Array
) -> None:
    """Transform the columns of a plane of ``length`` rows, ``stride`` bytes apart, in place.

    ``width`` is in bytes; it is rounded up to whole groups, which the rows have room for.
    """
    for group in range(0, width, GROUP_BYTES):
        size, table = length, 0
        while size >= 4:
            quarter = size // 4
            apart = quarter * stride
            for block in range(0, length, size):
                start = block * stride + group
                for place in range(start, start + GROUP_BYTES, VECTOR_BYTES):
                    butterfly(like, re, im, place, apart)
            for row in range(1, quarter):
                turns = roots[table + row]
                factors = (turns[0], turns[1], turns[2], turns[3], turns[4], turns[5])
                for block in range(row, length, size):
                    start = block * stride + group
                    for place in range(start, start + GROUP_BYTES, VECTOR_BYTES):
                        turned_butterfly(like, re, im, place, apart, factors)
            table += quarter
            size = quarter
        if size == 2:
            _pairs(like, re, im, stride, length, group)


@compiled
def inverse(
    like: Any, re: int, im: int, stride: int, length: int, width: int, roots: Array
) -> None:
    """Undo `forward`, but for a factor of ``length``."""
    smallest = length
    while smallest > 4:
        smallest //= 4
    for group in range(0, width, GROUP_BYTES):
        if smallest == 2:
            _pairs(like, re, im, stride, length, group)
        size, table = smallest if smallest == 4 else 4 * smallest, len(roots)
        while size <= length:
            quarter = size // 4
            table -= quarter
            apart = quarter * stride
            for block in range(0, length, size):
                start = block * stride + group
                for place in range(start, start + GROUP_BYTES, VECTOR_BYTES):
                    inverse_butterfly(like, re, im, place, apart)
            for row in range(1, quarter):
                turns = roots[table + row]
                factors = (turns[0], turns[1], turns[2], turns[3], turns[4], turns[5])
                for block in range(row, length, size):
                    start = block * stride + group
                    for place in range(start, start + GROUP_BYTES, VECTOR_BYTES):
                        turned_inverse_butterfly(like, re, im, place, apart, factors)
            size *= 4


@compiled
def _pairs(like: Any, re: int, im: int, stride: int, length: int, group: int) -> None:
    """Transform pairs of neighbouring rows."""
    for row in range(0, length, 2):
        start = row * stride + group
        for place in range(start, start + GROUP_BYTES, VECTOR_BYTES):
            butterfly_of_two(like, re, im, place, stride)


@compiled
def transpose(
    like: Any, source: int, stride: int, target: int, target_stride: int, rows: int, columns: int
) -> None:
    """Write a plane mirrored to another place; sizes are rounded up to whole vectors."""
    lanes = lanes_of(like)
    size = VECTOR_BYTES // lanes
    for row in range(0, rows, lanes):
        for column in range(0, columns, lanes):
            transpose_block(
                like,
                source + row * stride + column * size,
                stride,
                target + column * target_stride + row * size,
                target_stride,
            )


@compiled
def multiply(
    like: Any, re: int, im: int, stride: int, spectrum: int, rows: int, width: int
) -> None:
    """Multiply a plane by a spectrum: real parts without gaps, then imaginary parts.

    ``width`` is a row's in bytes, whole vectors.
    """
    between = rows * width
    for row in range(rows):
        for place in range(0, width, VECTOR_BYTES):
            other = spectrum + row * width + place
            multiply_spectra(like, re, im, row * stride + place, other, between)
