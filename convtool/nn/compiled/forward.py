"""Programs that take a batch forward, and what all programs share.

Every thread takes its own pictures through all stages, in blocks that stay in its cache, and waits
for the others only where it reads what they wrote: the batch's statistics, dense layers, and the
gradients before the optimiser.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from convtool.nn._types import Array
from convtool.nn.compiled.buffers import Buffers, Place
from convtool.nn.compiled.contractions import slide
from convtool.nn.compiled.layout import panels
from convtool.nn.compiled.stages import Stage
from convtool.nn.jit.operations import BARRIER, MAXIMUM, MEAN, column, row
from convtool.nn.layers import GaussianDropout
from convtool.nn.operations.noise import threshold

_ROW = 48
_SUM_BLOCK = 512
_SMALL_WEIGHT = 2**17


class Forward:
    """One thread's rows for a batch of `count` pictures.

    Attributes
    ----------
    keys : list of (row, column, stage)
        Where each step writes dropout's keys.
    """

    def __init__(self, buffers: Buffers, thread: int, count: int) -> None:
        self.buffers, self.thread, self.count = buffers, thread, count
        self.first, self.last = self._share(count)
        self.rows: list[list[int]] = []
        self.keys: list[tuple[int, int, int]] = []

    def _share(self, count: int, unit: int = 1) -> tuple[int, int]:
        """Return this thread's part of `count` things, in multiples of a unit."""
        units, threads = -(-count // unit), self.buffers.threads
        low = units * self.thread // threads * unit
        return min(low, count), min(units * (self.thread + 1) // threads * unit, count)

    def _add(self, operation: str, **numbers: int) -> None:
        self.rows.append(row(operation, **numbers))

    def _contract(self, sums: Iterable[dict[str, int]]) -> None:
        for fields in sums:
            self._add("contract", **fields)

    def wait(self) -> None:
        """Wait for the other threads."""
        self.rows.append(BARRIER)

    def table(self) -> Array:
        """Return the rows as one array."""
        result = np.zeros((len(self.rows), _ROW), np.int64)
        for line, numbers in zip(result, self.rows, strict=True):
            line[: len(numbers)] = numbers
        return result

    def _blocks(self, size: int) -> Iterator[tuple[int, int]]:
        for low in range(self.first, self.last, size):
            yield low, min(low + size, self.last)

    def _stages(self) -> list[tuple[int, Stage, Place]]:
        pairs = zip(self.buffers.stages, self.buffers.places, strict=True)
        return [(number, stage, place) for number, (stage, place) in enumerate(pairs)]

    def forward(self, *, training: bool) -> None:
        """Take the batch from the input to the outputs."""
        for number, stage, place in self._stages():
            if stage.conv is not None:
                self._conv_forward(number, stage, place, training)
            else:
                if stage.product is not None:
                    self._dense_forward(number, stage, place)
                if stage.norm is not None:
                    self._norm_forward(stage, place, training)
                self._post_forward(number, self.first, self.last, place.z, training)

    def _conv_forward(self, number: int, stage: Stage, place: Place, training: bool) -> None:
        statistics = stage.norm is not None and training
        if stage.norm is not None and not training:
            self._norm_forward(stage, place, training)
        for low, high in self._blocks(place.block):
            z = self._own(place.z, place.z_thread, low * self._z_p(stage, place))
            self._contract(slide(stage, place, low, high, z))
            if not statistics:
                self._post_forward(number, low, high, z, training)
        if statistics:
            self._norm_forward(stage, place, training)
            for low, high in self._blocks(place.block):
                self._post_forward(number, low, high, place.z, training)

    def _own(self, start: int, step: int, skip: int) -> int:
        """Return where a thread's block would start if it began with picture 0."""
        return start + self.thread * step - skip if step else start

    @staticmethod
    def _z_p(stage: Stage, place: Place) -> int:
        return stage.sums[1] * stage.sums[2] * place.columns

    def _dense_forward(self, number: int, stage: Stage, place: Place) -> None:
        cut, length = panels(stage.sums[0]), place.x_p
        rows, columns = (self.first, self.last), (0, cut.count)
        by_panels = length * place.columns > _SMALL_WEIGHT and cut.count > 1
        if by_panels:
            rows, columns = (0, self.count), self._share(cut.count)
            self.wait()
        blocks = -(-length // _SUM_BLOCK)
        block = -(-length // blocks)
        self._add(
            "contract",
            first=0,
            last=1,
            first_panel=columns[0],
            last_panel=columns[1],
            vectors=cut.vectors,
            lines=blocks,
            first_row=rows[0],
            last_row=rows[1],
            c=place.z,
            c_p=0,
            c_n=cut.width,
            c_i=0,
            c_row=place.columns,
            a=place.x,
            a_p=0,
            a_i=block,
            a_row=length,
            a_inner=1,
            a_outer=0,
            b=place.weight,
            b_p=0,
            b_n=length * cut.width,
            b_i=block * cut.width,
            b_inner=cut.width,
            b_outer=0,
            inner=block,
            inner_total=length,
            outer=1,
            start=place.bias,
        )
        if by_panels:
            self.wait()

    def _affine(self, place: Place) -> int:
        return place.affine + self.thread * 7 * place.columns if place.affine >= 0 else -1

    def _norm_forward(self, stage: Stage, place: Place, training: bool) -> None:
        channels, height, width = stage.sums
        if training:
            self._add(
                "moments",
                first=self.first,
                last=self.last,
                z=place.z,
                z_p=self._z_p(stage, place),
                pixels=height * width,
                columns=place.columns,
                target=place.partial + self.thread * 3 * place.columns,
            )
            self.wait()
        self._add(
            "norm_forward",
            threads=self.buffers.threads,
            partial=place.partial,
            partial_step=3 * place.columns,
            count=self.count,
            pixels=height * width,
            columns=place.columns,
            channels=channels,
            gamma=place.gamma,
            beta=place.beta,
            mean=place.mean,
            variance=place.variance,
            numbers=place.constants + 2,
            affine=self._affine(place),
            leader=self.thread == 0,
            training=training,
        )

    def _target(self, number: int) -> tuple[int, int, int]:
        """Return where a stage's output begins, and its distances from picture and row."""
        stages, places = self.buffers.stages, self.buffers.places
        if number + 1 == len(stages):
            return self.buffers.y, places[number].columns, places[number].columns
        after, (top, left, _, _) = places[number + 1], stages[number + 1].padding
        if stages[number + 1].inputs[1:] != stages[number].outputs[1:]:
            row = stages[number].outputs[2] * places[number].columns
            return after.x, after.x_p, row
        return after.x + top * after.x_row + left * after.x_channels, after.x_p, after.x_row

    def _common(self, number: int) -> dict[str, int]:
        """Return the fields shared by the forward and the backward pass."""
        stage, place = self.buffers.stages[number], self.buffers.places[number]
        channels, height, width = stage.outputs
        y, y_p, y_row = self._target(number)
        pool, noise = stage.pool, stage.noise
        top, left, bottom, right = pool.padding
        beyond = (bottom, right) if stage.include_pad else (0, 0)
        normal = isinstance(noise, GaussianDropout)
        return {
            "y": y,
            "y_p": y_p,
            "y_row": y_row,
            "where": place.where,
            "columns": place.columns,
            "height": height,
            "width": width,
            "pool_h": pool.kernel[0],
            "pool_w": pool.kernel[1],
            "stride_h": pool.stride[0],
            "stride_w": pool.stride[1],
            "dilation_h": pool.dilation[0],
            "dilation_w": pool.dilation[1],
            "top": top,
            "left": left,
            "pooled_h": stage.sums[1],
            "pooled_w": stage.sums[2],
            "counted_h": stage.sums[1] + beyond[0],
            "counted_w": stage.sums[2] + beyond[1],
            "include_pad": stage.include_pad,
            "pooling": MEAN if stage.mean else MAXIMUM,
            "activation": stage.activation,
            "slope": place.constants,
            "threshold": threshold(noise.rate if noise else 0.0),
            "normals": self.count * channels * height * width if normal else 0,
            "level": place.constants + 1,
            "drop_p": channels * height * width,
            "drop_c": height * width,
        }

    def _keyed(self, number: int, operation: str) -> int:
        """Note that the row to come has a key to be filled in; return what to put there now."""
        if self.buffers.stages[number].noise is None:
            return -1
        self.keys.append((len(self.rows), column(operation, "key"), number))
        return 0

    def _post_forward(self, number: int, low: int, high: int, z: int, training: bool) -> None:
        stage, place = self.buffers.stages[number], self.buffers.places[number]
        self._add(
            "post_forward",
            **self._common(number),
            first=low,
            last=high,
            z=z,
            z_p=self._z_p(stage, place),
            z_row=stage.sums[2] * place.columns,
            channels=stage.outputs[0],
            affine=self._affine(place),
            key=self._keyed(number, "post_forward"),
            mask=place.mask,
            training=training,
        )
