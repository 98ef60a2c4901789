"""The compiled training step: the same arithmetic as the readable layers, several times as fast.

A network that it covers (convolutions of stride 1, dense layers, batch normalisation, pooling whose
windows lie side by side, the activations, dropout) is laid out in one memory: pictures with their
channels side by side, weights in panels. A step is then a list of a few operations that each thread
walks; nothing is allocated after the first. Other networks take the readable way.
"""

from typing import TYPE_CHECKING

from convtool.nn._types import Shape

if TYPE_CHECKING:
    from convtool.nn.compiled.plan import Network, StepPlan
    from convtool.nn.losses import Loss
    from convtool.nn.optimizers import Optimizer

__all__ = ["StepPlan", "covered", "plan_for"]


def covered(loss: "Loss", optimizer: "Optimizer") -> bool:
    """Say whether the compiled step has this loss and this optimiser."""
    from convtool.nn.compiled.rules import covers

    return covers(loss, optimizer)


def plan_for(model: "Network", shape: Shape, current: "StepPlan | None") -> "StepPlan | None":
    """Return a plan for batches of this shape: the current one if it fits, or None if none can.

    Parameters
    ----------
    model : Network
    shape : (N, C, H, W) or (N, F)
    current : StepPlan or None
    """
    if current is not None and current.fits(shape) and current.matches(model):
        return current
    from convtool.nn.compiled.plan import make

    if current is not None:
        current.release()
    return make(model, shape)
