"""Windows of a Zarr array, or of the first level of an OME-Zarr image.

The last two axes of an image are its rows and columns, unless the last has 1 to 4 places and is
not one of space by its OME metadata: then these are channels, as in a picture. All axes before
them number planes, each of which is a picture of its own.

References
----------
Zarr core specification 3 and 2; OME-Zarr (NGFF) 0.5 and 0.4, section 3.4 (multiscales).
"""

import hashlib
import itertools
import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from convtool.errors import ImageReadError
from convtool.extras import load
from convtool.images.codec import Header
from convtool.images.image import PIXEL_TYPES, Pixels
from convtool.images.paths import shown
from convtool.images.stores.picture import Span, StorageLayout

ENDINGS = (".zarr", ".ome.zarr")
_MARKS = ("zarr.json", ".zarray", ".zgroup", ".zattrs")
_MOST_CHANNELS = 4
_DAMAGE = (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError, IndexError)
"""What zarr and its codecs raise for stores that make no sense."""


def is_zarr(path: str) -> bool:
    """Return whether a folder is a Zarr array or group."""
    return any(os.path.exists(os.path.join(path, mark)) for mark in _MARKS)


class ZarrImage:
    """An array, or a multiscale image of OME-Zarr, open for reading.

    Parameters
    ----------
    path : str
        The folder.
    missing : {'refuse', 'fill'}
        What becomes of chunks that are not there: an error, or pixels of the fill value. Zarr
        leaves out chunks that hold nothing else, and so does a disk that has lost them.

    Attributes
    ----------
    array : zarr.Array
        The array, of the first level.
    ome : dict or None
        OME's metadata, as they stand in the group's attributes.
    planes : list of tuple of int
        The indices of each plane along the axes before rows and columns.

    Raises
    ------
    ImageReadError
        If it is no such thing, of another type, damaged, or chunks are missing.
    """

    def __init__(self, path: str, missing: str = "refuse") -> None:
        self.path = path
        try:
            self._open()
        except ImageReadError:
            raise
        except _DAMAGE as error:
            words = str(error) or type(error).__name__
            raise ImageReadError(f"{shown(path)}: is no Zarr store, or damaged: {words}") from error
        self._check(missing)

    def _open(self) -> None:
        zarr = load("big", "zarr")
        found, self.ome = zarr.open(self.path, mode="r"), None
        self.version = int(found.metadata.zarr_format)
        self.attributes = found.attrs.asdict()
        place = self.path
        if isinstance(found, zarr.Group):
            self.ome = self.attributes.get("ome", self.attributes)
            image = self._multiscale()
            name = str(image["datasets"][0]["path"])
            place = os.path.join(self.path, name)
            found = found[name]
            if not isinstance(found, zarr.Array):
                raise ImageReadError(f"{shown(self.path)}: its first level is no array")
        self.array, self._place = found, place
        shape = tuple(int(size) for size in found.shape)
        if len(shape) < 2 or 0 in shape:
            raise ImageReadError(f"{shown(self.path)}: has the shape {shape}, which is no picture")
        self.channels_last = self.ome is None and len(shape) > 2 and shape[-1] <= _MOST_CHANNELS
        self._before = len(shape) - (3 if self.channels_last else 2)
        self.planes = list(itertools.product(*(range(size) for size in shape[: self._before])))
        self.pieces = tuple(int(n) for n in found.shards or found.chunks)

    def _multiscale(self) -> dict[str, Any]:
        images = (self.ome or {}).get("multiscales")
        if not images:
            raise ImageReadError(
                f"{shown(self.path)}: is a group without an OME image; name one of its arrays"
            )
        image: dict[str, Any] = images[0]
        names = [axis["name"] if isinstance(axis, dict) else axis for axis in image["axes"]]
        if names[-2:] != ["y", "x"]:
            raise ImageReadError(
                f"{shown(self.path)}: has the axes {''.join(names)}; the last must be y and x"
            )
        return image

    def _check(self, missing: str) -> None:
        name = self.array.dtype.name
        if name not in PIXEL_TYPES:
            raise ImageReadError(
                f"{shown(self.path)}: holds values of type {name}, which are not read; "
                "convert them to float64, or to integers of 8 to 32 bits"
            )
        lost = [key for key in self._keys() if not os.path.exists(os.path.join(self._place, key))]
        if not lost:
            return
        count = f"{len(lost)} of {math.prod(self._grid())} chunks are missing (such as {lost[0]})"
        fill = self.array.fill_value
        if fill is None:
            raise ImageReadError(f"{shown(self.path)}: {count}, and it states no fill value")
        if missing == "refuse":
            raise ImageReadError(
                f"{shown(self.path)}: {count}; if they only hold the fill value {fill}, "
                "--missing-chunks fill takes them so"
            )
        self.notes = (f"{count} and were taken to hold {fill}",)

    notes: tuple[str, ...] = ()

    def _grid(self) -> list[int]:
        return [-(-size // n) for size, n in zip(self.array.shape, self.pieces, strict=True)]

    def _keys(self) -> Iterator[str]:
        """Return the files of all chunks, or of all shards."""
        for place in itertools.product(*(range(count) for count in self._grid())):
            yield self.array.metadata.encode_chunk_key(place)

    def picture(self, plane: int) -> "ZarrPicture":
        """Return one plane as a picture."""
        return ZarrPicture(self, self.planes[plane])

    def identity(self) -> str:
        """Return a text that differs when metadata or chunks have changed; see `Picture`."""
        digest = hashlib.sha256()
        for name in (*_MARKS, *self._keys()):
            for folder in dict.fromkeys((self.path, self._place)):
                try:
                    status = os.stat(os.path.join(folder, name))
                except OSError:
                    continue
                digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
        return f"zarr {digest.hexdigest()}"


class ZarrPicture:
    """One plane of a Zarr image; see `Picture`."""

    def __init__(self, image: ZarrImage, plane: tuple[int, ...]) -> None:
        self.path, self._image, self._plane = image.path, image, plane
        self.index = plane
        shape = tuple(int(size) for size in image.array.shape[len(plane) :])
        channels = shape[2] if image.channels_last else 1
        self.header = Header(
            shape[1],
            shape[0],
            channels,
            image.array.dtype.name,
            channels in (2, 4),
            pages=len(image.planes),
            notes=image.notes,
        )
        tall, wide = image.pieces[len(plane) : len(plane) + 2]
        self.layout = StorageLayout((tall, wide))
        self.bands = [(top, min(top + tall, shape[0])) for top in range(0, shape[0], tall)]

    def window(self, rows: Span, columns: Span | None = None) -> Pixels:
        """Read part of the picture; see `Picture`."""
        across = slice(*columns) if columns else slice(None)
        try:
            pixels = np.asarray(self._image.array[(*self._plane, slice(*rows), across)])
        except _DAMAGE as error:
            words = str(error) or type(error).__name__
            raise ImageReadError(f"{shown(self.path)}: a chunk is damaged: {words}") from error
        pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
        return pixels[:, :, 0] if self._image.channels_last and pixels.shape[2] == 1 else pixels

    def identity(self) -> str:
        """Return what the image's does, and the plane."""
        return f"{self._image.identity()} {self._plane}"

    def close(self) -> None:
        """Do nothing: no file stays open."""
