"""An adapter to ``scipy.ndimage``, to compare with."""

from convtool.convolution.engines import Job, TileCorrelator
from convtool.convolution.types import Array


def prepare(job: Job) -> TileCorrelator:
    """Make a correlator that calls ``scipy.ndimage.correlate``; it sums in float64."""
    from scipy import ndimage

    weights = job.kernel.astype(job.dtype)[:, :, None]
    top, left = job.kernel.shape[0] // 2, job.kernel.shape[1] // 2

    def run(window: Array, out: Array) -> None:
        rows, columns, _ = out.shape
        answer = ndimage.correlate(window, weights, mode="constant", output=window.dtype)
        out[...] = answer[top : top + rows, left : left + columns]

    return TileCorrelator(run, (256, job.shape[1]))
