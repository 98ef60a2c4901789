"""The buffers of one network: parameters, gradients, optimiser state, activations."""

from dataclasses import dataclass

from convtool.nn.compiled.layout import (
    Arena,
    Packing,
    Panels,
    Plain,
    Reach,
    Segment,
    panels,
    reach,
    whole,
)
from convtool.nn.compiled.stages import Stage
from convtool.nn.layers import Conv2D

BLOCK_BYTES = 512 * 1024
"""Pictures are taken in blocks whose numbers stay in a core's own cache."""
NUMBERS = 16
_SLOTS = 2
_NOTHING = Reach(Panels(1, 1), 1, 1, 1, 1)


@dataclass
class Place:
    """Where one stage's numbers lie; -1 for what it has not.

    Attributes
    ----------
    x, y : int
        Its input (of which a convolution wants a border) and, for the last stage, its output.
    z, dz : int
        Its sums and their gradient: of all pictures, or of one block a thread.
    dz_top, dz_left : int
        Rows and columns of zeros before the gradient.
    reach, back : Reach
        What the sums, and those of the input's gradient, are made of.
    marks : int
        With groups: 1 where a weight is one, 0 for the zeros between groups.
    dy : int
        The gradient of its output.
    block : int
        Pictures in a block.
    """

    x: int = -1
    x_rows: int = 0
    x_width: int = 0
    x_channels: int = 0
    columns: int = 0
    z: int = -1
    dz: int = -1
    dz_rows: int = 0
    dz_width: int = 0
    dz_top: int = 0
    dz_left: int = 0
    z_thread: int = 0
    dz_thread: int = 0
    dy: int = -1
    where: int = -1
    weight: int = -1
    bias: int = -1
    flipped: int = -1
    gamma: int = -1
    beta: int = -1
    mean: int = -1
    variance: int = -1
    affine: int = -1
    partial: int = -1
    constants: int = -1
    mask: int = -1
    turned: int = -1
    turned_back: int = -1
    marks: int = -1
    block: int = 1
    reach: Reach = _NOTHING
    back: Reach = _NOTHING

    @property
    def x_p(self) -> int:
        """Numbers of one input picture, border included."""
        return self.x_rows * self.x_width * self.x_channels

    @property
    def x_row(self) -> int:
        """Numbers of one row of the input."""
        return self.x_width * self.x_channels

    @property
    def dz_p(self) -> int:
        """Numbers of one picture of dz, border included."""
        return self.dz_rows * self.dz_width * self.columns

    @property
    def dz_row(self) -> int:
        """Numbers of one row of dz."""
        return self.dz_width * self.columns


