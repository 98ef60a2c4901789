"""Programs of a whole training step: forward, loss, backward, update."""

from convtool.nn.compiled.buffers import Place
from convtool.nn.compiled.contractions import input_gradient, weight_gradient
from convtool.nn.compiled.forward import Forward
from convtool.nn.compiled.layout import panels
from convtool.nn.compiled.stages import Stage
from convtool.nn.jit.widths import width as vector_width


class Program(Forward):
    """One thread's rows for a batch: of a forward pass, or of a whole training step."""

    def prepare(self) -> None:
        """Clear the gradients that are summed, and turn the weights around for the way back."""
        shared = self.buffers.shared
        if shared:
            start = self.buffers.gradients - self.thread * shared
            self._add("clear", first=start, last=start + shared)
        for number, stage, place in self._stages():
            if stage.conv is None or not number:
                continue
            taps = stage.kernel[0] * stage.kernel[1]
            first, last = self._share(taps)
            reach, back = place.reach, place.back
            self._add(
                "flip",
                first=first,
                last=last,
                taps=taps,
                source=place.weight,
                width_out=reach.panels.width,
                rows_in=reach.rows,
                stored_in=reach.stored,
                group_in=reach.stored if reach.whole else reach.group_rows,
                target=place.flipped,
                width_in=back.panels.width,
                panels_in=back.panels.count,
                rows_out=back.rows,
                stored_out=back.stored,
                group_out=back.stored if back.whole else back.group_rows,
            )
        self.wait()

    def loss(self, operation: str, kind: int) -> None:
        """Compare outputs and labels; begin the way back."""
        buffers = self.buffers
        last = buffers.places[-1]
        self._add(
            operation,
            first=self.first,
            last=self.last,
            count=self.count,
            classes=buffers.stages[-1].outputs[0],
            y=buffers.y,
            y_p=last.columns,
            labels=buffers.labels,
            dy=last.dy,
            loss=buffers.loss + self.thread * buffers.loss_step,
            smoothing=buffers.numbers + 15,
            kind=kind,
        )

    def backward(self) -> None:
        """Take the gradient from the outputs to every parameter."""
        for number, stage, place in reversed(self._stages()):
            if stage.conv is not None:
                self._conv_backward(number, stage, place)
                continue
            if stage.product is None and not number and stage.norm is None:
                continue
            self._post_backward(number, self.first, self.last, place.dz)
            if stage.norm is not None:
                self._norm_backward(stage, place)
                self._norm_apply(stage, place, self.first, self.last)
            if stage.product is not None:
                self._dense_backward(number, stage, place)

    def _inner(self, number: int) -> int:
        """Return how far dz's first number is from the corner of its border."""
        stage, place = self.buffers.stages[number], self.buffers.places[number]
        if stage.conv is None or not number:
            return 0
        return place.dz_top * place.dz_row + place.dz_left * place.columns

    def _post_backward(self, number: int, low: int, high: int, dz: int) -> None:
        stage, place = self.buffers.stages[number], self.buffers.places[number]
        _, height, width = stage.outputs
        pool = stage.pool
        tiled = pool.stride == pool.kernel and pool.dilation == (1, 1)
        overlap = not tiled
        left_over = (height * pool.stride[0], width * pool.stride[1]) != stage.sums[1:]
        if overlap or (left_over and stage.norm is not None):
            start, end = dz + low * place.dz_p, dz + high * place.dz_p
            self._add("clear", first=start, last=end)
        self._add(
            "post_backward",
            **self._common(number),
            first=low,
            last=high,
            dy=place.dy,
            dy_p=height * width * place.columns,
            dz=dz + self._inner(number),
            dz_p=place.dz_p,
            dz_row=place.dz_row,
            overlap=overlap,
            key=self._keyed(number, "post_backward"),
        )

    def _conv_backward(self, number: int, stage: Stage, place: Place) -> None:
        if stage.norm is not None:
            for low, high in self._blocks(place.block):
                self._post_backward(number, low, high, place.dz)
            self._norm_backward(stage, place)
        for low, high in self._blocks(place.block):
            dz = self._own(place.dz, place.dz_thread, low * place.dz_p)
            if stage.norm is not None:
                self._norm_apply(stage, place, low, high)
            else:
                self._post_backward(number, low, high, dz)
            if place.bias >= 0:
                pixels = place.dz_rows * place.dz_width
                self._column_sums(place, low, high, dz, place.dz_p, pixels)
            target, inner = self._own_gradient(place.weight), dz + self._inner(number)
            self._contract(weight_gradient(stage, place, low, high, inner, target))
            if number:
                before = self.buffers.places[number - 1].dy
                self._contract(input_gradient(stage, place, low, high, dz, before))
        if place.marks >= 0:
            first = self._own_gradient(place.weight)
            size = self.buffers.packing(number).size
            self._add("keep_marked", first=first, last=first + size, marks=place.marks)

    def _column_sums(
        self, place: Place, low: int, high: int, dz: int, step: int, lines: int
    ) -> None:
        self._add(
            "column_sums",
            first=low,
            last=high,
            source=dz,
            step=step,
            lines=lines,
            columns=place.columns,
            target=self._own_gradient(place.bias),
        )

    def _own_gradient(self, parameter: int) -> int:
        return self.buffers.gradients - self.thread * self.buffers.shared + parameter

    def _norm_backward(self, stage: Stage, place: Place) -> None:
        channels, height, width = stage.sums
        self._add(
            "norm_sums",
            first=self.first,
            last=self.last,
            z=place.z,
            z_p=self._z_p(stage, place),
            dz=place.dz + self._inner(self.buffers.places.index(place)),
            dz_p=place.dz_p,
            dz_row=place.dz_row,
            height=height,
            width=width,
            columns=place.columns,
            affine=self._affine(place),
            target=place.partial + self.thread * 3 * place.columns,
        )
        self.wait()
        self._add(
            "norm_backward",
            threads=self.buffers.threads,
            partial=place.partial,
            partial_step=3 * place.columns,
            count=self.count * height * width,
            columns=place.columns,
            channels=channels,
            gamma=place.gamma,
            affine=self._affine(place),
            dgamma=self.buffers.gradients + place.gamma,
            dbeta=self.buffers.gradients + place.beta,
            leader=self.thread == 0,
        )

    def _norm_apply(self, stage: Stage, place: Place, low: int, high: int) -> None:
        _, height, width = stage.sums
        self._add(
            "norm_apply",
            first=low,
            last=high,
            z=place.z,
            z_p=self._z_p(stage, place),
            dz=place.dz + self._inner(self.buffers.places.index(place)),
            dz_p=place.dz_p,
            dz_row=place.dz_row,
            height=height,
            width=width,
            columns=place.columns,
            affine=self._affine(place),
        )

    def _dense_backward(self, number: int, stage: Stage, place: Place) -> None:
        cut, length, columns = panels(stage.sums[0]), place.x_p, place.columns
        batch = self.buffers.batch
        if place.bias >= 0:
            self._column_sums(place, self.first, self.last, place.dz, columns, 1)
        if number:
            self._transpose(
                columns, 0, columns, place.dz, columns, place.turned, batch.columns, by_rows=True
            )
        self.wait()
        low, high = self._share(length, vector_width())
        self._add(
            "contract",
            first=0,
            last=1,
            first_panel=0,
            last_panel=cut.count,
            vectors=cut.vectors,
            lines=1,
            first_row=low,
            last_row=high,
            c=self.buffers.gradients + place.weight,
            c_p=0,
            c_n=length * cut.width,
            c_i=0,
            c_row=cut.width,
            a=place.x,
            a_p=0,
            a_i=0,
            a_row=1,
            a_inner=length,
            a_outer=0,
            b=place.dz,
            b_p=0,
            b_n=cut.width,
            b_i=0,
            b_inner=columns,
            b_outer=0,
            inner=self.count,
            inner_total=0,
            outer=1,
            start=-1,
        )
        if not number:
            return
        self._add(
            "contract",
            first=0,
            last=1,
            first_panel=0,
            last_panel=batch.count,
            vectors=batch.vectors,
            lines=1,
            first_row=low,
            last_row=high,
            c=place.turned_back,
            c_p=0,
            c_n=batch.width,
            c_i=0,
            c_row=batch.columns,
            a=place.weight,
            a_p=0,
            a_i=0,
            a_row=cut.width,
            a_inner=1,
            a_outer=length * cut.width,
            b=place.turned,
            b_p=0,
            b_n=batch.width,
            b_i=0,
            b_inner=batch.columns,
            b_outer=cut.width * batch.columns,
            inner=cut.width,
            inner_total=0,
            outer=cut.count,
            start=-1,
        )
        self.wait()
        dy = self.buffers.places[number - 1].dy
        self._transpose(length, self.first, self.last, place.turned_back, batch.columns, dy, length)

    def _transpose(
        self,
        rows: int,
        first: int,
        last: int,
        source: int,
        source_row: int,
        target: int,
        target_row: int,
        *,
        by_rows: bool = False,
    ) -> None:
        """Turn a matrix; `by_rows` takes this thread's rows, else `first` to `last` columns."""
        if by_rows:
            source += self.first * source_row
            target += self.first
            rows = self.last - self.first
        self._add(
            "transpose",
            rows=rows,
            first=first,
            last=last,
            source=source,
            source_row=source_row,
            target=target,
            target_row=target_row,
            block=vector_width(),
        )

    def update(self, operation: str) -> None:
        """Let the optimiser change every parameter that is not frozen."""
        buffers = self.buffers
        segments = [segment for segment in buffers.segments if not segment.frozen]
        loss, unit = buffers.loss + self.thread * buffers.loss_step, vector_width()
        shares = [
            tuple(segment.start + part for part in self._share(segment.packing.size, unit))
            for segment in segments
        ]
        for segment, (low, high) in zip(segments, shares, strict=True):
            if segment.decayed:
                self._add("squares", first=low, last=high, l2=buffers.numbers + 1, loss=loss)
        self.wait()
        for segment, (low, high) in zip(segments, shares, strict=True):
            self._add(
                operation,
                first=low,
                last=high,
                grads=buffers.gradients,
                step=-buffers.shared,
                copies=buffers.threads if segment.shared else 1,
                decayed=segment.decayed,
                one=buffers.slots[0],
                two=buffers.slots[1],
                numbers=buffers.numbers,
                loss=buffers.loss,
                loss_step=buffers.loss_step,
                threads=buffers.threads,
            )
        self.wait()
