"""LLVM's vector code for Fourier transforms: butterflies, products of spectra, transpositions.

Real and imaginary parts lie in planes of their own. A butterfly transforms along the rows' order,
and so works on as many columns at once as a vector has lanes. An argument called ``like`` is any
number of the working type; planes are given by addresses, distances in bytes.

References
----------
J. W. Cooley, J. W. Tukey, "An algorithm for the machine calculation of complex Fourier series",
Mathematics of Computation 19 (1965), pp. 297-301; in its forms "decimation in frequency" (forward)
and "in time" (inverse) with four branches, neither of which sorts its data.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convtool.compiled.emitter import Emitter
from convtool.convolution.engines.jit.vectors import kind_of, lanes_of_kind


class _Complex(NamedTuple):
    """A vector of complex numbers."""

    re: Any
    im: Any


class _Arithmetic:
    """Writes instructions on vectors of complex numbers."""

    def __init__(self, builder: Any, like: Any) -> None:
        self.builder = builder
        self.scalar = kind_of(like)
        self.emitter = Emitter(builder, self.scalar, lanes_of_kind(like))

    def _place(self, plane: Any, offset: Any) -> Any:
        return self.builder.inttoptr(self.builder.add(plane, offset), self.scalar.as_pointer())

    def load(self, planes: Any, offset: Any) -> _Complex:
        re, im = (self.emitter.load(self._place(plane, offset)) for plane in planes)
        return _Complex(re, im)

    def store(self, value: _Complex, planes: Any, offset: Any) -> None:
        for part, plane in zip(value, planes, strict=True):
            self.emitter.store(part, self._place(plane, offset))

    def splat(self, pair: Any) -> _Complex:
        re, im = map(self.emitter.splat, pair)
        return _Complex(re, im)

    def add(self, a: _Complex, b: _Complex) -> _Complex:
        return _Complex(self.builder.fadd(a.re, b.re), self.builder.fadd(a.im, b.im))

    def sub(self, a: _Complex, b: _Complex) -> _Complex:
        return _Complex(self.builder.fsub(a.re, b.re), self.builder.fsub(a.im, b.im))

    def add_turned(self, a: _Complex, b: _Complex) -> _Complex:
        """Return a + i·b."""
        return _Complex(self.builder.fsub(a.re, b.im), self.builder.fadd(a.im, b.re))

    def sub_turned(self, a: _Complex, b: _Complex) -> _Complex:
        """Return a − i·b."""
        return _Complex(self.builder.fadd(a.re, b.im), self.builder.fsub(a.im, b.re))

    def times(self, a: _Complex, b: _Complex) -> _Complex:
        """Return a·b."""
        crossed, product = self.builder.fmul(a.im, b.im), self.builder.fmul(a.im, b.re)
        re = self._fma(a.re, b.re, self.builder.fneg(crossed))
        return _Complex(re, self._fma(a.re, b.im, product))

    def times_conjugate(self, a: _Complex, b: _Complex) -> _Complex:
        """Return a times the conjugate of b."""
        crossed, product = self.builder.fmul(a.im, b.im), self.builder.fmul(a.re, b.im)
        re = self._fma(a.re, b.re, crossed)
        return _Complex(re, self._fma(a.im, b.re, self.builder.fneg(product)))

    def _fma(self, a: Any, b: Any, c: Any) -> Any:
        return self.emitter.intrinsic("fma", [a, b, c])


Write = Callable[[_Arithmetic, Any], None]
"""Writes the code of a function, given its arguments."""


def _generator(like: Any, write: Write) -> Callable[..., Any]:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        write(_Arithmetic(builder, like), arguments)
        return context.get_dummy_value()

    return generate


def _offsets(builder: Any, first: Any, apart: Any, count: int) -> list[Any]:
    places = [first]
    for _ in range(count - 1):
        places.append(builder.add(places[-1], apart))
    return places


def _forward(c: _Arithmetic, arguments: Any) -> None:
    planes = arguments[1:3]
    places = _offsets(c.builder, arguments[3], arguments[4], 4)
    a = [c.load(planes, offset) for offset in places]
    even, odd = c.add(a[0], a[2]), c.sub(a[0], a[2])
    other, turned = c.add(a[1], a[3]), c.sub(a[1], a[3])
    sums = [c.sub_turned(odd, turned), c.sub(even, other), c.add_turned(odd, turned)]
    for n, root in enumerate(_roots(c, arguments[5:])):
        sums[n] = c.times(sums[n], root)
    for value, offset in zip([c.add(even, other), *sums], places, strict=True):
        c.store(value, planes, offset)


def _inverse(c: _Arithmetic, arguments: Any) -> None:
    planes = arguments[1:3]
    places = _offsets(c.builder, arguments[3], arguments[4], 4)
    b = [c.load(planes, offset) for offset in places]
    for n, root in enumerate(_roots(c, arguments[5:]), 1):
        b[n] = c.times_conjugate(b[n], root)
    even, odd = c.add(b[0], b[2]), c.sub(b[0], b[2])
    other, turned = c.add(b[1], b[3]), c.sub(b[1], b[3])
    sums = (
        c.add(even, other),
        c.add_turned(odd, turned),
        c.sub(even, other),
        c.sub_turned(odd, turned),
    )
    for value, offset in zip(sums, places, strict=True):
        c.store(value, planes, offset)


def _roots(c: _Arithmetic, given: Any) -> list[_Complex]:
    """Return the three roots of unity in a tuple of six numbers, none where there is no tuple."""
    if not given:
        return []
    numbers = [c.builder.extract_value(given[0], n) for n in range(6)]
    return [c.splat(numbers[n : n + 2]) for n in (0, 2, 4)]


@intrinsic  # type: ignore[untyped-decorator]
def butterfly(_typing: Any, like: Any, re: Any, im: Any, place: Any, apart: Any) -> Any:
    """Transform four rows' vectors."""
    return types.void(like, *[types.intp] * 4), _generator(like, _forward)


