"""The layers: each owns its parameters and its state; the mathematics is in ``nn.operations``.

``LAYERS`` is the registry that model files and specifications use.
"""

from convtool.nn.layers.activation import (
    Identity,
    LeakyReLU,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from convtool.nn.layers.base import Layer
from convtool.nn.layers.conv import Conv2D
from convtool.nn.layers.dense import Dense, Flatten
from convtool.nn.layers.dropout import Dropout, GaussianDropout
from convtool.nn.layers.norm import BatchNorm
from convtool.nn.layers.pool import AvgPool2D, GlobalAvgPool2D, GlobalMaxPool2D, MaxPool2D

_CLASSES: tuple[type[Layer], ...] = (
    Conv2D,
    MaxPool2D,
    AvgPool2D,
    GlobalAvgPool2D,
    GlobalMaxPool2D,
    Flatten,
    Dense,
    BatchNorm,
    Dropout,
    GaussianDropout,
    ReLU,
    LeakyReLU,
    Sigmoid,
    Tanh,
    Softmax,
    Identity,
)

LAYERS: dict[str, type[Layer]] = {layer.__name__: layer for layer in _CLASSES}
"""The layer classes by name."""

__all__ = [
    "LAYERS",
    "AvgPool2D",
    "BatchNorm",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "GaussianDropout",
    "GlobalAvgPool2D",
    "GlobalMaxPool2D",
    "Identity",
    "Layer",
    "LeakyReLU",
    "MaxPool2D",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
]
