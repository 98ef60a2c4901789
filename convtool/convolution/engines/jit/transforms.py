"""Dense kernels by the convolution theorem: overlap-save in compiled transforms, on threads.

A transform is of complex numbers, and a tile's pixels are real: two planes (tiles, or channels) go
through it together, one as the real part and one as the imaginary, and come out apart, since the
kernel is real. Of a pair of kernels, whose answers' length is wanted, one is the real and the other
the imaginary part, and each plane goes alone.

References
----------
A. V. Oppenheim, R. W. Schafer, Discrete-Time Signal Processing, section 8.7.3 (overlap-save).
"""

import math
from functools import cached_property

import numpy as np

from convtool import compiled
from convtool.compiled import threadpool
from convtool.convolution.engines import Job, StripCorrelator
from convtool.convolution.engines.jit.job import (
    JOB,
    address_of,
    describe_call,
    describe_layout,
    run,
)
from convtool.convolution.engines.jit.weights import describe_kernel, weights_of
from convtool.convolution.engines.overlap import tiling
from convtool.convolution.engines.rounding import TOLERANCE, share_of, smallest_sums
from convtool.convolution.source import Source
from convtool.convolution.types import Array, DType, Span
from convtool.errors import EngineError
from convtool.records import replace

APART = 64
"""Bytes between the rows of a plane, so that a column's do not meet in the same part of a cache."""

WRITES: frozenset[DType] = frozenset({np.dtype(np.uint8), np.dtype(np.uint16)})
"""Types, beside the working one, that are written by the compiled code."""

OVERLAP_JOB = np.dtype(
    [
        ("job", JOB),
        *((name, np.intp) for name in ("height", "width", "kernel_height", "kernel_width")),
        *((name, np.intp) for name in ("spectrum", "down", "down_count", "across")),
        *((name, np.intp) for name in ("across_count", "pair", "convolve_plane")),
        *((name, np.intp) for name in ("checked", "signed", "sparse", "smallest")),
        *((name, np.intp) for name in ("precise", "convolve_exactly")),
        *((name, np.float64) for name in ("rounding", "tolerance", "least", "most")),
    ],
    align=True,
)
"""A convolution by transforms: lengths, the kernel's sizes, addresses; ``pair`` is not 0 for two
kernels. A strip of ``job`` is two tiles side by side.

Where it is ``checked``, transforms are kept if they err by no more than ``tolerance`` times the sum
of the products' magnitudes for any window; else ``convolve_exactly`` makes the tile with the help
of a job in float64, ``precise``. Transforms err by ``rounding`` times the root of a tile's sum of
squares, where that lies between ``least`` and ``most``. The first n of the ``smallest`` are what
the n smallest magnitudes of weights sum to. ``signed``: some weights differ in sign; ``sparse``:
zeros among them must carry no NaN."""

PLANE_JOB = np.dtype(
    [
        *((name, np.intp) for name in ("unit", "re", "im", "stride")),
        *((name, np.intp) for name in ("scratch", "scratch_stride", "wide")),
        *((name, np.intp) for name in ("rows", "near", "far", "failed")),
    ]
)
"""A plane of complex numbers: its convolution, addresses, distances in bytes, and how much of the
answer is wanted: rows, and columns of the real and of the imaginary part. ``failed`` becomes 1
where there was no memory."""

NORMS = {np.dtype(np.float32): (1e-13, 1e15), np.dtype(np.float64): (1e-125, 1e125)}
"""Roots of sums of squares that the working type holds with room to spare."""

LARGEST = {np.dtype(np.float32): 1e36, np.dtype(np.float64): 1e300}
"""And the largest value that a transform may meet."""


