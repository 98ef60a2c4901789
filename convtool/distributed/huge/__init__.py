"""One huge picture on a cluster: a task a block, read, filtered and written by a worker.

A block is some rows of the answer, all columns. Each worker opens the stores by itself, reads the
block with the rows that the kernels reach and computes it by the chain of steps that one process
would use (:mod:`convtool.images.stream`), with the engines that the client's chain has chosen. So
the bytes are those of one process, and no pixel passes through the scheduler.
"""
