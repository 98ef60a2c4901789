"""Build the untrained network for a data set."""

from collections.abc import Sequence

import numpy as np

from convtool.errors import OptionError
from convtool.nn._types import Array
from convtool.nn.architectures import build_layers
from convtool.nn.datasets.dataset import Dataset
from convtool.nn.layers import Dropout, GaussianDropout
from convtool.nn.model import Sequential
from convtool.nn.preprocessing import fitted
from convtool.records import replace


def filter_bank(kernels: Sequence[Array]) -> Array | None:
    """Return kernels as a bank to correlate with, each zero-padded to the largest size.

    Filtering convolves and a layer correlates, so each kernel is rotated by 180°.

    Parameters
    ----------
    kernels : sequence of ndarray, shape (KH, KW) or (M, KH, KW)

    Returns
    -------
    ndarray, shape (O, KH, KW), or None if there are no kernels
    """
    single = [kernel for stack in kernels for kernel in (stack if stack.ndim == 3 else [stack])]
    if not single:
        return None
    height, width = (max(kernel.shape[axis] for kernel in single) for axis in (0, 1))
    bank = np.zeros((len(single), height, width))
    for place, kernel in zip(bank, single, strict=True):
        top, left = (height - kernel.shape[0]) // 2, (width - kernel.shape[1]) // 2
        place[top : top + kernel.shape[0], left : left + kernel.shape[1]] = kernel[::-1, ::-1]
    return bank


def assemble(
    data: Dataset,
    arch: str,
    seed: int,
    *,
    bank: Array | None = None,
    dropout: float | None = None,
    threads: int | None = None,
    background: str = "white",
) -> Sequential:
    """Return an untrained network for the pictures and classes of a data set.

    Parameters
    ----------
    data : Dataset
        The training set, to which the preprocessing is fitted.
    arch : str
        See :mod:`convtool.nn.architectures`.
    seed : int
    bank : ndarray, shape (O, KH, KW), optional
        Fixed kernels for the first convolution.
    dropout : float, optional
        Replaces the rate of every dropout layer.
    threads : int, optional
    background : str
        The colour that transparent pictures are composited on.

    Raises
    ------
    ModelError, OptionError
        If the architecture is invalid or does not fit the pictures.
    """
    preprocessing = replace(fitted(data.images), background=background)
    shape = (preprocessing.channels, preprocessing.height, preprocessing.width)
    classes = len(data.classes)
    layers = build_layers(arch, shape, 1 if classes == 2 else classes, seed, bank)
    if dropout is not None:
        noisy = [layer for layer in layers if isinstance(layer, Dropout | GaussianDropout)]
        if not noisy:
            raise OptionError(f"dropout {dropout}: the architecture has no dropout layer")
        for layer in noisy:
            type(layer)(dropout)
            layer.rate = dropout
    return Sequential(
        layers,
        shape,
        task="binary" if classes == 2 else "multiclass",
        classes=data.classes,
        preprocessing=preprocessing,
        threads=threads,
    )
