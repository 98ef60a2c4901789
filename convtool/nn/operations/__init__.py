"""The mathematics of each layer as pure functions: forward and backward pass.

All functions are NumPy in the input's floating type, readable, and checked in float64. They are the
reference for the compiled training step.
"""
