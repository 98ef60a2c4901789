"""Where everything lies in the compiled step's one memory, and how weights are packed in it."""

from dataclasses import dataclass, field

import numpy as np

from convtool.nn._types import Array
from convtool.nn.jit.widths import PANEL, width

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


@dataclass(frozen=True)
class Panels:
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


@dataclass(frozen=True)
class Packing:
    """How a weight lies in memory: (panel, kh, kw, input channel, column of the panel).

    Attributes
    ----------
    taps : (int, int)
        Kernel height and width; for a dense layer the size of the pictures that it flattens.
    inputs, stored_inputs : int
        Channels, and channels with padding.
    outputs : int
    dense : bool
        Whether the natural shape is (C H W, out) and not (out, C, KH, KW).
    """

    taps: tuple[int, int]
    inputs: int
    stored_inputs: int
    outputs: int
    dense: bool

    @property
    def panels(self) -> Panels:
        """The panels of the output channels."""
        return panels(self.outputs)

    @property
    def rows(self) -> int:
        """Rows of each panel."""
        return self.taps[0] * self.taps[1] * self.stored_inputs

    @property
    def size(self) -> int:
        """Numbers in memory."""
        return self.rows * self.panels.columns

    def view(self, packed: Array) -> Array:
        """Return the packed numbers as a view of the natural (KH, KW, in, out), padded."""
        cut = packed.reshape(self.panels.count, *self.taps, self.stored_inputs, self.panels.width)
        return cut.transpose(1, 2, 3, 0, 4)

    def pack(self, natural: Array, packed: Array) -> None:
        """Write a weight into its place."""
        if self.dense:
            ordered = natural.reshape(self.inputs, *self.taps, self.outputs).transpose(1, 2, 0, 3)
        else:
            ordered = natural.transpose(2, 3, 1, 0)
        padded = np.zeros((*self.taps, self.stored_inputs, self.panels.columns), np.float32)
        padded[:, :, : self.inputs, : self.outputs] = ordered
        view = self.view(packed)
        view[...] = padded.reshape(view.shape)

    def unpack(self, packed: Array, natural: Array) -> None:
        """Write what lies in memory back into the natural array."""
        shape = (*self.taps, self.stored_inputs, self.panels.columns)
        ordered = self.view(packed).reshape(shape)[:, :, : self.inputs, : self.outputs]
        if self.dense:
            natural[...] = ordered.transpose(2, 0, 1, 3).reshape(natural.shape)
        else:
            natural[...] = ordered.transpose(3, 2, 0, 1)


@dataclass(frozen=True)
class Plain:
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
    """One parameter: its name, its place, and what is to be done with it.

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
        """Return the start of a place for so many numbers, aligned to a cache line."""
        start = self.size
        self.size += whole(max(count, 1), _LINE)
        return start

    def make(self) -> None:
        """Make the memory, all zeros."""
        beyond = PANEL * width()
        raw = np.zeros(self.size + beyond + _LINE, np.float32)
        skip = -raw.ctypes.data // 4 % _LINE
        self.memory = raw[skip : skip + self.size + beyond]
