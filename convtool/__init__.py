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
    from convtool.errors import ClusterError as ClusterError
    from convtool.errors import ConvtoolError as ConvtoolError
    from convtool.errors import ConvtoolWarning as ConvtoolWarning
    from convtool.errors import DatasetError as DatasetError
    from convtool.errors import EngineError as EngineError
    from convtool.errors import FileRefusedError as FileRefusedError
    from convtool.errors import ImageFormatError as ImageFormatError
    from convtool.errors import ImageReadError as ImageReadError
    from convtool.errors import ImageTooLargeError as ImageTooLargeError
    from convtool.errors import ImageWriteError as ImageWriteError
    from convtool.errors import JournalError as JournalError
    from convtool.errors import KernelError as KernelError
    from convtool.errors import LimitError as LimitError
    from convtool.errors import ModelError as ModelError
    from convtool.errors import ModelFileError as ModelFileError
    from convtool.errors import NonFiniteError as NonFiniteError
    from convtool.errors import OptionError as OptionError
    from convtool.errors import PixelTypeError as PixelTypeError
    from convtool.errors import ReportReadError as ReportReadError
    from convtool.errors import ReportWriteError as ReportWriteError
    from convtool.errors import ShapeError as ShapeError
    from convtool.errors import TimeLimitError as TimeLimitError
    from convtool.errors import TrainingError as TrainingError
    from convtool.errors import WorkerError as WorkerError
    from convtool.filtering.api import filter_image as filter_image
    from convtool.images.image import Document as Document
    from convtool.images.image import Image as Image
    from convtool.images.kernels import kernel as kernel
    from convtool.images.read import read as read
    from convtool.images.write import write as write
    from convtool.kernels.presets import presets as presets
    from convtool.svd.metrics import mse as mse
    from convtool.svd.metrics import psnr as psnr
    from convtool.svd.metrics import ssim as ssim

_HOMES = {
    "ClusterError": "convtool.errors",
    "ConvtoolError": "convtool.errors",
    "ConvtoolWarning": "convtool.errors",
    "DatasetError": "convtool.errors",
    "Document": "convtool.images.image",
    "EngineError": "convtool.errors",
    "FileRefusedError": "convtool.errors",
    "Image": "convtool.images.image",
    "ImageFormatError": "convtool.errors",
    "ImageReadError": "convtool.errors",
    "ImageTooLargeError": "convtool.errors",
    "ImageWriteError": "convtool.errors",
    "JournalError": "convtool.errors",
    "KernelError": "convtool.errors",
    "LimitError": "convtool.errors",
    "ModelError": "convtool.errors",
    "ModelFileError": "convtool.errors",
    "NonFiniteError": "convtool.errors",
    "OptionError": "convtool.errors",
    "PixelTypeError": "convtool.errors",
    "ReportReadError": "convtool.errors",
    "ReportWriteError": "convtool.errors",
    "ShapeError": "convtool.errors",
    "TimeLimitError": "convtool.errors",
    "TrainingError": "convtool.errors",
    "WorkerError": "convtool.errors",
    "build_info": "convtool.compiled",
    "convolve": "convtool.convolution.api",
    "correlate": "convtool.convolution.api",
    "deconvolve": "convtool.deconvolution.api",
    "engines": "convtool.convolution.engines",
    "filter_image": "convtool.filtering.api",
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
    "nn",
    "svd",
)

__all__ = [
    "ClusterError",
    "ConvtoolError",
    "ConvtoolWarning",
    "DatasetError",
    "Document",
    "EngineError",
    "FileRefusedError",
    "Image",
    "ImageFormatError",
    "ImageReadError",
    "ImageTooLargeError",
    "ImageWriteError",
    "JournalError",
    "KernelError",
    "LimitError",
    "ModelError",
    "ModelFileError",
    "NonFiniteError",
    "OptionError",
    "PixelTypeError",
    "ReportReadError",
    "ReportWriteError",
    "ShapeError",
    "TimeLimitError",
    "TrainingError",
    "WorkerError",
    "__version__",
    "build_info",
    "convolve",
    "correlate",
    "deconvolution",
    "deconvolve",
    "distributed",
    "engines",
    "explain",
    "filter_image",
    "gradient_direction",
    "gradient_magnitude",
    "images",
    "kernel",
    "kernels",
    "learn",
    "mse",
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
