"""Small pictures of one shape, side by side with their borders: one wide picture."""

from convtool.convolution.geometry import Axis, Geometry

SCALARS = 1 << 15
"""About so many scalars at most: a core's cache holds them, and what is made of them."""

LEAST_GROUPS = 8
"""Pictures are cut into so many groups at least, for threads to share."""


class Canvas:
    """How a group of pictures lies side by side.

    Parameters
    ----------
    own : Geometry
        Where the windows lie in each picture.
    pictures, channels : int
        How many pictures there are in all, and the channels of each.

    Attributes
    ----------
    own : Geometry
        As given.
    layout : Geometry
        Where the windows lie in the canvas, which has all the borders that they read.
    group : int
        How many pictures it holds.
    pitch : int
        Pixels from one picture to the next, a multiple of the stride.
    shape : tuple of int
        (H, W, C) of the canvas.

    Examples
    --------
    >>> from convtool.convolution.geometry import geometry
    >>> canvas = Canvas(geometry((32, 32), (3, 3)), 80, 1)
    >>> canvas.group, canvas.pitch, canvas.shape, canvas.layout.shape
    (10, 34, (34, 340, 1), (32, 338))
    """

    def __init__(self, own: Geometry, pictures: int, channels: int) -> None:
        rows, columns = own.rows, own.columns
        height, width = rows.dense + rows.taps - 1, columns.dense + columns.taps - 1
        self.own = own
        self.pitch = -(-width // columns.stride) * columns.stride
        most = SCALARS // (height * self.pitch * channels)
        self.group = max(1, min(most, pictures // LEAST_GROUPS))
        across = self.group * self.pitch
        self.shape = height, across, channels
        self.layout = Geometry(
            Axis(height, rows.taps, 0, rows.dense, rows.stride),
            Axis(across, columns.taps, 0, across - columns.taps + 1, columns.stride),
        )
