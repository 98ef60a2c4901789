"""Animated PNG: the chunks that control frames, by hand, because Pillow drops 16 bits.

References
----------
W3C, Portable Network Graphics (third edition), 11.3.6: acTL, fcTL, fdAT.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from convtool.errors import ImageReadError
from convtool.images.codecs.animation import CLEAR, LEAVE, Patch, compose
from convtool.images.codecs.binary import unpack
from convtool.images.codecs.chunks import chunk, chunks
from convtool.images.image import Pixels
from convtool.records import Record, replace

_CONTROL = ">IIIIIHHBB"
_BLENDS = 1
_LARGEST_FRACTION = 65535


class Frame(Record):
    """One frame: its place, how it is laid there, how long (milliseconds), its compressed data."""

    width: int
    height: int
    left: int
    top: int
    duration: float
    disposal: int
    blends: bool
    data: bytes = b""


def extent(data: bytes) -> tuple[int, int]:
    """Return how many frames an animation has, and how often it is played (0 for ever).

    Raises
    ------
    ImageReadError
        If there are other frames than it says.
    """
    found = {name: start for name, start, _ in chunks(data) if name == b"acTL"}
    claimed, loop = unpack(">II", data, found[b"acTL"])
    there = sum(1 for name, _, _ in chunks(data) if name == b"fcTL")
    if claimed != there or not claimed:
        raise ImageReadError(f"is cut off or damaged: it has {there} frames of {claimed}")
    return claimed, loop


def left_out(data: bytes, count: int) -> tuple[str, ...]:
    """Return a remark where the picture of viewers without animation is not one of the frames."""
    first = next(name for name, _, _ in chunks(data) if name in (b"fcTL", b"IDAT", b"IEND"))
    if first == b"fcTL":
        return ()
    if count > 1:
        return ("its first picture, which is no frame of the animation, is left out",)
    return ("its animation of one frame is left out; the still picture beside it is used",)


def frames(data: bytes) -> list[Frame]:
    """Read all frames; a still picture that is not part of the animation is passed over."""
    found: list[Frame] = []
    parts: list[bytes] = []
    current: Frame | None = None
    for name, start, end in chunks(data):
        if name in (b"fcTL", b"IEND"):
            if current is not None:
                found.append(_with_data(current, parts))
            parts = []
            current = _frame(data, start) if name == b"fcTL" else None
        elif name == b"IDAT" and current is not None:
            parts.append(data[start:end])
        elif name == b"fdAT":
            parts.append(data[start + 4 : end])
    return found


def _with_data(frame: Frame, parts: list[bytes]) -> Frame:
    if not parts:
        raise ImageReadError("is damaged: a frame of it has no pixels")
    return replace(frame, data=b"".join(parts))


def _frame(data: bytes, start: int) -> Frame:
    _, width, height, left, top, delay, unit, disposal, blend = unpack(_CONTROL, data, start)
    if not width * height:
        raise ImageReadError("is damaged: a frame of it has no size")
    duration = 1000 * delay / (unit or 100)
    return Frame(width, height, left, top, duration, disposal, blend == _BLENDS)


def shows_through(data: bytes, width: int, height: int) -> bool:
    """Tell whether part of a picture without alpha is ever uncovered."""
    all_frames = frames(data)
    first = all_frames[0]
    covered = (first.width, first.height) == (width, height) and first.disposal == LEAVE
    return not covered or any(frame.disposal == CLEAR for frame in all_frames)


def composed(
    data: bytes, pixels: Callable[[Frame], Pixels], shape: tuple[int, int, int]
) -> Iterator[Pixels]:
    """Yield the whole picture after each frame, whose own pixels a function decodes."""
    patches = (
        Patch(pixels(frame), frame.left, frame.top, frame.disposal, frame.blends)
        for frame in frames(data)
    )
    return compose(patches, shape)


def assembled(
    pictures: Sequence[Sequence[bytes]],
    size: tuple[int, int],
    durations: Sequence[float],
    loop: int,
) -> tuple[tuple[bytes, bytes], list[bytes]]:
    """Make the chunks of an animation of whole pictures.

    Parameters
    ----------
    pictures : sequence of sequence of bytes
        The compressed data of each picture.
    size : (int, int)
        Width and height.
    durations : sequence of float
        Milliseconds.
    loop : int
        How often it is played, 0 for ever.

    Returns
    -------
    (bytes, bytes)
        Name and contents of the chunk that stands before the pixels.
    list of bytes
        The whole chunks with the pixels and between them.
    """
    number = 0
    parts = []
    for index, (picture, duration) in enumerate(zip(pictures, durations, strict=True)):
        place = (number, *size, 0, 0, *_delay(duration), 0, 0)
        parts.append(chunk(b"fcTL", struct.pack(_CONTROL, *place)))
        number += 1
        for part in picture:
            if index == 0:
                parts.append(chunk(b"IDAT", part))
            else:
                parts.append(chunk(b"fdAT", struct.pack(">I", number) + part))
                number += 1
    return (b"acTL", struct.pack(">II", len(pictures), loop)), parts


def _delay(duration: float) -> tuple[int, int]:
    """Return a duration in milliseconds as a fraction of a second whose parts fit 16 bits."""
    seconds = Fraction(duration).limit_denominator(_LARGEST_FRACTION) / 1000
    seconds = seconds.limit_denominator(1000)
    return min(seconds.numerator, _LARGEST_FRACTION), seconds.denominator
