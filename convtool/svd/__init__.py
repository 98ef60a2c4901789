"""Compression by the singular value decomposition: the arithmetic, its files and its report.

Nothing here prints, knows the command line, or reads and writes pictures.
"""

from convtool.svd.compressed import Compressed, compress
from convtool.svd.decompose import decompose
from convtool.svd.fileformat import load
from convtool.svd.planner import plan
from convtool.svd.solvers import methods

__all__ = ["Compressed", "compress", "decompose", "load", "methods", "plan"]
