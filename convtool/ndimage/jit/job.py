"""The record that describes a filter to compiled code, passed by address."""

import numpy as np

WEIGHTED, SYMMETRIC, ANTISYMMETRIC, UNIFORM = range(4)
"""How a line is filtered: weights one by one; a middle weight and pairs of equal weights, or of
opposite ones; a running mean."""

KINDS = ("weighted", "symmetric", "antisymmetric", "running mean")
"""Their names."""

WRITE, ADD, SQUARE, ADD_SQUARE, MAGNITUDE = WAYS = range(5)
"""How answers are written: as they are; added to those that are there; squared; both; and the root
of that, if they are floats or uint8."""

LINE = 64
"""Lines in scratch memory have a multiple of so many scalars: whole vectors of any type."""

JOB = np.dtype(
    [
        ("pixels", np.intp),
        ("out", np.intp),
        ("taken", np.intp),
        ("failed", np.intp),
        ("counter", np.intp),
        ("read", np.intp),
        ("write", np.intp),
        ("pixel_bytes", np.intp),
        ("out_bytes", np.intp),
        ("line_bytes", np.intp),
        ("how", np.intp),
        ("kind", np.intp),
        ("depth", np.intp),
        ("height", np.intp),
        ("width", np.intp),
        ("deep", np.intp),
        ("tall", np.intp),
        ("wide", np.intp),
        ("front", np.intp),
        ("top", np.intp),
        ("left", np.intp),
        ("planes", np.intp),
        ("rows", np.intp),
        ("columns", np.intp),
        ("terms", np.intp),
        ("near", np.intp),
        ("far", np.intp),
        ("weights", np.intp),
        ("block_rows", np.intp),
        ("block_width", np.intp),
        ("blocks", np.intp),
        ("ahead", np.intp),
        ("stride", np.intp),
        ("tasks", np.intp),
        ("slides", np.intp),
        ("corrections", np.intp),
        ("cval", np.float64),
        ("start", np.float64),
        ("size", np.float64),
        ("reciprocal", np.float64),
    ],
    align=True,
)
"""A filter of an array (depth, height, width), contiguous in memory, by a kernel (deep, tall,
wide). ``front``, ``top`` and ``left`` are how far the kernel reaches before a pixel. ``planes``,
``rows`` and ``columns`` are the addresses of border tables: which plane, row or column is read at
each position, -1 for ``cval``.

Pixels are ``read`` as lines of scalars of ``line_bytes``: float64, or integers where sums of them
are the same modulo their range. The sum has ``terms``; term k is at ``near[k]`` (and its partner at
``far[k]``), in order, times ``weights[k]``; ``start`` is added to the first. ``size`` and
``reciprocal`` are those of a mean; ``slides`` says that its sums along rows are running ones;
``corrections`` make a quotient of a product with the reciprocal, 0: the processor divides. The
function ``write`` writes answers.

Work is taken in ``tasks`` of ``block_rows``, or of so many ``blocks`` of them that are
``block_width`` wide; ``counter`` counts them: the address of ``taken``. ``ahead`` rows are fetched
before they are read, if any. ``stride`` is the distance of lines in scratch memory. ``failed`` is
not 0 where there was no memory."""
