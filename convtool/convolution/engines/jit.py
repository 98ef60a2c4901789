"""Compiled loops (Numba), released from the GIL so that tiles run on threads side by side.

The arithmetic is :mod:`~.simd`'s blocks; the loops here cut a tile into blocks. What a tile holds
is one plane of scalars: channels lie interleaved, so that a kernel's next column is ``step``
scalars on. A block at the end of a line or a column overlaps the one before rather than being
smaller; both write the same values there.

The code is compiled once and kept in a private folder (:mod:`~.jit_cache`); where that cannot be
written it is compiled in each process.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import llvmlite.binding
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convtool.convolution import dtypes
from convtool.convolution.engines import (
    Array,
    Correlator,
    DType,
    factors_for,
    jit_cache,
    simd,
)

TILES = 8
"""A dense image is cut into about so many tiles, for threads to share; blocks need no smaller."""

LEAST_ROWS = 48
"""A tile has at least so many rows."""

WIDEST = 1 << 14
"""Scalars of a tile's row at the most: the rows that a block reads stay in L2."""

SCRATCH_SCALARS = 1 << 16
"""Scalars of a converted group of rows: they stay in L2."""

PASS_SCALARS = 6144
"""Scalars of the column passes that a row pass reads: they stay in L1."""


def _vector_bytes() -> int:
    features = llvmlite.binding.get_host_cpu_features()
    return 64 if features.get("avx512f") else 32 if features.get("avx") else 16


VECTOR_BYTES = _vector_bytes()
WIDE = {1: 4, 3: 4, 4: 4, 6: 3} if VECTOR_BYTES == 64 else {1: 4, 2: 4, 3: 3, 4: 2}
"""Rows of a wide block, and vectors in each: as many sums as the registers hold."""

NARROW = (1, 4, 16)
"""The parts of a vector that blocks of narrow planes are wide."""

BLOCKS = tuple((rows, vectors, 1) for rows, vectors in WIDE.items()) + tuple(
    (rows, 1, share) for rows in (1, max(WIDE)) for share in NARROW
)
"""(rows, vectors, share of a vector's lanes) of each block."""

ROWS = tuple(WIDE)

CONVERTED: frozenset[DType] = frozenset({np.dtype(np.uint8), np.dtype(np.uint16)})
"""Types that are read and written without a copy of the tile."""

_keep: list[Any] = []
"""Compiled functions whose addresses are in use."""


