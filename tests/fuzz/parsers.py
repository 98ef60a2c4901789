"""The files beside pictures: models, factors, journals, calibration, data sets, stores, networks.

Each parser has some small whole files. What a checksum or a length protects is changed before they
are put right again, so that changes reach what lies behind.
"""

import gzip
import json
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from random import Random
from unittest.mock import patch

import numpy as np

from .mutate import mutated

ROOT = Path(__file__).parents[2]
MAX_PIXELS = MAX_WEIGHTS = 1_000_000
MAX_MEMORY = 2**26
_CUT = b"\n--next--\n"
"""What is between the files of an input that has several."""


@dataclass(frozen=True)
class Parser:
    """What reads a kind of file: ``whole`` makes some, ``read`` takes one, in an empty folder."""

    name: str
    whole: Callable[[], list[bytes]]
    read: Callable[[bytes, Path], None]

    def make(self, rng: Random) -> bytes:
        """Return a damaged file."""
        files = _kept(self.whole)
        return mutated(rng, rng.choice(files), files)

    def run(self, data: bytes, folder: Path) -> None:
        """Read a file, or have it refused."""
        from convtool.errors import ConvtoolError

        place = folder / self.name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        with suppress(ConvtoolError):
            self.read(data, place)


@cache
def _kept(whole):
    return whole()


# Models.


def _models() -> list[bytes]:
    from convtool.nn import Sequential
    from convtool.nn.architectures import build_layers
    from convtool.nn.modelfile import save
    from convtool.nn.preprocessing import Preprocessing

    found = [(ROOT / "sample_images" / "network" / "zero-one.safetensors").read_bytes()]
    for arch in (
        "conv 2 3x3 same, norm, relu, pool 2, dropout 0.3, dense 3, tanh",
        "conv 2 3 stride 2 pad 1 groups 1, leaky, avgpool 2, conv 2 1 dilation 2, globalavg",
    ):
        model = Sequential(
            build_layers(arch, (1, 8, 8), 3, 0),
            (1, 8, 8),
            classes=("a", "b", "c"),
            preprocessing=Preprocessing(8, 8, 1, 0.5, 0.25),
        )
        data = _bytes_of(lambda path, model=model: save(model, path), "model.safetensors")
        found.append(mended_model(data))  # safetensors has no order of its own
    return found


