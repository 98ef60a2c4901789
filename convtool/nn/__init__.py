"""Small convolutional networks, written from scratch: layers, training, datasets, model files.

The public names are loaded on first use. Tensors are NCHW float32, convolution weights
``(out, in, KH, KW)``; as in every deep-learning library the layers correlate (kernels are not
flipped).
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convtool.nn import datasets as datasets
    from convtool.nn import losses as losses
    from convtool.nn import optimizers as optimizers
    from convtool.nn.classifier import Classifier as Classifier
    from convtool.nn.layers import AvgPool2D as AvgPool2D
    from convtool.nn.layers import BatchNorm as BatchNorm
    from convtool.nn.layers import Conv2D as Conv2D
    from convtool.nn.layers import Dense as Dense
    from convtool.nn.layers import Dropout as Dropout
    from convtool.nn.layers import Flatten as Flatten
    from convtool.nn.layers import GaussianDropout as GaussianDropout
    from convtool.nn.layers import GlobalAvgPool2D as GlobalAvgPool2D
    from convtool.nn.layers import GlobalMaxPool2D as GlobalMaxPool2D
    from convtool.nn.layers import Identity as Identity
    from convtool.nn.layers import LeakyReLU as LeakyReLU
    from convtool.nn.layers import MaxPool2D as MaxPool2D
    from convtool.nn.layers import ReLU as ReLU
    from convtool.nn.layers import Sigmoid as Sigmoid
    from convtool.nn.layers import Softmax as Softmax
    from convtool.nn.layers import Tanh as Tanh
    from convtool.nn.model import Sequential as Sequential
    from convtool.nn.modelfile import load as load
    from convtool.nn.modelfile import save as save
    from convtool.nn.preprocessing import Preprocessing as Preprocessing
    from convtool.nn.recipe import Recipe as Recipe
    from convtool.nn.training import Trainer as Trainer
    from convtool.nn.training import evaluate as evaluate
    from convtool.nn.training import fit as fit
    from convtool.nn.training import predict as predict
    from convtool.nn.training import predict_proba as predict_proba

_HOMES = {
    "Classifier": "classifier",
    "Trainer": "training",
    "evaluate": "training",
    "fit": "training",
    "predict": "training",
    "predict_proba": "training",
    "Recipe": "recipe",
    "Preprocessing": "preprocessing",
    "Sequential": "model",
    "load": "modelfile",
    "save": "modelfile",
}
_SUBMODULES = ("datasets", "losses", "optimizers")
_LAYERS = (
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
    "LeakyReLU",
    "MaxPool2D",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
)
_HOMES |= dict.fromkeys(_LAYERS, "layers")


def __getattr__(name: str) -> object:
    if name in _SUBMODULES:
        value: object = import_module(f"convtool.nn.{name}")
    elif name in _HOMES:
        value = getattr(import_module(f"convtool.nn.{_HOMES[name]}"), name)
    else:
        raise AttributeError(f"module 'convtool.nn' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*_HOMES, *_SUBMODULES])
