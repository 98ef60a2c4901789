"""The codec of a format that a library reads: requests to its process, and their limits."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from convtool.errors import ImageFormatError, ImageReadError
from convtool.images.codec import Decoded, Format, Header
from convtool.images.doors.client import Request, ask
from convtool.images.image import Document, Image
from convtool.images.options import ReadOptions, WriteOptions

_SLACK = 512 << 20
"""Bytes that a library may take for itself: its code, its threads' stacks, its tables."""

_BYTES_A_SAMPLE = 24
"""Bytes of memory for each sample while it is decoded: six arrays of 32-bit floats."""

_SECONDS = 60.0
_SAMPLES_A_SECOND = 500_000
_BATCH = 1 << 25
"""Samples of the pages that are decoded at once."""


class DoorCodec:
    """Reads and writes one format by its library.

    Parameters
    ----------
    entry : Format
        The format.
    """

    def __init__(self, entry: Format) -> None:
        self._entry = entry

    def inspect_all(self, data: bytes) -> tuple[Header, ...]:
        """Read the headers of all pages."""
        for pattern, reason in self._entry.refused:
            if re.search(pattern, data, re.DOTALL):
                raise ImageReadError(
                    f"is not read: {reason}; convert it to PNG with another program"
                )
        found: tuple[Header, ...] = self._ask("inspect", (data,), 3 * len(data), 0)
        if not found:
            raise ImageReadError(f"holds no picture that {self._entry.library} decodes")
        return found

    def inspect(self, data: bytes) -> Header:
        """Read the header of the only page."""
        return self.inspect_all(data)[0]

    def decode_all(
        self, data: bytes, headers: Sequence[Header], options: ReadOptions, start: int
    ) -> Iterator[Decoded]:
        """Make the pixels of pages, a few at a time."""
        sizes = [header.width * header.height * header.channels for header in headers]
        first = 0
        while first < len(headers):
            end, samples = first + 1, sizes[first]
            while end < len(headers) and samples + sizes[end] <= _BATCH:
                samples += sizes[end]
                end += 1
            wanted = (data, tuple(headers[first:end]), options, start + first)
            found: list[Decoded] = self._ask("decode", wanted, 3 * len(data), samples)
            yield from found
            first = end

    def decode(self, data: bytes, header: Header, options: ReadOptions) -> Decoded:
        """Make the pixels of the only page, or of the first."""
        return next(self.decode_all(data, (header,), options, 0))

    def encode_all(self, document: Document, options: WriteOptions) -> bytes:
        """Make a file of one or several pictures."""
        samples = sum(page.pixels.size for page in document.pages)
        try:
            data: bytes = self._ask("encode", (document, options), 0, samples)
        except ImageReadError as error:
            raise ImageFormatError(str(error)) from error
        return data

    def encode(self, image: Image, options: WriteOptions) -> bytes:
        """Make a file of a picture."""
        return self.encode_all(Document((image,)), options)

    def _ask(self, function: str, arguments: tuple[Any, ...], memory: int, samples: int) -> Any:
        return ask(
            Request(
                f"convtool.images.doors.{self._entry.codec or self._entry.name}",
                function,
                (self._entry, *arguments),
                _SLACK + memory + samples * _BYTES_A_SAMPLE,
                _SECONDS + samples / _SAMPLES_A_SECOND,
                self._entry.library,
            )
        )
