"""The objects of a store as zarr reads them, each within a limit of bytes."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

from zarr.abc.store import (
    ByteRequest,
    OffsetByteRequest,
    RangeByteRequest,
    Store,
    SuffixByteRequest,
)
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype

from convtool.errors import ImageReadError
from convtool.images.stores.objects import METADATA, METADATA_BYTES, Objects, Part


class SourceStore(Store):
    """A store that zarr only reads.

    Parameters
    ----------
    objects : Objects
        Where it is.

    Attributes
    ----------
    most : int
        The most bytes that are read at once of an object that holds chunks.
    complete : bool
        Whether a chunk that is not there is an error, and not one that holds the fill value.
    """

    supports_writes = False
    supports_deletes = False
    supports_listing = False

    def __init__(self, objects: Objects) -> None:
        super().__init__(read_only=True)
        self._objects = objects
        self.most, self.complete = 0, False

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Return an object, or a part of it; None where there is none."""
        described = key.rpartition("/")[2] in METADATA
        most = METADATA_BYTES if described else self.most
        data = await asyncio.to_thread(self._objects.read, key, most, part_of(byte_range))
        if data is None:
            if self.complete and not described:
                raise ImageReadError(f"the chunk {key} is missing")
            return None
        return (prototype or default_buffer_prototype()).buffer.from_bytes(data)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return parts of objects."""
        return [await self.get(key, prototype, part) for key, part in key_ranges]

    async def exists(self, key: str) -> bool:
        """Return whether there is an object."""
        return await self.get(key, None, RangeByteRequest(0, 1)) is not None

    async def set(self, key: str, value: Buffer) -> None:
        """Raise an error: nothing is written."""
        raise NotImplementedError

    async def delete(self, key: str) -> None:
        """Raise an error: nothing is removed."""
        raise NotImplementedError

    def list(self) -> AsyncIterator[str]:
        """Raise an error: nothing that zarr does here needs a list."""
        raise NotImplementedError

    def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Raise an error, as `list` does."""
        raise NotImplementedError

    def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Raise an error, as `list` does."""
        raise NotImplementedError


def part_of(byte_range: Any) -> Part | None:
    """Return a range of bytes as a slice has it."""
    if byte_range is None:
        return None
    if isinstance(byte_range, RangeByteRequest):
        return byte_range.start, byte_range.end
    if isinstance(byte_range, OffsetByteRequest):
        return byte_range.offset, None
    assert isinstance(byte_range, SuffixByteRequest)
    return -byte_range.suffix, None
