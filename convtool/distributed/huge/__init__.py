"""One huge picture on a cluster: each task reads, filters and writes one block on a worker.

A block is a range of output rows with all columns. Each worker opens the stores itself, reads the
block with its halo and executes the client's plan as a single process would
(:mod:`convtool.filtering.strips`). The output is byte-identical to that of one process, and no
pixels pass through the scheduler.
"""
