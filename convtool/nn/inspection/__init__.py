"""Inspect a trained network: its layers, its filters, and the pixels that matter."""
