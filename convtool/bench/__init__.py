"""Benchmarks of the engines and other libraries, and the calibration of the planner."""
