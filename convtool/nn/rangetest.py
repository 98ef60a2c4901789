"""The learning rate range test: raise the rate batch by batch until the loss diverges.

References
----------
Smith (2017): Cyclical learning rates for training neural networks. arXiv:1506.01186.
"""

import numpy as np

from convtool.errors import TrainingError
from convtool.nn.datasets.dataset import Dataset
from convtool.nn.model import Sequential
from convtool.nn.recipe import Recipe
from convtool.nn.training import Trainer
from convtool.records import replace

_LOWEST, _HIGHEST = 1e-5, 10.0
_BATCHES = 100
_SMOOTH = 0.85
_BROKEN = 3.0


def range_test(model: Sequential, data: Dataset, recipe: Recipe) -> list[tuple[float, float]]:
    """Return (learning rate, smoothed loss) for rates that rise exponentially.

    Parameters
    ----------
    model : Sequential
        Its weights are changed: pass a model that is not needed afterwards.
    data : Dataset
    recipe : Recipe
        Its learning rate and schedule are ignored.
    """
    trial = Trainer(model, data, replace(recipe, schedule="constant", lr=_LOWEST))
    curve: list[tuple[float, float]] = []
    smooth, least = 0.0, np.inf
    for number, rate in enumerate(np.geomspace(_LOWEST, _HIGHEST, _BATCHES)):
        try:
            loss = trial.trial_step(float(rate), number)
        except TrainingError:
            break
        smooth = _SMOOTH * smooth + (1 - _SMOOTH) * loss
        value = smooth / (1 - _SMOOTH ** (number + 1))
        curve.append((float(rate), value))
        least = min(least, value)
        if value > _BROKEN * least:
            break
    return curve


def find_rate(model: Sequential, data: Dataset, recipe: Recipe) -> Recipe:
    """Return the recipe with a third of the learning rate that gave the smallest loss."""
    curve = range_test(model, data, recipe)
    best = min(curve, key=lambda point: point[1])[0]
    return replace(recipe, lr=float(f"{best / 3:.2g}"))
