"""``scipy.ndimage``, faster: ``import convtool.ndimage as ndi`` in place of SciPy's module.

The linear filters have SciPy's signatures, defaults, types and answers, and are done by compiled
code on all cores; every other name, and what compiled code cannot do, is SciPy's own. `explain`
says how the last call was done.

Sums are made in float64 in the order in which SciPy makes them, so that answers are equal to
SciPy's: integers, which SciPy truncates, included.

Examples
--------
>>> import numpy as np
>>> import convtool.ndimage as ndi
>>> image = np.arange(1_000_000, dtype=np.float32).reshape(1000, 1000)
>>> ndi.gaussian_filter(image, sigma=2).dtype
dtype('float32')
"""

from typing import Any

from convtool.ndimage.filters import (
    convolve,
    correlate,
    gaussian_filter,
    gaussian_gradient_magnitude,
    gaussian_laplace,
    laplace,
    prewitt,
    sobel,
    uniform_filter,
)
from convtool.ndimage.lines import convolve1d, correlate1d, gaussian_filter1d, uniform_filter1d
from convtool.ndimage.record import Explanation, explain

__all__ = [
    "Explanation",
    "convolve",
    "convolve1d",
    "correlate",
    "correlate1d",
    "explain",
    "gaussian_filter",
    "gaussian_filter1d",
    "gaussian_gradient_magnitude",
    "gaussian_laplace",
    "laplace",
    "prewitt",
    "sobel",
    "uniform_filter",
    "uniform_filter1d",
]


def __getattr__(name: str) -> Any:
    """Hand through what SciPy has beside these."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import scipy.ndimage

    if name not in scipy.ndimage.__all__:
        raise AttributeError(f"module 'scipy.ndimage' has no attribute {name!r}")
    from convtool.ndimage.dispatch import by_scipy
    from convtool.ndimage.record import NO_FASTER

    theirs = getattr(scipy.ndimage, name)
    found = by_scipy(name, NO_FASTER) if callable(theirs) else theirs
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    import scipy.ndimage

    return sorted({*__all__, *scipy.ndimage.__all__})
