"""Sample pictures, drawn by this module: an installed copy has them without any file.

Each shows something: the photograph what filters do to pictures, the zone plate their frequency
response and ringing, the Siemens star their resolution in every direction, the checkerboard their
edges and corners, the ramp their tone.

References
----------
C. A. Zone plate: a chirp in radius, see B. Jähne, Digital Image Processing, 6th ed., section 10.1.
Siemens star: ISO 15775:1999, section 5.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convtool.errors import OptionError
from convtool.images.scene import photograph
from convtool.images.write import write

SIZE = 512
_SPOKES = 36
_OVERSAMPLING = 4


@dataclass(frozen=True)
class Sample:
    """A sample picture: the name of its file, and what draws it."""

    file: str
    draw: Callable[[], NDArray[np.uint8]]
    quality: int | None = None


def _quantised(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.floor(np.clip(values, 0, 1) * 255.999).astype(np.uint8)


def _zone_plate() -> NDArray[np.uint8]:
    """Draw rings whose frequency grows with radius, up to half a cycle a pixel at the edge."""
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    radius = SIZE / 2
    return _quantised(0.5 + 0.5 * np.cos(np.pi * (x**2 + y**2) / (2 * radius)))


def _siemens_star() -> NDArray[np.uint8]:
    """Draw spokes that get finer towards the centre, each pixel averaged over a grid of points."""
    total = np.zeros((SIZE, SIZE))
    offsets = (np.arange(_OVERSAMPLING) + 0.5) / _OVERSAMPLING - 0.5
    for down in offsets:
        for right in offsets:
            y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
            angle = np.arctan2(y + down, x + right)
            white = np.cos(_SPOKES * angle) > 0
            outside = np.hypot(y + down, x + right) > 0.47 * SIZE
            total += white | outside
    return _quantised(total / _OVERSAMPLING**2)


def _checkerboard() -> NDArray[np.uint8]:
    """Draw squares of 32 pixels, black and white."""
    y, x = np.mgrid[:SIZE, :SIZE] // 32
    squares: NDArray[np.uint8] = ((y + x) % 2 * 255).astype(np.uint8)
    return squares


def _gray_ramp() -> NDArray[np.uint8]:
    """Draw all 256 greys from left to right, two columns each; below in 16 steps."""
    ramp = np.arange(SIZE) // 2
    steps = np.arange(SIZE) // 32 * 17
    return np.vstack([np.tile(ramp, (128, 1)), np.tile(steps, (128, 1))]).astype(np.uint8)


SAMPLES = {
    "photograph": Sample("photograph.jpg", photograph, quality=92),
    "zone-plate": Sample("zone-plate.png", _zone_plate),
    "siemens-star": Sample("siemens-star.png", _siemens_star),
    "checkerboard": Sample("checkerboard.png", _checkerboard),
    "gray-ramp": Sample("gray-ramp.png", _gray_ramp),
}
"""Every sample by its name."""


def names() -> tuple[str, ...]:
    """Return the names of the sample pictures.

    Examples
    --------
    >>> names()
    ('photograph', 'zone-plate', 'siemens-star', 'checkerboard', 'gray-ramp')
    """
    return tuple(SAMPLES)


def load(name: str) -> NDArray[np.uint8]:
    """Draw a sample picture.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    ndarray of uint8
        (480, 640, 3) for the photograph, (512, 512) for the others, (256, 512) for the ramp; the
        same on every call.

    Raises
    ------
    OptionError
        If there is no such sample.

    Examples
    --------
    >>> load("checkerboard").shape
    (512, 512)
    """
    if name not in SAMPLES:
        raise OptionError(f"no sample picture is called {name!r}; there are {', '.join(SAMPLES)}")
    return SAMPLES[name].draw()


def write_all(folder: str | os.PathLike[str]) -> None:
    """Write all sample pictures into a folder, which must exist.

    Raises
    ------
    ImageWriteError
        If a file cannot be written.
    """
    for sample in SAMPLES.values():
        write(os.path.join(folder, sample.file), sample.draw(), quality=sample.quality)
