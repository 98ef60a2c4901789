"""The truth that a file holds: plain numbers, made here, known to no library."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

PEAKS = {"8": 255, "16": 65535, "float": 1.0}


@dataclass(frozen=True)
class Picture:
    """Numbers row by row, the channels of a pixel side by side; 2 and 4 channels mean alpha."""

    width: int
    height: int
    channels: int
    depth: str
    values: tuple[float, ...]

    def __post_init__(self):
        if len(self.values) != self.width * self.height * self.channels:
            raise AssertionError(f"{len(self.values)} values for {self.size}")

    @property
    def size(self):
        return self.width, self.height, self.channels, self.depth

    def pixel(self, x: int, y: int) -> tuple[float, ...]:
        start = (y * self.width + x) * self.channels
        return self.values[start : start + self.channels]

    def rows(self) -> list[tuple[float, ...]]:
        step = self.width * self.channels
        return [self.values[start : start + step] for start in range(0, len(self.values), step)]

    def each(self, change: Callable[[tuple[float, ...]], Sequence[float]]) -> "Picture":
        """Make another picture by changing each pixel."""
        pixels = [change(self.pixel(x, y)) for y in range(self.height) for x in range(self.width)]
        values = tuple(value for pixel in pixels for value in pixel)
        return replace(self, channels=len(pixels[0]), values=values)

    def crop(self, width: int, height: int) -> "Picture":
        """Return the upper left corner."""
        values = [v for y in range(height) for x in range(width) for v in self.pixel(x, y)]
        return replace(self, width=width, height=height, values=tuple(values))

    def turned(self, orientation: int) -> "Picture":
        """Return what a viewer shows of this picture, stored with an EXIF orientation."""
        last_x, last_y = self.width - 1, self.height - 1
        source = {
            1: lambda x, y: (x, y),
            2: lambda x, y: (last_x - x, y),
            3: lambda x, y: (last_x - x, last_y - y),
            4: lambda x, y: (x, last_y - y),
            5: lambda x, y: (y, x),
            6: lambda x, y: (y, last_y - x),
            7: lambda x, y: (last_x - y, last_y - x),
            8: lambda x, y: (last_x - y, x),
        }[orientation]
        width, height = self.width, self.height
        if orientation >= 5:
            width, height = height, width
        values = [
            value
            for y in range(height)
            for x in range(width)
            for value in self.pixel(*source(x, y))
        ]
        return replace(self, width=width, height=height, values=tuple(values))


def pattern(
    channels: int, depth: str = "8", *, width: int = 13, height: int = 9, white: int | None = None
) -> Picture:
    """Make a picture in which no two neighbours, rows or channels are alike.

    ``white`` is the largest value; values are those that a file of fewer bits would hold.
    """
    peak = PEAKS[depth] if white is None else white
    numbers = [
        (x * 37 + y * 101 + channel * 59 + (x * y) % 7 * 1009) % 1021
        for y in range(height)
        for x in range(width)
        for channel in range(channels)
    ]
    if depth == "float":
        values = [number / 256 - 1.5 for number in numbers]
    else:
        values = [number * peak // 1020 for number in numbers]
    return Picture(width, height, channels, depth, tuple(values))


def stretched(picture: Picture, white: int) -> Picture:
    """Return values of 0 to white as they are at full range."""
    peak = PEAKS[picture.depth]
    return picture.each(lambda pixel: [round(value * peak / white) for value in pixel])
