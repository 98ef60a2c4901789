"""Small streams that unpack to very many zeros."""

import struct
import zlib

_BLOCK = 1 << 20
_PRIME = 65521


def zeros_deflated(mebibytes):
    """Return a zlib stream of that many MiB of zeros, about 1/1000 of their size.

    One block is compressed once and repeated: after a full flush, blocks depend on none before.
    """
    packer = zlib.compressobj(9)
    start = packer.compress(bytes(_BLOCK)) + packer.flush(zlib.Z_FULL_FLUSH)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(_BLOCK)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = mebibytes * _BLOCK % _PRIME << 16 | 1
    return start + block * (mebibytes - 1) + b"\3\0" + struct.pack(">I", checksum)
