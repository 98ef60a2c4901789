"""Windows of a Zarr array, or of the first level of an OME-Zarr image.

The last two axes of an image are its rows and columns, unless the last has 1 to 4 places and is
not one of space by its OME metadata: then these are channels, as in a picture. All axes before
them number planes, each of which is a picture of its own.

References
----------
Zarr core specification 3 and 2; OME-Zarr (NGFF) 0.5 and 0.4, section 3.4 (multiscales).
"""

import hashlib
import math
import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np

from convtool.errors import ConvtoolError, ImageReadError, ImageTooLargeError, printable
from convtool.extras import load
from convtool.images.codec import Header
from convtool.images.image import PIXEL_TYPES, Pixels
from convtool.images.paths import shown
from convtool.images.remote import is_store_url, is_url, local
from convtool.images.stores.objects import METADATA, METADATA_BYTES, objects_of
from convtool.images.stores.ome import check_multiscale
from convtool.images.stores.picture import Span, StorageLayout

_MOST_CHANNELS = 4
_MOST_AXES = 16
_MOST_PLANES = 100_000
_MOST_BANDS = 1 << 20
_INDEX_BYTES = 16
"""Bytes of the index of a shard for each of its chunks."""

_LONGEST = 200


def is_zarr(path: str) -> bool:
    """Return whether a folder is a Zarr array or group; of zip files and URLs, the name says so."""
    if is_url(path):
        return is_store_url(path)
    path = local(path)
    if path.lower().endswith(".zarr.zip"):
        return os.path.isfile(path)
    return any(os.path.exists(os.path.join(path, mark)) for mark in METADATA)


