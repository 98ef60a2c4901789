"""Volumes: kernels of three dimensions, on any three axes of an array."""

from typing import Any

import numpy as np

from convtool.convolution import dtypes
from convtool.convolution.arranged import rules_for
from convtool.convolution.geometry import MODES, numbers
from convtool.convolution.prepared import Options, check_out
from convtool.convolution.threads import interruptible
from convtool.convolution.types import Array, DType
from convtool.errors import OptionError, ShapeError, check_choice

PRODUCTS = 1e10
"""Products a second: no processor sums many more of them for a kernel of three dimensions."""


class Volume:
    """A convolution by a kernel of three dimensions."""

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: DType,
        kernel: Array,
        kernel_axes: tuple[int, ...],
        options: Options,
    ) -> None:
        dtypes.check_image_type(dtype)
        if 0 in shape:
            raise ShapeError(f"the image is empty: its shape is {shape}")
        if options.padding is not None or numbers(options.stride, "stride", 3, 1) != (1, 1, 1):
            raise OptionError(
                "stride and padding are for kernels of one and two dimensions; use mode='valid' "
                "after numpy.pad, and slices of the answer"
            )
        check_choice("mode", options.mode, MODES)
        ascending = tuple(int(place) for place in np.argsort(kernel_axes))
        rules = rules_for(options, 3)
        origin = numbers(options.origin, "origin", 3)
        self._kernel = np.ascontiguousarray(kernel.transpose(ascending))
        self._flipped = options.flipped
        self._order = (
            *(n for n in range(len(shape)) if n not in kernel_axes),
            *sorted(kernel_axes),
        )
        self.dtype = dtypes.output_type(dtype, options.dtype)
        cvals = {value for rule, value in rules if rule == "constant"} or {0.0}
        if len(cvals) > 1:
            raise OptionError("borders 'zero' and 'constant' with a cval do not go together")
        self._how: dict[str, Any] = {
            "mode": options.mode,
            "borders": tuple(rules[place][0] for place in ascending),
            "cval": cvals.pop(),
            "origin": tuple(origin[place] for place in ascending),
            "delta": options.delta,
            "engine": options.engine,
            "dtype": self.dtype,
            "threads": options.threads,
        }
        change = {"same": 0, "valid": -1, "full": 1}[options.mode]
        taps = dict(zip(sorted(kernel_axes), self._kernel.shape, strict=True))
        self.shape = tuple(
            size + change * (taps.get(axis, 1) - 1) for axis, size in enumerate(shape)
        )
        if min(self.shape) < 1:
            raise ShapeError(
                f"no output is left of shape {shape} with a kernel of {self._kernel.shape}; "
                "use mode 'same' or a smaller kernel"
            )

    def fits(self) -> bool:
        """Return whether what was planned still holds: nothing was."""
        return True

    def __call__(self, image: Array, out: Array | None = None) -> Array:
        """Return the answer for an array of that shape and dtype."""
        if out is None:
            out = np.empty(self.shape, self.dtype)
        else:
            check_out(out, self.shape, self.dtype)
            if np.may_share_memory(out, image):
                np.copyto(out, self(image))
                return out
        from convtool.convolution.volume import volume_filtered

        pixels, answers = image.transpose(self._order), out.transpose(self._order)

        def run() -> None:
            for place in np.ndindex(pixels.shape[:-3]):
                how = {**self._how, "out": answers[place]}
                volume_filtered(pixels[place], self._kernel, self._flipped, **how)

        interruptible(run, image.size * self._kernel.size / PRODUCTS)
        return out
