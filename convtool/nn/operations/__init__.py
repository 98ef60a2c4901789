"""The mathematics of each layer as plain functions: forward, and the gradient going backward.

Everything here is NumPy in whatever floating type comes in, meant to be read and to be checked in
float64. It is the reference that the compiled training step is compared with.
"""