def frequencies(length: int) -> Array:
    """Return which frequency each row holds after the forward transform of so many rows.

    Examples
    --------
    >>> frequencies(8).tolist()
    [0, 4, 1, 5, 2, 6, 3, 7]
    """
    if length == 1:
        return np.zeros(1, np.intp)
    branches = 4 if length >= 4 else 2
    inner = frequencies(length // branches) * branches
    return np.concatenate([inner + branch for branch in range(branches)])


def roots_of_unity(length: int, dtype: DType) -> Array:
    """Return the factors of all passes, shape (count, 6).

    A pass over blocks of n rows has n/4 of them: the first, second and third power of
    exp(-2πi·j/n), real and imaginary parts in turn.
    """
    passes = []
    size = length
    while size >= 4:
        turns = np.outer(np.arange(size // 4), [1, 2, 3]) * (-2j * np.pi / size)
        passes.append(np.exp(turns).view(np.float64))
        size //= 4
    return np.ascontiguousarray(np.vstack(passes), dtype)


def _spectrum(kernels: tuple[Array, ...], lengths: tuple[int, int], dtype: DType) -> Array:
    """Return what spectra are multiplied by, shape (2, width, height), in the transforms' order.

    It is the conjugate of a real kernel's spectrum, since it correlates, and holds the factor that
    the inverse leaves out.
    """
    padded = np.zeros(lengths, np.complex128)
    height, width = kernels[0].shape
    for kernel, unit in zip(kernels, (1, 1j), strict=False):
        padded[:height, :width] += unit * kernel
    down, across = map(frequencies, lengths)
    ordered = np.fft.ifft2(padded)[np.ix_(down, across)].T
    return np.ascontiguousarray([ordered.real, ordered.imag], dtype)


class _Units:
    """A kernel made ready; it holds the arrays whose addresses stand in its record."""

    def __init__(self, job: Job, lengths: tuple[int, int]) -> None:
        self.job, self.lengths = job, lengths
        self.dtype, self.layout = job.dtype, job.layout
        self.spectrum = _spectrum(job.kernels, lengths, job.dtype)
        self.roots = [roots_of_unity(length, job.dtype) for length in lengths]
        self.template = np.zeros(OVERLAP_JOB.itemsize, np.uint8)
        record = self.template.view(OVERLAP_JOB)
        record["job"]["channels"] = job.channels
        describe_layout(record["job"], job.layout)
        record["height"], record["width"] = lengths
        record["kernel_height"], record["kernel_width"] = job.kernel.shape
        record["spectrum"] = address_of(self.spectrum)
        record["down"], record["across"] = map(address_of, self.roots)
        record["down_count"], record["across_count"] = map(len, self.roots)
        record["pair"] = len(job.kernels) - 1
        record["convolve_plane"] = compiled.address("convolve_tile", job.dtype.name)
        self._describe_rounding(record)

    def _describe_rounding(self, record: Array) -> None:
        """Write the bounds of the transforms' rounding."""
        area = math.prod(self.lengths)
        largest = area * float(np.hypot(*self.spectrum.astype(np.float64)).max())
        record["rounding"] = share_of(self.job.kernels, largest, area, self.dtype)
        record["tolerance"] = TOLERANCE[self.dtype]
        least, most = NORMS[self.dtype]
        reach = max(largest, float(np.finfo(self.dtype).tiny)) * math.sqrt(area)
        record["least"] = max(least, 1 / LARGEST[self.dtype] / reach) ** 2
        record["most"] = min(most, LARGEST[self.dtype] / reach) ** 2

    @cached_property
    def checked(self) -> "_Checked":
        """The same for images whose values may lie far apart."""
        precise = self
        if self.dtype != np.float64:
            precise = _Units(replace(self.job, dtype=np.dtype(np.float64)), self.lengths)
        return _Checked(self, precise)

    def _template(self, source: Source) -> Array:
        """Return the job that suits an image: integers lie close enough together."""
        close = source.pixels.dtype.kind != "f" and math.isfinite(source.outside)
        return self.template if close else self.checked.template

    def run(self, source: Source, out: Array, origin: Span, strips: Array, workers: int) -> None:
        """Make strips of the answer, each two tiles: see :class:`~..StripCorrelator`."""
        image, working = source.pixels.dtype, self.dtype.name
        memory = self._template(source).copy()
        _, kept = describe_call(
            memory,
            self.layout,
            source,
            out,
            origin,
            strips,
            read=compiled.address("read_line", image.name, working),
            write=compiled.address("write_line", working, out.dtype.name),
        )
        run(compiled.address("tiles", working), memory, min(workers, len(strips)))
        del kept


class _Checked:
    """A kernel made ready for images of floats."""

    def __init__(self, units: _Units, precise: _Units) -> None:
        kernels = units.job.kernels
        self.weights = [weights_of(kernel, precise.dtype, None, 1, 1) for kernel in kernels]
        if len(kernels) == 1:
            self.weights.append(weights_of(np.empty((0, 1)), precise.dtype, None, 1, 1))
        self.smallest = smallest_sums(kernels)
        self.kept, self.precise = precise, precise.template.copy()
        record = self.precise.view(OVERLAP_JOB)["job"]
        record["plane"] = compiled.address("plane", precise.dtype.name)
        for name, weights in zip(("first", "second"), self.weights, strict=True):
            describe_kernel(record[name], weights)
        self.template = units.template.copy()
        record = self.template.view(OVERLAP_JOB)
        record["checked"] = True
        record["signed"] = any(kernel.min() < 0 < kernel.max() for kernel in kernels)
        record["signed"] |= len(kernels) > 1
        zeros = not all(np.all(kernel) for kernel in kernels)
        record["sparse"] = zeros or self.weights[0].uniform
        record["smallest"] = address_of(self.smallest)
        record["precise"] = address_of(self.precise)
        record["convolve_exactly"] = compiled.address("convolve_exactly", units.dtype.name)


def prepare(job: Job) -> StripCorrelator:
    """Make a correlator that multiplies spectra.

    Raises
    ------
    EngineError
        If the kernel is larger than any transform.
    """
    height, width, _ = job.shape
    chosen = tiling((job.kernel.shape[0], job.kernel.shape[1]), (height, width))
    if chosen is None:
        raise EngineError(
            f"engine 'numba-fft' has no transforms for a kernel of {job.kernel.shape[0]}×"
            f"{job.kernel.shape[1]}; choose engine 'fft'"
        )
    lines = (chosen.tile[0] - 1) // job.layout.rows.stride + 1
    return StripCorrelator(
        _Units(job, chosen.lengths).run, (lines, 2 * chosen.tile[1]), WRITES, threadpool.wake
    )
