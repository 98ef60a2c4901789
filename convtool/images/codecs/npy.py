"""NPY, NumPy's file of one array, read here so that nothing is unpickled or promised in vain.

References
----------
NumPy reference: numpy.lib.format, versions 1.0 to 3.0.
"""

import ast
import io

import numpy as np

from convtool.errors import ImageReadError
from convtool.images.codec import Decoded, Header
from convtool.images.codecs.binary import unpack
from convtool.images.image import Image, held
from convtool.images.options import ReadOptions, WriteOptions
from convtool.records import Record

_LENGTHS = {1: ("<H", 10), 2: ("<I", 12), 3: ("<I", 12)}
"""By version: the form of the header's length, and where the header starts."""

_LONGEST = 10_000
_KEYS = {"descr", "fortran_order", "shape"}


class _Layout(Record):
    stored: "np.dtype[np.generic]"
    shape: tuple[int, ...]
    order: str
    start: int

    @property
    def channels(self) -> int:
        return self.shape[2] if len(self.shape) == 3 else 1

    @property
    def read_as(self) -> str:
        """The type of the pixels: the stored one, or a float that holds its values."""
        kind, bits = self.stored.kind, 8 * self.stored.itemsize
        if kind == "b":
            return "uint8"
        return held(self.stored.name, 0 if kind == "f" and bits <= 32 else 2**bits)


def _layout(data: bytes) -> _Layout:
    form, start = _LENGTHS.get(unpack("<B", data, 6)[0], ("", 0))
    if not form:
        raise ImageReadError(f"is NPY of version {data[6]}, which is not read; 1 to 3 are")
    (length,) = unpack(form, data, 8)
    if length > _LONGEST or start + length > len(data):
        raise ImageReadError("is cut off or damaged: it ends within its header")
    try:
        said = ast.literal_eval(data[start : start + length].decode("utf-8"))
        if set(said) != _KEYS or not isinstance(said["descr"], str):
            raise ValueError
        stored, shape = np.dtype(said["descr"]), said["shape"]
        if not all(type(size) is int and size >= 0 for size in shape):
            raise ValueError
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise ImageReadError("is damaged, or holds no plain array: its header says so") from None
    order = "F" if said["fortran_order"] else "C"
    layout = _Layout(stored, tuple(shape), order, start + length)
    _check(layout, len(data))
    return layout


def _check(layout: _Layout, size: int) -> None:
    kind, shape = layout.stored.kind, layout.shape
    if kind == "O":
        raise ImageReadError(
            "holds Python objects, which are never unpickled; save an array of numbers"
        )
    if kind not in "biuf" or layout.stored.itemsize > 8:
        raise ImageReadError(f"holds {layout.stored}, which is no pixel; save integers or floats")
    if len(shape) not in (2, 3) or layout.channels > 65535 or 0 in shape:
        raise ImageReadError(f"holds an array of shape {shape}; pictures are (H, W) or (H, W, C)")
    needed = layout.start + layout.stored.itemsize * int(np.prod(shape, dtype=object))
    if needed > size:
        raise ImageReadError(f"is cut off: it has {size} bytes of {needed}")


def inspect(data: bytes) -> Header:
    """Read shape and type from the text at the start."""
    layout = _layout(data)
    height, width = layout.shape[:2]
    has_alpha = layout.channels in (2, 4)
    notes: tuple[str, ...] = ()
    if layout.stored.kind in "iu" and layout.stored.itemsize == 8:
        notes = ("holds integers of 64 bits; beyond 9007199254740992 they are rounded",)
    return Header(width, height, layout.channels, layout.read_as, has_alpha, notes=notes)


def decode(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    """Read the values as they are."""
    layout = _layout(data)
    count = header.width * header.height * header.channels
    stored = np.frombuffer(data, layout.stored, count, layout.start)
    pixels = stored.reshape(layout.shape, order="F" if layout.order == "F" else "C")
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if layout.stored.kind == "b":
        pixels = pixels.view(np.uint8) * np.uint8(255)
    return Decoded(np.array(pixels, np.dtype(layout.read_as), order="C"))


def encode(image: Image, options: WriteOptions) -> bytes:
    """Encode, in the byte order of this machine."""
    file = io.BytesIO()
    np.save(file, image.pixels, allow_pickle=False)
    return file.getvalue()
