"""Data sets that claim or unpack to more than the limits: refused by what their headers say."""

import gzip
import io
import struct
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest

from convtool.errors import DatasetError
from convtool.nn.datasets import open_dataset, table
from convtool.nn.datasets.limits import Limits

SMALL = Limits(max_pixels=100, max_memory=10**6)


def refusal(name, limits=SMALL, **where):
    """Return the line that refuses a data set, in little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError) as caught:
            open_dataset(str(name), limits=limits, **where)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40e6
    assert str(caught.value).isprintable()
    return str(caught.value)


def idx(folder, images, labels, *, zipped=True):
    """Write IDX files with these headers and as many zeros as given."""
    pack = gzip.compress if zipped else bytes
    end = ".gz" if zipped else ""
    for stem, (shape, count) in (("images-idx3", images), ("labels-idx1", labels)):
        head = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
        (folder / f"train-{stem}-ubyte{end}").write_bytes(pack(head + bytes(count)))


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        (((5000, 9, 9), 0), ((9,), 0), "claims 405000 bytes: damaged"),
        (((12400, 9, 9), 30_000_000), ((9,), 0), r"claims 1 MB \(12400x9x9\), more than the limit"),
        (((9, 11, 10), 990), ((9,), 9), "pictures of 11x10 pixels, more than the limit of 100"),
        (((9, 9, 9), 729), ((2**31,), 0), "claims 2147483648 bytes: damaged"),
        (((9, 9, 9), 729), ((2_000_000,), 40_000_000), "claims 2 MB"),
        (((9, 9, 9), 20_000_000), ((9,), 9), "longer than it claims"),
    ],
)
def test_idx_is_not_unpacked_beyond_its_limits(tmp_path, images, labels, says):
    idx(tmp_path, images, labels)
    with pytest.raises(DatasetError, match=says):
        open_dataset(f"idx:{tmp_path}", limits=SMALL)
    refusal(f"idx:{tmp_path}")


def test_the_limits_are_those_of_the_options(tmp_path):
    labels = np.arange(60, dtype=np.uint8) % 2
    idx(tmp_path, ((60, 9, 9), 60 * 81), ((60,), 0), zipped=False)
    head = struct.pack(">HBBI", 0, 8, 1, 60)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(head + labels.tobytes())
    assert len(open_dataset(f"idx:{tmp_path}", limits=Limits(81, 60 * 81)).train) == 50
    assert "`max_pixels=` raises it" in refusal(f"idx:{tmp_path}", Limits(80))
    assert "`max_memory=` raises it" in refusal(f"idx:{tmp_path}", Limits(81, 60 * 81 - 1))


def test_idx_of_3_9_gb_is_refused_without_limits(tmp_path):
    """A gigabyte is the limit unless another is given."""
    with gzip.open(tmp_path / "train-images-idx3-ubyte.gz", "wb", 9) as file:
        file.write(struct.pack(">HBB3I", 0, 8, 3, 62_400, 250, 250))
        for _ in range(4):
            file.write(bytes(10**6))
    with open(tmp_path / "train-images-idx3-ubyte.gz", "ab") as file:
        file.write(bytes(4_000_000))  # as long as the claim needs
    idx_labels = struct.pack(">HBBI", 0, 8, 1, 62_400) + bytes(62_400)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx_labels)
    assert "claims 3.9e+03 MB (62400x250x250)" in refusal(f"idx:{tmp_path}", Limits())


def npz(path, headers, *, method=zipfile.ZIP_DEFLATED):
    """Write an archive of arrays with these headers and as many zeros as given."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, (kind, shape, count) in headers.items():
            head = io.BytesIO()
            about = {"descr": kind, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(head, about)
            archive.writestr(f"{name}.npy", head.getvalue() + bytes(count))


LABELS = ("|u1", (9,), 9)


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"x_train": ("|u1", (20_000, 9, 9), 1_620_000), "y_train": LABELS}, "claims 1.62 MB"),
        ({"x_train": ("|u1", (9, 9, 9), 729), "y_train": ("<i8", (10**6,), 8 * 10**6)}, "y_train"),
        ({"x_train": ("|u1", (10**9, 9, 9), 729), "y_train": LABELS}, "damaged"),
        ({"x_train": ("|u1", (-9, -9, 9), 729), "y_train": LABELS}, "damaged"),
        ({"x_train": ("|O", (9, 9, 9), 729), "y_train": LABELS}, "not whole numbers"),
        ({"x_train": ("|u1", (9, 20, 9), 1620), "y_train": LABELS}, "`max_pixels=` raises it"),
    ],
)
def test_npz_is_not_unpacked_beyond_its_limits(tmp_path, headers, says):
    npz(tmp_path / "a.npz", headers)
    assert says in refusal(tmp_path / "a.npz")


