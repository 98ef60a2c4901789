"""Batches of pictures: find inputs, name outputs, filter in parallel, keep a journal."""
