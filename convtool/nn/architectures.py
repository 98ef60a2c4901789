"""Network architectures as text: the specification language and the named architectures.

A specification lists layers, separated by commas::

    conv 16 3x3 same, relu, pool 2, conv 32 3x3, relu, pool 2, dense 64, relu, dropout 0.5

The first dense layer implies a flattening before it. The output layer follows from the data: one
output for two classes (sigmoid), one output per class for more (softmax).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from convtool.errors import ConvtoolError, ModelError, OptionError
from convtool.nn import layers as nn
from convtool.nn._types import Array, Shape
from convtool.nn.arguments import MOST_VALUES
from convtool.nn.layers.base import output_of
from convtool.nn.operations.geometry import Padding, Size
from convtool.records import Record

ARCHITECTURES: dict[str, str] = {
    "small": "conv 32 3x3 same nobias, norm, relu, conv 32 3x3 same nobias, norm, relu, pool 2,"
    " conv 64 3x3 same nobias, norm, relu, pool 2, dropout 0.3, dense 128 nobias, norm, relu,"
    " dropout 0.3",
    "compact": "conv 16 3x3 same nobias, norm, relu, pool 2, conv 32 3x3 same nobias, norm, relu,"
    " pool 2, dropout 0.2, dense 128 nobias, norm, relu, dropout 0.3",
    "lenet": "conv 6 5x5 same, tanh, avgpool 2, conv 16 5x5, tanh, avgpool 2, dense 120, tanh,"
    " dense 84, tanh",
    "digits": "conv 16 3x3 same, relu, conv 32 3x3 same, relu, pool 2, dense 64, relu",
    "mnist": "conv 16 3x3 same, relu, pool 2, conv 32 3x3 same, relu, pool 2, dense 64, relu",
    "textbook": "conv 32 3x3 same, sigmoid, pool 2, conv 32 3x3 same, sigmoid, pool 2, globalavg,"
    " dense 32, sigmoid, norm",
    "wide": "conv 32 3x3 same, relu, pool 2, conv 64 3x3 same, relu, pool 2, dense 1024, relu,"
    " dropout 0.4",
    "cifar": "conv 32 3x3, relu, pool 2, conv 64 3x3, relu, pool 2, conv 64 3x3, relu, dense 64,"
    " relu",
    "catdog": "conv 32 3x3 same, relu, pool 2, conv 64 3x3 same, relu, pool 2, conv 128 3x3 same,"
    " relu, pool 2, dense 64, relu, norm, dense 32, relu, norm",
    "single": "conv 1 3x3",
}
"""Every named network, without its output layer."""


@dataclass
class _Context:
    """The output shape of the layers built so far, and the settings of the next ones."""

    shape: Shape
    rng: np.random.Generator
    initializer: str = "he"
    count: int = 0
    """The numbers in the layers so far."""


class _Words(Record):
    """The words of one layer after its name."""

    text: str
    words: tuple[str, ...]

    def number(self, place: int, default: float | None = None) -> float:
        """Return the word at an index as a number."""
        try:
            return float(self.words[place])
        except (IndexError, ValueError):
            if default is not None and len(self.words) <= place:
                return default
            raise OptionError(f"{self.text!r}: a number is missing or invalid") from None

    def whole(self, place: int) -> int:
        """Return the word at an index as a positive integer."""
        value = self.number(place)
        if not value.is_integer() or value < 1:
            raise OptionError(f"{self.text!r}: {self.words[place]} is not a whole number above 0")
        return int(value)

    def size(self, word: str) -> Size:
        """Return "3" or "3x5" as a size."""
        try:
            parts = [int(part) for part in word.split("x")]
        except ValueError:
            parts = []
        if len(parts) not in (1, 2):
            raise OptionError(f"{self.text!r}: {word!r} is not a size such as 3 or 3x5")
        return parts[0] if len(parts) == 1 else (parts[0], parts[1])

    def padding(self, options: dict[str, str]) -> Padding:
        """Return the padding of "same", "pad 1", "pad 1x2" or "pad 0x1x2x3" (top, left, …)."""
        text = options.get("pad", "")
        if text.count("x") != 3:
            default: Padding = "same" if "same" in options else 0
            return self.size(text) if "pad" in options else default
        try:
            top, left, bottom, right = (int(part) for part in text.split("x"))
        except ValueError:
            raise OptionError(f"{self.text!r}: {text!r} is not a padding such as 0x1x2x3") from None
        return top, left, bottom, right

    def options(self, start: int, valued: set[str], flags: set[str]) -> dict[str, str]:
        """Return the words from an index on as options, such as ``stride 2 same``."""
        result: dict[str, str] = {}
        rest = iter(self.words[start:])
        for word in rest:
            if word in valued:
                result[word] = next(rest, "")
            elif word in flags:
                result[word] = word
            else:
                known = ", ".join(sorted(valued | flags)) or "nothing"
                raise OptionError(f"{self.text!r}: {word!r} is not known here (it takes {known})")
        return result


def _channels(context: _Context) -> int:
    return context.shape[0]


def _conv(words: _Words, context: _Context) -> nn.Layer:
    options = words.options(2, {"stride", "pad", "dilation", "groups"}, {"same", "valid", "nobias"})
    kernel = words.size(words.words[1]) if len(words.words) > 1 else 3
    groups = words.size(options.get("groups", "1"))
    return nn.Conv2D(
        _channels(context),
        words.whole(0),
        kernel,
        words.size(options.get("stride", "1")),
        words.padding(options),
        words.size(options.get("dilation", "1")),
        groups if isinstance(groups, int) else 0,
        "nobias" not in options,
        initializer=context.initializer,
        rng=context.rng,
    )


def _pool(kind: type[nn.MaxPool2D] | type[nn.AvgPool2D]) -> Callable[[_Words, _Context], nn.Layer]:
    def build(words: _Words, context: _Context) -> nn.Layer:
        options = words.options(1, {"stride", "pad", "dilation"}, {"ceil", "same", "valid"})
        kernel = words.size(words.words[0]) if words.words else 2
        stride = words.size(options["stride"]) if "stride" in options else None
        dilation = words.size(options.get("dilation", "1"))
        return kind(kernel, stride, words.padding(options), "ceil" in options, dilation=dilation)

    return build


def _dense(words: _Words, context: _Context) -> nn.Layer:
    options = words.options(1, set(), {"nobias"})
    return nn.Dense(
        _channels(context),
        words.whole(0),
        "nobias" not in options,
        initializer=context.initializer,
        rng=context.rng,
    )


def _plain(kind: type[nn.Layer]) -> Callable[[_Words, _Context], nn.Layer]:
    def build(words: _Words, context: _Context) -> nn.Layer:
        words.options(0, set(), set())
        return kind()

    return build


def _noise(
    kind: type[nn.Dropout] | type[nn.GaussianDropout],
) -> Callable[[_Words, _Context], nn.Layer]:
    return lambda words, context: kind(words.number(0, 0.5), int(context.rng.integers(2**31)))


LAYER_WORDS: dict[str, Callable[[_Words, _Context], nn.Layer]] = {
    "conv": _conv,
    "pool": _pool(nn.MaxPool2D),
    "maxpool": _pool(nn.MaxPool2D),
    "avgpool": _pool(nn.AvgPool2D),
    "globalavg": _plain(nn.GlobalAvgPool2D),
    "globalmax": _plain(nn.GlobalMaxPool2D),
    "flatten": _plain(nn.Flatten),
    "dense": _dense,
    "norm": lambda words, context: nn.BatchNorm(_channels(context)),
    "dropout": _noise(nn.Dropout),
    "gaussian-dropout": _noise(nn.GaussianDropout),
    "relu": _plain(nn.ReLU),
    "leaky": lambda words, context: nn.LeakyReLU(words.number(0, 0.01)),
    "sigmoid": _plain(nn.Sigmoid),
    "tanh": _plain(nn.Tanh),
    "identity": _plain(nn.Identity),
}
"""What each word of a specification builds."""

_SATURATING = ("sigmoid", "tanh")


def _initializer(lines: list[str], place: int) -> str:
    """Return the initializer that suits the next activation."""
    for line in lines[place + 1 :]:
        word = line.split()[0]
        if word in ("conv", "dense"):
            return "glorot"
        if word in _SATURATING:
            return "glorot"
        if word in ("relu", "leaky"):
            return "he"
    return "glorot"


def build_layers(
    arch: str,
    input_shape: Shape,
    outputs: int,
    seed: int,
    bank: Array | None = None,
) -> list[nn.Layer]:
    """Return the layers of a named or specified network, with its output layer.

    Parameters
    ----------
    arch : str
        A name in ``ARCHITECTURES`` or a specification.
    input_shape : (C, H, W)
    outputs : int
    seed : int
        Seed of the initial weights and of dropout.
    bank : ndarray, shape (O, KH, KW), optional
        Fixed kernels to correlate with, one for each filter of the first convolution. Training
        changes neither them nor the bias, which is 0.

    Raises
    ------
    OptionError
        If a word is unknown.
    ModelError
        If a layer does not fit its input. The message names the layer and the shapes.

    Examples
    --------
    >>> [type(layer).__name__ for layer in build_layers("conv 4 3x3, relu", (1, 8, 8), 10, 0)]
    ['Conv2D', 'ReLU', 'Flatten', 'Dense']
    """
    text = ARCHITECTURES.get(arch, arch)
    lines = [" ".join(line.split()) for line in text.split(",")]
    if not all(lines):
        raise OptionError(f"architecture {arch!r}: a layer is missing between two commas")
    context = _Context(tuple(input_shape), np.random.default_rng([seed, 0xA2C4]))
    layers: list[nn.Layer] = []
    for place, line in enumerate([*lines, f"dense {outputs}"]):
        name, *words = line.split()
        if name not in LAYER_WORDS:
            raise OptionError(
                f"unknown layer {name!r} in the architecture: choose a name"
                f" ({', '.join(ARCHITECTURES)}) or layers of {', '.join(LAYER_WORDS)}"
            )
        if name == "dense" and len(context.shape) == 3:
            _append(layers, nn.Flatten(), context, "flatten")
        context.initializer = _initializer(lines, place)
        layer = LAYER_WORDS[name](_Words(line, tuple(words)), context)
        if isinstance(layer, nn.Conv2D) and bank is not None:
            _fix(layer, bank, line)
            bank = None
        _append(layers, layer, context, line)
    if bank is not None:
        raise OptionError(
            "`fixed_filters=`: the architecture has no convolution whose filters could be fixed"
        )
    return layers


def _append(layers: list[nn.Layer], layer: nn.Layer, context: _Context, line: str) -> None:
    try:
        context.count += sum(layer.count())
        if context.count > MOST_VALUES:
            raise ModelError(f"the network has more than {MOST_VALUES} numbers")
        after = output_of(layer, context.shape)
    except ConvtoolError as error:
        raise ModelError(
            f"layer {len(layers) + 1} ({line}) on input {context.shape}: {error}"
        ) from error
    layers.append(layer)
    context.shape = after


def _fix(layer: nn.Conv2D, bank: Array, line: str) -> None:
    """Put a bank of kernels into a convolution, its bias at 0, and keep both from training.

    Stride, padding and number of filters stay. Each kernel is centred in its window.
    """
    count, height, width = bank.shape
    if count != layer.out_channels:
        given = "1 kernel" if count == 1 else f"{count} kernels"
        raise OptionError(
            f"`fixed_filters=`: {given} for the {layer.out_channels} filters of {line!r};"
            f" give as many, or write 'conv {count}' in `arch=`"
        )
    rows, columns = layer.kernel_size
    if height > rows or width > columns:
        raise OptionError(
            f"`fixed_filters=`: kernels of {height}x{width} do not fit the {rows}x{columns} window"
            f" of {line!r}; write a window of {height}x{width} or more in `arch=`"
        )
    weight = layer.params["weight"]
    top, left = (rows - height) // 2, (columns - width) // 2
    weight[...] = 0
    weight[:, :, top : top + height, left : left + width] = bank[:, None] / weight.shape[1]
    layer.frozen = set(layer.params)


def with_filters(arch: str, count: int) -> str:
    """Return a named or specified network whose first convolution has ``count`` filters.

    Examples
    --------
    >>> with_filters("digits", 3)
    'conv 3 3x3 same, relu, conv 32 3x3 same, relu, pool 2, dense 64, relu'
    """
    lines = [line.split() for line in ARCHITECTURES.get(arch, arch).split(",")]
    for words in lines:
        if words[:1] == ["conv"]:
            words[1:2] = [str(count)]
            break
    return ", ".join(" ".join(words) for words in lines)
