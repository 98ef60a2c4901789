"""Unsharp masking: an image plus what a Gaussian takes from it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from convtool.convolution.types import Array
from convtool.filters.smoothing import blurred
from convtool.filters.values import values_of


def unsharp_mask(
    image: ArrayLike,
    radius: float | Sequence[float] = 1.0,
    amount: float = 1.0,
    preserve_range: bool = False,
    *,
    channel_axis: int | None = None,
) -> Array:
    """Unsharp masking filter.

    Parameters
    ----------
    image : array_like
        Real pixels, any number of dimensions.
    radius : float or sequence of float
        The standard deviation of the Gaussian in pixels, or one for each axis but that of the
        channels.
    amount : float
        By what the difference between the image and its Gaussian is multiplied before it is added.
    preserve_range : bool
        Whether integers keep their values, and nothing is clipped. Otherwise integers of N bits
        count as 0 to 1, or as -1 to 1 where they are signed, and the answer is clipped to 0 to 1,
        or to -1 to 1 where a pixel is negative.
    channel_axis : int, optional
        The axis of channels, which are filtered each on its own.

    Returns
    -------
    ndarray of float
        The image's shape; float32 for float16 and float32 images, else float64.

    Raises
    ------
    OptionError
        If an option is not one of those above, or the image does not hold real numbers.

    References
    ----------
    scikit-image, ``skimage.filters.unsharp_mask``, but for a negative ``channel_axis``, with which
    version 0.26 filters only some rows.

    Examples
    --------
    >>> step = np.array([0.2, 0.2, 0.2, 0.6, 0.6, 0.6])
    >>> unsharp_mask(step).round(2).tolist()
    [0.2, 0.18, 0.08, 0.72, 0.62, 0.6]
    """
    values = values_of(image, preserve_range)
    original = values.converted()
    answer = blurred(values, radius, mode="reflect", channel_axis=channel_axis)
    np.subtract(original, answer, out=answer)
    answer *= amount
    answer += original
    if not preserve_range and answer.size:
        np.clip(answer, -1.0 if np.min(values.pixels) < 0 else 0.0, 1.0, out=answer)
    return answer
