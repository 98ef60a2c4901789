"""Filter and convolve images, right and fast.

The public names are loaded on first use, so that ``import convtool`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from convtool._version import __version__

if TYPE_CHECKING:
    from convtool import deconvolution as deconvolution
    from convtool import distributed as distributed
    from convtool import explain as explain
    from convtool import images as images
    from convtool import kernels as kernels
    from convtool import learn as learn
    from convtool import ndimage as ndimage
    from convtool import nn as nn
    from convtool import svd as svd
    from convtool.compiled import build_info as build_info
    from convtool.convolution.api import convolve as convolve
    from convtool.convolution.api import correlate as correlate
    from convtool.convolution.api import plan as plan
    from convtool.convolution.engines import engines as engines
    from convtool.convolution.gradient import gradient_direction as gradient_direction
    from convtool.convolution.gradient import gradient_magnitude as gradient_magnitude
    from convtool.convolution.toeplitz import toeplitz as toeplitz
    from convtool.deconvolution.api import deconvolve as deconvolve
    from convtool.errors import ConvtoolError as ConvtoolError
    from convtool.images.kernels import kernel as kernel
    from convtool.images.read import read as read
    from convtool.images.write import write as write
    from convtool.kernels.presets import presets as presets
    from convtool.svd.metrics import mse as mse
    from convtool.svd.metrics import psnr as psnr
    from convtool.svd.metrics import ssim as ssim

_HOMES = {
    "ConvtoolError": "convtool.errors",
    "build_info": "convtool.compiled",
    "convolve": "convtool.convolution.api",
    "correlate": "convtool.convolution.api",
    "deconvolve": "convtool.deconvolution.api",
    "engines": "convtool.convolution.engines",
    "gradient_direction": "convtool.convolution.gradient",
    "gradient_magnitude": "convtool.convolution.gradient",
    "kernel": "convtool.images.kernels",
    "mse": "convtool.svd.metrics",
    "plan": "convtool.convolution.api",
    "presets": "convtool.kernels.presets",
    "psnr": "convtool.svd.metrics",
    "read": "convtool.images.read",
    "ssim": "convtool.svd.metrics",
    "toeplitz": "convtool.convolution.toeplitz",
    "write": "convtool.images.write",
}
_SUBPACKAGES = (
    "deconvolution",
    "distributed",
    "explain",
    "images",
    "kernels",
    "learn",
    "ndimage",
    "nn",
    "svd",
)

__all__ = [
    "ConvtoolError",
    "__version__",
    "build_info",
    "convolve",
    "correlate",
    "deconvolution",
    "deconvolve",
    "distributed",
    "engines",
    "explain",
    "gradient_direction",
    "gradient_magnitude",
    "images",
    "kernel",
    "kernels",
    "learn",
    "mse",
    "ndimage",
    "nn",
    "plan",
    "presets",
    "psnr",
    "read",
    "ssim",
    "svd",
    "toeplitz",
    "write",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    elif name in _SUBPACKAGES:
        value = import_module(f"convtool.{name}")
    else:
        raise AttributeError(f"module 'convtool' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