def _bytes_of(write, name):
    """Return what a function writes to a file."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return path.read_bytes()


def mended_model(data: bytes) -> bytes:
    """Return a model file with its lengths and its checksum put right."""
    try:
        text = data[8:].decode("latin-1")
        header, end = json.JSONDecoder().raw_decode(text)
        content = data[8 + end :].lstrip(b" ")
        ends = [one["data_offsets"][1] for name, one in header.items() if name != "__metadata__"]
        content = content.ljust(min(max(ends, default=0), 1 << 16), b"\0")[: max(ends, default=0)]
        metadata = {n: v for n, v in header["__metadata__"].items() if n != "sha256"}
        plain = json.dumps(header | {"__metadata__": metadata}, sort_keys=True).encode()
        header["__metadata__"]["sha256"] = sha256(plain + content).hexdigest()
        said = json.dumps(header, sort_keys=True).encode()
        said += b" " * (-len(said) % 8)
        return struct.pack("<Q", len(said)) + said + content
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return data


def _read_model(data: bytes, folder: Path) -> None:
    from convtool.errors import ConvtoolError
    from convtool.nn import checkpoint, modelfile

    for number, content in enumerate((data, mended_model(data))):
        path = folder / f"{number}.safetensors"
        path.write_bytes(content)
        for read in (modelfile.load, checkpoint.read):
            with suppress(ConvtoolError):
                read(path)


def _onnx() -> list[bytes]:
    found = [(ROOT / "sample_images" / "network" / "zero-one.onnx").read_bytes()]
    from convtool.nn import Sequential
    from convtool.nn.architectures import build_layers
    from convtool.nn.onnx.export import to_onnx

    layers = build_layers("conv 2 3x3 same, norm, relu, pool 2, dense 3, tanh", (1, 8, 8), 3, 0)
    return [*found, to_onnx(Sequential(layers, (1, 8, 8))).SerializeToString()]


def _read_onnx(data: bytes, folder: Path) -> None:
    from convtool.nn.onnx.importing import from_onnx

    path = folder / "model.onnx"
    path.write_bytes(data)
    from_onnx(path)


_ARCHITECTURES = (
    b"conv 4 3x3 same, relu, pool 2, dense 8, tanh", b"lenet", b"textbook",
    b"conv 2 3x5 pad 0x1x2x3",
    b"conv 4 3 stride 2x1 dilation 2 groups 1 nobias, norm, leaky 0.1, dropout 0.5",
    b"conv 2 1, avgpool 2 stride 1, globalmax, dense 3, gaussian-dropout 0.2",
)  # fmt: skip


def _read_architecture(data: bytes, folder: Path) -> None:
    from convtool.nn import Sequential
    from convtool.nn.architectures import build_layers

    with patch("convtool.nn.layers.base.MOST_VALUES", MAX_WEIGHTS):
        layers = build_layers(data[:4000].decode("utf-8", "replace"), (1, 12, 12), 3, 0)
        Sequential(layers, (1, 12, 12))


# Factors.


_FACTORS = struct.Struct("<8sHBBBBIIIQQ")


def _factors() -> list[bytes]:
    from convtool.svd.compressed import compress, to_bytes

    colours = np.random.default_rng(3).integers(0, 256, (17, 12, 3), np.uint8)
    whole = [
        to_bytes(compress(colours[:, :, 0], 2)),
        to_bytes(compress(colours, 3, color="joint"), precision="float32"),
        to_bytes(compress(colours, 1, block=8), precision="float16"),
    ]
    return [one for data in whole for one in (data, _unpacked(data))]


def _unpacked(data):
    start = _FACTORS.size + 4
    return data[:start] + zlib.decompress(data[start:-4])


def mended_factors(data: bytes) -> bytes:
    """Return a ``.ctsvd`` file, its data packed if they are not, its sizes and sums put right."""
    start = _FACTORS.size + 4
    if len(data) < start:
        return data
    raw = packed = data[start:]
    try:
        raw = zlib.decompressobj().decompress(packed, 1 << 20)
        packed = zlib.compress(raw)
    except zlib.error:
        packed = zlib.compress(raw)
    fields = _FACTORS.unpack_from(data)[:-2]
    header = _FACTORS.pack(*fields, len(raw), len(packed))
    sums = [struct.pack("<I", zlib.crc32(part)) for part in (header, packed)]
    return header + sums[0] + packed + sums[1]


def _read_factors(data: bytes, folder: Path) -> None:
    from convtool.errors import ConvtoolError
    from convtool.svd.compressed import from_bytes

    for content in (data, mended_factors(data)):
        with suppress(ConvtoolError):
            from_bytes(content, max_pixels=MAX_PIXELS).reconstruct()


# Journals and the calibration: lines of JSON.


def _lines(*entries):
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)


def _journals() -> list[bytes]:
    stamp = {"size": 3, "time": 5, "sha256": "00"}
    done = {"source": "/in", "target": "/out", "fingerprint": "f", "input": stamp, "output": stamp}
    outcome = {
        "choice": {"lr": 0.1}, "train_accuracy": 0.5, "validation_accuracy": 1,
        "validation_loss": 1.5, "epochs": 2, "seconds": 0.25, "diverged": False,
    }  # fmt: skip
    return [
        _lines({"schema": "convtool.journal/1"}, done, done | {"source": "/other"}),
        _lines({"format": "convtool.gridsearch.journal/1", "search": {"l": [1]}}, outcome, outcome),
        _lines(
            {"schema": "convtool.progress/1", "fingerprint": "f"},
            {"plane": 0, "extent": [0.5, 2.0]},
            {"plane": 0, "rows": 8},
            {"plane": 1, "block": [4, 12]},
            {"plane": 0, "anew": True},
            {"plane": 1, "done": True},
        ),
    ]


def _read_journal(data: bytes, folder: Path) -> None:
    from convtool.errors import ConvtoolError
    from convtool.filtering.strips.resume import ResumeState
    from convtool.images.stores.progress import ENDING, JOURNAL, Unfinished
    from convtool.nn.gridsearch.journal import SearchJournal
    from convtool.work.journal import WorkJournal

    path = folder / "journal"
    with suppress(ConvtoolError):
        path.write_bytes(data)
        work = WorkJournal(str(path))
        work.is_done("/in", "/out", "f")
        work.close()
    with suppress(ConvtoolError):
        path.write_bytes(data)
        search = SearchJournal(path, {"l": [1]}, resume=True)
        [f"{one.validation_loss:.4f}" for one in search.outcomes if not one.diverged]
        search.close()
    (folder / f"out{ENDING}").mkdir()
    (folder / f"out{ENDING}" / JOURNAL).write_bytes(data)
    store = Unfinished(str(folder / "out"), "f", resume=True)
    try:
        state = ResumeState(store.entries)
        for plane in (0, 1):
            state.missing(plane, 100)
    finally:
        store.leave()


def _calibrations() -> list[bytes]:
    from convtool.convolution.calibration import as_report
    from convtool.convolution.planner import DEFAULT_RATES

    return [json.dumps(as_report(DEFAULT_RATES) | {"machine": "HERE"}).encode()]


def _read_calibration(data: bytes, folder: Path) -> None:
    from convtool.convolution.calibration import fingerprint, read

    path = folder / "calibration.json"
    path.write_bytes(data.replace(b'"HERE"', json.dumps(fingerprint()).encode()))
    read(str(path))


# Data sets.


def _npy(array):
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()


def _idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


_PICTURES = np.arange(32, dtype=np.uint8).reshape(2, 4, 4)
_LABELS = np.array([1, 0], np.uint8)


def _idx_files() -> list[bytes]:
    images, labels = _idx(_PICTURES), _idx(_LABELS)
    return [images + _CUT + labels, gzip.compress(images, mtime=0) + _CUT + labels]


def _read_idx(data: bytes, folder: Path) -> None:
    from convtool.nn.datasets.idx import read_idx_folder
    from convtool.nn.datasets.limits import Limits

    images, _, labels = data.partition(_CUT)
    (folder / "train-images-idx3-ubyte").write_bytes(images)
    (folder / "train-labels-idx1-ubyte").write_bytes(labels)
    read_idx_folder(folder, Limits(max_memory=MAX_MEMORY))


def _cifar() -> list[bytes]:
    import pickle

    rows = np.zeros((1, 3072), np.uint8)
    found = [b".bin\n\1" + bytes(3072)]
    for protocol in (3, 4):
        found.append(b"\n" + pickle.dumps({b"data": rows, b"labels": [3], b"x": "y"}, protocol))
    return found


def _read_cifar(data: bytes, folder: Path) -> None:
    from convtool.nn.datasets.cifar10 import read_cifar10
    from convtool.nn.datasets.limits import Limits

    ending, _, content = data.partition(b"\n")
    name = "data_batch_1.bin" if ending == b".bin" else "data_batch_1"
    (folder / name).write_bytes(content)
    read_cifar10(folder, Limits(max_memory=MAX_MEMORY))


def _npz() -> list[bytes]:
    return [_npy(_PICTURES) + _CUT + _npy(_LABELS), _npz_file(_npy(_PICTURES), _npy(_LABELS))]


def _npz_file(images, labels):
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (("x_train", images), ("y_train", labels)):
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), data)
    return file.getvalue()


def _read_npz(data: bytes, folder: Path) -> None:
    from convtool.nn.datasets.limits import Limits
    from convtool.nn.datasets.npz import read_npz

    path = folder / "data.npz"
    images, cut, labels = data.partition(_CUT)
    path.write_bytes(_npz_file(images, labels) if cut else data)
    read_npz(path, Limits(max_memory=MAX_MEMORY))


_TABLES = (
    b".csv\nclass,a,b,c,d\n0,1,2,3,4\n1,5,6,7,8\n",
    b".csv\n1,2,3,4,cat\n5,6,7,8,dog\n",
    b".arff\n@relation r\n@attribute 'a' real\n@attribute b real\n@attribute c real\n"
    b"@attribute d real\n@attribute class {0,1}\n@data\n1,2,3,4,'0'\n5,6,7,8,1\n",
)


def _read_table(data: bytes, folder: Path) -> None:
    from convtool.nn.datasets.limits import Limits
    from convtool.nn.datasets.table import read_table

    ending, _, content = data.partition(b"\n")
    path = folder / ("data.arff" if ending == b".arff" else "data.csv")
    path.write_bytes(content)
    read_table(path, Limits(max_memory=MAX_MEMORY))


def _read_npy(data: bytes, folder: Path) -> None:
    from convtool.images.codecs import npy
    from convtool.images.options import ReadOptions

    header = npy.inspect(data)
    if header.width * header.height <= MAX_PIXELS:
        npy.decode(data, header, ReadOptions())


# Zarr.


def _zarr() -> list[bytes]:
    import zarr

    def write(path, version):
        made = zarr.create_array(
            str(path), shape=(6, 5), chunks=(4, 5), dtype="uint8", zarr_format=version
        )
        made[:] = np.arange(30, dtype=np.uint8).reshape(6, 5)

    found = []
    for version, name, chunk in ((3, "zarr.json", "c/0/0"), (2, ".zarray", "0.0")):
        from tempfile import TemporaryDirectory

        with TemporaryDirectory() as folder:
            write(Path(folder) / "a.zarr", version)
            parts = [(Path(folder) / "a.zarr" / one).read_bytes() for one in (name, chunk)]
            found.append(name.encode() + b"\n" + _CUT.join(parts))
    multiscale = {
        "multiscales": [{"axes": [{"name": "y"}, {"name": "x"}], "datasets": [{"path": "0"}]}]
    }
    array = json.loads(found[0].partition(b"\n")[2].partition(_CUT)[0])
    group = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": multiscale}}
    parts = [json.dumps(one).encode() for one in (group, array)]
    return [*found, b"group\n" + _CUT.join(parts)]


def _read_zarr(data: bytes, folder: Path) -> None:
    from convtool.images.stores.zarr import ZarrImage

    store = folder / "a.zarr"
    name, _, rest = data.partition(b"\n")
    metadata, _, chunk = rest.partition(_CUT)
    (store / "c" / "0").mkdir(parents=True)
    if name == b"group":
        (store / "0").mkdir()
        (store / "zarr.json").write_bytes(metadata)
        (store / "0" / "zarr.json").write_bytes(chunk)
    else:
        (store / (".zarray" if name == b".zarray" else "zarr.json")).write_bytes(metadata)
        (store / "c" / "0" / "0").write_bytes(chunk)
        (store / "0.0").write_bytes(chunk)
    image = ZarrImage(str(store), "fill")
    picture = image.picture(0)
    if picture.header.width * picture.header.height <= MAX_PIXELS:
        picture.window((0, 1))


PARSERS = (
    Parser("model", _models, _read_model),
    Parser("onnx", _onnx, _read_onnx),
    Parser("architecture", lambda: list(_ARCHITECTURES), _read_architecture),
    Parser("factors", _factors, _read_factors),
    Parser("journal", _journals, _read_journal),
    Parser("calibration", _calibrations, _read_calibration),
    Parser("idx", _idx_files, _read_idx),
    Parser("cifar", _cifar, _read_cifar),
    Parser("npz", _npz, _read_npz),
    Parser("table", lambda: list(_TABLES), _read_table),
    Parser("npy", lambda: [_npy(_PICTURES[0]), _npy(_PICTURES.astype("<f8"))], _read_npy),
    Parser("zarr", _zarr, _read_zarr),
)
