"""Deconvolution: undo the blur of a known kernel. Arrays in, arrays out."""

from convtool.deconvolution.api import METHODS, Options, Restored, deconvolve, restore

__all__ = ["METHODS", "Options", "Restored", "deconvolve", "restore"]
