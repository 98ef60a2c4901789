"""Data sets as other programs keep them: npz, pickled CIFAR-10, torchvision's folders, tables."""

import gzip
import io
import struct
import zipfile

import numpy as np
import pytest

from convtool.errors import DatasetError
from convtool.nn.datasets import open_dataset
from convtool.nn.datasets.pickled import read_pickled


def _images(count=40, size=6, channels=()):
    return np.random.default_rng(2).integers(0, 256, (count, size, size, *channels)).astype("uint8")


def _npz(path, **changes):
    images, labels = _images(), (np.arange(40) % 2).astype("uint8")
    arrays = {"x_train": images, "y_train": labels, "x_test": images[:8], "y_test": labels[:8]}
    np.savez(path, **{k: v for k, v in (arrays | changes).items() if v is not None})
    return images


def test_keras_npz_by_name_and_by_folder(tmp_path):
    images = _npz(tmp_path / "mnist.npz")
    for split in (
        open_dataset("mnist", data=tmp_path / "mnist.npz"),
        open_dataset("mnist", data=tmp_path),
        open_dataset(str(tmp_path / "mnist.npz")),
    ):
        np.testing.assert_array_equal(split.train.images, images)
        np.testing.assert_array_equal(split.test.images, images[:8])
        assert split.train.classes == ("0", "1")
        assert split.test.called(3) == "test/3"
        assert split.train.called(3) == 3


def _damaged_npz(path, how):
    _npz(path)
    if how == "cut":
        path.write_bytes(path.read_bytes()[:-200])
    elif how == "text":
        path.write_text("x")
    elif how == "object":
        with zipfile.ZipFile(path, "w") as archive:
            for name in ("x_train", "y_train"):
                file = io.BytesIO()
                np.lib.format.write_array(file, np.array([{}], object), allow_pickle=True)
                archive.writestr(f"{name}.npy", file.getvalue())
    elif how == "huge":
        with zipfile.ZipFile(path, "w") as archive:
            file = io.BytesIO()
            header = {"descr": "|u1", "fortran_order": False, "shape": (2**40, 28, 28)}
            np.lib.format.write_array_header_1_0(file, header)
            archive.writestr("x_train.npy", file.getvalue())


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("cut", "damaged"),
        ("text", "damaged"),
        ("object", "x_train holds object, not whole numbers"),
        ("huge", "claims the shape"),
    ],
)
def test_damaged_npz(tmp_path, how, says):
    path = tmp_path / "mnist.npz"
    _damaged_npz(path, how)
    with pytest.raises(DatasetError, match=says):
        open_dataset("mnist", data=path)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"x_train": None}, "has no array x_train, only"),
        ({"y_train": np.arange(3)}, "40 pictures, but 3 labels"),
        ({"x_train": _images().astype("int32")}, "pictures are uint8"),
        ({"y_test": np.full(8, 9)}, "labels that y_train does not have"),
    ],
)
def test_contradicting_npz(tmp_path, changes, says):
    _npz(tmp_path / "mnist.npz", **changes)
    with pytest.raises(DatasetError, match=says):
        open_dataset("mnist", data=tmp_path / "mnist.npz")


def _text(text):
    return b"U" + bytes([len(text)]) + text


