"""A network's compiled step: its memory, its programs, and the exchange with the layers."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from convtool.convolution.threads import count as count_threads
from convtool.nn._types import Array, Arrays, Shape
from convtool.nn.compiled.buffers import Buffers
from convtool.nn.compiled.layout import Segment
from convtool.nn.compiled.program import Program
from convtool.nn.compiled.rules import LABEL_OPERATION, LOSS_OPERATIONS, RULES, numbers
from convtool.nn.compiled.stages import Stage, stages_of
from convtool.nn.jit.program import Programs
from convtool.nn.layers import Layer
from convtool.nn.losses import CrossEntropy, Loss
from convtool.nn.optimizers import Optimizer


class Network(Protocol):
    """What a plan is made for: a network of layers that follow one another."""

    layers: list[Layer]
    threads: int | None

    def parameters(self) -> Arrays:
        """Return all parameters by name."""

    def shapes(self, input_shape: Shape) -> list[Shape]:
        """Return the output shape of each layer."""


def make(model: Network, shape: Shape) -> "StepPlan | None":
    """Return a plan for batches of up to ``shape[0]`` inputs, or None if a layer is not covered."""
    layers = model.layers
    if any(array.dtype != np.float32 for array in model.parameters().values()):
        return None
    stages = stages_of(layers, model.shapes(shape[1:]), tuple(shape[1:]))
    if stages is None:
        return None
    return StepPlan(model, stages, tuple(shape), count_threads(model.threads))


class StepPlan:
    """The compiled training step of one network.

    The layers' arrays and the memory here are two copies. Who asks a layer for its parameters gets
    them brought up to date, and may change them: the next step reads them back.
    """

    def __init__(self, model: Network, stages: list[Stage], shape: Shape, threads: int) -> None:
        self._layers = list(model.layers)
        self._frozen = self._freeze(model)
        self._shape = shape
        self.threads = threads
        self._buffers = Buffers(stages, shape[0], threads)
        self._memory = self._buffers.arena.memory
        self._programs: dict[tuple[object, ...], tuple[Programs, list[Program]]] = {}
        self._optimizer: Optimizer | None = None
        self._ahead, self._behind = False, True
        for segment in self._buffers.segments:
            index, name = segment.name.split(".")
            segment.frozen = name in self._layers[int(index)].frozen
        self._constants()
        for layer in self._layers:
            layer.on_access = self.hand_over

    @staticmethod
    def _freeze(model: Network) -> list[frozenset[str]]:
        return [frozenset(layer.frozen) for layer in model.layers]

    @property
    def capacity(self) -> int:
        """The most inputs in a batch."""
        return self._shape[0]

    def fits(self, shape: Shape) -> bool:
        """Say whether a batch of this shape has room."""
        return shape[0] <= self._shape[0] and tuple(shape[1:]) == self._shape[1:] and shape[0] > 0

    def matches(self, model: Network) -> bool:
        """Say whether this plan was made for these layers as they are."""
        return (
            self._layers == model.layers
            and self._frozen == self._freeze(model)
            and self.threads == count_threads(model.threads)
        )

    # --------------------------------------------------------------- exchange

    def _constants(self) -> None:
        pairs = zip(self._buffers.stages, self._buffers.places, strict=True)
        for number, (stage, place) in enumerate(pairs):
            level = stage.noise.level if stage.noise else 1.0
            self._memory[place.constants : place.constants + 2] = stage.slope, level
            if stage.norm is not None:
                norm = stage.norm[1]
                self._memory[place.constants + 2 : place.constants + 4] = (
                    norm.epsilon,
                    norm.momentum,
                )
            self._memory[place.mask : place.mask + stage.outputs[0]] = 1.0
            if place.marks >= 0 and stage.conv is not None:
                packing = self._buffers.packing(number)
                ones = np.ones_like(stage.conv[1]._params["weight"])
                packing.pack(ones, self._memory[place.marks : place.marks + packing.size])

    def _place(self, segment: Segment, base: int = 0) -> Array:
        start = base + segment.start
        return self._memory[start : start + segment.packing.size]

    def _arrays(self) -> list[tuple[Segment, Array]]:
        result = []
        for segment in self._buffers.segments:
            index, name = segment.name.split(".")
            result.append((segment, self._layers[int(index)]._params[name]))
        return result

    def hand_over(self) -> None:
        """Bring the layers and the optimiser up to date; they may be changed from now on."""
        if self._ahead:
            self._ahead = False
            for segment, array in self._arrays():
                segment.packing.unpack(self._place(segment), array)
            for layer_state, start in self._statistics():
                layer_state[...] = self._memory[start : start + layer_state.size]
            self._write_slots()
        self._behind = True

    def _statistics(self) -> list[tuple[Array, int]]:
        result = []
        for stage, place in zip(self._buffers.stages, self._buffers.places, strict=True):
            if stage.norm is not None:
                state = stage.norm[1]._state
                result += [(state["mean"], place.mean), (state["variance"], place.variance)]
        return result

    def _read(self) -> None:
        """Take over what the layers and the optimiser hold."""
        for segment, array in self._arrays():
            segment.packing.pack(array, self._place(segment))
        for layer_state, start in self._statistics():
            self._memory[start : start + layer_state.size] = layer_state
        self._read_slots()
        self._behind = False

    def _slot_bases(self) -> list[tuple[str, int]]:
        if self._optimizer is None:
            return []
        return list(zip(self._optimizer.slots, self._buffers.slots, strict=False))

    def _read_slots(self) -> None:
        for slot, base in self._slot_bases():
            assert self._optimizer is not None
            kept = self._optimizer._state[slot]
            for segment, array in self._arrays():
                place = self._place(segment, base)
                if segment.name in kept:
                    segment.packing.pack(kept[segment.name], place)
                else:
                    place[...] = 0
                    kept[segment.name] = np.zeros_like(array)

    def _write_slots(self) -> None:
        for slot, base in self._slot_bases():
            assert self._optimizer is not None
            kept = self._optimizer._state[slot]
            for segment, _ in self._arrays():
                segment.packing.unpack(self._place(segment, base), kept[segment.name])

    def _bind(self, optimizer: Optimizer) -> None:
        if self._optimizer is optimizer:
            return
        self.hand_over()
        if self._optimizer is not None:
            self._optimizer.on_access = None
        self._optimizer = optimizer
        optimizer.on_access = self.hand_over

    def release(self) -> None:
        """Bring the layers up to date and let go of them."""
        self.hand_over()
        for layer in self._layers:
            layer.on_access = None
        if self._optimizer is not None:
            self._optimizer.on_access = None

    # ------------------------------------------------------------------- runs

    def _input(self, x: Array) -> None:
        place, stage = self._buffers.places[0], self._buffers.stages[0]
        count, capacity = len(x), self._shape[0]
        whole = self._memory[place.x : place.x + capacity * place.x_p]
        pictures = whole.reshape(capacity, place.x_rows, place.x_width, place.x_channels)
        if x.ndim == 2:
            x = x[:, :, None, None]
        channels, height, width = x.shape[1:]
        top, left, _, _ = stage.padding
        inside = pictures[:count, top : top + height, left : left + width, :channels]
        inside[...] = x.transpose(0, 2, 3, 1)

    def _program(
        self, count: int, loss: tuple[str, int] | None, rule: str
    ) -> tuple[Programs, list[Program]]:
        """Return the programs of a training step, or without a loss those of a forward pass."""
        key = (count, loss, rule)
        if key not in self._programs:
            programs = []
            for thread in range(self.threads):
                program = Program(self._buffers, thread, count)
                if loss:
                    program.prepare()
                program.forward(training=loss is not None)
                if loss:
                    program.loss(*loss)
                    program.backward()
                    program.update(rule)
                else:
                    program.wait()
                programs.append(program)
            tables = [program.table() for program in programs]
            self._programs[key] = Programs(self._memory, tables), programs
        return self._programs[key]

    def train_step(self, x: Array, y: Array, loss: Loss, optimizer: Optimizer, l2: float) -> float:
        """Learn from one batch; return its loss. See :meth:`Sequential.train_step`."""
        self._bind(optimizer)
        if self._behind:
            self._read()
        buffers, memory = self._buffers, self._memory
        goals = loss.goals(y, (len(x), buffers.stages[-1].outputs[0]))
        compared = LABEL_OPERATION if goals.ndim == 1 else LOSS_OPERATIONS[type(loss)]
        ready, programs = self._program(len(x), compared, RULES[type(optimizer)][0])
        ready.wake()
        self._input(x)
        memory[buffers.labels : buffers.labels + goals.size] = goals.reshape(-1)
        optimizer.steps += 1
        values = numbers(optimizer, l2)
        memory[buffers.numbers : buffers.numbers + len(values)] = values
        if isinstance(loss, CrossEntropy):
            memory[buffers.numbers + 15] = loss.label_smoothing
        self._draw_keys(ready.tables, programs)
        kept = [memory[start : start + array.size].copy() for array, start in self._statistics()]
        ready.run()
        self._ahead = True
        parts = memory[buffers.loss :: buffers.loss_step][: self.threads]
        value = float(parts.sum(dtype=np.float64))
        if not np.isfinite(value):
            optimizer.steps -= 1
            self._take_back(kept)
        return value

    def _take_back(self, statistics: list[Array]) -> None:
        """Undo what a step without a finite loss did: running statistics, counters of noise."""
        for before, (_, start) in zip(statistics, self._statistics(), strict=True):
            self._memory[start : start + before.size] = before
        for stage in self._buffers.stages:
            if stage.noise is not None:
                stage.noise.step_back()

    def _draw_keys(self, tables: Sequence[Array], programs: list[Program]) -> None:
        if not programs[0].keys:
            return
        keys = {
            number: stage.noise.next_key()
            for number, stage in enumerate(self._buffers.stages)
            if stage.noise is not None
        }
        for table, program in zip(tables, programs, strict=True):
            for row, column, number in program.keys:
                table[row, column] = keys[number]

    def forward(self, x: Array) -> Array:
        """Return the outputs of a batch, in inference."""
        if self._behind:
            self._read()
        ready, _ = self._program(len(x), None, "")
        ready.wake()
        self._input(x)
        ready.run()
        return self.outputs(len(x))

    def outputs(self, count: int) -> Array:
        """Return the outputs of the last batch, which had `count` inputs."""
        columns = self._buffers.places[-1].columns
        rows = self._memory[self._buffers.y : self._buffers.y + count * columns]
        return rows.reshape(count, columns)[:, : self._buffers.stages[-1].outputs[0]].copy()
