"""Step-by-step back-propagation through one output of a layer.

References
----------
With Z = the sum over each window of pixels times weights, plus b, and dZ the loss's gradient with
respect to Z: db is the sum of dZ; the gradient of the weights, as they lie on the windows, is the
correlation of the padded image with dZ; that of the padded image is the full convolution of dZ
with those weights. With a stride, dZ has zeros between its numbers.
"""

import numpy as np
from numpy.typing import ArrayLike

from convtool.arrays import as_array
from convtool.convolution import borders
from convtool.errors import OptionError, PixelTypeError, ShapeError
from convtool.explain.layer import Layer
from convtool.explain.walk import Plane, Walk, walk
from convtool.records import Record


class Backward(Record, eq=False):
    """The gradients of one output of a layer.

    Attributes
    ----------
    layer : Layer
        The forward pass.
    given : ndarray
        The loss's gradient with respect to the final output, float64.
    output : ndarray
        The gradient with respect to Z, the output before activation and pooling.
    """

    layer: Layer
    given: Plane
    output: Plane

    @property
    def bias(self) -> float:
        """The gradient of the bias: the sum of `output`."""
        return float(self.output.sum())

    @property
    def spread(self) -> Plane:
        """`output` with zeros inserted between its elements, for a stride."""
        rows, columns = self.layer.first.layout.rows, self.layer.first.layout.columns
        answer = np.zeros((rows.dense, columns.dense))
        answer[:: rows.stride, :: columns.stride] = self.output
        return answer

    def kernel_walk(self, channel: int = 0) -> Walk:
        """Return the correlation that computes the gradient of the correlated weights."""
        one = self.layer.walks[channel]
        return walk(one.padded, self.spread, correlate=True, mode="valid")

    def image_walk(self, channel: int = 0) -> Walk:
        """Return the full convolution that computes the gradient of the padded image."""
        return walk(self.spread, self.layer.walks[channel].laid, mode="full", border="zero")

    def kernel(self, channel: int = 0) -> Plane:
        """Return the gradient of a channel's kernel, in the given orientation."""
        laid = self.kernel_walk(channel).output
        return laid[::-1, ::-1] + 0.0 if self.layer.walks[channel].flipped else laid

    def padded_image(self, channel: int = 0) -> Plane:
        """Return the gradient of a channel, border included."""
        return self.image_walk(channel).output

    def image(self, channel: int = 0) -> Plane:
        """Return the gradient of a channel.

        A constant border is cropped. Other borders are copies of pixels of the image, and their
        gradients are added to those of the pixels.
        """
        one, padded = self.layer.walks[channel], self.padded_image(channel)
        answer = np.zeros_like(one.image)
        rows, columns = one.reads
        inside = np.ix_(rows != borders.OUTSIDE, columns != borders.OUTSIDE)
        places = np.ix_(rows[rows != borders.OUTSIDE], columns[columns != borders.OUTSIDE])
        np.add.at(answer, places, padded[inside])
        return answer


def backward(layer: Layer, gradient: ArrayLike) -> Backward:
    """Compute the gradients of the weights, the bias and the image.

    Parameters
    ----------
    layer : Layer
        The forward pass.
    gradient : array_like
        The loss's gradient with respect to the layer's final output: Z, or the activated or pooled
        values, in its shape.

    Returns
    -------
    Backward

    Raises
    ------
    ShapeError
        If the gradient's shape differs from the output's.
    OptionError
        If the layer is a group of kernels.
    PixelTypeError
        If the gradient is not real and finite, or a result exceeds the range of float64.

    Examples
    --------
    >>> from convtool.explain import layer
    >>> back = backward(layer([[[1, 2, 3]]], [[[1, 2]]], correlate=True, mode="valid"), [[1, -1]])
    >>> back.kernel().tolist(), back.bias, back.image().tolist()
    ([[-1.0, -1.0]], 0.0, [[1.0, 1.0, -2.0]])
    """
    if layer.combination is not None:
        raise OptionError(
            f"the gradient of a group of kernels ({layer.combination}) is not explained; "
            "give one kernel"
        )
    values = as_array(gradient, "gradient", "used")
    if values.dtype.kind not in "buif" or not np.isfinite(values).all():
        raise PixelTypeError("the gradient must be real, finite numbers")
    values = np.atleast_2d(values).astype(np.float64)
    wanted = layer.pooled.shape
    if values.shape != wanted:
        given, right = ("×".join(map(str, shape)) for shape in (values.shape, wanted))
        raise ShapeError(f"the gradient is {given}, the output {right}; give them one shape")
    with np.errstate(over="ignore", invalid="ignore"):
        before = layer.pooling.backward(layer.activated, values) if layer.pooling else values
        if layer.activation:
            before = before * layer.activation.derivative(layer.output)
        made = Backward(layer, values, before)
        reach = max(np.abs(one.padded).max() + np.abs(one.laid).sum() for one in layer.walks)
        finite = np.isfinite(np.abs(before).sum() * reach)
    if not finite:
        raise PixelTypeError("the gradients are beyond the range of float64; give smaller numbers")
    return made
