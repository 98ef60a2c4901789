"""The compiled functions of a training step, and what calls them.

The modules whose names end in ``_code`` or ``simd`` are compiled when convtool is built
(:mod:`convtool.compiled`): ``simd`` gives Numba a vector type and the matrix kernel, and
``noise_simd`` the draws of dropout; ``contraction_code``, ``pooling_code``, ``normalization_code``
and ``objective_code`` are the operations of a step;
``program_code`` runs lists of them. The others import no compiler: ``operations`` names the
operations and their fields, ``widths`` the sizes of vectors and tiles, ``program`` runs programs on
threads, ``warp`` changes pictures.
"""
