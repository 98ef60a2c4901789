"""Where zarr writes the objects of a store: a folder that is flushed, or a URL.

In a folder each object is on the disk before a journal may name it: `FlushedStore.flush` waits for
all that were written since the last time, and for the names in their folders. At a URL each chunk
is put as one object, and what describes them, without which nobody takes them for a store, when
all are there.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype
from zarr.storage import LocalStore

from convtool.files import flush_folder
from convtool.images.remote import filesystem, writing
from convtool.images.stores.objects import METADATA
from convtool.images.stores.zarr_source import part_of

_AT_ONCE = 8
"""Files that are flushed at the same time: a disk does so for little more than one."""


class FlushedStore(LocalStore):
    """A store in a folder that knows which of its objects may not be on the disk yet."""

    _written: set[str]

    def __init__(self, root: Any, *, read_only: bool = False) -> None:
        super().__init__(root, read_only=read_only)
        self._written, self._changing = set(), threading.Lock()

    async def set(self, key: str, value: Buffer) -> None:
        """Write an object, and remember it."""
        await super().set(key, value)
        self._remember(key)

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        """Write an object that is not there, and remember it."""
        await super().set_if_not_exists(key, value)
        self._remember(key)

    def set_sync(self, key: str, value: Buffer) -> None:
        """Write an object, and remember it."""
        super().set_sync(key, value)
        self._remember(key)

    def _remember(self, key: str) -> None:
        with self._changing:
            self._written.add(key)

    def flush(self) -> None:
        """Wait until the disk has all that was written, and the names of it.

        Raises
        ------
        OSError
            If the disk fails.
        """
        with self._changing:
            keys, self._written = sorted(self._written), set()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(_flush, (os.path.join(self.root, key) for key in keys)))
        folders = {""} if keys else set()
        for key in keys:
            while key := os.path.dirname(key):
                folders.add(key)
        for folder in sorted(folders, reverse=True):
            flush_folder(os.path.join(self.root, folder))

    def complete(self) -> None:
        """Wait until the disk has all."""
        self.flush()

    def remove(self) -> None:
        """Do nothing: whoever made the folder removes it."""


def _flush(path: str) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class RemoteStore(Store):
    """A store at a URL where none was before.

    Parameters
    ----------
    path : str
        The URL.
    """

    supports_writes = True
    supports_deletes = True
    supports_listing = False

    def __init__(self, path: str) -> None:
        super().__init__()
        found = filesystem(path)
        assert found is not None
        self._name = path
        self._system, self._path = found[0], found[1].rstrip("/")
        self._described: dict[str, bytes] = {}
        self._put: set[str] = set()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def flush(self) -> None:
        """Do nothing: what is put is there."""

    def complete(self) -> None:
        """Put what describes the chunks, that of the store itself at last."""
        for key in sorted(self._described, key=lambda key: key.count("/"), reverse=True):
            self._pipe(key, self._described[key])

    def remove(self) -> None:
        """Remove what was put, as far as that goes."""
        with suppress(Exception):  # the reason why it is removed is the one to tell
            self._system.rm([f"{self._path}/{key}" for key in sorted(self._put)])

    def _pipe(self, key: str, data: bytes) -> None:
        with writing(self._name):
            self._put.add(key)
            self._system.pipe_file(f"{self._path}/{key}", data)

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Return an object that was written."""
        first, last = part_of(byte_range) or (None, None)
        if key in self._described:
            data = self._described[key][first:last]
        elif key in self._put:
            data = await asyncio.to_thread(
                self._system.cat_file, f"{self._path}/{key}", start=first, end=last
            )
        else:
            return None
        return (prototype or default_buffer_prototype()).buffer.from_bytes(data)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return objects that were written."""
        return [await self.get(key, prototype, part) for key, part in key_ranges]

    async def exists(self, key: str) -> bool:
        """Return whether an object was written."""
        return key in self._described or key in self._put

    async def set(self, key: str, value: Buffer) -> None:
        """Put an object; what describes others waits."""
        if key.rpartition("/")[2] in METADATA:
            self._described[key] = value.to_bytes()
        else:
            await asyncio.to_thread(self._pipe, key, value.to_bytes())

    async def delete(self, key: str) -> None:
        """Remove an object."""
        if self._described.pop(key, None) is None and key in self._put:
            await asyncio.to_thread(self._system.rm_file, f"{self._path}/{key}")
            self._put.discard(key)

    def list(self) -> AsyncIterator[str]:
        """Raise an error: nothing that zarr does here needs a list."""
        raise NotImplementedError

    def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Raise an error, as `list` does."""
        raise NotImplementedError

    def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Raise an error, as `list` does."""
        raise NotImplementedError