def test_npz_packed_otherwise_is_refused(tmp_path):
    good = {"x_train": ("|u1", (9, 9, 9), 729), "y_train": LABELS}
    npz(tmp_path / "a.npz", good, method=zipfile.ZIP_LZMA)
    assert "x_train is packed as NumPy does not pack arrays" in refusal(tmp_path / "a.npz")
    npz(tmp_path / "a.npz", good, method=zipfile.ZIP_STORED)
    content = bytearray((tmp_path / "a.npz").read_bytes())
    for at in (content.find(b"PK\x03\x04") + 6, content.find(b"PK\x01\x02") + 8):
        content[at] |= 1  # encrypted
    (tmp_path / "a.npz").write_bytes(content)
    assert "as NumPy does not pack" in refusal(tmp_path / "a.npz")
    npz(tmp_path / "a.npz", good)
    content = (tmp_path / "a.npz").read_bytes()
    for other in (3, 9):
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
            archive.writestr("x_train.npy", b"\x93NUMPY" + bytes([other, 0]) + bytes(200))
        says = refusal(tmp_path / "a.npz")
        assert "version" in says


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"class,a,b,c,d\n" + b"1,0,0,0,0\n" * 70_000, "claims 1.05 MB (16384)"),
        (b"class," + b"a," * 3_000_000 + b"\n", "longer than a picture"),
        (b"class,a\n1,0\n" + b"\n" * 1100, "or empty"),
        (b"class,a\n" + b"1,0\n" * 60_000, "MB"),
        (
            b"class,a\n1,0\n" + b"1," + b"0," * 100_000 + b"0\n",
            "100001 numbers, the first row has 1",
        ),
        (b"class,a\n1,0\n" + b"z" * 300 + b",1\n", "its label is 300 letters"),
        (b"class,a\n" + b"1,000000000000000000000\n" * 200_000, "MB"),
        (b"@attribute x numeric\n" * 1100, "no line @data"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_tables_are_not_read_beyond_their_limits(tmp_path, monkeypatch, text, says, zipped):
    monkeypatch.setattr(table, "_MOST_SHORT", 1000)
    monkeypatch.setattr(table, "_MOST_COLUMNS", 1000)
    ending = ".arff" if text.startswith(b"@") else ".csv"
    path = tmp_path / f"t{ending}{'.gz' if zipped else ''}"
    path.write_bytes(gzip.compress(text, 1) if zipped else text)
    assert says in refusal(path)


def pickled(key=b"U\x04data", value=b"N", labels=b"]", more=b""):
    return b"\x80\x02}(" + key + value + b"U\x06labels" + labels + more + b"u."


def doubled(times):
    """Return a tuple of two tuples of two …, shared, which unfolds to 2^times values."""
    return b"K\x01" + b"q\x00h\x00\x86" * times


@pytest.mark.parametrize(
    "content",
    [
        pickled(key=doubled(60)),
        pickled(labels=doubled(60)),
        pickled(labels=b"](" + doubled(60) + b"e"),
        pickled(value=b"cnumpy\ndtype\n(" + doubled(60) + b"tR"),
        pickled(labels=b"](" + b"](K\x01e" * 1000 + b"e"),
        b"\x80\x02" + b"(" * 100_000,
        b"\x80\x02" + b"]" + b"\x85" * 10_000 + b".",
    ],
)
def test_pickles_do_not_unfold_without_end(tmp_path, content):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    (folder / "data_batch_1").write_bytes(content)
    assert "the binary version" in refusal(tmp_path) or "Python version" in refusal(tmp_path)


def test_cifar_is_limited(tmp_path):
    records = np.zeros((400, 3073), np.uint8)
    records[:, 0] = np.arange(400) % 10
    records.tofile(tmp_path / "data_batch_1.bin")
    records.tofile(tmp_path / "test_batch.bin")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert len(open_dataset(str(tmp_path), limits=Limits(2000, 2 * 10**6)).train) == 400
    assert "claims 1.23 MB (400x32x32x3)" in refusal(tmp_path, Limits(2000, 10**6))
