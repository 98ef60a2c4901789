"""Data augmentation: small random transformations that keep a picture's class."""

import numpy as np

from convtool.errors import OptionError
from convtool.nn._types import Array
from convtool.records import Record, names_of


class Augmentation(Record):
    """The limits of the random transformations.

    Examples
    --------
    >>> parse_augmentation("shift=2,rotate=10")
    Augmentation(shift=2.0, rotate=10.0, scale=0.0, flip=0.0)
    """

    shift: float = 0.0
    """Largest translation in pixels, in each direction."""
    rotate: float = 0.0
    """Largest rotation in degrees, in either direction."""
    scale: float = 0.0
    """Largest relative change of size: 0.1 scales by 0.9 to 1.1."""
    flip: float = 0.0
    """The probability of a horizontal flip."""

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in names_of(type(self)))

    def maps(self, count: int, rng: np.random.Generator) -> Array:
        """Draw `count` affine maps for ``jit.warp``, shape (count, 6).

        A shift alone is by whole pixels and does not blur.
        """
        draws = rng.uniform(-1, 1, (count, 5))
        angle = np.deg2rad(self.rotate * draws[:, 0])
        zoom = 1 + self.scale * draws[:, 1]
        shifts = self.shift * draws[:, 2:4]
        if not self.rotate and not self.scale:
            shifts = np.rint((self.shift + 0.5 - 1e-9) * draws[:, 2:4])
        mirror = np.where((draws[:, 4] + 1) / 2 < self.flip, -1.0, 1.0)
        cos, sin = np.cos(angle) / zoom, np.sin(angle) / zoom
        return np.stack([cos, sin * mirror, -sin, cos * mirror, *shifts.T], axis=1)


def parse_augmentation(text: str) -> Augmentation:
    """Parse ``shift=2,rotate=10,scale=0.1,flip=0.5``; ``none`` means no augmentation.

    Raises
    ------
    OptionError
        If a name is unknown or a value is out of range.
    """
    if text == "none":
        return Augmentation()
    names = names_of(Augmentation)
    values: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.strip().partition("=")
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if name not in names or not 0 <= number < 360:
            raise OptionError(
                f"augmentation {part!r}: write NAME=VALUE with {', '.join(names)}, or none"
            )
        values[name] = number
    if values.get("scale", 0) >= 1 or values.get("flip", 0) > 1:
        raise OptionError(f"augmentation {text!r}: scale is below 1, flip at most 1")
    return Augmentation(**values)
