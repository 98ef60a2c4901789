"""Compiled filters that add in the order in which SciPy's do, so that their answers are SciPy's."""
