"""A convolution step by step, as data: what a page or a terminal shows of it."""

from convtool.explain.walk import Formula as Formula
from convtool.explain.walk import Step as Step
from convtool.explain.walk import Walk as Walk
from convtool.explain.walk import walk as walk

__all__ = ["Formula", "Step", "Walk", "walk"]
