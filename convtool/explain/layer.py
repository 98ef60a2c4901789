"""One output of a layer: a sum of convolutions, with bias, activation and pooling."""

import math
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convtool.convolution.combined import COMBINE
from convtool.errors import KernelError, OptionError, PixelTypeError, ShapeError
from convtool.explain.activation import Activation, activation
from convtool.explain.pooling import Pooling, pooling
from convtool.explain.walk import Plane, Walk, walk
from convtool.kernels.weights import Combination
from convtool.records import Record


class Layer(Record, eq=False):
    """One output of a layer, as steps to iterate over.

    Attributes
    ----------
    walks : tuple of Walk
        A convolution for each channel of the image, or for each kernel of a group.
    combination : {"magnitude", "maximum"} or None
        The combination of a group's outputs; None sums the channels.
    bias : float
        The constant added to the sum.
    activation : Activation or None
        The activation function.
    pooling : Pooling or None
        The pooling after the activation.
    names : tuple of str
        The name of each convolution.
    """

    walks: tuple[Walk, ...]
    combination: Combination | None = None
    bias: float = 0.0
    activation: Activation | None = None
    pooling: Pooling | None = None
    names: tuple[str, ...] = ()

    @property
    def first(self) -> Walk:
        """The first convolution; all have the same sizes."""
        return self.walks[0]

    @property
    def is_single(self) -> bool:
        """Whether there is only one convolution."""
        return len(self.walks) == 1

    @property
    def is_volume(self) -> bool:
        """Whether these are the channels of one volume."""
        return len(self.walks) > 1 and self.combination is None

    @property
    def output(self) -> Plane:
        """The sum over channels plus the bias, or the combination of a group; float64."""
        return self.combined([one.output for one in self.walks])

    def combined(self, sums: Sequence[Plane]) -> Plane:
        """Combine the sums of the convolutions into the output."""
        if self.combination is not None:
            return np.asarray(reduce(COMBINE[self.combination], sums))
        return np.asarray(sum(sums) + np.float64(self.bias))

    @property
    def activated(self) -> Plane:
        """The activation function of the output; the output itself where there is none."""
        output = self.output
        return self.activation(output) if self.activation else output

    @property
    def pooled(self) -> Plane:
        """The pooled values; those of `activated` where there is no pooling."""
        activated = self.activated
        return self.pooling(activated) if self.pooling else activated


def layer(
    images: Sequence[ArrayLike],
    kernels: Sequence[ArrayLike | str],
    *,
    combination: Combination | None = None,
    bias: float = 0.0,
    activate: str | None = None,
    pool: str | None = None,
    names: Sequence[str] = (),
    **how: Any,
) -> Layer:
    """Compute one output of a layer, as steps to iterate over.

    Parameters
    ----------
    images : sequence of array_like, shape (H, W)
        The channels of one volume; one for a group of kernels.
    kernels : sequence of array_like or str, shape (KH, KW)
        One for each channel, or the group.
    combination : {"magnitude", "maximum"}, optional
        The combination of a group's outputs; by default the channels are summed.
    bias : float
        Added to the sum.
    activate : str, optional
        As for `convtool.explain.activation`.
    pool : str, optional
        As for `convtool.explain.pooling`.
    names : sequence of str, optional
        The name of each convolution; by default ``channel 1`` and so on, or ``kernel 1``.
    **how
        As for `convtool.explain.walk`.

    Returns
    -------
    Layer

    Raises
    ------
    ShapeError
        If the channels or the kernels differ in size.
    OptionError
        If their numbers differ, or a bias is given to a group or is not finite.
    KernelError, PixelTypeError
        As `convtool.explain.walk` does.

    Examples
    --------
    >>> layer([[[1, 2]], [[3, 4]]], [[[1]], [[2]]], bias=-8, activate="relu").activated.tolist()
    [[0.0, 2.0]]
    """
    if not math.isfinite(bias):
        raise OptionError(f"the bias must be a finite number, not {bias:g}")
    if combination is not None:
        if len(images) != 1:
            raise OptionError("a group of kernels is explained on one image; give one image")
        if bias:
            raise OptionError(
                f"a bias is added to a sum, and these kernels give a {combination}; give one kernel"
            )
        images = [images[0]] * len(kernels)
    elif len(images) != len(kernels):
        raise OptionError(
            f"{_counted(len(images), 'image')} and {_counted(len(kernels), 'kernel')}: "
            "each channel needs its own kernel; give equal numbers of both"
        )
    walks = tuple(walk(one, k, **how) for one, k in zip(images, kernels, strict=True))
    _check_alike("image", [one.image.shape for one in walks])
    _check_alike("kernel", [one.kernel.shape for one in walks])
    numbers = range(1, len(walks) + 1)
    made = Layer(
        walks,
        combination,
        float(bias),
        activation(activate) if activate else None,
        pooling(pool) if pool else None,
        tuple(names) or tuple(f"{'kernel' if combination else 'channel'} {i}" for i in numbers),
    )
    with np.errstate(over="ignore", invalid="ignore"):
        finite = np.isfinite(made.output).all() and np.isfinite(made.activated).all()
    if not finite:
        raise PixelTypeError("the output is beyond the range of float64; give smaller numbers")
    return made


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _check_alike(noun: str, shapes: Sequence[tuple[int, ...]]) -> None:
    for number, shape in enumerate(shapes[1:], start=2):
        if shape != shapes[0]:
            first, other = ("×".join(map(str, one)) for one in (shapes[0], shape))
            raise (KernelError if noun == "kernel" else ShapeError)(
                f"{noun} {number} is {other}, {noun} 1 is {first}; the channels of a volume are "
                "of one size"
            )
