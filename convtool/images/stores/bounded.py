"""Chunks of Zarr decoded to exactly as many bytes as the metadata of their array promise.

The metadata state the shape and type of a chunk, so that the size of what each codec returns is
known beforehand. A chunk that holds more, or says so, is damaged, and is refused before memory is
taken for it. Only codecs whose sizes can be known are used: those of Zarr's specification, and
those of numcodecs that are neither containers of objects nor compress by their own shapes.

References
----------
Zarr core specification 3, section "Codecs"; c-blosc 1.21, README_CHUNK_FORMAT (its header).
"""

import asyncio
import bz2
import gzip
import io
import lzma
import math
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numcodecs.registry import get_codec
from zarr.abc.codec import BytesBytesCodec, Codec
from zarr.codecs import ShardingCodec
from zarr.codecs._v2 import V2Codec
from zarr.core.codec_pipeline import BatchedCodecPipeline

from convtool.errors import ImageReadError, printable

_CHECKSUMS = {"crc32": 4, "crc32c": 4, "adler32": 4, "fletcher32": 4, "jenkins_lookup3": 4}
"""Codecs that add a checksum, and its bytes."""

_SAME_SIZE = ("shuffle", "bitround")
_CONVERTED = {
    "delta": ("dtype", "astype"),
    "quantize": ("dtype", "astype"),
    "fixedscaleoffset": ("dtype", "astype"),
    "astype": ("decode_dtype", "encode_dtype"),
}
"""Filters that store numbers in another type: what their settings call that of the values, and the
stored one."""

_V3_ARRAYS = ("bytes", "transpose")
_MOST_FILTERS = 8
_LZMA_MEMORY = 1 << 28


class ChunkError(ValueError):
    """A chunk does not hold what its metadata promise."""


def _unknown(name: object) -> ImageReadError:
    return ImageReadError(f"its chunks are encoded by {printable(str(name))}, which is not read")


def _zstd(codec: Any, data: bytes, size: int) -> Any:
    return codec.decode(data, np.empty(size, np.uint8))


def _blosc(codec: Any, data: bytes, size: int) -> Any:
    if len(data) < 16 or struct.unpack_from("<I4xI", data, 4) != (size, len(data)):
        raise _mismatch(size)
    return codec.decode(data)


def _lz4(codec: Any, data: bytes, size: int) -> Any:
    if len(data) < 4 or struct.unpack_from("<I", data) != (size,):
        raise _mismatch(size)
    return codec.decode(data)


def _zlib(codec: Any, data: bytes, size: int) -> Any:
    stream = zlib.decompressobj()
    found = stream.decompress(data, size + 1)
    if not stream.eof and len(found) <= size:
        raise ChunkError("ends too early")
    return found


def _gzip(codec: Any, data: bytes, size: int) -> Any:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        return file.read(size + 1)


def _bz2(codec: Any, data: bytes, size: int) -> Any:
    with bz2.BZ2File(io.BytesIO(data)) as file:
        return file.read(size + 1)


def _lzma(codec: Any, data: bytes, size: int) -> Any:
    limit = None if codec.format == lzma.FORMAT_RAW else _LZMA_MEMORY
    stream = lzma.LZMADecompressor(codec.format, limit, codec.filters)
    return stream.decompress(data, size + 1)


_COMPRESSORS: dict[str, Callable[[Any, bytes, int], Any]] = {
    "blosc": _blosc,
    "bz2": _bz2,
    "gzip": _gzip,
    "lz4": _lz4,
    "lzma": _lzma,
    "zlib": _zlib,
    "zstd": _zstd,
}


def _mismatch(size: int) -> ChunkError:
    return ChunkError(f"does not unfold to the {size} bytes that the metadata of its array promise")


class _Step:
    """One codec, and how many bytes it returns when it decodes."""

    def __init__(self, codec: Any, size: int) -> None:
        self._codec, self._size = codec, size

    def decode(self, data: Any) -> Any:
        """Decode, to exactly that many bytes."""
        name = self._codec.codec_id
        found: Any
        if name in _COMPRESSORS:
            found = _COMPRESSORS[name](self._codec, bytes(memoryview(data)), self._size)
        else:
            found = self._codec.decode(data)
        if memoryview(found).nbytes != self._size:
            raise _mismatch(self._size)
        return found


