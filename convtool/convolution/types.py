"""Names for the types of the convolution: arrays, dtypes, spans and the options' words."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
DType = np.dtype[Any]

Span = tuple[int, int]
"""First position, and the one after the last."""

Mode = Literal["same", "valid", "full"]
"""The names of `.geometry.MODES`."""

Border = Literal[
    "reflect",
    "mirror",
    "nearest",
    "wrap",
    "constant",
    "symmetric",
    "reflect-101",
    "replicate",
    "edge",
    "zero",
]
"""The names of `.borders.BORDERS`."""

Engine = Literal[
    "auto",
    "direct",
    "separable",
    "fft",
    "numba",
    "numba-fft",
    "opencv",
    "scipy",
    "separable:rank=1",
    "separable:rank=2",
    "separable:rank=3",
    "separable:rank=4",
    "numba:rank=1",
    "numba:rank=2",
    "numba:rank=3",
    "numba:rank=4",
    "opencv:rank=1",
    "opencv:rank=2",
    "opencv:rank=3",
    "opencv:rank=4",
]
"""``auto``, the names of `.engines.ENGINES`, and those that take a rank with the usual ranks."""
