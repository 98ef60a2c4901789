"""Kernels: presets, specs and files, factors and properties."""
