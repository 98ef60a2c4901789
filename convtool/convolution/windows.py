"""Convolve an image larger than memory: some rows of the output at a time.

The image is cut as :mod:`~.tiles` would cut it in memory, the plan is that of the whole image and
the border's table is computed from its full height. So each piece sees the same window and gives
the same bits, whatever rows are asked for together.
"""

import bisect

import numpy as np
from numpy.typing import DTypeLike

from convtool.convolution import borders, dtypes, tiles
from convtool.convolution.geometry import Geometry
from convtool.convolution.planner import Chosen
from convtool.convolution.prepared import turned
from convtool.convolution.run import Kernels, make_ready, request_for
from convtool.convolution.source import Held, Source, Spans, runs_of
from convtool.convolution.threads import count, interruptible
from convtool.convolution.tiles import Store
from convtool.convolution.types import Array, DType, Span
from convtool.errors import OptionError
from convtool.kernels.weights import Combination


class Windows:
    """A prepared convolution of an image that arrives row by row.

    Parameters
    ----------
    shape : tuple of int
        (H, W) or (H, W, C) of the whole image.
    dtype : dtype
        Its type.
    kernels : tuple of ndarray
        One kernel, or a group of the same shape.
    flipped : bool
        Whether it is a convolution.
    layout : Geometry
        Where the windows lie.
    border, cval
        As for :func:`convtool.convolve`.
    engine, threads
        Likewise.
    out_dtype : dtype, optional
        The answer's type, as ``dtype`` there.
    store : callable
        As for :func:`~.api.filtered`.
    chosen : Chosen, optional
        What was chosen for the same windows, in place of a plan made here.
    combination : {"magnitude", "maximum"}
        What is taken of the answers of a group.

    Attributes
    ----------
    shape : tuple of int
        The answer's shape.
    dtype : dtype
        The answer's type.
    chosen : Chosen
        The engine.

    Examples
    --------
    >>> from convtool.convolution.geometry import geometry
    >>> image, box = np.arange(100.0).reshape(20, 5), np.full((3, 3), 1 / 9)
    >>> layout = geometry(image.shape, box.shape)
    >>> windows = Windows(image.shape, image.dtype, (box,), True, layout, border="wrap")
    >>> windows.shape, windows.reach((0, 20))
    ((20, 5), ((0, 20),))
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: DType,
        kernels: Kernels,
        flipped: bool,
        layout: Geometry,
        *,
        border: str = "reflect",
        cval: float = 0.0,
        engine: str = "auto",
        threads: int | None = None,
        out_dtype: DTypeLike | None = None,
        store: Store = dtypes.store,
        chosen: Chosen | None = None,
        combination: Combination = "magnitude",
    ) -> None:
        dtypes.check_image_type(dtype)
        self._rule = borders.resolve(border, cval)
        self.shape = layout.shape + shape[2:]
        self.dtype = dtypes.output_type(dtype, out_dtype)
        self._store, self._height = store, shape[0]
        what = (shape, dtype, self.dtype, turned(kernels, flipped), layout, engine, count(threads))
        request = request_for(*what, rule=self._rule, chosen=chosen, combination=combination)
        ready = make_ready(request)
        self._job, self._correlator, self.chosen = ready.job, ready.correlator, ready.chosen
        self._seconds = ready.seconds
        width = int(np.prod(self.shape[1:]))
        self._bands = tiles.bands(self._correlator, self._job, width, self.dtype, store)
        self._ends = [band.rows[1] for band in self._bands]

    def covering(self, rows: Span) -> Span:
        """Return the fewest rows of the answer that can be computed and hold those asked for."""
        first, last = self._numbers(rows)
        return self._bands[first].rows[0], self._bands[last].rows[1]

    def reach(self, rows: Span) -> Spans:
        """Return which rows of the image are read for those rows of the answer; at least one."""
        first, last = self._numbers(rows)
        span = self._bands[first].positions[0], self._bands[last].positions[1]
        return runs_of(borders.table(self._height, *span, self._rule[0]))

    def compute(self, rows: Span, pixels: Array, held: Spans) -> Array:
        """Compute rows of the answer.

        Parameters
        ----------
        rows : (int, int)
            The first and the one after the last, as `covering` returns them.
        pixels : ndarray
            Those rows of the image that `held` names, one run after the other.
        held : tuple of (int, int)
            At least those that `reach` names.

        Returns
        -------
        ndarray, shape (rows, W') or (rows, W', C)
            The very values that the whole answer has there.

        Raises
        ------
        OptionError
            If the rows cannot be computed alone.
        """
        if self.covering(rows) != rows:
            raise OptionError(f"rows {rows} cannot be computed alone, but {self.covering(rows)}")
        out = np.empty((rows[1] - rows[0], *self.shape[1:]), self.dtype)
        planes = pixels.reshape(pixels.shape + (1,) * (3 - pixels.ndim))
        source = Source(planes, *self._rule, self._job.dtype, Held(self._height, held))
        answer = out.reshape(out.shape + (1,) * (3 - out.ndim))
        how = (self._correlator, source, self._job, answer, self._store, rows[0])
        share = (rows[1] - rows[0]) / self.shape[0]
        interruptible(lambda: tiles.run(*how), self._seconds * share)
        return out

    def _numbers(self, rows: Span) -> tuple[int, int]:
        """Return the first and the last band that these rows lie in."""
        return bisect.bisect_right(self._ends, rows[0]), bisect.bisect_left(self._ends, rows[1])
