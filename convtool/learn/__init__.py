"""Find the kernel that turns one picture into another, and say what kernel it is."""

from convtool.learn.fit import Learned as Learned
from convtool.learn.fit import fit as fit

__all__ = ["Learned", "fit"]
