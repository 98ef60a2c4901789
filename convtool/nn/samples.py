"""Convert users' arrays: pictures in any layout, labels of any type."""

import warnings
from typing import Any

import numpy as np

from convtool.arrays import as_array
from convtool.errors import DatasetError, OptionError, PixelTypeError, ShapeError
from convtool.nn._types import Array, Shape

_MOST_CHANNELS = 4
_MOST_COPIES = 8


def channels_first(shape: Shape, channel_axis: int | None) -> bool:
    """Return whether pictures with three axes are channels-first.

    The first or last axis is the channel axis if it, and not the other, has 1 to 4 entries.

    Parameters
    ----------
    shape : tuple of three int
        The shape of one picture.
    channel_axis : int, optional
        1 for (N, C, H, W), -1 or 3 for (N, H, W, C): counted with the axis of the pictures.

    Raises
    ------
    OptionError
        If `channel_axis` is none of these.
    DatasetError
        If the channel axis is ambiguous.

    Examples
    --------
    >>> channels_first((1, 8, 8), None), channels_first((32, 32, 3), None)
    (True, False)
    """
    if channel_axis is not None:
        if channel_axis not in (1, 3, -1):
            raise OptionError(
                f"channel_axis {channel_axis!r}: 1 for (N, C, H, W), -1 for (N, H, W, C)"
            )
        return channel_axis == 1
    first, last = (1 <= shape[axis] <= _MOST_CHANNELS for axis in (0, 2))
    if first == last:
        raise DatasetError(
            f"pictures of shape {shape}: the channels may be the first or the last axis; give"
            " channel_axis=1 for (N, C, H, W) or channel_axis=-1 for (N, H, W, C)"
        )
    return first


def as_planes(values: Array, image_shape: Shape | None, channel_axis: int | None) -> Array:
    """Return pictures or rows as a view of shape (N, C, H, W).

    Parameters
    ----------
    values : ndarray, shape (N, F), (N, H, W), (N, H, W, C) or (N, C, H, W)
    image_shape : (H, W), (H, W, C) or (C, H, W), optional
        The shape that rows are reshaped to; by default a row is a picture one pixel high.
    channel_axis : int, optional
        See :func:`channels_first`.

    Raises
    ------
    DatasetError
        If the rows do not match `image_shape`, or the channel axis is ambiguous.
    """
    if values.ndim == 2:
        shape = tuple(image_shape or (1, values.shape[1]))
        if len(shape) not in (2, 3) or int(np.prod(shape)) != values.shape[1]:
            raise DatasetError(f"rows of {values.shape[1]} numbers are no pictures of {shape}")
        values = values.reshape(len(values), *shape)
    if values.ndim == 3:
        return values[:, None]
    if channels_first(values.shape[1:], channel_axis):
        return values
    return values.transpose(0, 3, 1, 2)


def numbers(values: Any) -> Array:
    """Validate pictures or rows and return them as an array of finite real numbers.

    Raises
    ------
    DatasetError
        If they are not.
    """
    if hasattr(values, "toarray"):
        raise DatasetError("X is sparse: pictures are dense arrays, use X.toarray()")
    array = _array(values, "X")
    if array.dtype.kind == "c":
        raise DatasetError("Complex data not supported: pictures are real numbers")
    if array.dtype.kind in "OUS":
        array = array.astype(np.float64)
    if array.ndim == 1:
        raise DatasetError("Expected 2D array, got 1D array instead. Reshape your data")
    if array.ndim not in (2, 3, 4):
        raise DatasetError(f"X of shape {array.shape} is neither rows nor pictures")
    if not len(array):
        raise DatasetError(f"Found array with 0 sample(s) (shape={array.shape})")
    if not np.prod(array.shape[1:]):
        raise DatasetError(
            f"Found array with 0 feature(s) (shape={array.shape}) while a minimum of 1 is required."
        )
    if not np.isfinite(array).all():
        raise DatasetError("X has NaN or infinity")
    return array


def _array(values: Any, name: str) -> Array:
    try:
        return as_array(values, name, "learned from")
    except (PixelTypeError, ShapeError) as error:
        raise DatasetError(str(error)) from error


def labels(values: Any, count: int) -> tuple[Array, Array]:
    """Return the sorted classes, and the class index of each picture.

    Parameters
    ----------
    values : array_like, shape (N,) or (N, K)
        Labels of any type, or one-hot rows.
    count : int
        The number of pictures.

    Raises
    ------
    DatasetError
        If they are not labels, or not as many as pictures.

    Examples
    --------
    >>> labels([[0, 0, 1], [1, 0, 0]], 2)
    (array([0, 1, 2]), array([2, 0]))
    """
    array = _array(values, "y")
    if array.ndim == 2 and array.shape[1] > 1 and array.dtype.kind in "biuf":
        return np.arange(array.shape[1]), _one_hot(array, count)
    classes, indices = np.unique(_column(values, count), return_inverse=True)
    return classes, indices


def _one_hot(array: Array, count: int) -> Array:
    if len(array) != count:
        raise DatasetError(f"y of shape {array.shape} for {count} pictures: lengths differ")
    if not (np.isin(array, (0, 1)).all() and (array.sum(axis=1) == 1).all()):
        raise DatasetError(
            f"y of shape {array.shape}: give one label for each picture, or one-hot rows with one 1"
            " and zeros"
        )
    result: Array = array.argmax(axis=1)
    return result


def _column(values: Any, count: int) -> Array:
    if values is None:
        raise DatasetError("this Classifier requires y to be passed, but the target y is None")
    array = _array(values, "y")
    if array.ndim == 2 and array.shape[1] == 1:
        from sklearn.exceptions import DataConversionWarning

        warnings.warn(
            "A column-vector y was passed when a 1d array was expected",
            DataConversionWarning,
            stacklevel=4,
        )
        array = array[:, 0]
    if array.shape != (count,):
        raise DatasetError(f"y of shape {array.shape} for {count} pictures: lengths differ")
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise DatasetError("y has NaN or infinity")
        if (array != array.astype(np.int64)).any():
            raise DatasetError("Unknown label type: continuous numbers are not classes")
    return array


def training_order(values: Array, targets: Array, weights: Array | None) -> tuple[Array, Array]:
    """Return the picture indices of an epoch, and the weight of each.

    The order depends on the pictures alone, so the result of a training does not depend on the
    order of its input. A picture with an integer weight is repeated that many times, as
    scikit-learn defines weights, unless the epoch would become more than eight times as long; other
    weights scale the loss.

    Parameters
    ----------
    values : ndarray, shape (N, …)
    targets : ndarray of int, shape (N,)
    weights : ndarray, shape (N,), optional

    Returns
    -------
    indices, weights : ndarray, shape (M,)

    Examples
    --------
    >>> rows = np.array([[3], [1], [2]])
    >>> training_order(rows, np.zeros(3, int), np.array([1.0, 0.0, 2.0]))
    (array([2, 2, 0]), array([1., 1., 1.]))
    """
    rows = np.ascontiguousarray(values.reshape(len(values), -1))
    keys = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).reshape(-1)
    indices = np.argsort(targets, kind="stable")
    indices = indices[np.argsort(keys[indices], kind="stable")]
    if weights is None:
        return indices, np.ones(len(indices))
    weights = weights[indices]
    if (weights == np.floor(weights)).all() and weights.max() < 2**31:
        copies = weights.astype(np.int64)
        copies //= np.gcd.reduce(copies)
        if copies.sum() <= _MOST_COPIES * len(indices):
            indices = np.repeat(indices, copies)
            return indices, np.ones(len(indices))
    return indices, weights
