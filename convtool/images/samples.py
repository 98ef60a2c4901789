"""Sample pictures: files of the package, so that an installed copy has them.

``sample_images/draw.py`` in the sources draws them.
"""

from importlib.resources import as_file, files
from typing import Any

from numpy.typing import NDArray

from convtool.errors import check_choice
from convtool.images.read import read

NAMES = ("photograph", "zone-plate", "siemens-star", "checkerboard", "gray-ramp")
"""The samples; each is a PNG file in ``pictures/``."""


def names() -> tuple[str, ...]:
    """Return the names of the sample pictures.

    Examples
    --------
    >>> names()
    ('photograph', 'zone-plate', 'siemens-star', 'checkerboard', 'gray-ramp')
    """
    return NAMES


def load(name: str) -> NDArray[Any]:
    """Read a sample picture.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    ndarray of uint8
        (480, 640, 3) for the photograph, (512, 512) for the others, (256, 512) for the ramp; a new
        array on every call.

    Raises
    ------
    OptionError
        If there is no such sample.

    Examples
    --------
    >>> load("checkerboard").shape
    (512, 512)
    """
    check_choice("sample picture", name, NAMES)
    with as_file(files("convtool.images") / "pictures" / f"{name}.png") as path:
        return read(path).pixels