class ZarrImage:
    """An array, or a multiscale image of OME-Zarr, open for reading.

    What a store may hold is limited, since it may be a stranger's: its objects are regular files in
    its folder, and are read only as far as the metadata promise that they go; a chunk unfolds to
    exactly the size that they promise, which must fit in the memory that is allowed.

    Parameters
    ----------
    path : str
        The folder, the zip file, or the URL of either.
    missing : {'refuse', 'fill'}
        What becomes of chunks that are not there: an error, or pixels of the fill value. Zarr
        leaves out chunks that hold nothing else, and so does a disk that has lost them.
    memory : int, optional
        The most bytes that a chunk, or a shard, may take.

    Attributes
    ----------
    array : zarr.Array
        The array, of the first level.
    ome : dict or None
        OME's metadata, as they stand in the group's attributes.
    leading : tuple of int
        The lengths of the axes before rows and columns, along which each place is a plane.
    is_listed : bool
        Whether its objects can be listed, so that `identity` tells each change of them.

    Raises
    ------
    ImageReadError
        If it is no such thing, of another type, damaged, or chunks are missing.
    ImageTooLargeError
        If its chunks are larger than ``memory``.
    """

    def __init__(self, path: str, missing: str = "refuse", memory: int | None = None) -> None:
        load("big", "zarr")
        self.path, self.notes = path, ()
        with self._in_words("is no Zarr store, or damaged"):
            self._objects = objects_of(path)
            try:
                self._open(memory)
                self._check(missing)
            except BaseException:
                self._objects.close()
                raise

    notes: tuple[str, ...]

    @contextmanager
    def _in_words(self, what: str) -> Iterator[None]:
        """Say in one line what is wrong with a store, whichever way zarr and its codecs fail."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except ImageReadError as error:
            raise type(error)(f"{shown(self.path)}: {error}") from error
        except ConvtoolError:
            raise
        except FileNotFoundError:
            words = f"{shown(self.path)}: there is no Zarr array or group"
            raise ImageReadError(words) from None
        except Exception as error:  # of parsers and codecs that were given anything at all
            words = printable(str(error) or type(error).__name__)[:_LONGEST]
            raise ImageReadError(f"{shown(self.path)}: {what}: {words}") from error

    def _open(self, memory: int | None) -> None:
        import zarr

        from convtool.images.stores.bounded import bounded_pipeline
        from convtool.images.stores.zarr_source import SourceStore

        self._store = SourceStore(self._objects)
        found: Any = zarr.open(self._store, mode="r")
        self.version, self.ome = int(found.metadata.zarr_format), None
        self.attributes: dict[str, Any] = found.attrs.asdict()
        self._place = ""
        if isinstance(found, zarr.Group):
            self.ome = self.attributes.get("ome", self.attributes)
            name = self._first_level()
            self._place, found = f"{name}/", found[name]
            if not isinstance(found, zarr.Array):
                raise ImageReadError("its first level is no array")
        self.array: Any = found
        shape = tuple(int(size) for size in found.shape)
        if not 2 <= len(shape) <= _MOST_AXES or min(shape) < 1:
            raise ImageReadError(f"has the shape {shape}, which is no picture")
        self.channels_last = self.ome is None and len(shape) > 2 and shape[-1] <= _MOST_CHANNELS
        if self.ome is not None and len(self.ome["multiscales"][0]["axes"]) != len(shape):
            raise ImageReadError("has another number of axes than its OME metadata name")
        self.leading = shape[: len(shape) - (3 if self.channels_last else 2)]
        self.pieces = tuple(int(n) for n in found.shards or found.chunks)
        self._check_kind(memory)
        object.__setattr__(
            found.async_array, "codec_pipeline", bounded_pipeline(found.async_array.metadata)
        )

    def _check_kind(self, memory: int | None) -> None:
        """Check what the metadata promise, before a chunk is read."""
        dtype, pieces = self.array.dtype, self.pieces
        if dtype.name not in PIXEL_TYPES:
            raise ImageReadError(
                f"holds values of type {printable(dtype.name)[:_LONGEST]}, which are not read; "
                "convert them to float64, or to integers of 8 to 32 bits"
            )
        if min(*pieces, *self.array.chunks) < 1:
            raise ImageReadError(f"has chunks of {pieces} pixels, which hold nothing")
        inner = math.prod(pieces) // math.prod(self.array.chunks)
        index = _INDEX_BYTES * inner if self.array.shards else 0
        size = math.prod(pieces) * dtype.itemsize + index
        if memory is not None and size > memory:
            raise ImageTooLargeError(
                f"needs {size / 1e6:.3g} MB for each of its chunks, more than the limit of "
                f"{memory / 1e6:.3g} MB; `max_memory=` raises it"
            )
        self._store.most = size + size // 4 + index + (1 << 16)
        rows = len(self.leading)
        bands = -(-self.array.shape[rows] // pieces[rows])
        if bands > _MOST_BANDS:
            raise ImageReadError(f"has {bands} rows of chunks, more than {_MOST_BANDS}")

    def _first_level(self) -> str:
        """Return the path of the first level of an OME image."""
        images = (self.ome or {}).get("multiscales")
        if not images:
            raise ImageReadError("is a group without an OME image; name one of its arrays")
        check_multiscale(images)
        name: str = images[0]["datasets"][0]["path"]
        return name

    def _check(self, missing: str) -> None:
        fill = self.array.fill_value
        stamps = self._objects.stamps(self._place)
        self.is_listed = stamps is not None
        if stamps is None:  # a chunk that is missing is noticed when it is read
            self._store.complete = missing == "refuse" or fill is None
            return
        present, total = self._chunks(stamps), math.prod(self._grid)
        if len(present) == total:
            return
        encode = self.array.metadata.encode_chunk_key
        keys = (encode(place_of(number, self._grid)) for number in range(total))
        lost = next(key for key in keys if key not in present)
        count = f"{total - len(present)} of {total} chunks are missing (such as {lost})"
        if fill is None:
            raise ImageReadError(f"{count}, and it states no fill value")
        if missing == "refuse":
            raise ImageReadError(
                f"{count}; if they only hold the fill value {fill}, "
                "`missing_chunks='fill'` takes them so"
            )
        self.notes = (f"{count} and were taken to hold {fill}",)

    @cached_property
    def _grid(self) -> list[int]:
        return [-(-size // n) for size, n in zip(self.array.shape, self.pieces, strict=True)]

    def _chunks(self, stamps: Mapping[str, str]) -> set[str]:
        """Return which objects are chunks, or shards, of the array."""
        found, encode = set(), self.array.metadata.encode_chunk_key
        for key in stamps:
            place = tuple(map(int, re.findall(r"\d{1,18}", key)))
            inside = len(place) == len(self._grid) and all(map(int.__lt__, place, self._grid))
            if inside and encode(place) == key:
                found.add(key)
        return found

    @cached_property
    def planes(self) -> int:
        """How many planes there are."""
        count = math.prod(self.leading)
        if count > _MOST_PLANES:
            raise ImageReadError(
                f"{shown(self.path)}: has {count} planes, more than {_MOST_PLANES}"
            )
        return count

    @cached_property
    def bands(self) -> list[Span]:
        """Rows of a plane that are stored together."""
        axis = len(self.leading)
        height, tall = int(self.array.shape[axis]), self.pieces[axis]
        return [(top, min(top + tall, height)) for top in range(0, height, tall)]

    def picture(self, plane: int) -> "ZarrPicture":
        """Return one plane as a picture."""
        return ZarrPicture(self, place_of(plane, self.leading))

    def identity(self) -> str:
        """Return a text that differs when metadata or chunks have changed; see `Picture`."""
        digest = hashlib.sha256()
        with self._in_words("cannot be read"):
            for place in dict.fromkeys(("", self._place)):
                for mark in METADATA:
                    digest.update(self._objects.read(place + mark, METADATA_BYTES) or b"-")
            stamps = self._objects.stamps(self._place) or {}
            for key in sorted(self._chunks(stamps)):
                digest.update(f"{key} {stamps[key]}\n".encode())
        return f"zarr {digest.hexdigest()}"

    def window(self, plane: tuple[int, ...], rows: Span, columns: Span | None) -> Pixels:
        """Read part of a plane."""
        across = slice(*columns) if columns else slice(None)
        with self._in_words("a chunk is damaged"):
            pixels = np.asarray(self.array[(*plane, slice(*rows), across)])
        pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
        return pixels[:, :, 0] if self.channels_last and pixels.shape[2] == 1 else pixels

    def close(self) -> None:
        """Close the file, of a zip file."""
        self._objects.close()


def place_of(number: int, sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the indices of an element of an array of any size, by its number in rows first.

    Examples
    --------
    >>> place_of(5, (2, 3)), place_of(0, ())
    ((1, 2), ())
    """
    place = []
    for size in reversed(sizes):
        number, index = divmod(number, size)
        place.append(index)
    return tuple(reversed(place))


class ZarrPicture:
    """One plane of a Zarr image; see `Picture`."""

    def __init__(self, image: ZarrImage, plane: tuple[int, ...]) -> None:
        self.path, self._image, self._plane = image.path, image, plane
        height, width, *rest = (int(size) for size in image.array.shape[len(image.leading) :])
        channels = rest[0] if rest else 1
        self.header = Header(
            width,
            height,
            channels,
            image.array.dtype.name,
            channels in (2, 4),
            pages=math.prod(image.leading),
            notes=image.notes,
        )
        tall, wide = image.pieces[len(image.leading) :][:2]
        self.layout = StorageLayout((tall, wide))
        self.bands = image.bands

    def window(self, rows: Span, columns: Span | None = None) -> Pixels:
        """Read part of the picture; see `Picture`."""
        return self._image.window(self._plane, rows, columns)

    def identity(self) -> str:
        """Return what the image's does, and the plane."""
        return f"{self._image.identity()} {self._plane}"

    def close(self) -> None:
        """Do nothing: no file stays open."""
