"""The settings of a training."""

from collections.abc import Callable
from dataclasses import asdict
from math import inf
from typing import Any

import numpy as np

from convtool.errors import OptionError
from convtool.nn.augment import Augmentation, parse_augmentation
from convtool.nn.losses import CrossEntropy, Loss
from convtool.nn.optimizers import OPTIMIZERS, AdamW, Optimizer
from convtool.nn.schedules import SCHEDULES
from convtool.nn.tasks import TASKS
from convtool.records import Record

DEFAULT_RATES: dict[str, float] = {
    "sgd": 0.05,
    "momentum": 0.02,
    "adagrad": 0.01,
    "adagrad-momentum": 0.002,
    "rmsprop": 0.001,
    "adam": 0.002,
    "adamw": 0.002,
}
"""A good default learning rate of each optimiser for small networks."""

SETTINGS: dict[str, tuple[str, ...]] = {
    "sgd": (),
    "momentum": ("momentum", "nesterov"),
    "adagrad": (),
    "adagrad-momentum": ("momentum",),
    "rmsprop": ("rho",),
    "adam": ("beta1", "beta2"),
    "adamw": ("beta1", "beta2"),
}
"""The recipe fields that are specific to each optimiser."""


_BATCH_SIZE = 64
_SMALLEST_BATCH = 8
_BATCHES = 8


def batch_size_for(pictures: int) -> int:
    """Return the default batch size: 64, or less for small sets, for several steps per epoch.

    Examples
    --------
    >>> batch_size_for(1437), batch_size_for(96), batch_size_for(16)
    (64, 12, 8)
    """
    return min(_BATCH_SIZE, max(_SMALLEST_BATCH, pictures // _BATCHES))


def batch_bounds(count: int, size: int) -> list[int]:
    """Return the starts of the batches of an epoch, and the end of the last one.

    The last batch may be smaller. A single remaining picture joins the first batch, because batch
    normalisation needs a variance.

    Examples
    --------
    >>> batch_bounds(10, 4), batch_bounds(9, 4), batch_bounds(3, 4)
    ([0, 4, 8, 10], [0, 5, 9], [0, 3])
    """
    if count > size > 1 and count % size == 1:
        return [0, *range(size + 1, count + 1, size)]
    return [*range(0, count, size), count]


class Recipe(Record):
    """The settings of a training.

    Attributes
    ----------
    epochs, batch_size : int
    optimizer : str
        A name in ``OPTIMIZERS``.
    lr : float
        The peak learning rate; 0 takes the optimiser's default.
    schedule : str
        A name in ``SCHEDULES``.
    momentum, rho, beta1, beta2 : float
        For the optimisers that have them.
    nesterov : bool
        Whether ``momentum`` is Nesterov's.
    clip : float
        The largest global norm of the gradients; 0 disables clipping.
    l2 : float
        ``l2 / 2`` times the squared weights is added to the loss; AdamW decays the weights by it.
    label_smoothing : float
    class_weights : str
        "none", "balanced" or ``NAME=WEIGHT,…``: the weight of each class in the loss. See
        :func:`convtool.nn.weighting.class_weights`.
    augment : str
        See :func:`convtool.nn.augment.parse_augmentation`.
    validation : float
        The share of the training set to split off as the validation set.
    early_stop : int
        The patience: epochs without a better validation score after which training stops; 0
        disables early stopping.
    seed : int

    Raises
    ------
    OptionError
        If a value is out of range.
    """

    epochs: int = 30
    batch_size: int = _BATCH_SIZE
    optimizer: str = "adam"
    lr: float = 0.0
    schedule: str = "cosine"
    momentum: float = 0.9
    nesterov: bool = False
    rho: float = 0.99
    beta1: float = 0.9
    beta2: float = 0.999
    clip: float = 0.0
    l2: float = 0.0
    label_smoothing: float = 0.0
    class_weights: str = "none"
    augment: str = "none"
    validation: float = 0.1
    early_stop: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        rules: list[tuple[str, bool, str]] = [
            ("epochs", self.epochs >= 1, "at least 1"),
            ("batch_size", self.batch_size >= 1, "at least 1"),
            ("optimizer", self.optimizer in OPTIMIZERS, f"one of {', '.join(OPTIMIZERS)}"),
            ("schedule", self.schedule in SCHEDULES, f"one of {', '.join(SCHEDULES)}"),
            ("lr", 0 <= self.lr < inf, "a positive number"),
            ("momentum", 0 <= self.momentum < 1, "from 0 to below 1"),
            ("rho", 0 <= self.rho < 1, "from 0 to below 1"),
            ("beta1", 0 <= self.beta1 < 1, "from 0 to below 1"),
            ("beta2", 0 <= self.beta2 < 1, "from 0 to below 1"),
            ("clip", 0 <= self.clip < inf, "a positive number, or 0 for none"),
            ("l2", 0 <= self.l2 < inf, "not negative"),
            ("label_smoothing", 0 <= self.label_smoothing < 1, "from 0 to below 1"),
            ("validation", 0 <= self.validation < 1, "from 0 to below 1"),
            ("early_stop", self.early_stop >= 0, "not negative"),
            ("seed", self.seed >= 0, "not negative"),
        ]
        for name, holds, wanted in rules:
            if not holds:
                raise OptionError(f"{name} {getattr(self, name)!r}: {wanted}")
        if self.early_stop and not self.validation:
            raise OptionError("early_stop needs a validation share")
        parse_augmentation(self.augment)

    @property
    def rate(self) -> float:
        """The peak learning rate."""
        return self.lr or DEFAULT_RATES[self.optimizer]

    def make_optimizer(self) -> Optimizer:
        """Return a new optimiser."""
        own = {name: getattr(self, name) for name in SETTINGS[self.optimizer]}
        if self.optimizer == AdamW.name:
            own["weight_decay"] = self.l2
        rule = OPTIMIZERS[self.optimizer](self.rate, **own)
        rule.clip = self.clip
        return rule

    @property
    def loss_l2(self) -> float:
        """The L2 coefficient in the loss; 0 for AdamW, which decays the weights instead."""
        return 0.0 if self.optimizer == AdamW.name else self.l2

    def make_loss(self, task: str) -> Loss:
        """Return the loss for a task."""
        kind: Callable[..., Loss] = TASKS[task].loss
        return kind(self.label_smoothing) if kind is CrossEntropy else kind()

    @property
    def augmentation(self) -> Augmentation:
        """The data augmentation."""
        return parse_augmentation(self.augment)

    def config(self) -> dict[str, Any]:
        """Return the fields as JSON values, with the resolved learning rate."""
        fields = asdict(self) | {"lr": self.rate}
        return {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in fields.items()
        }
