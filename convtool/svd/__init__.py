"""Compression by the singular value decomposition: the arithmetic, its files and its report.

Nothing here prints, knows the command line, or reads and writes pictures.
"""
