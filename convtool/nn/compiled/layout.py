"""The memory layout of the compiled step, and how weights are packed in it."""

from dataclasses import dataclass, field

import numpy as np

from convtool.nn._types import Array
from convtool.nn.jit.widths import PANEL, width
from convtool.records import Record

_LINE = 16


def whole(count: int, unit: int | None = None) -> int:
    """Return the least multiple of a unit, by default a vector, that holds `count`.

    Examples
    --------
    >>> whole(17, 16)
    32
    """
    unit = unit or width()
    return -(-count // unit) * unit


class Panels(Record):
    """How columns are cut into panels of equal width.

    Attributes
    ----------
    count, vectors : int
        Panels, and vectors in each.
    """

    count: int
    vectors: int

    @property
    def width(self) -> int:
        """Columns in a panel."""
        return self.vectors * width()

    @property
    def columns(self) -> int:
        """Columns in all, padding included."""
        return self.count * self.width


def panels(columns: int) -> Panels:
    """Return the fewest equal panels that hold the columns."""
    vectors = -(-columns // width())
    count = -(-vectors // PANEL)
    return Panels(count, -(-vectors // count))


class Reach(Record):
    """Which rows (channels summed over) each panel of columns (channels summed to) is made of.

    Attributes
    ----------
    panels : Panels
    stored : int
        Rows in memory, padding included.
    groups : int
        Groups of channels that do not see each other.
    group_rows, group_columns : int
        Channels of a group.
    """

    panels: Panels
    stored: int
    groups: int
    group_rows: int
    group_columns: int

    @property
    def whole(self) -> bool:
        """Whether every panel is made of all rows."""
        return self.groups == 1

    @property
    def rows(self) -> int:
        """How many rows each panel is made of, those of other groups among them included."""
        if self.whole:
            return self.stored
        wide, columns = self.panels.width, self.groups * self.group_columns
        starts = range(0, columns, wide)
        ends = (min(start + wide, columns) - 1 for start in starts)
        seen = (
            end // self.group_columns - start // self.group_columns + 1
            for start, end in zip(starts, ends, strict=True)
        )
        return min(max(seen) * self.group_rows, self.stored)

    def first(self, panel: int) -> int:
        """Return the first row of a panel."""
        group = panel * self.panels.width // self.group_columns
        return 0 if self.whole else min(group * self.group_rows, self.stored - self.rows)


def reach(stored: int, columns: int, groups: int, group_rows: int, group_columns: int) -> Reach:
    """Return the reach of a convolution's sums, or of the sums of its input's gradient.

    With groups the panels are as narrow as a group's columns, where vectors can be: what is
    multiplied by the zeros of other groups is little.

    Parameters
    ----------
    stored : int
        Rows in memory.
    columns : int
        Columns in memory: whole panels.
    groups, group_rows, group_columns : int
    """
    cut = panels(columns)
    if groups > 1:
        vectors = cut.count * cut.vectors
        most = max(1, min(PANEL, group_columns // width()))
        each = max(n for n in range(1, most + 1) if vectors % n == 0)
        cut = Panels(vectors // each, each)
    return Reach(cut, stored, groups, group_rows, group_columns)


class Packing(Record):
    """How a weight lies in memory: (panel, kh, kw, input channel, column of the panel).

    Attributes
    ----------
    taps : (int, int)
        Kernel height and width; for a dense layer the size of the pictures that it flattens.
    inputs, outputs : int
        Channels.
    reach : Reach
    dense : bool
        Whether the natural shape is (C H W, out) and not (out, C, KH, KW).
    """

    taps: tuple[int, int]
    inputs: int
    outputs: int
    reach: Reach
    dense: bool

    @property
    def rows(self) -> int:
        """Rows of each panel."""
        return self.taps[0] * self.taps[1] * self.reach.rows

    @property
    def size(self) -> int:
        """Numbers in memory."""
        return self.rows * self.reach.panels.columns

    def view(self, packed: Array) -> Array:
        """Return the packed numbers as a view (KH, KW, row, panel, column of the panel)."""
        cut = self.reach.panels
        return packed.reshape(cut.count, *self.taps, self.reach.rows, cut.width).transpose(
            1, 2, 3, 0, 4
        )

    def _full(self) -> Array:
        return np.zeros((*self.taps, self.reach.stored, self.reach.panels.columns), np.float32)

    def _groups(self, full: Array) -> list[Array]:
        """Return each group's part of the full weights, as (KH, KW, in, out)."""
        rows, columns = self.inputs // self.reach.groups, self.outputs // self.reach.groups
        return [
            full[:, :, g * rows : (g + 1) * rows, g * columns : (g + 1) * columns]
            for g in range(self.reach.groups)
        ]

    def _panels(self, full: Array) -> list[Array]:
        """Return each panel's part of the full weights."""
        wide, rows = self.reach.panels.width, self.reach.rows
        firsts = [self.reach.first(n) for n in range(self.reach.panels.count)]
        return [
            full[:, :, first : first + rows, n * wide : (n + 1) * wide]
            for n, first in enumerate(firsts)
        ]

    def pack(self, natural: Array, packed: Array) -> None:
        """Write a weight into its place."""
        full = self._full()
        if self.dense:
            ordered = natural.reshape(self.inputs, *self.taps, self.outputs).transpose(1, 2, 0, 3)
        else:
            ordered = natural.transpose(2, 3, 1, 0)
        each = np.split(ordered, self.reach.groups, axis=3)
        for place, part in zip(self._groups(full), each, strict=True):
            place[...] = part
        view = self.view(packed)
        for n, part in enumerate(self._panels(full)):
            view[:, :, :, n] = part

    def unpack(self, packed: Array, natural: Array) -> None:
        """Write what lies in memory back into the natural array."""
        full, view = self._full(), self.view(packed)
        for n, part in enumerate(self._panels(full)):
            part[...] = view[:, :, :, n]
        ordered = np.concatenate(self._groups(full), axis=3)
        if self.dense:
            natural[...] = ordered.transpose(2, 0, 1, 3).reshape(natural.shape)
        else:
            natural[...] = ordered.transpose(3, 2, 0, 1)


class Plain(Record):
    """A vector, such as a bias, that lies as it is."""

    length: int

    @property
    def size(self) -> int:
        """Numbers in memory, padding included."""
        return whole(self.length, PANEL * width())

    def pack(self, natural: Array, packed: Array) -> None:
        """Write a vector into its place."""
        packed[: self.length] = natural

    def unpack(self, packed: Array, natural: Array) -> None:
        """Write what lies in memory back."""
        natural[...] = packed[: self.length]


@dataclass
class Segment:
    """One parameter: its name, its place, and its update.

    Attributes
    ----------
    shared : bool
        Whether every thread sums a gradient of its own.
    """

    name: str
    packing: Packing | Plain
    start: int
    shared: bool
    decayed: bool
    frozen: bool


@dataclass
class Arena:
    """Hands out places in a memory that is made when all are known."""

    size: int = 0
    memory: Array = field(default_factory=lambda: np.zeros(0, np.float32))

    def take(self, count: int) -> int:
        """Allocate ``count`` numbers, aligned to a cache line, and return where they start."""
        start = self.size
        self.size += whole(max(count, 1), _LINE)
        return start

    def make(self) -> None:
        """Make the memory, all zeros."""
        beyond = PANEL * width()
        raw = np.zeros(self.size + beyond + _LINE, np.float32)
        skip = -raw.ctypes.data // 4 % _LINE
        self.memory = raw[skip : skip + self.size + beyond]
