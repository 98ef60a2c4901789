"""Replace a learned filter by a given kernel, to test how a network uses it."""

import re

import numpy as np

from convtool.errors import KernelError, ModelError, OptionError
from convtool.images.kernels import single_kernel_spec
from convtool.kernels.numerals import number
from convtool.nn._types import Array
from convtool.nn.assemble import filter_bank
from convtool.nn.inspection.layers import find_convolution, layer_names
from convtool.nn.model import Sequential
from convtool.records import Record

_BIAS = re.compile(r",\s*bias\s*=\s*([^,=:]+)$")


class Replacement(Record):
    """The new kernel and bias of one filter."""

    layer: str
    """The layer's name or number."""
    filter: int | None
    """The filter's number, counted from 1; None where the layer has only one."""
    spec: str
    """The kernel, as `convtool.kernel` takes it."""
    bias: float | None
    """None keeps the learned bias."""


def parse_replacement(text: str) -> Replacement:
    """Parse ``LAYER[.FILTER]=SPEC[,bias=B]``.

    Raises
    ------
    OptionError
        If the text has another form.

    Examples
    --------
    >>> parse_replacement("conv1.2=gaussian:sigma=2,bias=-1/2")
    Replacement(layer='conv1', filter=2, spec='gaussian:sigma=2', bias=-0.5)
    """
    where, equals, spec = text.partition("=")
    layer, dot, which = where.strip().partition(".")
    try:
        spec, bias = kernel_and_bias(spec)
    except OptionError as error:
        raise OptionError(f"{text!r}: {error}") from error
    if not equals or not layer or not spec.strip() or (dot and not which.isdecimal()):
        raise OptionError(
            f"{text!r} is not LAYER=SPEC, LAYER.FILTER=SPEC or one of them with ,bias=B,"
            " as in conv1.2=sobel-horizontal,bias=0"
        )
    return Replacement(layer, int(which) if dot else None, spec.strip(), bias)


def kernel_and_bias(text: str) -> tuple[str, float | None]:
    """Parse ``SPEC[,bias=B]``.

    Raises
    ------
    OptionError
        If the bias is not a number.

    Examples
    --------
    >>> kernel_and_bias("box,bias=-1/2")
    ('box', -0.5)
    """
    found = _BIAS.search(text)
    if found is None:
        return text.strip(), None
    try:
        return text[: found.start()].strip(), number(found[1])
    except KernelError as error:
        raise OptionError(f"{text!r}: bias: {error}") from error


def replace_filter(
    model: Sequential, replacement: Replacement, *, correlate: bool = True
) -> tuple[int, int]:
    """Replace one filter of a network by a kernel.

    The kernel is centred in the filter, the same in every input channel, and divided by the number
    of channels. Layers correlate: with ``correlate`` the kernel is stored unflipped, without it
    rotated by 180°, and the layer then does what ``convtool filter --kernel SPEC`` does.

    Returns
    -------
    (int, int)
        The indices of the layer and of the filter.

    Raises
    ------
    ModelError
        If the filter does not exist, or is smaller than the kernel.
    KernelError
        If the spec does not describe a single kernel.
    """
    place, layer = find_convolution(model, replacement.layer)
    name = layer_names(model)[place]
    kernel = single_kernel_spec(replacement.spec).weights
    which = _which(replacement, layer.out_channels, name)
    params = layer.params
    weight = params["weight"]
    height, width = layer.kernel_size
    if kernel.shape[0] > height or kernel.shape[1] > width:
        raise ModelError(
            f"{name}: its filters are {height}x{width}, too small for {replacement.spec} of"
            f" {kernel.shape[0]}x{kernel.shape[1]}"
        )
    if replacement.bias is not None and "bias" not in params:
        raise ModelError(f"{name} has no bias to set; leave bias={replacement.bias:g} out")
    flipped = kernel[::-1, ::-1] if correlate else kernel  # filter_bank rotates each by 180°
    weight[which] = _framed(flipped, height, width) / weight.shape[1]
    if replacement.bias is not None:
        params["bias"][which] = replacement.bias
    return place, which


def _which(replacement: Replacement, count: int, name: str) -> int:
    if replacement.filter is None:
        if count > 1:
            raise ModelError(f"{name} has {count} filters: say which, as in {name}.1=…")
        return 0
    if not 1 <= replacement.filter <= count:
        raise ModelError(f"{name} has no filter {replacement.filter}: it has 1 to {count}")
    return replacement.filter - 1


def _framed(kernel: Array, height: int, width: int) -> Array:
    """Return a kernel rotated by 180° and centred in a window."""
    bank = filter_bank([np.zeros((height, width)), kernel])
    assert bank is not None
    result: Array = bank[1]
    return result
