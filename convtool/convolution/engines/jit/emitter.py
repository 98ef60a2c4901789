"""Writes LLVM's vector instructions: loads, stores, arithmetic and loops on registers."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir

INT = ir.IntType(64)
LANE = ir.IntType(32)


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
        return ir.Constant(INT, value)

    def intrinsic(self, name: str, arguments: list[Any], result: Any = None) -> Any:
        """Call one of LLVM's own functions on vectors, such as ``fma``."""
        full = f"llvm.{name}.v{self.lanes}f{self.bits}"
        module = self.builder.module
        function = module.globals.get(full)
        if function is None:
            kinds = [argument.type for argument in arguments]
            function = ir.Function(module, ir.FunctionType(result or self.vector, kinds), full)
        return self.builder.call(function, arguments)

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
        nothing = ir.Constant(self.vector, ir.Undefined)
        first = self.builder.insert_element(nothing, value, ir.Constant(LANE, 0))
        lanes = ir.Constant(ir.VectorType(LANE, self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(first, nothing, lanes)

    def repeat(
        self, count: Any, carried: list[Any], body: Callable[[Any, list[Any]], list[Any]]
    ) -> list[Any]:
        """Write a loop of at least one round: ``carried = body(k, carried)`` for k in 0 … count-1.

        The carried values are LLVM values, kept in registers from round to round.
        """
        builder = self.builder
        before = builder.block
        head = builder.function.append_basic_block()
        after = builder.function.append_basic_block()
        builder.branch(head)
        builder.position_at_end(head)
        index = builder.phi(INT)
        index.add_incoming(self.number(0), before)
        entering = []
        for value in carried:
            phi = builder.phi(value.type)
            phi.add_incoming(value, before)
            entering.append(phi)
        leaving = body(index, entering)
        following = builder.add(index, self.number(1))
        index.add_incoming(following, builder.block)
        for phi, value in zip(entering, leaving, strict=True):
            phi.add_incoming(value, builder.block)
        builder.cbranch(builder.icmp_signed("<", following, count), head, after)
        builder.position_at_end(after)
        return leaving
