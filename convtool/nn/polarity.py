"""Detect pictures whose polarity (dark on bright) is the reverse of the training set's."""

from convtool.nn._types import Array
from convtool.nn.preprocessing import Preprocessing

_CONTRAST = 0.04
_NEARER = 0.25


def looks_inverted(picture: Array, preprocessing: Preprocessing) -> bool:
    """Return whether a picture's polarity is the reverse of the training set's.

    The function compares the mean of the border, at most two pixels wide, with that of the middle,
    a quarter of the area, and with the mean of the training set. It returns False for pictures
    without a plain border, and for training sets that are about as dark as bright.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W) or (H, W, 3)
    preprocessing : Preprocessing
        The model's preprocessing, with the mean of the training set.

    Examples
    --------
    >>> import numpy as np
    >>> paper = np.full((8, 8), 255, np.uint8)
    >>> paper[2:6, 3:5] = 0
    >>> digits = Preprocessing(8, 8, 1, mean=0.3)
    >>> looks_inverted(paper, digits), looks_inverted(255 - paper, digits)
    (True, False)
    """
    values = picture / 255 if picture.ndim == 2 else picture.mean(axis=2) / 255
    height, width = values.shape
    edge = min(2, height // 4, width // 4)
    if not edge:
        return False
    middle = values[height // 4 : height - height // 4, width // 4 : width - width // 4].mean()
    inside = values[edge:-edge, edge:-edge]
    border = (values.sum() - inside.sum()) / (values.size - inside.size)
    bright = border > 0.5
    if (border - middle if bright else middle - border) < _CONTRAST:
        return False
    learned = preprocessing.mean
    return bool(abs(border - learned) > abs(1 - border - learned) + _NEARER)
