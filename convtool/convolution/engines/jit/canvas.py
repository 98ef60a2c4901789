"""Small pictures of one shape, side by side with their borders: one wide picture."""

from convtool.convolution.geometry import Axis, Geometry

SCALARS = 1 << 15
"""About so many scalars at most: a core's cache holds them, and what is made of them."""


def group_of(own: Geometry, channels: int, most: int) -> int:
    """Return how many pictures a core's cache holds side by side, ``most`` at the most."""
    rows, columns = own.rows, own.columns
    scalars = (rows.dense + rows.taps - 1) * (columns.dense + columns.taps - 1) * channels
    return max(1, min(SCALARS // scalars, most))


class Canvas:
    """How a group of pictures lies side by side.

    Parameters
    ----------
    own : Geometry
        Where the windows lie in each picture.
    channels : int
        The channels of each.
    group : int
        How many pictures the canvas holds.

    Attributes
    ----------
    own, group
        As given.
    layout : Geometry
        Where the windows lie in the canvas, which has all the borders that they read.
    pitch : int
        Pixels from one picture to the next, a multiple of the stride.
    shape : tuple of int
        (H, W, C) of the canvas.

    Examples
    --------
    >>> from convtool.convolution.geometry import geometry
    >>> canvas = Canvas(geometry((32, 32), (3, 3)), 1, 10)
    >>> canvas.pitch, canvas.shape, canvas.layout.shape
    (34, (34, 340, 1), (32, 338))
    """

    def __init__(self, own: Geometry, channels: int, group: int) -> None:
        rows, columns = own.rows, own.columns
        height, width = rows.dense + rows.taps - 1, columns.dense + columns.taps - 1
        self.own, self.group = own, group
        self.pitch = -(-width // columns.stride) * columns.stride
        across = group * self.pitch
        self.shape = height, across, channels
        self.layout = Geometry(
            Axis(height, rows.taps, 0, rows.dense, rows.stride),
            Axis(across, columns.taps, 0, across - columns.taps + 1, columns.stride),
        )