def _cached(decorator: Callable[..., Any], *arguments: Any, **options: Any) -> Callable[..., Any]:
    """Return a decorator that compiles a function and keeps the result where that is possible."""
    folder = jit_cache.folder()

    def compiled(function: Callable[..., Any]) -> Any:
        if folder is None:
            return decorator(*arguments, **options)(function)
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(folder)
        try:
            return decorator(*arguments, cache=True, **options)(function)
        except (OSError, RuntimeError):
            return decorator(*arguments, **options)(function)
        finally:
            numba.config.CACHE_DIR = before

    return compiled


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function without the GIL."""
    made: Callable[..., Any] = _cached(numba.njit, nogil=True, error_model="numpy")(function)
    return made


def _scalar(kind: Any) -> Any:
    return ir.FloatType() if kind == types.float32 else ir.DoubleType()


def _lanes(kind: Any, share: int = 1) -> int:
    bits: int = kind.bitwidth
    return max(1, VECTOR_BYTES // (bits // 8) // share)


@intrinsic  # type: ignore[untyped-decorator]
def _lanes_of(_typing: Any, like: Any) -> Any:
    """Return how many scalars of that type a vector holds."""
    lanes = _lanes(like)

    def generate(_context: Any, _builder: Any, _signature: Any, _arguments: Any) -> Any:
        return ir.Constant(ir.IntType(64), lanes)

    return types.intp(like), generate


@intrinsic  # type: ignore[untyped-decorator]
def _make_block(
    _typing: Any,
    choice: Any,
    like: Any,
    source: Any,
    source_stride: Any,
    weights: Any,
    height: Any,
    width: Any,
    step: Any,
    target: Any,
    target_stride: Any,
) -> Any:
    """Make the block ``BLOCKS[choice]``; source, weights and target are addresses."""
    signature = types.void(types.intp, like, *[types.intp] * 8)
    scalar = _scalar(like)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pointer = scalar.as_pointer()
        start, start_stride, taps, kh, kw, channels, end, end_stride = arguments[2:]
        block = simd.Block(
            source=builder.inttoptr(start, pointer),
            source_stride=start_stride,
            weights=builder.inttoptr(taps, pointer),
            height=kh,
            width=kw,
            step=channels,
            target=builder.inttoptr(end, pointer),
            target_stride=end_stride,
        )
        done = builder.append_basic_block("done")
        switch = builder.switch(arguments[0], done)
        for number, (rows, vectors, share) in enumerate(BLOCKS):
            case = builder.append_basic_block(f"block_{number}")
            switch.add_case(ir.Constant(arguments[0].type, number), case)
            builder.position_at_end(case)
            emitter = simd.Emitter(builder, scalar, _lanes(like, share))
            simd.correlate_block(emitter, block, rows, vectors)
            builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return signature, generate


def _plane_loops(
    like: Any,
    source: Any,
    source_stride: Any,
    weights: Any,
    height: Any,
    taps: Any,
    step: Any,
    target: Any,
    target_stride: Any,
    rows: Any,
    width: Any,
) -> None:
    """Correlate a plane of ``rows`` × ``width`` outputs, block by block.

    ``like`` is any number of the working type; source, weights and target are addresses.
    """
    lanes = _lanes_of(like)
    size = VECTOR_BYTES // lanes
    choice = 0
    for candidate in range(len(ROWS)):
        if ROWS[candidate] <= min(height, rows):
            choice = candidate
    tall, wide = BLOCKS[choice][0], BLOCKS[choice][1] * lanes
    if width < wide:
        choice = len(ROWS) + (len(NARROW) if min(height, rows) >= ROWS[-1] else 0)
        while choice < len(BLOCKS) - 1 and lanes // BLOCKS[choice][2] > width:
            choice += 1
        tall, wide = BLOCKS[choice][0], max(1, lanes // BLOCKS[choice][2])
    y = 0
    while y < rows:
        y = min(y, rows - tall)
        x = 0
        while x < width:
            x = min(x, width - wide)
            start = source + (y * source_stride + x) * size
            end = target + (y * target_stride + x) * size
            _make_block(
                choice,
                like,
                start,
                source_stride,
                weights,
                height,
                taps,
                step,
                end,
                target_stride,
            )
            x += wide
        y += tall


@lru_cache(maxsize=2)
def _plane(dtype: DType) -> int:
    """Return the address of the compiled loops over blocks for a working type."""
    signature = types.void(numba.from_dtype(dtype), *[types.intp] * 10)
    loops = _cached(numba.cfunc, signature)(_plane_loops)
    _keep.append(loops)
    address: int = loops.address
    return address


@intrinsic  # type: ignore[untyped-decorator]
def _call_plane(
    _typing: Any,
    plane: Any,
    like: Any,
    source: Any,
    source_stride: Any,
    weights: Any,
    height: Any,
    taps: Any,
    step: Any,
    target: Any,
    target_stride: Any,
    rows: Any,
    width: Any,
) -> Any:
    """Call the loops over blocks at the address ``plane``."""
    signature = types.void(types.intp, like, *[types.intp] * 10)
    integer = ir.IntType(64)
    kind = ir.FunctionType(ir.VoidType(), [_scalar(like), *[integer] * 10])

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        builder.call(function, arguments[1:])
        return context.get_dummy_value()

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]
def _line_is_finite(_typing: Any, like: Any, start: Any, count: Any) -> Any:
    """Return whether none of ``count`` scalars at an address is NaN or inf."""
    scalar, lanes = _scalar(like), _lanes(like)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        source = builder.inttoptr(arguments[1], scalar.as_pointer())
        return simd.line_is_finite(builder, scalar, lanes, source, arguments[2])

    return types.boolean(like, types.intp, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def _convert_line(_typing: Any, source: Any, start: Any, target: Any, end: Any, count: Any) -> Any:
    """Write ``count`` scalars at address ``start`` to address ``end``.

    ``source`` and ``target`` are (empty) arrays that only tell the two types; one of them is the
    working type. Integers that are written are rounded half to even and saturate.
    """
    signature = types.void(source, types.intp, target, types.intp, types.intp)
    reads = isinstance(source.dtype, types.Integer)
    scalar = _scalar(target.dtype if reads else source.dtype)
    lanes = _lanes(target.dtype if reads else source.dtype)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        line, out = (
            builder.inttoptr(arguments[place], context.get_data_type(kind.dtype).as_pointer())
            for place, kind in ((1, source), (3, target))
        )
        if reads:
            convert = simd.reader(source.dtype.bitwidth, source.dtype.signed)
        elif isinstance(target.dtype, types.Integer):
            convert = simd.writer(target.dtype.bitwidth)
        else:
            convert = simd.copier
        simd.convert_line(builder, scalar, lanes, convert, line, out, arguments[4])
        return context.get_dummy_value()

    return signature, generate


@_compiled
def _is_finite(like: Any, source: int, source_stride: int, rows: int, width: int) -> bool:
    """Return whether a plane holds neither NaN nor inf."""
    size = VECTOR_BYTES // _lanes_of(like)
    for line in range(rows):
        if not _line_is_finite(like, source + line * source_stride * size, width):
            return False
    return True


@_compiled
def _sparse(window: Array, weights: Array, out: Array) -> None:
    """Correlate weight by weight, those of zero left out, so that they carry no NaN or inf."""
    rows, columns, step = out.shape
    out[:] = 0
    for y in range(rows):
        for ky in range(weights.shape[0]):
            for kx in range(weights.shape[1]):
                weight = weights[ky, kx]
                if weight != 0:
                    for x in range(columns):
                        for channel in range(step):
                            out[y, x, channel] += weight * window[y + ky, x + kx, channel]


@_compiled
def _dense(
    plane: int,
    source: int,
    source_stride: int,
    weights: Array,
    target: int,
    target_stride: int,
    rows: int,
    width: int,
    step: int,
) -> None:
    """Correlate a plane whose scalars are of the working type."""
    height, taps = weights.shape
    _call_plane(
        plane,
        weights[0, 0],
        source,
        source_stride,
        weights.ctypes.data,
        height,
        taps,
        step,
        target,
        target_stride,
        rows,
        width,
    )


@_compiled
def _dense_converting(
    plane: int,
    source: int,
    source_stride: int,
    reads: Array,
    weights: Array,
    target: int,
    target_stride: int,
    writes: Array,
    rows: int,
    width: int,
    step: int,
) -> None:
    """Correlate a plane of other types through scratch of the working type, rows at a time."""
    height, taps = weights.shape
    size = weights.itemsize
    wide = width + (taps - 1) * step
    group = min(rows, max(2 * height, SCRATCH_SCALARS // wide))
    read = np.empty((group + height - 1, wide), weights.dtype)
    made = np.empty((group, width), weights.dtype)
    y = 0
    while y < rows:
        count = min(group, rows - y)
        for line in range(count + height - 1):
            start = source + (y + line) * source_stride * reads.itemsize
            _convert_line(reads, start, read, read.ctypes.data + line * wide * size, wide)
        _dense(plane, read.ctypes.data, wide, weights, made.ctypes.data, width, count, width, step)
        for line in range(count):
            end = target + (y + line) * target_stride * writes.itemsize
            _convert_line(made, made.ctypes.data + line * width * size, writes, end, width)
        y += count


@_compiled
def _factored(
    plane: int,
    source: int,
    source_stride: int,
    columns: Array,
    rows: Array,
    target: int,
    target_stride: int,
    count: int,
    width: int,
    step: int,
) -> None:
    """Correlate a plane by factors: column passes into scratch, then all row passes at once."""
    parts = columns.shape[0]
    size = columns.itemsize
    group = min(count, ROWS[-1])
    halo = (rows.shape[1] - 1) * step
    chunk = min(width, max(4 * halo, PASS_SCALARS // (parts * group)))
    wide = chunk + halo
    made = np.empty((parts, group, wide), columns.dtype)
    scratch = made.ctypes.data
    y = 0
    while y < count:
        lines = min(group, count - y)
        x = 0
        while x < width:
            now = min(chunk, width - x)
            start = source + (y * source_stride + x) * size
            for part in range(parts):
                end = scratch + part * group * wide * size
                _dense(plane, start, source_stride, columns[part], end, wide, lines, now + halo, 1)
            for line in range(lines):
                start = scratch + line * wide * size
                end = target + ((y + line) * target_stride + x) * size
                _dense(plane, start, group * wide, rows, end, target_stride, 1, now, step)
            x += now
        y += lines


def _address(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _stride(array: Array) -> int:
    """Return the scalars from one row to the next."""
    return array.strides[0] // array.itemsize


def _place(window: Array) -> tuple[int, int]:
    return _address(window), _stride(window)


def _keeping_support(
    run: Callable[[Array, Array], None], weights: Array
) -> Callable[[Array, Array], None]:
    """Return ``run`` for tiles that are finite, and weight by weight for those that are not."""
    like = weights[0, 0]

    def guarded(window: Array, out: Array) -> None:
        rows, columns, step = window.shape
        if window.dtype.kind != "f" or _is_finite(like, *_place(window), rows, columns * step):
            run(window, out)
            return
        answer = np.empty(out.shape, weights.dtype)
        _sparse(window, weights, answer)
        dtypes.store(answer, out)

    return guarded


def _tile(shape: tuple[int, int, int]) -> tuple[int, int]:
    height, width, channels = shape
    return max(LEAST_ROWS, -(-height // TILES)), min(width, max(1, WIDEST // channels))


def prepare(
    kernel: Array, dtype: DType, shape: tuple[int, int, int], rank: int | None, threads: int
) -> Correlator:
    """Make a correlator: dense where ``rank`` is None, else by that many factors.

    Parameters as in :class:`~.engines.Prepare`.

    Raises
    ------
    EngineError
        If ``rank`` is given and the kernel has a higher one.
    """
    tile = _tile(shape)
    plane = _plane(dtype)
    weights = np.ascontiguousarray(kernel, dtype)
    full = bool(np.all(weights))
    if rank is None:

        def run_dense(window: Array, out: Array) -> None:
            rows, columns, step = out.shape
            size = rows, columns * step, step
            if window.dtype == out.dtype == dtype:
                _dense(plane, *_place(window), weights, *_place(out), *size)
                return
            reads, writes = np.empty(0, window.dtype), np.empty(0, out.dtype)
            _dense_converting(plane, *_place(window), reads, weights, *_place(out), writes, *size)

        run = run_dense if full else _keeping_support(run_dense, weights)
        return Correlator(run, tile, frames=True, types=CONVERTED)
    factors = factors_for("numba", kernel, dtype, rank)
    passes = np.ascontiguousarray(factors.columns)[:, :, None], np.ascontiguousarray(factors.rows)

    def run_factored(window: Array, out: Array) -> None:
        rows, columns, step = out.shape
        size = rows, columns * step, step
        _factored(plane, *_place(window), *passes, *_place(out), *size)

    run = run_factored if full else _keeping_support(run_factored, weights)
    return Correlator(run, tile, frames=True)