class Steps:
    """The codecs of a chunk from its numbers to its bytes, as numcodecs has them.

    Parameters
    ----------
    codecs : sequence
        In the order in which they encode.
    size : int
        Bytes of the chunk as numbers.

    Raises
    ------
    ImageReadError
        If a codec is not one of those whose sizes can be known.

    Examples
    --------
    >>> import numcodecs
    >>> steps = Steps([numcodecs.Zlib()], 4)
    >>> bytes(steps.decode(numcodecs.Zlib().encode(b"four")))
    b'four'
    """

    def __init__(self, codecs: Sequence[Any], size: int) -> None:
        self._steps = []
        compressed = False
        if len(codecs) > _MOST_FILTERS:
            raise ImageReadError(f"its chunks are encoded by {len(codecs)} codecs, too many")
        for codec in codecs:
            name = codec.codec_id
            self._steps.append(_Step(codec, size) if not compressed else codec)
            if compressed and name not in _CHECKSUMS:
                raise ImageReadError(f"its chunks are encoded by {name} after compression")
            size, compressed = _encoded(codec, name, size), compressed or name in _COMPRESSORS

    def decode(self, data: Any) -> Any:
        """Return the bytes of the numbers."""
        for step in reversed(self._steps):
            data = step.decode(data)
        return data


def _encoded(codec: Any, name: str, size: int) -> int:
    """Return how many bytes a codec makes of a number of bytes; 0 where that is not known."""
    if name in _COMPRESSORS:
        return 0
    if name in _CHECKSUMS:
        return size + _CHECKSUMS[name]
    if name in _SAME_SIZE:
        return size
    if name in _CONVERTED:
        values, stored = (np.dtype(codec.get_config()[key]) for key in _CONVERTED[name])
        return int(size // values.itemsize * stored.itemsize)
    raise _unknown(name)


class Bounded(BytesBytesCodec):
    """A codec of Zarr 3 from bytes to bytes, which decodes to the size that is promised.

    Parameters
    ----------
    inner : sequence of zarr.abc.codec.BytesBytesCodec
        The codecs, in the order in which they encode.
    """

    is_fixed_size = False

    def __init__(self, inner: Sequence[BytesBytesCodec]) -> None:
        self._codecs = [get_codec(_settings(codec)) for codec in inner]

    async def _decode_single(self, chunk_bytes: Any, chunk_spec: Any) -> Any:
        itemsize = chunk_spec.dtype.to_native_dtype().itemsize
        steps = Steps(self._codecs, math.prod(chunk_spec.shape) * itemsize)
        found = await asyncio.to_thread(steps.decode, chunk_bytes.as_array_like())
        return chunk_spec.prototype.buffer.from_bytes(memoryview(found).cast("B"))

    def compute_encoded_size(self, _input_byte_length: int, _chunk_spec: Any) -> int:
        """Raise an error: it depends on what is compressed."""
        raise NotImplementedError


def _settings(codec: Codec) -> dict[str, Any]:
    """Return the settings of a codec of Zarr 3 as numcodecs has them."""
    told: dict[str, Any] = codec.to_dict()
    name = str(told["name"]).removeprefix("numcodecs.")
    settings = dict(told.get("configuration") or {})
    if name == "blosc":  # what decodes it is in each chunk
        settings = {}
    return settings | {"id": name}


def bounded_pipeline(metadata: Any) -> BatchedCodecPipeline:
    """Return what decodes the chunks of an array, each to its promised size.

    Parameters
    ----------
    metadata : zarr.core.metadata.ArrayV2Metadata or ArrayV3Metadata
        Those of the array.

    Raises
    ------
    ImageReadError
        If they name a codec that is not used.
    """
    if metadata.zarr_format == 2:
        codecs = [one for one in (*(metadata.filters or ()), metadata.compressor) if one]
        steps = Steps(
            codecs, math.prod(metadata.chunks) * metadata.dtype.to_native_dtype().itemsize
        )
        both: Any = steps if codecs else None
        return BatchedCodecPipeline.from_codecs([V2Codec(None, both)])
    return BatchedCodecPipeline.from_codecs(_bounded(metadata.codecs))


def _bounded(codecs: Iterable[Codec]) -> list[Codec]:
    found: list[Codec] = []
    compressing: list[BytesBytesCodec] = []
    for codec in codecs:
        if isinstance(codec, BytesBytesCodec):
            compressing.append(codec)
        elif isinstance(codec, ShardingCodec):
            found.append(replace(codec, codecs=tuple(_bounded(codec.codecs))))
        elif codec.to_dict()["name"] in _V3_ARRAYS:
            found.append(codec)
        else:
            raise _unknown(codec.to_dict()["name"])
    if compressing:
        bounded = Bounded(compressing)
        Steps(bounded._codecs, 1)
        found.append(bounded)
    return found
