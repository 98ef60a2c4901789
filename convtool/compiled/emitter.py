"""Writes LLVM's vector instructions: loads, stores, arithmetic and loops on registers."""

from collections.abc import Callable, Iterable
from typing import Any

from llvmlite import ir
from numba.core import cgutils

INT = ir.IntType(64)
LANE = ir.IntType(32)


def number(value: int) -> Any:
    """Return an integer constant, such as a distance."""
    return ir.Constant(INT, value)


def same(kind: Any, value: Any) -> Any:
    """Return a vector constant whose lanes are all alike."""
    return ir.Constant(kind, [value] * kind.count)


def splat(b: Any, value: Any, kind: Any) -> Any:
    """Return a vector whose lanes all hold a scalar."""
    nothing = ir.Constant(kind, ir.Undefined)
    first = b.insert_element(nothing, value, ir.Constant(LANE, 0))
    return b.shuffle_vector(first, nothing, same(ir.VectorType(LANE, kind.count), 0))


def call(b: Any, name: str, kind: Any, *arguments: Any) -> Any:
    """Call a function of LLVM's or of C's by its name."""
    signature = ir.FunctionType(kind, [argument.type for argument in arguments])
    return b.call(cgutils.get_or_insert_function(b.module, signature, name), arguments)


def transposed(b: Any, rows: list[Any]) -> list[Any]:
    """Return vectors, as many as each has lanes (a power of two), with rows and lanes changed."""
    lanes = len(rows)
    half = lanes // 2
    order = ir.VectorType(LANE, lanes)
    mixed = [place for lane in range(lanes) for place in (lane, lane + lanes)]
    low, high = ir.Constant(order, mixed[:lanes]), ir.Constant(order, mixed[lanes:])
    for _ in range(lanes.bit_length() - 1):
        pairs = list(zip(rows[:half], rows[half:], strict=True))
        rows = [b.shuffle_vector(one, two, part) for one, two in pairs for part in (low, high)]
    return rows


def switched(b: Any, choice: Any, cases: Iterable[int], write: Callable[[int], None]) -> None:
    """Write the code of each case, of which ``choice`` selects one."""
    done = b.append_basic_block("done")
    switch = b.switch(choice, done)
    for case in cases:
        block = b.append_basic_block(f"case_{case}")
        switch.add_case(number(case), block)
        b.position_at_end(block)
        write(case)
        b.branch(done)
    b.position_at_end(done)


def loop(
    b: Any, count: Any, carried: list[Any], body: Callable[[Any, list[Any]], list[Any]]
) -> list[Any]:
    """Write a loop of at least one round: ``carried = body(k, carried)`` for k in 0 … count-1.

    The carried values are LLVM values, kept in registers from round to round.
    """
    before, head = b.block, b.function.append_basic_block()
    after = b.function.append_basic_block()
    b.branch(head)
    b.position_at_end(head)
    index = b.phi(INT)
    index.add_incoming(number(0), before)
    entering = [b.phi(value.type) for value in carried]
    for phi, value in zip(entering, carried, strict=True):
        phi.add_incoming(value, before)
    leaving = body(index, entering)
    following = b.add(index, number(1))
    index.add_incoming(following, b.block)
    for phi, value in zip(entering, leaving, strict=True):
        phi.add_incoming(value, b.block)
    b.cbranch(b.icmp_signed("<", following, count), head, after)
    b.position_at_end(after)
    return leaving


class Emitter:
    """Writes vector instructions for one scalar type and number of lanes."""

    def __init__(self, builder: Any, scalar: Any, lanes: int) -> None:
        self.builder = builder
        self.scalar = scalar
        self.lanes = lanes
        self.vector = ir.VectorType(scalar, lanes)
        self.bits = 32 if scalar == ir.FloatType() else 64

    def number(self, value: int) -> Any:
        """Return an integer constant."""
        return number(value)

    def intrinsic(self, name: str, arguments: list[Any], result: Any = None) -> Any:
        """Call one of LLVM's own functions on vectors, such as ``fma``."""
        full = f"llvm.{name}.v{self.lanes}f{self.bits}"
        return call(self.builder, full, result or self.vector, *arguments)

    def at(self, pointer: Any, offset: Any) -> Any:
        """Return the pointer ``offset`` scalars further on."""
        offset = self.number(offset) if isinstance(offset, int) else offset
        return self.builder.gep(pointer, [offset])

    def load(self, pointer: Any) -> Any:
        """Load a vector from any address."""
        value = self.builder.load(self.builder.bitcast(pointer, self.vector.as_pointer()))
        value.align = 1
        return value

    def store(self, value: Any, pointer: Any) -> None:
        """Store a vector to any address."""
        target = self.builder.bitcast(pointer, value.type.as_pointer())
        self.builder.store(value, target).align = 1

    def splat(self, value: Any) -> Any:
        """Return a vector whose lanes all hold a scalar."""
        return splat(self.builder, value, self.vector)

    def repeat(
        self, count: Any, carried: list[Any], body: Callable[[Any, list[Any]], list[Any]]
    ) -> list[Any]:
        """Write a loop: see :func:`loop`."""
        return loop(self.builder, count, carried, body)