class Buffers:
    """All places of a network for batches of up to `capacity` pictures on `threads` threads."""

    def __init__(self, stages: list[Stage], capacity: int, threads: int) -> None:
        self.stages, self.capacity, self.threads = stages, capacity, threads
        self.arena = Arena()
        self.segments: list[Segment] = []
        self.places = [Place() for _ in stages]
        self.batch: Panels = panels(capacity)
        self._channels()
        self._parameters()
        self._activations()
        classes = stages[-1].outputs[0]
        self.numbers = self.arena.take(NUMBERS)
        self.labels = self.arena.take(capacity * classes)
        self.loss_step = 16
        self.loss = self.arena.take(self.loss_step * threads)
        self.arena.make()

    def _channels(self) -> None:
        """Settle how many channels are stored, padding included."""
        stored = self.stages[0].inputs[0]
        if self.stages[0].product is None:
            stored = panels(stored).columns
        for stage, place in zip(self.stages, self.places, strict=True):
            place.x_channels = stored
            if stage.product is not None:
                stored = panels(stage.sums[0]).columns
            place.columns = stored
            self._reach(stage, place)

    @staticmethod
    def _reach(stage: Stage, place: Place) -> None:
        """Settle which channels each panel of sums is made of."""
        groups = stage.conv[1].groups if stage.conv else 1
        inputs, outputs = stage.inputs[0] // groups, stage.sums[0] // groups
        place.reach = reach(place.x_channels, place.columns, groups, inputs, outputs)
        place.back = reach(place.columns, panels(place.x_channels).columns, groups, outputs, inputs)

    def _segment(self, stage: int, name: str, packing: Packing | Plain, shared: bool) -> int:
        start = self.arena.take(packing.size)
        parameter = name.split(".")[1]
        self.segments.append(
            Segment(name, packing, start, shared, parameter == "weight", frozen=False)
        )
        return start

    def _parameters(self) -> None:
        """Give places to parameters, gradients and the optimiser's memory.

        What every thread sums for itself comes first: only that part of the gradients exists once
        a thread, and thread t's lies `shared` numbers before thread t - 1's.
        """
        for number, (stage, place) in enumerate(zip(self.stages, self.places, strict=True)):
            if stage.product is not None:
                index, layer = stage.product
                if isinstance(layer, Conv2D):
                    packing = self.packing(number)
                    place.weight = self._segment(number, f"{index}.weight", packing, True)
                bias = Plain(stage.sums[0])
                if "bias" in layer.params:
                    place.bias = self._segment(number, f"{index}.bias", bias, True)
            if stage.norm is not None:
                index, _ = stage.norm
                plain = Plain(stage.sums[0])
                place.gamma = self._segment(number, f"{index}.gamma", plain, False)
                place.beta = self._segment(number, f"{index}.beta", plain, False)
        self.shared = self.arena.size
        for number, (stage, place) in enumerate(zip(self.stages, self.places, strict=True)):
            if stage.product is not None and stage.conv is None:
                name = f"{stage.product[0]}.weight"
                place.weight = self._segment(number, name, self.packing(number), False)
        self.parameters = self.arena.size
        copies = self.arena.take(self.shared * (self.threads - 1))
        self.gradients = copies + self.shared * (self.threads - 1)
        self.arena.size = self.gradients
        self.arena.take(self.parameters)
        self.slots = [self.arena.take(self.parameters) for _ in range(_SLOTS)]

    def packing(self, number: int) -> Packing:
        """Return how the weight of a stage is packed."""
        stage, place = self.stages[number], self.places[number]
        channels, height, width = stage.inputs
        conv = stage.conv
        taps = conv[1].kernel_size if conv else (height, width)
        return Packing(taps, channels, stage.sums[0], place.reach, conv is None)

    def _activations(self) -> None:
        for number, (stage, place) in enumerate(zip(self.stages, self.places, strict=True)):
            top, left, bottom, right = stage.padding
            place.x_rows = stage.inputs[1] + top + bottom
            place.x_width = stage.inputs[2] + left + right
            place.x = self.arena.take(self.capacity * place.x_p)
            self._stage(number)
        last = self.places[-1]
        self.y = self.arena.take(self.capacity * last.columns)

    def _stage(self, number: int) -> None:
        stage, place, take = self.stages[number], self.places[number], self.arena.take
        _, height, width = stage.sums
        columns = place.columns
        out = stage.outputs[1] * stage.outputs[2] * columns
        place.dy = take(self.capacity * out)
        place.constants = take(4)
        place.mask = take(columns)
        if not stage.mean:
            place.where = take(self.capacity * out)
        if stage.norm is not None:
            size = whole(columns)
            place.mean, place.variance = take(size), take(size)
            place.affine = take(7 * columns * self.threads)
            place.partial = take(3 * columns * self.threads)
        if stage.product is None:
            before = self.places[number - 1] if number else None
            place.z = place.x
            place.dz = before.dy if before else take(self.capacity * place.x_p)
            place.dz_rows, place.dz_width = height, width
            return
        self._products(number, out)

    def _products(self, number: int, out: int) -> None:
        """Give places to the sums of products and their gradients."""
        stage, place, take = self.stages[number], self.places[number], self.arena.take
        _, height, width = stage.sums
        place.dz_rows, place.dz_width = height, width
        conv = stage.conv
        if conv is not None and number:
            place.dz_top, place.dz_rows = _border(conv[1], stage, 0)
            place.dz_left, place.dz_width = _border(conv[1], stage, 1)
            taps = conv[1].kernel_size[0] * conv[1].kernel_size[1]
            place.flipped = take(taps * place.back.rows * place.back.panels.columns)
        z_p = height * width * place.columns
        if conv is None or stage.norm is not None:
            place.block = max(1, min(self.capacity, BLOCK_BYTES // (4 * (z_p + place.x_p + out))))
            place.z, place.dz = take(self.capacity * z_p), take(self.capacity * place.dz_p)
        else:
            size = z_p + place.dz_p + place.x_p + out
            place.block = max(1, min(self.capacity, BLOCK_BYTES // (4 * size)))
            place.z_thread, place.dz_thread = whole(place.block * z_p), place.block * place.dz_p
            place.z = take(self.threads * place.z_thread)
            place.dz = take(self.threads * place.dz_thread)
        if conv is None and number:
            place.turned = take(place.columns * self.batch.columns)
            place.turned_back = take(self.packing(number).rows * self.batch.columns)
        if not place.reach.whole:
            place.marks = take(self.packing(number).size)


def _border(conv: Conv2D, stage: Stage, axis: int) -> tuple[int, int]:
    """Return the zeros before dz along an axis, and how long it is with those after it.

    They are where the input's gradient would meet sums beyond the first or the last.
    """
    before, stride = stage.padding[axis], conv.stride[axis]
    least = (before - conv.extent[axis] + 1) // stride
    most = (stage.inputs[axis + 1] - 1 + before) // stride
    zeros = max(0, -least)
    return zeros, zeros + max(stage.sums[axis + 1], most + 1)
