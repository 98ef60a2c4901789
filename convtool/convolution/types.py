"""Names for the types of the convolution: arrays, dtypes and spans."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
DType = np.dtype[Any]

Span = tuple[int, int]
"""First position, and the one after the last."""
