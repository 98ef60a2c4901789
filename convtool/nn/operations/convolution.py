"""The convolution of a CNN layer: a correlation, the kernel not flipped, as in PyTorch and ONNX.

The pixels under the kernel are gathered into a matrix ("im2col"), so the forward pass and both
gradients are matrix products. The rows of that matrix are ordered (channel, kernel row, kernel
column), the memory order of the weights.

References
----------
Chellapilla, Puri, Simard (2006): High performance convolutional neural networks for document
processing.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from convtool.nn._types import Array, Pair, Sides


def _patches(x: Array, kernel: Pair, stride: Pair, padding: Sides, dilation: Pair) -> Array:
    """Return ``(N, C, KH, KW, OH, OW)``: for each weight the pixels it is multiplied with."""
    top, left, bottom, right = padding
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    extent = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    windows = sliding_window_view(padded, extent, axis=(2, 3))
    windows = windows[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]
    return windows.transpose(0, 1, 4, 5, 2, 3)


def _matrix(patches: Array, groups: int) -> Array:
    n, channels, kh, kw, oh, ow = patches.shape
    return patches.reshape(n, groups, channels // groups * kh * kw, oh * ow)


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None,
    stride: Pair,
    padding: Sides,
    dilation: Pair,
    groups: int,
) -> Array:
    """Correlate a batch of pictures with a bank of kernels.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    weight : ndarray, shape (O, C / groups, KH, KW)
    bias : ndarray, shape (O,), or None
    stride, dilation : (int, int)
    padding : (top, left, bottom, right)
        Zero padding around each picture.
    groups : int
        Output channel ``o`` depends only on the input channels of its group.

    Returns
    -------
    ndarray, shape (N, O, OH, OW)
        ``y[n, o, i, j] = bias[o] + sum over c, k, l of x[n, c, S i + D k - P, S j + D l - P]
        weight[o, c, k, l]``.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> w = np.array([[[[0.0, 1.0], [2.0, 0.0]]]])
    >>> conv2d(x, w, None, (1, 1), (0, 0, 0, 0), (1, 1), 1)[0, 0]
    array([[ 7., 10.],
           [16., 19.]])
    """
    outputs, _, kh, kw = weight.shape
    patches = _patches(x, (kh, kw), stride, padding, dilation)
    oh, ow = patches.shape[4:]
    y = np.matmul(weight.reshape(groups, outputs // groups, -1), _matrix(patches, groups))
    y = y.reshape(len(x), outputs, oh, ow)
    if bias is not None:
        y += bias[:, None, None]
    result: Array = y
    return result


def conv2d_backward(
    x: Array,
    weight: Array,
    dy: Array,
    stride: Pair,
    padding: Sides,
    dilation: Pair,
    groups: int,
    *,
    input_gradient: bool = True,
) -> tuple[Array | None, Array, Array]:
    """Return the gradients with respect to input, weights and bias.

    Parameters
    ----------
    dy : ndarray, shape (N, O, OH, OW)
        The gradient of the loss with respect to the output; the rest as in :func:`conv2d`.
    input_gradient : bool
        Whether to compute `dx`; otherwise it is None (the first layer does not need it).

    Returns
    -------
    dx, dweight, dbias : ndarray
        Of the shapes of `x` and `weight`, and ``(O,)``.
    """
    outputs, _, kh, kw = weight.shape
    n = len(x)
    patches = _patches(x, (kh, kw), stride, padding, dilation)
    oh, ow = patches.shape[4:]
    dy_rows = dy.reshape(n, groups, outputs // groups, oh * ow)
    dweight = np.matmul(dy_rows, _matrix(patches, groups).swapaxes(2, 3)).sum(axis=0)
    dbias = dy.sum(axis=(0, 2, 3))
    if not input_gradient:
        return None, dweight.reshape(weight.shape), dbias
    columns = np.matmul(weight.reshape(groups, outputs // groups, -1).swapaxes(1, 2), dy_rows)
    columns = columns.reshape(n, x.shape[1], kh, kw, oh, ow)
    top, left, bottom, right = padding
    height, width = x.shape[2:]
    dx = np.zeros((n, x.shape[1], height + top + bottom, width + left + right), x.dtype)
    for k in range(kh):
        for m in range(kw):
            rows = slice(k * dilation[0], k * dilation[0] + oh * stride[0], stride[0])
            cols = slice(m * dilation[1], m * dilation[1] + ow * stride[1], stride[1])
            dx[:, :, rows, cols] += columns[:, :, k, m]
    return dx[:, :, top : top + height, left : left + width], dweight.reshape(weight.shape), dbias
