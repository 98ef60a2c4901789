"""Feature maps, saliency and occlusion: which pixels determine a prediction.

References
----------
Zeiler, Fergus (2014): Visualizing and understanding convolutional networks (occlusion).
Simonyan, Vedaldi, Zisserman (2014): Deep inside convolutional networks: visualising image
classification models and saliency maps.
"""

from math import ceil, sqrt

import numpy as np

from convtool.nn._types import Array
from convtool.nn.layers import Conv2D
from convtool.nn.model import Sequential
from convtool.progress import Progress, silent

_BLOCK = 256
_MOST_PLACES = 2500


def activations(model: Sequential, x: Array) -> list[Array]:
    """Return the output of each layer for one input (C, H, W), without the batch axis."""
    result = []
    batch = x[None]
    for layer in model.layers:
        batch = layer.forward(batch)
        result.append(batch[0].copy())
    return result


def patch_size(height: int, width: int) -> int:
    """Return the default occlusion patch size: an eighth of the shorter side, at least 2 pixels."""
    return max(2, min(height, width) // 8)


def occlusion_map(
    model: Sequential, x: Array, chosen: int, patch: int, progress: Progress = silent
) -> Array:
    """Return by how much a class's probability falls when the area around each pixel is occluded.

    A square patch of the mean grey (0 after the preprocessing) slides over all positions (about
    2,500 evenly spaced ones where there are more). Each pixel gets the mean over all patches that
    cover it.

    Parameters
    ----------
    model : Sequential
    x : ndarray, shape (C, H, W)
        One input.
    chosen : int
        The class index.
    patch : int
        Height and width of the patch in pixels; cut to the picture.
    progress : Progress, optional
        Shows how far it is.

    Returns
    -------
    ndarray of float64, shape (H, W)
        Positive where the pixels support the class.
    """
    _, height, width = x.shape
    tall, wide = min(patch, height), min(patch, width)
    places = _places(height - tall + 1, width - wide + 1, min(tall, wide))
    whole = float(model.predict_proba(x[None])[0, chosen])
    total, counts = np.zeros((height, width)), np.zeros((height, width))
    advance = progress(len(places))
    for start in range(0, len(places), _BLOCK):
        block = places[start : start + _BLOCK]
        batch = np.repeat(x[None], len(block), axis=0)
        for picture, (row, column) in zip(batch, block, strict=True):
            picture[:, row : row + tall, column : column + wide] = 0
        hidden = model.predict_proba(batch)[:, chosen].astype(np.float64)
        for (row, column), left in zip(block, hidden.tolist(), strict=True):
            total[row : row + tall, column : column + wide] += whole - left
            counts[row : row + tall, column : column + wide] += 1
        advance(len(block))
    result: Array = total / counts
    return result


def _places(rows: int, columns: int, most: int) -> list[tuple[int, int]]:
    """Return top left corners of patches, including the last in each direction, at most `most`."""
    step = min(most, ceil(sqrt(rows * columns / _MOST_PLACES)))
    down = sorted({*range(0, rows, step), rows - 1})
    across = sorted({*range(0, columns, step), columns - 1})
    return [(row, column) for row in down for column in across]


def saliency_map(model: Sequential, x: Array, chosen: int) -> Array:
    """Return the magnitude of the gradient of a class's score with respect to each pixel.

    The score is the network's logit for the class, before a softmax or sigmoid that is not a layer.

    Parameters
    ----------
    model : Sequential
    x : ndarray, shape (C, H, W)
        One input.
    chosen : int
        The class.

    Returns
    -------
    ndarray of float64, shape (H, W)
        The largest magnitude over the channels.
    """
    first = model.layers[0]
    spared = isinstance(first, Conv2D) and not first.needs_input_gradient
    if isinstance(first, Conv2D):
        first.needs_input_gradient = True
    outputs = model.forward(x[None])
    wanted = np.zeros_like(outputs)
    wanted.reshape(-1)[min(chosen, outputs.size - 1)] = 1
    gradient = model.backward(wanted)[0].astype(np.float64)
    if isinstance(first, Conv2D):
        first.needs_input_gradient = not spared
    result: Array = np.abs(gradient).max(axis=0)
    return result