@intrinsic  # type: ignore[untyped-decorator]
def turned_butterfly(
    _typing: Any, like: Any, re: Any, im: Any, place: Any, apart: Any, roots: Any
) -> Any:
    """Transform four rows' vectors, then multiply three of them by ``roots``: six numbers."""
    return types.void(like, *[types.intp] * 4, roots), _generator(like, _forward)


@intrinsic  # type: ignore[untyped-decorator]
def inverse_butterfly(_typing: Any, like: Any, re: Any, im: Any, place: Any, apart: Any) -> Any:
    """Undo `butterfly`, but for a factor of four."""
    return types.void(like, *[types.intp] * 4), _generator(like, _inverse)


@intrinsic  # type: ignore[untyped-decorator]
def turned_inverse_butterfly(
    _typing: Any, like: Any, re: Any, im: Any, place: Any, apart: Any, roots: Any
) -> Any:
    """Undo `turned_butterfly`, but for a factor of four."""
    return types.void(like, *[types.intp] * 4, roots), _generator(like, _inverse)


@intrinsic  # type: ignore[untyped-decorator]
def butterfly_of_two(_typing: Any, like: Any, re: Any, im: Any, place: Any, apart: Any) -> Any:
    """Put sum and difference of two rows' vectors in their places; it undoes itself, but for 2."""

    def write(c: _Arithmetic, arguments: Any) -> None:
        planes = arguments[1:3]
        places = _offsets(c.builder, arguments[3], arguments[4], 2)
        a, b = (c.load(planes, offset) for offset in places)
        c.store(c.add(a, b), planes, places[0])
        c.store(c.sub(a, b), planes, places[1])

    return types.void(like, *[types.intp] * 4), _generator(like, write)


@intrinsic  # type: ignore[untyped-decorator]
def multiply_spectra(
    _typing: Any, like: Any, re: Any, im: Any, place: Any, other: Any, between: Any
) -> Any:
    """Multiply a vector by another, whose real part is at ``other``, the rest ``between`` on."""

    def write(c: _Arithmetic, arguments: Any) -> None:
        planes = arguments[1:3]
        zero = c.emitter.number(0)
        factor = c.load((arguments[4], c.builder.add(arguments[4], arguments[5])), zero)
        value = c.times(c.load(planes, arguments[3]), factor)
        c.store(value, planes, arguments[3])

    return types.void(like, *[types.intp] * 5), _generator(like, write)


def _interleaved(builder: Any, a: Any, b: Any, lanes: int) -> tuple[Any, Any]:
    """Return the lower halves of two vectors lane by lane in turn, and the upper halves."""
    index = ir.VectorType(ir.IntType(32), lanes)
    order = [n // 2 + n % 2 * lanes for n in range(lanes)]
    low = builder.shuffle_vector(a, b, ir.Constant(index, order))
    high = builder.shuffle_vector(a, b, ir.Constant(index, [n + lanes // 2 for n in order]))
    return low, high


@intrinsic  # type: ignore[untyped-decorator]
def transpose_block(
    _typing: Any, like: Any, source: Any, stride: Any, target: Any, target_stride: Any
) -> Any:
    """Write a square of as many rows as a vector has lanes to another place, mirrored.

    Perfect shuffles of the rows: after as many rounds as there are bits in a lane's number, the
    bits of rows and lanes have changed places.
    """

    def write(c: _Arithmetic, arguments: Any) -> None:
        lanes = c.emitter.lanes
        start, apart, end, end_apart = arguments[1:]
        rows = [
            c.emitter.load(c.builder.inttoptr(place, c.scalar.as_pointer()))
            for place in _offsets(c.builder, start, apart, lanes)
        ]
        for _ in range(lanes.bit_length() - 1):
            half = lanes // 2
            pairs = [_interleaved(c.builder, rows[n], rows[n + half], lanes) for n in range(half)]
            rows = [vector for pair in pairs for vector in pair]
        for row, place in zip(rows, _offsets(c.builder, end, end_apart, lanes), strict=True):
            c.emitter.store(row, c.builder.inttoptr(place, c.scalar.as_pointer()))

    return types.void(like, *[types.intp] * 4), _generator(like, write)
