"""Max and average pooling, window by window, including partial windows at the edge."""

import re
from collections.abc import Iterator

import numpy as np

from convtool.errors import KernelError, OptionError
from convtool.explain.walk import Plane
from convtool.kernels.numerals import size
from convtool.records import Record

KINDS = ("max", "average")
"""The kinds of pooling."""

_TEXT = re.compile(r"(max|average):([^,=]+)(?:,stride=([^,=]+))?")


class PoolStep(Record, eq=False):
    """One window.

    Attributes
    ----------
    row, column : int
        The output pixel, counted from 0.
    top, left : int
        The window's first row and column.
    window : ndarray
        The window's values, cropped at the edge.
    value : float
        The maximum or average.
    """

    row: int
    column: int
    top: int
    left: int
    window: Plane
    value: float


class Pooling(Record):
    """The maximum or the average of windows.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    size, stride : (int, int)
        Rows and columns of a window, and the step between windows.
    """

    kind: str
    size: tuple[int, int]
    stride: tuple[int, int]

    @property
    def text(self) -> str:
        """A description of the pooling.

        Examples
        --------
        >>> Pooling("max", (3, 3), (2, 2)).text
        'max of 3×3, stride 2,2'
        """
        stride = "" if self.stride == self.size else ", stride {},{}".format(*self.stride)
        return f"{self.kind} of {self.size[0]}×{self.size[1]}{stride}"

    def shape(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Return the output's shape: ceil((n - size) / stride) + 1; each window starts inside."""
        rows, columns = (
            _count(n, *one) for n, *one in zip(shape, self.size, self.stride, strict=True)
        )
        return rows, columns

    def steps(self, values: Plane) -> Iterator[PoolStep]:
        """Yield each window of an array, row by row."""
        rows, columns = self.shape((values.shape[0], values.shape[1]))
        for row in range(rows):
            for column in range(columns):
                top, left = row * self.stride[0], column * self.stride[1]
                window = values[top : top + self.size[0], left : left + self.size[1]]
                value = window.max() if self.kind == "max" else window.mean()
                yield PoolStep(row, column, top, left, window, float(value))

    def __call__(self, values: Plane) -> Plane:
        """Return the maximum or average of each window, as an array of shape `shape`.

        Examples
        --------
        >>> Pooling("average", (2, 2), (2, 2))(np.array([[1.0, 2, 1], [0, 2, 0], [1, 2, 1]]))
        array([[1.25, 0.5 ],
               [1.5 , 1.  ]])
        """
        shape = self.shape((values.shape[0], values.shape[1]))
        return np.array([step.value for step in self.steps(values)]).reshape(shape)

    def backward(self, values: Plane, gradient: Plane) -> Plane:
        """Return the gradient of the input, from that of the output.

        A maximum passes it to the first largest value of its window, an average in equal parts.
        """
        answer = np.zeros_like(values)
        for step in self.steps(values):
            part = answer[
                step.top : step.top + step.window.shape[0],
                step.left : step.left + step.window.shape[1],
            ]
            given = gradient[step.row, step.column]
            if self.kind == "max":
                part.flat[int(step.window.argmax())] += given
            else:
                part += given / step.window.size
        return answer


def _count(n: int, taps: int, stride: int) -> int:
    count = max(0, -(-(n - taps) // stride)) + 1
    return count if (count - 1) * stride < n else count - 1


def pooling(text: str) -> Pooling:
    """Parse a pooling.

    Parameters
    ----------
    text : str
        ``max:2``, ``average:2x3`` (rows x columns) or ``max:3,stride=2``; by default the stride is
        the window's size.

    Returns
    -------
    Pooling

    Raises
    ------
    OptionError
        If the text is not a pooling.

    Examples
    --------
    >>> pooling("max:3,stride=2")
    Pooling(kind='max', size=(3, 3), stride=(2, 2))
    """
    found = _TEXT.fullmatch(text.strip())
    if not found:
        raise OptionError(
            f"pooling {text!r} is not known; write max:2, average:2 or max:3,stride=2"
        )
    kind, taps, stride = found.groups()
    try:
        window = size(taps)
        return Pooling(kind, window, size(stride) if stride else window)
    except KernelError as error:
        raise OptionError(f"pooling {text!r}: {error}") from error
