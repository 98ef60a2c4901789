"""A network as the compiled step sees it: stages.

A stage is a sum of products (convolution, dense or none) and what follows it in one sweep: batch
normalisation, pooling, activation, dropout. An activation before a maximum may be taken after it,
for every activation here rises: the maximum stays the maximum, and there are fewer to take.
"""

from dataclasses import dataclass

from convtool.nn._types import Pair, Shape, Sides
from convtool.nn.jit.operations import LEAKY, LINEAR, RELU, SIGMOID, TANH
from convtool.nn.layers import (
    AvgPool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GaussianDropout,
    GlobalAvgPool2D,
    GlobalMaxPool2D,
    Identity,
    Layer,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Sigmoid,
    Tanh,
)
from convtool.nn.operations.pooling import Windows

ACTIVATIONS: dict[type[Layer], int] = {
    ReLU: RELU,
    LeakyReLU: LEAKY,
    Sigmoid: SIGMOID,
    Tanh: TANH,
}
Place = tuple[int, int, int]


@dataclass
class Stage:
    """One stage; numbers are places in the network's list of layers.

    Attributes
    ----------
    inputs, sums, outputs : (C, H, W)
        Of the stage, of its sum of products, and after pooling.
    windows : Windows or None
        Of the pooling.
    mean, include_pad : bool
        Whether it takes the mean, and whether padding counts in it.
    """

    inputs: Place
    sums: Place
    outputs: Place
    product: tuple[int, Conv2D | Dense] | None = None
    norm: tuple[int, BatchNorm] | None = None
    windows: Windows | None = None
    mean: bool = True
    include_pad: bool = False
    activation: int = LINEAR
    slope: float = 0.0
    noise: Dropout | GaussianDropout | None = None

    @property
    def conv(self) -> tuple[int, Conv2D] | None:
        """The stage's convolution, if it is one."""
        if self.product is not None and isinstance(self.product[1], Conv2D):
            return self.product[0], self.product[1]
        return None

    @property
    def kernel(self) -> Pair:
        """The size of the stage's kernel; (1, 1) without a convolution."""
        return self.conv[1].kernel_size if self.conv else (1, 1)

    @property
    def pool(self) -> Windows:
        """The windows of the pooling; without one, of a single pixel each."""
        one = (1, 1)
        return self.windows or Windows(self.sums[1:], one, one, one, (0, 0, 0, 0), False)

    @property
    def padding(self) -> Sides:
        """The zeros that the stage wants around its input."""
        conv = self.conv
        return conv[1].sides(*self.inputs[1:]) if conv else (0, 0, 0, 0)

    @property
    def stations(self) -> int:
        """How far the stage has come: 1 normalised, 2 pooled, 3 activated, 4 dropped."""
        if self.noise is not None:
            return 4
        if self.activation != LINEAR:
            return 3
        if self.windows is not None:
            return 2
        return 1 if self.norm is not None else 0


def _place(shape: Shape) -> Place:
    return (shape[0], 1, 1) if len(shape) == 1 else (shape[0], shape[1], shape[2])


def _windows(layer: Layer, inputs: Place) -> Windows | None:
    """Return the windows of a pooling layer."""
    if isinstance(layer, GlobalAvgPool2D | GlobalMaxPool2D):
        size = inputs[1:]
        return Windows(size, size, size, (1, 1), (0, 0, 0, 0), False)
    return layer.windows(*inputs[1:]) if isinstance(layer, MaxPool2D | AvgPool2D) else None


def stages_of(layers: list[Layer], shapes: list[Shape], input_shape: Shape) -> list[Stage] | None:
    """Return a network's stages, or None if some layer is not covered.

    Parameters
    ----------
    layers : list of Layer
    shapes : list of tuple
        The output shape of each layer.
    input_shape : tuple
    """
    stages: list[Stage] = []
    now = _place(input_shape)
    flat = len(input_shape) == 1
    for number, (layer, shape) in enumerate(zip(layers, shapes, strict=True)):
        if isinstance(layer, Flatten):
            flat = True
            continue
        if isinstance(layer, Identity):
            continue
        after = now if flat and now[1:] != (1, 1) else _place(shape)
        if isinstance(layer, Conv2D | Dense):
            after = _place(shape)
            stages.append(Stage(now, after, after, (number, layer)))
        elif not _follow(stages, layer, number, now, after, flat):
            return None
        now = after
    return stages if stages and now[1:] == (1, 1) else None


def _follow(
    stages: list[Stage], layer: Layer, number: int, now: Place, after: Place, flat: bool
) -> bool:
    """Let a layer join the last stage, or begin one; say whether it could."""
    if isinstance(layer, BatchNorm):
        if flat and now[1:] != (1, 1):
            return False
        _with_room(stages, 0, now).norm = (number, layer)
        return True
    if isinstance(layer, Dropout | GaussianDropout):
        _with_room(stages, 3, now).noise = layer
        return True
    if type(layer) in ACTIVATIONS:
        slope = layer.slope if isinstance(layer, LeakyReLU) else 0.0
        if slope < 0:
            return False
        stage = _with_room(stages, 2, now)
        stage.activation, stage.slope = ACTIVATIONS[type(layer)], slope
        return True
    windows = _windows(layer, now)
    if windows is None or flat:
        return False
    mean = isinstance(layer, AvgPool2D | GlobalAvgPool2D)
    rises = bool(stages) and stages[-1].stations == 3 and stages[-1].windows is None and not mean
    stage = stages[-1] if rises else _with_room(stages, 1, now)
    stage.windows, stage.mean, stage.outputs = windows, mean, after
    stage.include_pad = isinstance(layer, AvgPool2D) and layer.count_include_pad
    return True


def _with_room(stages: list[Stage], station: int, now: Place) -> Stage:
    """Return the last stage if it has come no further than `station`, else a new one."""
    if not stages or stages[-1].stations > station:
        stages.append(Stage(now, now, now))
    return stages[-1]
