"""scikit-image's linear filters, with its signatures, scales and borders.

``from convtool import filters`` takes the place of ``from skimage import filters`` for the
functions below: same parameters, defaults, types and masks, and the same answers within 1e-6 of the
image's range. They are computed by :func:`convtool.convolve`, on all cores; scikit-image is not
needed. The functions are loaded on first use.

Examples
--------
>>> import numpy as np
>>> from convtool import filters
>>> image = np.zeros((5, 5), np.uint8)
>>> image[2:] = 255
>>> float(filters.sobel_h(image)[2, 2])
1.0
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convtool.filters.edges import farid as farid
    from convtool.filters.edges import farid_h as farid_h
    from convtool.filters.edges import farid_v as farid_v
    from convtool.filters.edges import prewitt as prewitt
    from convtool.filters.edges import prewitt_h as prewitt_h
    from convtool.filters.edges import prewitt_v as prewitt_v
    from convtool.filters.edges import scharr as scharr
    from convtool.filters.edges import scharr_h as scharr_h
    from convtool.filters.edges import scharr_v as scharr_v
    from convtool.filters.edges import sobel as sobel
    from convtool.filters.edges import sobel_h as sobel_h
    from convtool.filters.edges import sobel_v as sobel_v
    from convtool.filters.laplacian import laplace as laplace
    from convtool.filters.roberts_cross import roberts as roberts
    from convtool.filters.roberts_cross import roberts_neg_diag as roberts_neg_diag
    from convtool.filters.roberts_cross import roberts_pos_diag as roberts_pos_diag
    from convtool.filters.sharpening import unsharp_mask as unsharp_mask
    from convtool.filters.smoothing import difference_of_gaussians as difference_of_gaussians
    from convtool.filters.smoothing import gaussian as gaussian
    from convtool.filters.texture import gabor as gabor
    from convtool.filters.texture import gabor_kernel as gabor_kernel

_HOMES = {
    "difference_of_gaussians": "smoothing",
    "farid": "edges",
    "farid_h": "edges",
    "farid_v": "edges",
    "gabor": "texture",
    "gabor_kernel": "texture",
    "gaussian": "smoothing",
    "laplace": "laplacian",
    "prewitt": "edges",
    "prewitt_h": "edges",
    "prewitt_v": "edges",
    "roberts": "roberts_cross",
    "roberts_neg_diag": "roberts_cross",
    "roberts_pos_diag": "roberts_cross",
    "scharr": "edges",
    "scharr_h": "edges",
    "scharr_v": "edges",
    "sobel": "edges",
    "sobel_h": "edges",
    "sobel_v": "edges",
    "unsharp_mask": "sharpening",
}

__all__ = [
    "difference_of_gaussians",
    "farid",
    "farid_h",
    "farid_v",
    "gabor",
    "gabor_kernel",
    "gaussian",
    "laplace",
    "prewitt",
    "prewitt_h",
    "prewitt_v",
    "roberts",
    "roberts_neg_diag",
    "roberts_pos_diag",
    "scharr",
    "scharr_h",
    "scharr_v",
    "sobel",
    "sobel_h",
    "sobel_v",
    "unsharp_mask",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'convtool.filters' has no attribute {name!r}")
    value = getattr(import_module(f"convtool.filters.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
