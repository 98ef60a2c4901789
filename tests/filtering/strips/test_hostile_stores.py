"""Zarr stores of strangers: what they may hold, how far they are read, what they unfold to."""

import json
import os
import socket
import tracemalloc
from pathlib import Path

import numcodecs
import numpy as np
import pytest
import zarr

from convtool.cli import run
from convtool.errors import ImageReadError, ImageTooLargeError
from convtool.images.stores.zarr import ZarrImage

V2 = {
    "zarr_format": 2,
    "shape": [64, 64],
    "chunks": [64, 64],
    "dtype": "|u1",
    "compressor": None,
    "fill_value": 0,
    "order": "C",
    "filters": None,
}
V3 = {
    "zarr_format": 3,
    "node_type": "array",
    "shape": [64, 64],
    "data_type": "uint8",
    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [64, 64]}},
    "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
    "fill_value": 0,
    "codecs": [{"name": "bytes"}],
    "attributes": {},
}
SHARD = {
    "chunk_shape": [1, 1],
    "codecs": [{"name": "bytes"}],
    "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
}
PROMISED = 64 * 64


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def _v2(chunk=b"\0" * PROMISED, **told):
    Path("in.zarr").mkdir()
    Path("in.zarr/.zarray").write_text(json.dumps(V2 | told))
    if chunk is not None:
        Path("in.zarr/0.0").write_bytes(chunk)


def _v3(chunk=b"\0" * PROMISED, **told):
    Path("in.zarr/c/0").mkdir(parents=True)
    Path("in.zarr/zarr.json").write_text(json.dumps(V3 | told))
    if chunk is not None:
        Path("in.zarr/c/0/0").write_bytes(chunk)


def _refused(capsys, *options):
    """Return the one line that the command says."""
    assert run(["filter", "-k", "box", *options, "in.zarr", "out.zarr"]) in (1, 2)
    said = capsys.readouterr().err
    assert said.startswith("convtool: error: in.zarr: ")
    assert said.count("\n") == 1
    assert len(said) < 400
    assert not list(Path().glob("out*"))
    return said


BIG = bytes(1 << 25)
"""What unfolds to 32 MiB, where 4 KiB are promised."""

BOMBS = {
    "zstd": (numcodecs.Zstd(), "zstd", {"level": 0, "checksum": False}),
    "gzip": (numcodecs.GZip(), "gzip", {"level": 5}),
    "blosc": (
        numcodecs.Blosc("zstd"),
        "blosc",
        {"cname": "zstd", "clevel": 5, "shuffle": "noshuffle", "typesize": 1, "blocksize": 0},
    ),
    "zlib": (numcodecs.Zlib(), "numcodecs.zlib", {}),
    "lz4": (numcodecs.LZ4(), "numcodecs.lz4", {}),
    "bz2": (numcodecs.BZ2(), "numcodecs.bz2", {}),
    "lzma": (numcodecs.LZMA(), "numcodecs.lzma", {}),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("version", [2, 3])
def test_a_chunk_unfolds_to_no_more_than_is_promised(name, version):
    codec, third, settings = BOMBS[name]
    data = codec.encode(BIG)
    if version == 2:
        _v2(data, compressor={"id": name})
    else:
        _v3(data, codecs=[{"name": "bytes"}, {"name": third, "configuration": settings}])
    image = ZarrImage("in.zarr")
    image._store.most = 1 << 20  # as if the chunk were large enough for the compressed bytes
    tracemalloc.start()
    with pytest.raises(ImageReadError, match=r"^in\.zarr: a chunk is damaged: "):
        image.picture(0).window((0, 64))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 24


def test_frames_of_zstd_one_after_the_other_unfold_to_no_more():
    _v2(numcodecs.Zstd().encode(b"one") + numcodecs.Zstd().encode(BIG), compressor={"id": "zstd"})
    with pytest.raises(ImageReadError, match="a chunk is damaged"):
        ZarrImage("in.zarr").picture(0).window((0, 64))


def test_a_compressed_chunk_is_read_no_further_than_its_pixels_could_take(capsys):
    _v2(b"\0" * (1 << 20))
    assert "0.0 has 1048576 bytes; by the metadata, 70656 at most" in _refused(capsys)


def _fifo(path):
    os.mkfifo(path)


def _device(path):
    os.symlink("/dev/zero", path)


def _link(path):
    Path("secret").write_bytes(b"s" * PROMISED)
    os.symlink(Path("secret").absolute(), path)


def _socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path)


