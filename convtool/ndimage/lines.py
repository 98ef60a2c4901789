"""SciPy's filters along one axis: its signatures, and where a call goes."""

from typing import Any

from convtool.ndimage.dispatch import run


def correlate1d(
    input: Any,
    weights: Any,
    axis: int = -1,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> Any:
    """Calculate a 1-D correlation along the given axis.

    Arguments, types and answers are those of :func:`scipy.ndimage.correlate1d`.

    Parameters
    ----------
    input : array_like
        The pixels, of any shape.
    weights : array_like, shape (K,)
        The weights.
    axis : int
        The axis.
    output : ndarray or dtype, optional
        Where the answer is written, or its type; by default it has that of ``input``.
    mode : str
        The border: ``reflect``, ``mirror``, ``nearest``, ``wrap``, ``constant`` or an alias.
    cval : float
        The value beyond the edges for ``constant``.
    origin : int
        Where the weights are put: 0 is their middle.

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
    >>> correlate1d([2, 8, 0, 4, 1, 9, 9, 0], weights=[1, 3]).tolist()
    [8, 26, 8, 12, 7, 28, 36, 9]
    """
    return run("correlate1d", input, weights, axis, output, mode, cval, origin)


def convolve1d(
    input: Any,
    weights: Any,
    axis: int = -1,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> Any:
    """Calculate a 1-D convolution along the given axis.

    As :func:`correlate1d`, by the weights from the last to the first. Arguments, types and answers
    are those of :func:`scipy.ndimage.convolve1d`.

    Examples
    --------
    >>> convolve1d([2, 8, 0, 4, 1, 9, 9, 0], weights=[1, 3]).tolist()
    [14, 24, 4, 13, 12, 36, 27, 0]
    """
    return run("convolve1d", input, weights, axis, output, mode, cval, origin)


def gaussian_filter1d(
    input: Any,
    sigma: Any,
    axis: int = -1,
    order: Any = 0,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    truncate: Any = 4.0,
    *,
    radius: Any = None,
) -> Any:
    """1-D Gaussian filter.

    Arguments, types and answers are those of :func:`scipy.ndimage.gaussian_filter1d`.

    Parameters
    ----------
    input, axis, output, mode, cval
        As in :func:`correlate1d`.
    sigma : float
        The standard deviation.
    order : int
        0 for the Gaussian, n for its n-th derivative.
    truncate : float
        How many standard deviations it reaches.
    radius : int, optional
        How many pixels it reaches, in place of ``truncate``.

    Returns
    -------
    ndarray, the shape of ``input``
        The filtered pixels.

    Examples
    --------
    >>> gaussian_filter1d([1.0, 2.0, 3.0, 4.0, 5.0], 1).round(2).tolist()
    [1.43, 2.07, 3.0, 3.93, 4.57]
    """
    return run(
        "gaussian_filter1d", input, sigma, axis, order, output, mode, cval, truncate, radius=radius
    )


def uniform_filter1d(
    input: Any,
    size: Any,
    axis: int = -1,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> Any:
    """Calculate a 1-D uniform filter along the given axis.

    Arguments, types and answers are those of :func:`scipy.ndimage.uniform_filter1d`.

    Parameters
    ----------
    input, axis, output, mode, cval, origin
        As in :func:`correlate1d`.
    size : int
        How many pixels each mean is of.

    Returns
    -------
    ndarray, the shape of ``input``
        The means; an integer type holds them truncated.

    Examples
    --------
    >>> uniform_filter1d([2, 8, 0, 4, 1, 9, 9, 0], size=3).tolist()
    [4, 3, 4, 1, 4, 6, 6, 3]
    """
    return run("uniform_filter1d", input, size, axis, output, mode, cval, origin)
