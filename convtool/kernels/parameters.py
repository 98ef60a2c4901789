"""The parameters of presets, and the parsing of their values."""

from typing import Literal

from convtool.errors import KernelError
from convtool.kernels import numerals
from convtool.records import Record

Kind = Literal["number", "numbers", "whole number", "odd number", "size", "odd size"]
Value = float | tuple[float, float] | tuple[int, int]


class Parameter(Record):
    """A parameter of a preset: ``name=value`` in a spec."""

    name: str
    """The name before ``=``."""
    kind: Kind
    """The type of the value: a number, ``2``, ``1/9``; one or two numbers, ``4`` or ``4,1``
    (vertical, horizontal); or a size, ``5`` or ``7x3`` (rows x columns)."""
    default: Value | None
    """The default value; None if it follows from other parameters."""
    meaning: str
    """A description with the unit."""
    low: float = 1
    high: float = numerals.MAX_SIDE
    """The inclusive range of a number."""

    @property
    def range(self) -> str:
        """A description of the valid values."""
        sides = f"{self.low:g} to {self.high:g}"
        return {
            "number": sides,
            "numbers": sides,
            "whole number": f"whole, {sides}",
            "odd number": f"odd, {sides}",
            "size": f"N or ROWSxCOLUMNS, each {sides}",
            "odd size": f"N or ROWSxCOLUMNS, each odd and {sides}",
        }[self.kind]

    def parse(self, text: str) -> Value:
        """Parse a value.

        Raises
        ------
        KernelError
            If the text has another type, or the value is out of range.

        Examples
        --------
        >>> Parameter("sigma", "numbers", None, "in pixels").parse("4,1")
        (4.0, 1.0)
        """
        if self.kind == "numbers":
            first, comma, second = text.partition(",")
            vertical = self._in_range(first)
            return (vertical, self._in_range(second)) if comma else vertical
        if self.kind == "number":
            return self._in_range(text)
        if self.kind in ("whole number", "odd number"):
            return self._whole(text)
        rows, columns = numerals.size(text)
        if self.kind == "odd size" and not (rows % 2 and columns % 2):
            raise KernelError(
                f"{numerals.shown(text)} is even; {self.name} must be odd, as it has a centre"
            )
        return rows, columns

    def _in_range(self, text: str) -> float:
        value = numerals.number(text)
        if not self.low <= value <= self.high:
            raise KernelError(f"{value:g} is out of range; {self.name} is {self.range}")
        return value

    def _whole(self, text: str) -> int:
        value = self._in_range(text)
        if not value.is_integer() or (self.kind == "odd number" and value % 2 == 0):
            raise KernelError(f"{value:g} is not possible; {self.name} is {self.range}")
        return int(value)
