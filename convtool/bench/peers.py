"""The peers: functions of OpenCV and SciPy for the same work.

Each gets the same image, kernel and number of threads, the border dcba|abcd|dcba, and an output
array if it accepts one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from convtool.bench.cells import Array, sigma_of
from convtool.bench.task import Ready, Task
from convtool.errors import EngineError
from convtool.records import Record


class Peer(Record):
    """A function of another library."""

    name: str
    """The function's name."""
    prepare: Callable[[Task], Ready]
    """Prepares a task and returns a callable; raises EngineError for unsupported tasks."""
    like: str | None
    """The engine whose predicted cost approximates its own."""


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Set OpenCV's number of threads within the context; SciPy's FFT takes it in each call."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(count)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _opencv_errors(prepare: Callable[[Task], Ready]) -> Callable[[Task], Ready]:
    """Convert OpenCV's errors to EngineError or MemoryError."""

    def prepared(task: Task) -> Ready:
        import cv2

        if np.dtype(task.cell.dtype) not in OPENCV_TYPES:
            raise EngineError(f"OpenCV filters no {task.cell.dtype}")
        ready = prepare(task)

        def run() -> Array:
            try:
                return ready()
            except cv2.error as error:
                raise EngineError(f"OpenCV: {error.err}") from error

        run()
        return ready

    return prepared


OPENCV_TYPES = tuple(map(np.dtype, ("uint8", "uint16", "int16", "float32", "float64")))


def _strided(task: Task, full: Array) -> Array:
    """Return every S-th row and column as a view."""
    return full[:: task.cell.stride, :: task.cell.stride]


def _full_memory(task: Task) -> Array:
    return np.zeros(task.cell.shape, task.cell.dtype)


def _weights(task: Task) -> Array:
    kind = np.float64 if task.cell.dtype == "float64" else np.float32
    return np.asarray(task.kernel.astype(kind))


def _called(task: Task, function: Callable[..., object], *arguments: Any, **named: Any) -> Ready:
    """Make a function of OpenCV ready that writes the whole answer, of which some pixels count."""
    import cv2

    out = _full_memory(task)
    call = partial(
        function, task.image, *arguments, dst=out, borderType=cv2.BORDER_REFLECT, **named
    )

    def run() -> Array:
        call()
        return _strided(task, out)

    return run


def _filter2d(task: Task) -> Ready:
    import cv2

    return _called(task, cv2.filter2D, -1, _weights(task))


def _sep_filter2d(task: Task) -> Ready:
    import cv2

    values, vectors = np.linalg.svd(task.kernel)[1:]
    if len(values) > 1 and values[1] > 1e-7 * values[0]:
        raise EngineError("the kernel is not separable")
    row = vectors[0]
    column = task.kernel @ row
    kind = _weights(task).dtype
    return _called(task, cv2.sepFilter2D, -1, row.astype(kind), column.astype(kind))


def _gaussian_blur(task: Task) -> Ready:
    import cv2

    size, sigma = task.cell.kernel, sigma_of(task.cell.kernel)
    return _called(task, cv2.GaussianBlur, (size, size), sigma, sigmaY=sigma)


def _blur(task: Task) -> Ready:
    import cv2

    return _called(task, cv2.blur, (task.cell.kernel, task.cell.kernel))


def _box_filter(task: Task) -> Ready:
    import cv2

    size = task.cell.kernel
    return _called(task, cv2.boxFilter, -1, (size, size), normalize=True)


def _sobel(task: Task) -> Ready:
    import cv2

    working = np.float64 if task.cell.dtype == "float64" else np.float32
    depth = cv2.CV_64F if working is np.float64 else cv2.CV_32F
    right, down, length = (np.zeros(task.cell.shape, working) for _ in range(3))
    out = _full_memory(task)
    border = cv2.BORDER_REFLECT

    def run() -> Array:
        cv2.Sobel(task.image, depth, 1, 0, dst=right, ksize=3, borderType=border)
        cv2.Sobel(task.image, depth, 0, 1, dst=down, ksize=3, borderType=border)
        if out.dtype == working:
            cv2.magnitude(right, down, magnitude=out)
        else:
            cv2.magnitude(right, down, magnitude=length)
            _stored(length, out)
        return _strided(task, out)

    return run


def _stored(values: Array, out: Array) -> None:
    """Round to integers and saturate, with OpenCV where it supports the type."""
    if out.dtype == np.uint8:
        import cv2

        cv2.convertScaleAbs(values, dst=out)
        return
    limits = np.iinfo(out.dtype)
    np.rint(values, out=values)
    np.clip(values, limits.min, limits.max, out=values)
    np.copyto(out, values, casting="unsafe")


def _ndimage(task: Task) -> Ready:
    from scipy import ndimage

    turned = task.kernel[::-1, ::-1].reshape(task.kernel.shape + (1,) * (task.image.ndim - 2))
    integers = np.dtype(task.cell.dtype).kind != "f"
    full = np.zeros(task.cell.shape, np.float32 if integers else task.cell.dtype)
    out = _full_memory(task)

    def run() -> Array:
        ndimage.convolve(task.image, turned, output=full, mode="reflect")
        if not integers:
            return _strided(task, full)
        _stored(full, out)
        return _strided(task, out)

    return run


def _by_fft(function: str) -> Callable[[Task], Ready]:
    def prepare(task: Task) -> Ready:
        from scipy import fft, signal

        integers = np.dtype(task.cell.dtype).kind != "f"
        working = np.float32 if integers else np.dtype(task.cell.dtype)
        turned = np.ascontiguousarray(task.kernel[::-1, ::-1], working)
        turned = turned.reshape(turned.shape + (1,) * (task.image.ndim - 2))
        before = [size // 2 for size in task.kernel.shape]
        after = [size - 1 - size // 2 for size in task.kernel.shape]
        around = [*zip(before, after, strict=True), *[(0, 0)] * (task.image.ndim - 2)]
        convolve: Callable[..., Any] = getattr(signal, function)
        out = _full_memory(task)

        def run() -> Array:
            padded = np.pad(task.image, around, mode="symmetric").astype(working, copy=False)
            with fft.set_workers(task.cell.threads):
                full: Array = convolve(padded, turned, mode="valid", axes=(0, 1))
            if not integers:
                return _strided(task, full)
            _stored(np.ascontiguousarray(full, np.float32), out)
            return _strided(task, out)

        return run

    return prepare


PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        Peer("cv2.filter2D", _opencv_errors(_filter2d), "opencv"),
        Peer("cv2.sepFilter2D", _opencv_errors(_sep_filter2d), None),
        Peer("cv2.GaussianBlur", _opencv_errors(_gaussian_blur), None),
        Peer("cv2.blur", _opencv_errors(_blur), None),
        Peer("cv2.boxFilter", _opencv_errors(_box_filter), None),
        Peer("cv2.Sobel+magnitude", _opencv_errors(_sobel), None),
        Peer("scipy.ndimage.convolve", _ndimage, "scipy"),
        Peer("scipy.signal.oaconvolve", _by_fft("oaconvolve"), None),
        Peer("scipy.signal.fftconvolve", _by_fft("fftconvolve"), None),
    )
}
"""The peers by name."""
