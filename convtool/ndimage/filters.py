"""SciPy's filters of arrays of any dimension: its signatures, and where a call goes."""

from typing import Any

from convtool.ndimage.dispatch import run


def correlate(
    input: Any,
    weights: Any,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
    *,
    axes: Any = None,
) -> Any:
    """Multidimensional correlation.

    Arguments, types and answers are those of :func:`scipy.ndimage.correlate`.

    Parameters
    ----------
    input : array_like
        The pixels.
    weights : array_like
        The weights, with an axis for each one that they lie on.
    output : ndarray or dtype, optional
        Where the answer is written, or its type; by default it has that of ``input``.
    mode : str
        The border: ``reflect``, ``mirror``, ``nearest``, ``wrap``, ``constant`` or an alias.
    cval : float
        The value beyond the edges for ``constant``.
    origin : int or sequence of int
        Where the weights are put: 0 is their middle.
    axes : tuple of int, optional
        The axes that they lie on; all by default.

    Returns
    -------
    ndarray, the shape of ``input``
        The correlation; an integer type holds it truncated.

    Raises
    ------
    RuntimeError, ValueError
        As SciPy does.

    Examples
    --------
    >>> correlate([[1, 2, 0], [3, 4, 5]], [[0, 1], [1, 1]]).tolist()
    [[3, 5, 2], [7, 9, 9]]
    """
    return run("correlate", input, weights, output, mode, cval, origin, axes=axes)


def convolve(
    input: Any,
    weights: Any,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
    *,
    axes: Any = None,
) -> Any:
    """Multidimensional convolution.

    As :func:`correlate`, by the weights from the last to the first along each axis. Arguments,
    types and answers are those of :func:`scipy.ndimage.convolve`.

    Examples
    --------
    >>> convolve([[1, 2, 0], [3, 4, 5]], [[0, 1], [1, 1]]).tolist()
    [[6, 6, 5], [10, 13, 15]]
    """
    return run("convolve", input, weights, output, mode, cval, origin, axes=axes)


def gaussian_filter(
    input: Any,
    sigma: Any,
    order: Any = 0,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    truncate: Any = 4.0,
    *,
    radius: Any = None,
    axes: Any = None,
) -> Any:
    """Multidimensional Gaussian filter.

    Arguments, types and answers are those of :func:`scipy.ndimage.gaussian_filter`. Between two
    axes values have the output's type: those of integers are truncated each time.

    Parameters
    ----------
    input, output, cval
        As in :func:`correlate`.
    sigma : float or sequence of float
        The standard deviation, along each axis.
    order : int or sequence of int
        0 for the Gaussian, n for its n-th derivative, along each axis.
    mode : str or sequence of str
        The border, along each axis.
    truncate : float
        How many standard deviations it reaches.
    radius : int or sequence of int, optional
        How many pixels it reaches, in place of ``truncate``.
    axes : tuple of int, optional
        The axes that are filtered along; all by default.

    Returns
    -------
    ndarray, the shape of ``input``
        The filtered pixels.

    Examples
    --------
    >>> import numpy as np
    >>> gaussian_filter(np.arange(50, step=2).reshape(5, 5), sigma=1)[0].tolist()
    [4, 6, 8, 9, 11]
    """
    return run(
        "gaussian_filter",
        input,
        sigma,
        order,
        output,
        mode,
        cval,
        truncate,
        radius=radius,
        axes=axes,
    )


def gaussian_laplace(
    input: Any,
    sigma: Any,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    *,
    axes: Any = None,
    **kwargs: Any,
) -> Any:
    """Multidimensional Laplace filter using Gaussian second derivatives.

    Arguments, types and answers are those of :func:`scipy.ndimage.gaussian_laplace`.

    Examples
    --------
    >>> import numpy as np
    >>> gaussian_laplace(np.eye(3), 1.0).shape
    (3, 3)
    """
    return run("gaussian_laplace", input, sigma, output, mode, cval, axes=axes, **kwargs)


def gaussian_gradient_magnitude(
    input: Any,
    sigma: Any,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    *,
    axes: Any = None,
    **kwargs: Any,
) -> Any:
    """Multidimensional gradient magnitude using Gaussian derivatives.

    Arguments, types and answers are those of :func:`scipy.ndimage.gaussian_gradient_magnitude`.

    Examples
    --------
    >>> import numpy as np
    >>> gaussian_gradient_magnitude(np.eye(3), 1.0).shape
    (3, 3)
    """
    return run("gaussian_gradient_magnitude", input, sigma, output, mode, cval, axes=axes, **kwargs)


def laplace(
    input: Any,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    *,
    axes: Any = None,
) -> Any:
    """N-D Laplace filter based on approximate second derivatives.

    Arguments, types and answers are those of :func:`scipy.ndimage.laplace`.

    Examples
    --------
    >>> laplace([[0, 0, 0], [0, 1, 0], [0, 0, 0]]).tolist()
    [[0, 1, 0], [1, -4, 1], [0, 1, 0]]
    """
    return run("laplace", input, output, mode, cval, axes=axes)


def sobel(
    input: Any,
    axis: int = -1,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
) -> Any:
    """Calculate a Sobel filter.

    Arguments, types and answers are those of :func:`scipy.ndimage.sobel`: differences along an
    axis, smoothed by 1, 2, 1 along all others. An unsigned type cannot hold negative differences;
    ask for another by ``output``.

    Examples
    --------
    >>> sobel([[0, 0, 1, 1], [0, 0, 1, 1]]).tolist()
    [[0, 4, 4, 0], [0, 4, 4, 0]]
    """
    return run("sobel", input, axis, output, mode, cval)


def prewitt(
    input: Any,
    axis: int = -1,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
) -> Any:
    """Calculate a Prewitt filter.

    Arguments, types and answers are those of :func:`scipy.ndimage.prewitt`: as :func:`sobel`, but
    smoothed by 1, 1, 1.

    Examples
    --------
    >>> prewitt([[0, 0, 1, 1], [0, 0, 1, 1]]).tolist()
    [[0, 3, 3, 0], [0, 3, 3, 0]]
    """
    return run("prewitt", input, axis, output, mode, cval)


def uniform_filter(
    input: Any,
    size: Any = 3,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
    *,
    axes: Any = None,
) -> Any:
    """Multidimensional uniform filter.

    Arguments, types and answers are those of :func:`scipy.ndimage.uniform_filter`. Between two axes
    values have the output's type: those of integers are truncated each time.

    Examples
    --------
    >>> uniform_filter([[0, 0, 9], [0, 9, 0]], 3).tolist()
    [[1, 3, 5], [2, 3, 4]]
    """
    return run("uniform_filter", input, size, output, mode, cval, origin, axes=axes)
