"""The record that describes the filtering of a volume to compiled code, passed by address."""

import numpy as np

from convtool.convolution.engines.jit.job import KERNEL

GROUP = 4
"""Planes of output that are made together where one row of each plane is added up."""

VOLUME_JOB = np.dtype(
    [
        ("pixels", np.intp),
        ("out", np.intp),
        ("taken", np.intp),
        ("failed", np.intp),
        ("cval", np.float64),
        ("plane_stride", np.intp),
        ("row_stride", np.intp),
        ("pixel_bytes", np.intp),
        ("planes", np.intp),
        ("rows", np.intp),
        ("columns", np.intp),
        ("plane_count", np.intp),
        ("row_count", np.intp),
        ("column_count", np.intp),
        ("left", np.intp),
        ("right", np.intp),
        ("out_plane_stride", np.intp),
        ("out_row_stride", np.intp),
        ("out_bytes", np.intp),
        ("bars", np.intp),
        ("bar_count", np.intp),
        ("tallest", np.intp),
        ("widest", np.intp),
        ("read", np.intp),
        ("write", np.intp),
        ("direct", np.intp),
        ("guarded", np.intp),
        ("plane", np.intp),
        ("flat", KERNEL),
        ("is_flat", np.intp),
        ("weights", np.intp),
        ("depth", np.intp),
        ("height", np.intp),
        ("taps", np.intp),
        ("step", np.intp),
    ],
    align=True,
)
"""Filtering a volume: addresses, and distances in scalars.

``planes``, ``rows`` and ``columns`` are the border tables of the three axes: which plane, row or
column is read at each position. Each of the ``bars`` is (first and last plane, row, column) of
windows; ``tallest`` and ``widest`` are the most rows and columns of one. ``height`` and ``taps``
are those of the kernel. Where ``is_flat``, each plane that is read is first correlated by the
two-dimensional kernel ``flat``, and ``weights`` are a column of ``depth``; else they are all of
the kernel's. ``guarded`` says that weights of zero must carry no NaN or inf."""
