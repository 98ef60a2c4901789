"""The metadata of OME-Zarr: axes, levels, and how large a pixel is.

References
----------
OME-Zarr (NGFF) 0.5 and 0.4, sections 3.1 (axes) and 3.4 (multiscales).
"""

import math
import re
from collections.abc import Sequence
from typing import Any

from convtool.errors import ImageReadError, printable
from convtool.records import Record

_VERSIONS = {2: "0.4", 3: "0.5"}
_MICROMETRES_PER_INCH = 25400.0
_TYPES = {"t": "time", "c": "channel"} | dict.fromkeys("zyx", "space")
_PATH = re.compile(r"[^/\0]+(/[^/\0]+)*")
_LONGEST = 40


class Scales(Record):
    """How far pixels of the output are apart, in pixels of the input, down and across.

    ``resolution`` are those of the input an inch, across and down, where it states them.
    """

    down: float = 1.0
    across: float = 1.0
    resolution: tuple[float, float] | None = None


def multiscale(
    scales: Scales,
    axes: int,
    sizes: Sequence[tuple[int, int]],
    known: dict[str, Any] | None,
    version: int,
) -> dict[str, Any]:
    """Return the attributes of an OME-Zarr group.

    Parameters
    ----------
    scales : Scales
        How large a pixel is.
    axes : int
        How many axes the arrays have; the last are y and x, one before them is c, where no input
        names them.
    sizes : sequence of (int, int)
        Height and width of each level.
    known : dict, optional
        OME's metadata of the input, which are carried over but for levels and labels.
    version : int
        Of Zarr.

    Examples
    --------
    >>> found = multiscale(Scales(2, 2), 2, [(10, 10), (5, 5)], None, 3)["ome"]["multiscales"][0]
    >>> [axis["name"] for axis in found["axes"]], [one["path"] for one in found["datasets"]]
    (['y', 'x'], ['0', '1'])
    """
    image = dict((known or {}).get("multiscales", [{}])[0])
    named = image.get("axes") or _named_axes(axes, scales.resolution)
    image["axes"] = [_described(axis) for axis in named]
    before = _scale_of(image, len(named), scales.resolution)
    image["datasets"] = [
        {"path": str(level), "coordinateTransformations": _placed(before, scales, sizes, level)}
        for level in range(len(sizes))
    ]
    image.pop("type", None)
    carried = {
        key: value
        for key, value in (known or {}).items()
        if key not in ("multiscales", "labels", "plate", "well", "version")
    }
    if version == 2:
        return carried | {"multiscales": [image | {"version": _VERSIONS[2]}]}
    return {"ome": carried | {"version": _VERSIONS[3], "multiscales": [image]}}


def check_multiscale(images: Any) -> None:
    """Check that the first of the images in a group is described as far as it is read.

    Raises
    ------
    ImageReadError
        If its axes do not end in y and x, or its first level or scale is none.

    Examples
    --------
    >>> check_multiscale([{"axes": ["y", "x"], "datasets": [{"path": "0"}]}])
    """
    try:
        axes, level = images[0]["axes"], images[0]["datasets"][0]
        names = [axis["name"] if isinstance(axis, dict) else axis for axis in axes]
        path, placed = level["path"], level.get("coordinateTransformations", [])
        known = [one[one["type"]] for one in placed if one["type"] in ("scale", "translation")]
        fits = all(len(one) == len(names) and all(map(math.isfinite, one)) for one in known)
        named = isinstance(path, str) and _PATH.fullmatch(path) is not None
        told = printable("".join(names))
    except (TypeError, KeyError, IndexError, ValueError, AttributeError, OverflowError):
        raise ImageReadError("is damaged: its OME metadata describe no image") from None
    if names[-2:] != ["y", "x"]:
        raise ImageReadError(f"has the axes {told[:_LONGEST]}; the last must be y and x")
    if not (fits and named):
        raise ImageReadError("is damaged: its OME metadata give its first level no place")


def axis_names(attributes: dict[str, Any]) -> list[str]:
    """Return the names of the axes in the attributes of a group."""
    return [axis["name"] for axis in attributes.get("ome", attributes)["multiscales"][0]["axes"]]


def _described(axis: Any) -> dict[str, Any]:
    """Return an axis as versions from 0.4 on describe it; before, there was its name alone."""
    return axis if isinstance(axis, dict) else {"name": axis, "type": _TYPES.get(axis, "space")}


def _named_axes(count: int, resolution: tuple[float, float] | None) -> list[dict[str, str]]:
    unit = {"unit": "micrometer"} if resolution else {}
    space = [{"name": name, "type": "space"} | unit for name in "yx"]
    return [{"name": "c", "type": "channel"}] * (count - 2) + space


def _scale_of(
    image: dict[str, Any], axes: int, resolution: tuple[float, float] | None
) -> tuple[list[float], list[float]]:
    """Return the scale and the translation of the input's first level."""
    scale, translation = [1.0] * axes, [0.0] * axes
    if resolution:
        scale[-1], scale[-2] = (_MICROMETRES_PER_INCH / value for value in resolution)
    for one in image.get("datasets", [{}])[0].get("coordinateTransformations", []):
        if one.get("type") == "scale":
            scale = [float(value) for value in one["scale"]]
        elif one.get("type") == "translation":
            translation = [float(value) for value in one["translation"]]
    return scale, translation


def _placed(
    before: tuple[list[float], list[float]],
    scales: Scales,
    sizes: Sequence[tuple[int, int]],
    level: int,
) -> list[dict[str, Any]]:
    """Return scale and translation of a level: its pixels lie in the middle of those they cover."""
    scale, translation = list(before[0]), list(before[1])
    for axis, factor in ((-2, scales.down), (-1, scales.across)):
        scale[axis] *= factor
        translation[axis] += scale[axis] * (2**level - 1) / 2
        scale[axis] *= 2**level
    found: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
    if any(translation):
        found.append({"type": "translation", "translation": translation})
    return found
