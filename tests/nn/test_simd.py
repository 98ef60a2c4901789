"""The vectors that the compiled step is made of."""

import ctypes

import numba
import numpy as np
import pytest

from convtool.nn.jit.noise_simd import keep, normal
from convtool.nn.jit.simd import (
    MAX_ROWS,
    MEMORY,
    ROW,
    WIDTH,
    exponential,
    load,
    store,
    tile,
    total,
)
from convtool.nn.operations import noise
from convtool.nn.operations.noise import bits, threshold

_compiled = numba.cfunc(numba.void(MEMORY, ROW), error_model="numpy", fastmath={"contract"})


@_compiled
def _probe(mem, row):
    x, e, s, n = row[1], row[2], row[3], row[4]
    for i in range(0, n, WIDTH):
        store(mem, e + i, exponential(load(mem, x + i)))
    mem[s] = total(load(mem, x))


@_compiled
def _mask(mem, row):
    store(mem, row[1], keep(row[2], row[3], row[4], row[5], mem[row[6]]))


@_compiled
def _normal(mem, row):
    store(mem, row[1], normal(row[2], row[3], row[4], row[5]))


@_compiled
def _tile(mem, row):
    v, r, c, c_row = row[1], row[2], row[3], row[4]
    a, a_row, a_inner, a_outer = row[5], row[6], row[7], row[8]
    b, b_inner, b_outer, inner = row[9], row[10], row[11], row[12]
    outer, start = row[13], row[14]
    tile(mem, v, r, c, c_row, a, a_row, a_inner, a_outer, b, b_inner, b_outer, inner, outer, start)


def _run(function, memory, *numbers):
    row = np.array([0, *numbers], np.int64)
    call = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(function.address)
    call(memory.ctypes.data, row.ctypes.data)


def test_exponential_and_total():
    memory = np.zeros(4096, np.float32)
    x = np.linspace(-86, 87, 1024).astype(np.float32)
    memory[:1024] = x
    _run(_probe, memory, 0, 1024, 2048, 1024)
    np.testing.assert_allclose(memory[1024:2048], np.exp(x.astype(np.float64)), rtol=3e-7)
    assert memory[2048] == pytest.approx(x[:WIDTH].sum(), rel=1e-6)


def test_dropout_draws_what_the_readable_layer_draws():
    memory = np.zeros(64, np.float32)
    memory[32] = 2.5
    key, limit = 123456789, threshold(0.3)
    _run(_mask, memory, 0, 5, 7, key, limit, 32)
    draws = bits(key, 5 + 7 * WIDTH)[5::7][:WIDTH]
    expected = np.where(draws < limit, np.float32(2.5), np.float32(0))
    np.testing.assert_array_equal(memory[:WIDTH], expected)


def test_gaussian_dropout_draws_what_the_readable_layer_draws():
    memory, key, count = np.zeros(64, np.float32), 987654321, 40_000
    expected = noise.normal(key, (count,))
    for first in range(0, count - 2 * WIDTH, 2 * WIDTH):
        _run(_normal, memory, 0, first, 2, key, count)
        wanted = expected[first::2][:WIDTH]
        np.testing.assert_allclose(memory[:WIDTH], wanted, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("vectors", [1, 2, 3, 4])
@pytest.mark.parametrize("start", [-1, -2, 3000])
def test_every_tile(vectors, start):
    rng = np.random.default_rng(0)
    for rows in range(1, MAX_ROWS[vectors] + 1):
        width = vectors * WIDTH
        memory = rng.integers(-3, 4, 4096).astype(np.float32)
        a = memory[1000 : 1000 + rows * 2 * 5].reshape(rows, 2, 5).copy()
        b = memory[2000 : 2000 + 2 * 5 * width].reshape(2, 5, width).copy()
        c = memory[: rows * width].reshape(rows, width).copy()
        first = {-1: np.zeros_like(c), -2: c}.get(start, memory[3000 : 3000 + width])
        c_place, a_place, b_place = (0, width), (1000, 10, 1, 5), (2000, width, 5 * width)
        _run(_tile, memory, vectors, rows, *c_place, *a_place, *b_place, 5, 2, start)
        expected = first + np.einsum("roi,oiv->rv", a, b)
        np.testing.assert_array_equal(memory[: rows * width].reshape(rows, width), expected)
