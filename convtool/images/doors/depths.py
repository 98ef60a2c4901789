"""Samples of 9 to 15 bits, as decoders return them, and alpha that is multiplied in."""

import numpy as np

from convtool.images.codec import Decoded
from convtool.images.codecs.premultiplied import divided
from convtool.images.image import Pixels


def widened(pixels: Pixels, bits: int, *, premultiplied: bool = False) -> Decoded:
    """Scale samples of so many bits to the range of their type, and divide alpha out of colours.

    Examples
    --------
    >>> widened(np.array([[0, 512, 1023]], np.uint16), 10).pixels.tolist()
    [[0, 32800, 65535]]
    """
    notes = []
    full = 8 * pixels.dtype.itemsize
    if pixels.dtype.kind == "u" and bits < full:
        scale = float(2**full - 1) / (2**bits - 1)
        pixels = np.rint(pixels * scale).astype(pixels.dtype)
        notes.append(
            f"its {bits} bits (0 to {2**bits - 1}) were scaled to {full} (0 to {2**full - 1})"
        )
    if premultiplied:
        pixels = divided(pixels)
        notes.append("colours were divided by alpha, which was multiplied in")
    return Decoded(np.ascontiguousarray(pixels), tuple(notes))


def colour_code(primaries: int, transfer: int) -> tuple[tuple[str, bytes], ...]:
    r"""Return PNG's statement (cICP) of colours that are not those of sRGB; nothing for sRGB.

    Examples
    --------
    >>> colour_code(9, 16)
    (('cICP', b'\t\x10\x00\x01'),)
    """
    if primaries in (1, 2) and transfer in (1, 2, 6, 13):
        return ()
    return (("cICP", bytes([primaries, transfer, 0, 1])),)
