"""Compression by the singular value decomposition: the arithmetic, its files and its report.

Nothing here prints, knows the command line, or reads and writes pictures.
"""

from convtool.svd.compressed import Compressed, compress, load
from convtool.svd.planner import plan
from convtool.svd.solvers import methods
from convtool.svd.truncated import decompose

__all__ = ["Compressed", "compress", "decompose", "load", "methods", "plan"]
