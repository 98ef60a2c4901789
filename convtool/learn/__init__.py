"""Estimate the kernel that turns one picture into another, and identify it."""

from convtool.learn.least_squares import Learned as Learned
from convtool.learn.least_squares import fit as fit

__all__ = ["Learned", "fit"]
