"""Deconvolution: what a picture was before a known kernel blurred it. Arrays in, arrays out."""

from convtool.deconvolution.api import METHODS, Restored, deconvolve, restore

__all__ = ["METHODS", "Restored", "deconvolve", "restore"]
