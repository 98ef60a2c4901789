"""What a notebook shows of results: small PNG pictures and HTML tables, made here alone.

Objects call these from their ``_repr_png_`` and ``_repr_html_``. Nothing is imported but NumPy and
the standard library, and that on use.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST_SIDE = 640
"""The most pixels that a side of a shown picture has."""

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""PNG's colour type for each number of channels of 8 bits."""

_CELL = "<td style='text-align:{1}'>{0}</td>"


def png_of(
    pixels: "NDArray[Any]",
    *,
    white: float | None,
    has_alpha: bool = False,
    missing: float | None = None,
) -> bytes:
    """Return a picture of pixels as a PNG file of 8 bits, no larger than a notebook shows it.

    Parameters
    ----------
    pixels : ndarray, shape (H, W) or (H, W, C)
        Real numbers; of channels that are no colours only the first is shown.
    white : float, optional
        The value of white, and of opaque. Without it values from 0 to 1 are shown as they are, and
        others so that the smallest is black and the largest white.
    has_alpha : bool
        Whether the last channel is alpha.
    missing : float, optional
        The value of missing pixels, which are shown black, as NaN is.

    Returns
    -------
    bytes
        Each pixel is the mean of those that it stands for.

    Examples
    --------
    >>> import numpy as np
    >>> png_of(np.zeros((2, 3), np.uint8), white=255.0)[1:4]
    b'PNG'
    """
    import numpy as np

    planes = pixels.reshape(*pixels.shape[:2], -1)
    if planes.shape[2] - has_alpha not in (1, 3):
        planes, has_alpha = planes[:, :, :1], False
    with np.errstate(all="ignore"):
        small = _reduced(planes, missing)
        colours = small[:, :, : small.shape[2] - has_alpha]
        low, high = (0.0, white) if white is not None else _extent(colours)
        shown = (small - low) * (255 / (high - low))
        if has_alpha:
            shown[:, :, -1] = small[:, :, -1] * (255 / (white or 1.0))
        shown = np.rint(np.clip(np.nan_to_num(shown, nan=0.0, posinf=255, neginf=0), 0, 255))
    return _encoded(shown.astype(np.uint8))


def _reduced(planes: "NDArray[Any]", missing: float | None) -> "NDArray[np.float64]":
    """Return the means of blocks of pixels, so that no side is longer than `LONGEST_SIDE`."""
    import numpy as np

    rows, columns, channels = planes.shape
    step = -(-max(rows, columns) // LONGEST_SIDE)
    down, right = min(step, rows), min(step, columns)
    whole = planes[: rows // down * down, : columns // right * right]
    if missing is not None:
        whole = np.where(whole == missing, np.nan, whole)
    blocks = whole.reshape(rows // down, down, columns // right, right, channels)
    means: NDArray[np.float64] = blocks.mean(axis=(1, 3), dtype=np.float64)
    return means


def _extent(values: "NDArray[np.float64]") -> tuple[float, float]:
    """Return the values of black and white for pixels without a value of white."""
    import numpy as np

    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    return (low, high) if high > low else (low - 1.0, low)


def _encoded(pixels: "NDArray[np.uint8]") -> bytes:
    """Encode pixels of 8 bits, shape (H, W, C), as PNG."""
    import struct
    import zlib

    import numpy as np

    rows, columns, channels = pixels.shape
    header = struct.pack(">IIBBBBB", columns, rows, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    lines = np.zeros((rows, 1 + columns * channels), np.uint8)
    lines[:, 1:] = pixels.reshape(rows, -1)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b"")
    parts = [b"\x89PNG\r\n\x1a\n"]
    for name, data in chunks:
        parts += [struct.pack(">I", len(data)), name, data]
        parts.append(struct.pack(">I", zlib.crc32(name + data)))
    return b"".join(parts)


def picture_html(png: bytes, text: str) -> str:
    """Return an image element that contains a PNG file.

    Examples
    --------
    >>> picture_html(b"x", 'a "b"')
    '<img alt="a &quot;b&quot;" src="data:image/png;base64,eA==">'
    """
    from base64 import b64encode
    from html import escape

    return f'<img alt="{escape(text)}" src="data:image/png;base64,{b64encode(png).decode()}">'


def table_html(headings: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """Return a table; numbers are to the right of their cells, and all text is escaped.

    Examples
    --------
    >>> table_html(["k"], [[3]])
    "<table><thead><tr><th>k</th></tr></thead><tbody><tr><td style='text-align:right'>3</td></tr>\
</tbody></table>"
    """
    from html import escape

    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    if headings:
        names = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
        above += f"<thead><tr>{names}</tr></thead>"
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table>{above}<tbody>{body}</tbody></table>"


def matrix_html(matrix: Sequence[Sequence[float]], caption: str = "") -> str:
    """Return a table of numbers without headings.

    Examples
    --------
    >>> matrix_html([[0.25]])
    "<table><tbody><tr><td style='text-align:right'>0.25</td></tr></tbody></table>"
    """
    return table_html([], matrix, caption)


def _cell(value: object) -> str:
    from html import escape

    number = isinstance(value, int | float)
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return _CELL.format(escape(text), "right" if number else "left")


def costs_html(costs: Mapping[str, float], chosen: str, caption: str) -> str:
    """Return a table of what each choice costs, the cheapest first.

    Parameters
    ----------
    costs : mapping of str to float
        Seconds of each choice.
    chosen : str
        The one that is taken.
    caption : str
        Why.

    Examples
    --------
    >>> "0.5 ms" in costs_html({"fft": 0.0005}, "fft", "there is no other")
    True
    """
    order = sorted(costs.items(), key=lambda item: item[1])
    rows = [(name, milliseconds(cost), "✓" if name == chosen else "") for name, cost in order]
    return table_html(["engine", "estimate", "chosen"], rows, caption)


def milliseconds(seconds: float) -> str:
    """Return a time in words.

    Examples
    --------
    >>> milliseconds(0.01234)
    '12.3 ms'
    """
    return f"{1e3 * seconds:.3g} ms"
