"""The compiled training step's machine code, by Numba: the only folder of nn that imports it.

``simd`` gives Numba a vector type and the matrix kernel; ``contraction``, ``elementwise`` and
``objective`` are the operations of a step, each in its own file with the helpers it calls; ``team``
runs lists of them on several threads.
"""
