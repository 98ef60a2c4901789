"""8-bit images, 8 bits out, by equal weights: running sums, at the same cost for any size."""

import numpy as np

from convtool.convolution.engines import Job
from convtool.convolution.engines.jit.uint8 import Uint8Strips, fits, job_type, template_of
from convtool.convolution.engines.jit.weights import RUNNING_CHANNELS

TALLEST = 257
"""So many rows of 8-bit pixels add up to what 16 bits hold, and no more."""

_EXACT_FLOAT = 1 << 24
_LARGEST = 1 << 21

MEAN_JOB = job_type("height", "taps", "scale")
"""A mean: the window's rows and columns, and the bits of the float32 weight."""


def mean_strips(job: Job) -> Uint8Strips | None:
    """Return equal weights made ready for 8-bit images, or None where they do not fit integers."""
    height, taps = job.kernel.shape
    value = float(np.float32(job.kernel[0, 0]))
    most = 255 * height * taps
    exact = height <= TALLEST and most < _EXACT_FLOAT and value > 0 and most * value < _LARGEST
    if not (exact and job.channels in RUNNING_CHANNELS and fits(job, 1)):
        return None
    template = template_of(job, MEAN_JOB)
    record = template.view(MEAN_JOB)
    record["height"], record["taps"] = height, taps
    record["scale"] = np.float32(value).view(np.int32)
    return Uint8Strips(
        job.layout,
        template,
        "mean_strips",
        lambda pixel: pixel * height,
    )
