"""Small files that claim or unpack to gigabytes: refused by real processes in little memory."""

import gzip
import io
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from model_files import changed
from processes import ENVIRONMENT

from convtool import nn
from convtool.images.write import write
from convtool.svd.compressed import compress, to_bytes

SECONDS, MEBIBYTES = 20, 120
IN_TURN = Path(__file__).with_name("in_turn.py")
GIGABYTES = 3_900_000_000


def gzipped(start):
    """Pack 3.9 GB of zeros after a start, as members of gzip that are the same."""
    piece = gzip.compress(bytes(10**7), 9)
    return gzip.compress(start) + piece * (GIGABYTES // 10**7)


def idx(folder):
    """IDX in gzip of 3.9 GB, all of them there."""
    head = struct.pack(">HBB3I", 0, 8, 3, 62_400, 250, 250)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzipped(head))
    labels = struct.pack(">HBBI", 0, 8, 1, 62_400) + bytes(62_400)
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    return ["show", f"idx:{folder}"], "claims 3.9e+03 MB"


def npz(folder):
    """An archive that promises an array of 3.9 GB, in each of its headers."""
    path, file = folder / "a.npz", io.BytesIO()
    about = {"descr": "|u1", "fortran_order": False, "shape": (62_400, 250, 250)}
    np.lib.format.write_array_header_1_0(file, about)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x_train.npy", file.getvalue() + bytes(10**7))
    content = path.read_bytes()
    size = struct.pack("<I", len(file.getvalue()) + 10**7)
    assert content.count(size) == 2
    path.write_bytes(content.replace(size, struct.pack("<I", len(file.getvalue()) + GIGABYTES)))
    return ["show", str(path)], "claims 3.9e+03 MB"


def csv(folder):
    """A table in gzip whose only line has 3.9 GB."""
    (folder / "a.csv.gz").write_bytes(gzipped(b"class,a\n1,"))
    return ["show", str(folder / "a.csv.gz")], "longer than a picture"


def factors(side, k, **options):
    """A picture as factors of zeros: its file has a megabyte."""

    def make(folder):
        pack = zlib.compressobj(9)
        layer = struct.pack("<Bf", 0, 1.0) + bytes(2 + 2 * side)
        parts = [pack.compress(struct.pack("<H", k))]
        parts += [pack.compress(layer) for _ in range(k)]
        packed = b"".join([*parts, pack.flush()])
        raw = 2 + k * len(layer)
        start = to_bytes(compress(np.ones((8, 8), np.uint8), 1))[:12]
        header = start + struct.pack("<BBIIIQQ", 0, 0, side, side, k, raw, len(packed))
        data = b"".join(
            (part + struct.pack("<I", zlib.crc32(part)) for part in (header, packed)),
        )
        (folder / "a.ctsvd").write_bytes(data)
        given = [word for name, value in options.items() for word in (f"--{name}", value)]
        target = str(folder / "out.png")
        return ["svd", str(folder / "a.ctsvd"), "-o", target, *given], "more than the limit of"

    return make


def model(**arguments):
    """A model whose normalisation has other features."""

    def make(folder):
        layers = [nn.Conv2D(1, 4, 3, rng=0), nn.BatchNorm(4), nn.GlobalAvgPool2D()]
        nn.save(
            nn.Sequential([*layers, nn.Dense(4, 2, rng=0)], (1, 8, 8)), folder / "m.safetensors"
        )

        def change(header, about):
            about["layers"][1]["arguments"] |= arguments

        path = folder / "m.safetensors"
        path.write_bytes(changed(path.read_bytes(), change))
        return ["inspect", str(path)], "m.safetensors: damaged"

    return make


def dilated(folder):
    """A model whose padding takes gigabytes."""
    layers = [nn.Conv2D(1, 4, 3, padding="same", rng=0), nn.GlobalAvgPool2D()]
    made = nn.Sequential(
        [*layers, nn.Dense(4, 2, rng=0)],
        task="multiclass",
        classes=("a", "b"),
        preprocessing=nn.Preprocessing(8, 8, 1),
    )
    path = folder / "m.safetensors"
    nn.save(made, path)

    def change(header, about):
        about["layers"][0]["arguments"]["dilation"] = [30_000, 30_000]

    path.write_bytes(changed(path.read_bytes(), change))
    write(folder / "in.png", np.zeros((8, 8), np.uint8))
    return ["predict", str(path), str(folder / "in.png")], "take too much memory"


def sparse_picture(folder):
    """A PNG of 100 GB that takes no room on the disk."""
    path = folder / "a.png"
    write(path, np.zeros((8, 8), np.uint8))
    with open(path, "r+b") as file:
        file.truncate(100 * 10**9)
    return ["info", str(path)], "more than the limit of"


def architecture(spec):
    return lambda folder: (
        ["inspect", "--arch", spec, "--input", "1x28x28"],
        "take too much memory|would hold|is too much",
    )


def journal(folder):
    """A journal of one line of 10 GB."""
    write(folder / "in.png", np.zeros((8, 8), np.uint8))
    with open(folder / "j", "wb") as file:
        file.write(b'{"schema": "convtool.journal/1"}\n')
        file.truncate(10 * 10**9)
    picture = str(folder / "in.png")
    target = str(folder / "out")
    (folder / "out").mkdir()
    return (
        ["filter", "-k", "box", "--journal", str(folder / "j"), picture, picture, target],
        "line 2 is damaged",
    )


BOMBS = {
    "idx": idx,
    "npz": npz,
    "csv": csv,
    "factors": factors(13_000, 13_000),
    "factors and their limit": factors(4000, 4000, **{"max-memory": "200M"}),
    "factors and their pixels": factors(4000, 10, **{"max-pixels": "15999999"}),
    "features": model(features=2 * 10**9),
    "features that are fewer": model(features=2**28),
    "dilation": dilated,
    "picture": sparse_picture,
    "journal": journal,
    "network": architecture("conv 100000 100x100"),
    "outputs": architecture("conv 200000 1x1 pad 100"),
    "windows": architecture("pool 60000 same"),
}


def run(commands):
    """Run commands in one process, after one that loads what they need."""
    done = subprocess.run(
        [sys.executable, IN_TURN, str(SECONDS)],
        input=json.dumps(commands),
        capture_output=True,
        check=True,
        env=ENVIRONMENT,
        text=True,
        timeout=300,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def endings(tmp_path_factory):
    """Run all bombs; return of each how it ended and what it was to say."""
    made = {name: make(tmp_path_factory.mktemp("bomb")) for name, make in BOMBS.items()}
    warm = ["inspect", "--arch", "conv 1 3x3", "--input", "1x8x8"]
    found = run([warm, *(command for command, _ in made.values())])
    return {
        name: (ending, says)
        for (name, (_, says)), ending in zip(made.items(), found[1:], strict=True)
    }


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_in_little_memory(endings, name):
    ending, says = endings[name]
    assert ending["code"] in (1, 2), ending
    (line,) = ending["said"].splitlines()
    assert line.startswith("convtool: error: ")
    assert any(one in line for one in says.split("|")), line
    assert ending["grown"] < MEBIBYTES, ending