ODD = {
    "fifo": (_fifo, "is not a regular file"),
    "device": (_device, "is a link out of the store"),
    "link": (_link, "is a link out of the store"),
    "socket": (_socket, "is not a regular file"),
}


@pytest.mark.parametrize(("make", "words"), ODD.values(), ids=ODD)
@pytest.mark.parametrize("place", ["0.0", ".zarray", ".zattrs", "zarr.json"])
def test_only_regular_files_in_the_store_are_read(make, words, place, capsys):
    _v2()
    Path("in.zarr", place).unlink(missing_ok=True)
    make(f"in.zarr/{place}")
    assert f"{place} {words}" in _refused(capsys)


def test_a_folder_that_is_a_link_out_of_the_store_is_not_followed(capsys):
    _v3(None)
    Path("elsewhere").mkdir()
    Path("elsewhere/0").write_bytes(b"s" * PROMISED)
    Path("in.zarr/c/0").rmdir()
    os.symlink(Path("elsewhere").absolute(), "in.zarr/c/0")
    assert "1 of 1 chunks are missing" in _refused(capsys)
    said = _refused(capsys, "--missing-chunks", "fill")
    assert "c/0/0 is a link out of the store, which is not followed" in said


def test_a_link_within_the_store_is_followed():
    _v2(None)
    Path("in.zarr/kept").write_bytes(b"\7" * PROMISED)
    os.symlink("kept", "in.zarr/0.0")
    assert (ZarrImage("in.zarr").picture(0).window((0, 64)) == 7).all()


def _v3_shard(**told):
    _v3(codecs=[{"name": "sharding_indexed", "configuration": SHARD | told}])


METADATA = {
    "empty chunks": (lambda: _v2(chunks=[0, 0]), "chunks of (0, 0) pixels"),
    "empty chunks of version 3": (
        lambda: _v3(chunk_grid={"name": "regular", "configuration": {"chunk_shape": [0, 0]}}),
        "chunks of (0, 0) pixels",
    ),
    "empty inner chunks": (lambda: _v3_shard(chunk_shape=[0, 0]), "damaged"),
    "negative chunks": (lambda: _v2(chunks=[-1, 64]), "damaged"),
    "negative shape": (lambda: _v2(shape=[-5, 64]), "damaged"),
    "endless shape": (lambda: _v2(shape=[10**9, 10**9]), "rows of chunks"),
    "endless shape of version 3": (lambda: _v3(shape=[10**9, 10**9]), "rows of chunks"),
    "more than 64 bits": (lambda: _v2(shape=[2**63, 2**63]), "rows of chunks"),
    "endless width": (lambda: _v2(shape=[64, 10**9]), "15624999 of 15625000 chunks are missing"),
    "endless chunks": (lambda: _v2(chunks=[10**9, 10**9]), "--max-memory"),
    "a fraction": (lambda: _v2(shape=[6.5, 64]), "damaged"),
    "text": (lambda: _v2(shape="64"), "damaged"),
    "nothing": (lambda: _v2(shape=None), "damaged"),
    "a long type": (lambda: _v2(dtype="x" * 10**6), "damaged"),
    "fields": (lambda: _v2(dtype=[["a", "<u1"]]), "damaged"),
    "objects": (lambda: _v2(dtype="|O", filters=[{"id": "pickle"}]), "damaged"),
    "pickles": (lambda: _v2(compressor={"id": "pickle"}), "damaged"),
    "a long codec": (lambda: _v2(compressor={"id": "z" * 10**6}), "codec not available"),
    "no codec": (lambda: _v2(compressor=[1, 2]), "damaged"),
    "a codec of unknown size": (
        lambda: _v2(filters=[{"id": "base64"}]),
        "chunks are encoded by base64, which is not read",
    ),
    "two compressors": (
        lambda: _v2(filters=[{"id": "zlib"}], compressor={"id": "zstd"}),
        "chunks are encoded by zstd after compression",
    ),
    "many filters": (lambda: _v2(filters=[{"id": "delta", "dtype": "|u1"}] * 9), "by 9 codecs"),
    "a filter that expands": (
        lambda: _v2(filters=[{"id": "delta", "dtype": "<c16", "astype": "|u1"}]),
        "damaged",
    ),
    "a filter of nothing": (
        lambda: _v2(filters=[{"id": "delta", "dtype": "V0", "astype": "|u1"}]),
        "damaged",
    ),
    "an axis twice": (
        lambda: _v3(
            codecs=[{"name": "transpose", "configuration": {"order": [0, 0]}}, {"name": "bytes"}]
        ),
        "damaged",
    ),
    "many names": (lambda: _v3(dimension_names=["y"] * 70), "damaged"),
    "attributes": (lambda: _v3(attributes=5), "damaged"),
}


