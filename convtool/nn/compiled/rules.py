"""Which compiled operation an optimiser or a loss is, and the numbers that it reads."""

from collections.abc import Callable
from typing import Any

import numpy as np

from convtool.nn.jit.operations import (
    BINARY,
    BINARY_PROBABILITY,
    CLASSES,
    LABELS,
    PROBABILITY,
    SQUARED,
)
from convtool.nn.losses import (
    BinaryCrossEntropy,
    CrossEntropy,
    Loss,
    MeanSquaredError,
    ProbabilityBinaryCrossEntropy,
    ProbabilityCrossEntropy,
)
from convtool.nn.optimizers import (
    SGD,
    AdaGrad,
    AdaGradMomentum,
    Adam,
    AdamW,
    Momentum,
    Optimizer,
    RMSProp,
)

Numbers = Callable[[Any], list[float]]


def _adam(rule: Adam) -> list[float]:
    first, second = rule.corrections()
    shrink = 1 - rule.lr * rule.decoupled_decay
    return [
        rule.lr / first,
        rule.beta1,
        1 - rule.beta1,
        rule.beta2,
        1 - rule.beta2,
        1 / second,
        rule.epsilon,
        shrink,
    ]


RULES: dict[type[Optimizer], tuple[str, Numbers]] = {
    SGD: ("sgd", lambda rule: [rule.lr]),
    Momentum: ("momentum", lambda rule: [rule.lr, rule.momentum]),
    AdaGrad: ("adagrad", lambda rule: [rule.lr, rule.epsilon]),
    AdaGradMomentum: ("adagrad_momentum", lambda r: [r.lr, r.momentum, r.epsilon]),
    RMSProp: ("rmsprop", lambda r: [r.lr, r.rho, 1 - r.rho, r.epsilon]),
    Adam: ("adam", _adam),
    AdamW: ("adam", _adam),
}
"""Operation and numbers of each optimiser: the learning rate first, then its own."""

LOSS_OPERATIONS: dict[type[Loss], tuple[str, int]] = {
    CrossEntropy: ("cross_entropy", CLASSES),
    BinaryCrossEntropy: ("elementwise_loss", BINARY),
    MeanSquaredError: ("elementwise_loss", SQUARED),
    ProbabilityCrossEntropy: ("elementwise_loss", PROBABILITY),
    ProbabilityBinaryCrossEntropy: ("elementwise_loss", BINARY_PROBABILITY),
}
"""Operation and kind of each loss, which compares every output with a target."""

LABEL_OPERATION = "cross_entropy", LABELS
"""Those of the cross-entropy where the targets are labels."""


def covers(loss: Loss, optimizer: Optimizer) -> bool:
    """Say whether loss and optimiser are compiled.

    With an epsilon of 0 an optimiser is not: what fills up vectors would become NaN. Clipping and
    Nesterov's momentum are not either.
    """
    epsilon = np.float32(getattr(optimizer, "epsilon", 1))
    plain = not optimizer.clip and not getattr(optimizer, "nesterov", False)
    known = type(loss) in LOSS_OPERATIONS and type(optimizer) in RULES
    return known and plain and bool(epsilon > 0)


def numbers(rule: Optimizer, l2: float) -> list[float]:
    """Return the numbers that the optimiser's operation reads: learning rate, l2 and others."""
    first, *rest = RULES[type(rule)][1](rule)
    return [first, l2, *rest]
