"""The axes that the pages of a TIFF lie along, as ImageJ, OME and tifffile describe them.

References
----------
ImageJ, ``ij/io/FileSaver.java`` (``images``, ``channels``, ``slices``, ``frames``; channels change
fastest). OME-TIFF, ``DimensionOrder``, whose first axes change fastest. tifffile's documentation:
``{"shape": [...], "axes": "TZYX"}``.
"""

import json
import math
import re
from itertools import product

Axes = tuple[tuple[str, int], ...]
"""Names, ``t``, ``z`` or ``c``, and lengths; the one that changes slowest first."""

_IMAGEJ_AXES = (("t", "frames"), ("z", "slices"), ("c", "channels"))
_OME_ORDER = re.compile(r'\bDimensionOrder\s*=\s*"XY([ZCT]{3})"')
_OME_SIZE = re.compile(r'\bSize([ZCT])\s*=\s*"(\d{1,9})"')


def _imagej(description: str) -> Axes:
    found = dict(re.findall(r"^(frames|slices|channels)=(\d{1,9})\s*$", description, re.MULTILINE))
    return tuple((axis, int(found.get(word, 1))) for axis, word in _IMAGEJ_AXES)


def _ome(description: str) -> Axes:
    order = _OME_ORDER.search(description)
    sizes = {axis: int(size) for axis, size in _OME_SIZE.findall(description)}
    if order is None:
        return ()
    return tuple((axis.lower(), sizes.get(axis, 1)) for axis in reversed(order[1]))


def _tifffile(description: str) -> Axes:
    try:
        said = json.loads(description)
        shape, names = said["shape"], said["axes"].lower()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()
    if not isinstance(shape, list) or len(shape) != len(names):
        return ()
    pairs = tuple(zip(names, shape, strict=True))[: names.find("y")]
    whole = all(isinstance(size, int) and size > 0 for _, size in pairs)
    return pairs if whole else ()


def axes_of(description: str, pages: int) -> Axes:
    r"""Return the axes that the pages of a file lie along.

    Parameters
    ----------
    description : str
        That of the first page.
    pages : int
        How many pages there are.

    Returns
    -------
    tuple of (str, int)
        All pages along ``z`` where the description says nothing that fits their number.

    Examples
    --------
    >>> axes_of("ImageJ=1.53t\nimages=12\nchannels=2\nslices=3\nframes=2", 12)
    (('t', 2), ('z', 3), ('c', 2))
    >>> axes_of("", 12)
    (('z', 12),)
    """
    said: Axes = ()
    if description.startswith("ImageJ="):
        said = _imagej(description)
    elif "<OME" in description:
        said = _ome(description)
    elif description.startswith("{"):
        said = _tifffile(description)
    for axes in (said, tuple(pair for pair in said if pair[0] != "c")):  # colours may be no pages
        if axes and math.prod(size for _, size in axes) == pages:
            return axes
    return (("z", pages),)


def volumes_of(axes: Axes) -> list[list[int]]:
    """Return the numbers of the pages of each volume, from the first plane along z to the last.

    Raises
    ------
    ValueError
        If no axis is ``z``, or that has one plane alone while others have more.

    Examples
    --------
    >>> volumes_of((("z", 3), ("c", 2)))
    [[0, 2, 4], [1, 3, 5]]
    """
    names = [name for name, _ in axes]
    if "z" not in names or (dict(axes)["z"] == 1 and any(size > 1 for _, size in axes)):
        raise ValueError(", ".join(f"{name} ({size})" for name, size in axes if size > 1))
    along = names.index("z")
    sizes = [size for _, size in axes]
    strides = [math.prod(sizes[place + 1 :]) for place in range(len(sizes))]
    others = [range(1) if place == along else range(size) for place, size in enumerate(sizes)]
    starts = (
        sum(number * stride for number, stride in zip(place, strides, strict=True))
        for place in product(*others)
    )
    return [[start + z * strides[along] for z in range(sizes[along])] for start in starts]