def _pickled_batch(rows, labels, kind=b"u1"):
    """Return a batch as Python 2 wrote it, with protocol 2: instruction by instruction."""
    size = struct.pack("<i", rows.size)
    shape = b"M" + struct.pack("<H", rows.shape[0]) + b"M" + struct.pack("<H", rows.shape[1])
    array = b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85q\x09"
    array += _text(b"b") + b"\x87Rq\x0b(K\x01" + shape + b"\x86cnumpy\ndtype\nq\x0c" + _text(kind)
    array += (
        b"K\x00K\x01\x87Rq\x0d(K\x03"
        + _text(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    array += b"\x89T" + size + rows.tobytes() + b"tb"
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    content = _text(b"batch_label") + _text(b"one") + _text(b"labels") + numbers
    return b"\x80\x02}q\x01(" + content + _text(b"data") + array + b"u."


def _cifar(folder, data=None):
    folder.mkdir(exist_ok=True, parents=True)
    rows = np.random.default_rng(5).integers(0, 256, (20, 3072)).astype("uint8")
    labels = [i % 10 for i in range(20)]
    for name in ("data_batch_1", "data_batch_2", "test_batch"):
        (folder / name).write_bytes(data or _pickled_batch(rows, labels))
    return rows, labels


def test_cifar10_as_python_2_pickled_it(tmp_path):
    rows, labels = _cifar(tmp_path / "cifar-10-batches-py")
    for name, data in (
        ("cifar10", tmp_path),
        ("cifar10", tmp_path / "cifar-10-batches-py"),
        (str(tmp_path / "cifar-10-batches-py"), None),
    ):
        split = open_dataset(name, data=data)
        assert split.train.images.shape == (40, 32, 32, 3)
        assert split.train.labels.tolist() == labels * 2
        assert split.train.images[4, 2, 3, 1] == rows[4, 1024 + 2 * 32 + 3]
        assert split.test.labels.tolist() == labels


GOOD = _pickled_batch(np.zeros((20, 3072), "uint8"), [i % 10 for i in range(20)])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x80\x02cposix\nsystem\nU\x07echo hi\x85R.", "wants to call posix.system"),
        (b"cos\nsystem\n(S'echo hi'\ntR.", "wants to call os.system"),
        (b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.", "wants to call builtins.eval"),
        (b"\x80\x02cnumpy\nfromfile\n.", "wants to call numpy.fromfile"),
        (b"(ios\nsystem\n.", "instruction 'i'"),
        (b"\x80\x02P0\n.", "instruction 'P'"),
        (GOOD[:5000], "cut off"),
        (GOOD.replace(b"U\x02u1", b"U\x02O8"), "not of bytes"),
        (GOOD.replace(b"K\x01M\x14\x00", b"K\x01M\x15\x00"), "do not match its shape"),
        (GOOD.replace(b"labels", b"Labels"), "not a batch"),
        (b"\x80\x02].", "contradicts itself"),
        (b"\x80\x02h\x05.", "damaged"),
        (b"\x80\x02}}b.", "damaged|contradicts"),
        (b"nonsense", "instruction 'n'"),
    ],
)
def test_no_pickle_runs_code_and_damage_is_said(tmp_path, data, says):
    _cifar(tmp_path, data)
    with pytest.raises(DatasetError, match=says) as caught:
        open_dataset("cifar10", data=tmp_path)
    assert "data_batch_1" in str(caught.value)


def test_pickles_of_python_3():
    import pickle

    held = {b"data": np.arange(6, dtype="uint8").reshape(2, 3), "n": [1, 70000, -1, None, True]}
    for protocol in (3, 4):
        found = read_pickled(pickle.dumps(held, protocol))
        assert found["n"] == held["n"]
        np.testing.assert_array_equal(found["data"], held[b"data"])


def test_a_pickle_cut_anywhere_is_refused():
    for end in range(0, len(GOOD) - 1, 997):
        with pytest.raises(DatasetError):
            read_pickled(GOOD[:end])


def _idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def test_torchvision_keeps_idx_files_in_raw(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    images, labels = _images(), (np.arange(40) % 2).astype("uint8")
    for part, kept in (("train", 40), ("t10k", 8)):
        for name, array in (("images-idx3", images[:kept]), ("labels-idx1", labels[:kept])):
            (raw / f"{part}-{name}-ubyte").write_bytes(_idx(array))
            (raw / f"{part}-{name}-ubyte.gz").write_bytes(gzip.compress(_idx(array)))
    for name, data in (
        ("mnist", tmp_path),
        ("mnist", tmp_path / "MNIST"),
        ("mnist", raw),
        (f"idx:{raw}", None),
        (str(raw), None),
        (str(tmp_path), None),
    ):
        split = open_dataset(name, data=data)
        np.testing.assert_array_equal(split.train.images, images)
        assert split.test.labels.tolist() == labels[:8].tolist()


def _table(path, header, rows, arff=False):
    lines = [",".join(map(str, row)) for row in rows]
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def _rows(images, labels, first=False):
    flat = images.reshape(len(images), -1).tolist()
    pairs = zip(flat, labels, strict=True)
    return [[label, *pixels] if first else [*pixels, label] for pixels, label in pairs]


NAMES = ",".join(f"pixel{i}" for i in range(36))


@pytest.mark.parametrize("how", ["openml", "quoted", "kaggle", "arff", "zipped", "bom"])
def test_tables(tmp_path, how):
    images, labels = _images(), [str(i % 3 + 8) for i in range(40)]
    images[0, 0, 0] = 255
    path = tmp_path / "mnist_784.csv"
    if how == "openml":
        _table(path, f"{NAMES},class", _rows(images, labels))
    elif how == "quoted":
        quoted = ",".join(f'"{name}"' for name in f"{NAMES},class".split(","))
        _table(path, quoted, _rows(images, [f"'{label}'" for label in labels]))
    elif how == "kaggle":
        _table(path, f"label,{NAMES}", _rows(images, labels, first=True))
    elif how == "zipped":
        _table(path, f"{NAMES},class", _rows(images, labels))
        path = tmp_path / "t.csv.gz"
        path.write_bytes(gzip.compress((tmp_path / "mnist_784.csv").read_bytes()))
    elif how == "bom":
        _table(path, f"\ufeff{NAMES},class", _rows(images, labels))
    else:
        path = tmp_path / "t.arff"
        names = "\n".join(f"@ATTRIBUTE {name} real" for name in NAMES.split(","))
        header = f"% about\n@RELATION x\n{names}\n@ATTRIBUTE class {{8,9,10}}\n@DATA"
        _table(path, header, _rows(images, labels))
    split = open_dataset(str(path))
    assert split.train.classes == ("8", "9", "10")
    for part in (split.train, split.test):
        for image, label, number in zip(part.images, part.labels, part.numbers, strict=True):
            np.testing.assert_array_equal(image, images[number])
            assert part.classes[label] == labels[number]


def test_greys_to_16_and_colour_planes(tmp_path):
    greys = np.arange(40 * 64).reshape(40, 8, 8) % 17
    names = ",".join(f"input{i}" for i in range(64))
    split = open_dataset(
        str(_table(tmp_path / "o.csv", f"{names},class", _rows(greys, [0, 1] * 20)))
    )
    assert split.train.images.max() == 255
    assert split.train.images[0, 0, 1] == np.rint(greys[split.train.numbers[0], 0, 1] * 255 / 16)
    planes = np.random.default_rng(0).integers(0, 256, (40, 3, 4, 4))
    names = ",".join(f"a{i}" for i in range(48))
    split = open_dataset(
        str(_table(tmp_path / "c.csv", f"{names},class", _rows(planes, [0, 1] * 20)))
    )
    assert split.train.images.shape[1:] == (4, 4, 3)
    assert split.train.images[3, 1, 2, 0] == planes[split.train.numbers[3], 0, 1, 2]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "first row has"),
        ("a,b,c,d,kind\n1,2,3,4,x\n", "none of its columns is called class"),
        ("1,2,3,4,0\n1,2,3,4,1\n", "no header line"),
        ("a,class,c,d\n1,2,3,4\n", "in column 2"),
        ("a,b,c,d,class\n1,2,3,4,0\n1,2,0\n", "damaged|row"),
        ("a,b,c,d,class\n1,2,3,-4,0\n", "go from -4"),
        ("a,b,c,d,class\n1,2,3,900,0\n", "to 900"),
        ("a,b,c,d,class\n1,2,?,9,0\n", "damaged"),
        ("a,b,class\n1,2,0\n", "no square picture"),
        ("a,b,c,d,class\n", "first row has 0 cells"),
    ],
)
def test_tables_that_are_none(tmp_path, text, says):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DatasetError, match=says):
        open_dataset(str(tmp_path / "t.csv"))


def test_other_files_and_sparse_tables(tmp_path):
    (tmp_path / "t.arff").write_text("@attribute class {0,1}\n@data\n{0 1}\n")
    with pytest.raises(DatasetError, match="sparse"):
        open_dataset(str(tmp_path / "t.arff"))
    (tmp_path / "t.arff").write_text("@attribute class {0,1}\n")
    with pytest.raises(DatasetError, match="no line @data"):
        open_dataset(str(tmp_path / "t.arff"))
    (tmp_path / "t.mat").touch()
    with pytest.raises(DatasetError, match=r"ends in \.npz, \.csv, \.arff"):
        open_dataset(str(tmp_path / "t.mat"))
