"""A convolution as a Toeplitz matrix."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convtool.convolution import borders
from convtool.convolution.geometry import Geometry, geometry, pair
from convtool.errors import ShapeError
from convtool.kernels.argument import as_kernel


def toeplitz(
    kernel: ArrayLike | str,
    shape: tuple[int, int],
    *,
    mode: str = "full",
    border: str = "constant",
    padding: int | tuple[int, int] | None = None,
    stride: int | tuple[int, int] = 1,
) -> Any:
    """Return the matrix whose product with an image's pixels is its convolution.

    With the default mode and border the matrix is doubly block Toeplitz: constant along the
    diagonals of each block, and its blocks constant along theirs.

    Parameters
    ----------
    kernel : array_like, shape (KH, KW), or str
        The weights, flipped as in :func:`convtool.convolve`.
    shape : (int, int)
        (H, W) of the image.
    mode, border, padding, stride
        As for :func:`convtool.convolve`; ``constant`` stands for zeros.

    Returns
    -------
    scipy.sparse.csr_array of float64, shape (H'·W', H·W)
        Row by row, as ``image.ravel()``.

    Raises
    ------
    KernelError, OptionError, ShapeError
        As :func:`convtool.convolve` does.

    References
    ----------
    R. C. Gonzalez and P. Wintz, Digital Image Processing, section 5.1.3 (block circulant and
    Toeplitz forms of the two-dimensional convolution).

    Examples
    --------
    The product of polynomials: (1 + 2x)(3 + 4x + 5x²) = 3 + 10x + 13x² + 10x³.

    >>> matrix = toeplitz([[1, 2]], (1, 3))
    >>> (matrix @ [3, 4, 5]).tolist()
    [3.0, 10.0, 13.0, 10.0]
    >>> matrix.toarray().astype(int).tolist()
    [[1, 0, 0], [2, 1, 0], [0, 2, 1], [0, 0, 2]]
    """
    if not (isinstance(shape, tuple | list) and len(shape) == 2):
        raise ShapeError(f"shape must be (H, W) of an image, not {shape!r}")
    weights = as_kernel(kernel)
    layout = geometry(
        pair(shape, "each side of shape", 1),
        (weights.shape[0], weights.shape[1]),
        mode=mode,
        padding=padding,
        stride=stride,
    )
    return matrix_for(weights[::-1, ::-1], layout, borders.resolve(border, 0.0)[0])


def matrix_for(laid: NDArray[np.float64], layout: Geometry, rule: str) -> Any:
    """Return the matrix of a convolution whose windows are known.

    Parameters
    ----------
    laid : ndarray, shape (KH, KW)
        The weights as they lie on a window.
    layout : Geometry
        Where the windows lie.
    rule : str
        A key of `borders.RULES`; ``constant`` stands for zeros.

    Returns
    -------
    scipy.sparse.csr_array of float64
        As `toeplitz` does.
    """
    from scipy import sparse

    height, width = layout.rows.size, layout.columns.size
    reads = []
    for axis in (layout.rows, layout.columns):
        line = borders.table(axis.size, axis.start, axis.start + axis.dense + axis.taps - 1, rule)
        windows = np.arange(axis.count)[:, None] * axis.stride + np.arange(axis.taps)
        reads.append(line[windows])
    y, x = reads[0][:, None, :, None], reads[1][None, :, None, :]
    inside = (y != borders.OUTSIDE) & (x != borders.OUTSIDE)
    pixel = np.where(inside, y * width + x, 0)
    output = np.arange(pixel.shape[0] * pixel.shape[1]).reshape((*pixel.shape[:2], 1, 1))
    kept = inside & (laid != 0)
    values = np.broadcast_to(laid, pixel.shape)[kept]
    places = (np.broadcast_to(output, pixel.shape)[kept], pixel[kept])
    size = (pixel.shape[0] * pixel.shape[1], height * width)
    return sparse.coo_array((values, places), shape=size).tocsr()