@pytest.mark.parametrize(("make", "words"), METADATA.values(), ids=METADATA)
def test_metadata_that_make_no_sense_are_answered_in_one_line(make, words, capsys):
    make()
    assert words in _refused(capsys)


@pytest.mark.parametrize("text", ["[" * 10**5, '{"zarr_format": 3, "a":' * 10**5, "NaN", "7", ""])
def test_json_that_is_no_metadata_is_answered_in_one_line(text, capsys):
    Path("in.zarr").mkdir()
    Path("in.zarr/zarr.json").write_text(text)
    assert "is no Zarr store, or damaged" in _refused(capsys)


def test_metadata_are_read_no_further_than_they_can_be(capsys):
    Path("in.zarr").mkdir()
    Path("in.zarr/zarr.json").write_bytes(b'"' + b"a" * (9 << 20) + b'"')
    assert "zarr.json has 9437186 bytes; by the metadata, 8388608 at most" in _refused(capsys)


Y_X = [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
IMAGES = {
    "a number": (5, "describe no image"),
    "nothing": ([{}], "describe no image"),
    "no level": ([{"axes": Y_X, "datasets": []}], "describe no image"),
    "numbers": ([{"axes": 5, "datasets": 5}], "describe no image"),
    "a folder above": ([{"axes": Y_X, "datasets": [{"path": "../../etc"}]}], "damaged"),
    "no path": ([{"axes": Y_X, "datasets": [{"path": 7}]}], "no place"),
    "many axes": ([{"axes": Y_X * 30, "datasets": [{"path": "0"}]}], "number of axes"),
    "a short scale": (
        [
            {
                "axes": Y_X,
                "datasets": [
                    {
                        "path": "0",
                        "coordinateTransformations": [{"type": "scale", "scale": [1]}],
                    }
                ],
            }
        ],
        "no place",
    ),
    "no scale": (
        [
            {
                "axes": Y_X,
                "datasets": [
                    {
                        "path": "0",
                        "coordinateTransformations": [{"type": "scale", "scale": ["x", 1e999]}],
                    }
                ],
            }
        ],
        "describe no image",
    ),
}


@pytest.mark.parametrize(("told", "words"), IMAGES.values(), ids=IMAGES)
def test_ome_metadata_that_make_no_sense_are_answered_in_one_line(told, words, capsys):
    group = zarr.create_group("in.zarr", zarr_format=2)
    group.create_array("0", shape=(64, 64), chunks=(64, 64), dtype="u1")[:] = 1
    group.attrs["multiscales"] = told
    assert words in _refused(capsys)


def test_many_planes_are_not_listed():
    _v2(
        None,
        shape=[10**6, 64, 64],
        chunks=[1, 64, 64],
        fill_value=3,
    )
    image = ZarrImage("in.zarr", "fill")
    with pytest.raises(ImageReadError, match="has 1000000 planes, more than 100000"):
        _ = image.planes
    assert (image.picture(999_999).window((0, 64)) == 3).all()


def test_chunks_are_limited_by_memory():
    _v2()
    assert ZarrImage("in.zarr", memory=PROMISED).array.shape == (64, 64)
    with pytest.raises(ImageTooLargeError, match="`max_memory=` raises it"):
        ZarrImage("in.zarr", memory=PROMISED - 1)


def test_filters_are_undone_as_numcodecs_does():
    pixels = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    filters = [numcodecs.Delta("<u2", "<u4"), numcodecs.Shuffle(4), numcodecs.Adler32()]
    made = zarr.create_array(
        "in.zarr",
        shape=pixels.shape,
        chunks=(64, 64),
        dtype="u2",
        zarr_format=2,
        filters=filters,
        compressors=numcodecs.Zstd(),
    )
    made[:] = pixels
    assert np.array_equal(ZarrImage("in.zarr").picture(0).window((0, 64)), pixels)
