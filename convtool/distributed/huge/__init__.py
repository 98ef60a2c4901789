"""One huge picture on a cluster: a task a block, read, filtered and written by a worker.

A block is some rows of the answer, all columns. Each worker opens the stores by itself, reads the
block with the rows that the kernels reach and executes the client's plan as one process would
(:mod:`convtool.filtering.strips`). So the bytes are those of one process, and no pixel passes
through the scheduler.
"""
