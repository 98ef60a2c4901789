"""Step-by-step explanation of a convolution, as data for a page or a terminal."""

from convtool.explain.activation import Activation as Activation
from convtool.explain.activation import activation as activation
from convtool.explain.backward import Backward as Backward
from convtool.explain.backward import backward as backward
from convtool.explain.layer import Layer as Layer
from convtool.explain.layer import layer as layer
from convtool.explain.pooling import Pooling as Pooling
from convtool.explain.pooling import PoolStep as PoolStep
from convtool.explain.pooling import pooling as pooling
from convtool.explain.spectrum import Theorem as Theorem
from convtool.explain.spectrum import theorem as theorem
from convtool.explain.walk import Formula as Formula
from convtool.explain.walk import Step as Step
from convtool.explain.walk import Walk as Walk
from convtool.explain.walk import walk as walk

__all__ = [
    "Activation",
    "Backward",
    "Formula",
    "Layer",
    "PoolStep",
    "Pooling",
    "Step",
    "Theorem",
    "Walk",
    "activation",
    "backward",
    "layer",
    "pooling",
    "theorem",
    "walk",
]
