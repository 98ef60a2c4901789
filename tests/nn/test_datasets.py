"""Reading and parting data sets."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convtool.errors import DatasetError, ImageReadError
from convtool.nn.datasets import Dataset, open_dataset, stratified
from convtool.nn.datasets.dataset import evenly, sample


def _idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def _write(folder, name, array, zipped=False):
    content = _idx(array)
    path = folder / (f"{name}.gz" if zipped else name)
    path.write_bytes(gzip.compress(content) if zipped else content)
    return path


def _mnist(folder, count=60, zipped=False, prefix=""):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 5, 4)).astype("uint8")
    labels = (np.arange(count) % 3).astype("uint8")
    _write(folder, f"{prefix}train-images-idx3-ubyte", images, zipped)
    _write(folder, f"{prefix}train-labels-idx1-ubyte", labels, zipped)
    return images, labels


def test_digits():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: no digits")
    from sklearn.datasets import load_digits

    split = open_dataset("digits", seed=3)
    assert (len(split.train), len(split.test)) == (1437, 360)
    both = np.concatenate([split.train.images, split.test.images])
    expected = np.rint(load_digits().images * (255 / 16)).astype("uint8")
    assert sorted(image.tobytes() for image in both) == sorted(i.tobytes() for i in expected)
    counts = np.bincount(split.test.labels)
    assert counts.min() >= 34
    assert counts.max() <= 37
    assert split.train.classes == tuple("0123456789")


def test_the_split_of_the_digits_is_fixed_even_and_stratified():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: no digits")
    one, two = open_dataset("digits"), open_dataset("digits")
    assert one.test.images.tobytes() == two.test.images.tobytes()
    assert (len(one.train), len(one.test)) == (1437, 360)
    counts = np.bincount(one.train.labels) + np.bincount(one.test.labels)
    assert np.abs(np.bincount(one.test.labels) - counts / 5).max() < 1


@given(
    labels=st.lists(st.integers(0, 3), min_size=1, max_size=60),
    fraction=st.floats(0, 1, allow_nan=False),
)
def test_evenly_parts_each_class_in_its_share(labels, fraction):
    array = np.array(labels)
    first, second = evenly(array, fraction)
    assert sorted([*first, *second]) == list(range(len(array)))
    assert len(second) == len(stratified(array, fraction, 0)[1])
    for kind in np.unique(array):
        assert abs((array[second] == kind).sum() - fraction * (array == kind).sum()) < 1


@pytest.mark.parametrize("zipped", [False, True])
def test_idx_files(tmp_path, zipped):
    images, _ = _mnist(tmp_path, zipped=zipped)
    split = open_dataset("mnist", data=tmp_path)
    assert (len(split.train), len(split.test)) == (50, 10)
    assert split.train.images.shape == (50, 5, 4)
    assert {i.tobytes() for i in images} >= {i.tobytes() for i in split.test.images}
    _write(tmp_path, "t10k-images-idx3-ubyte", images[:6])
    _write(tmp_path, "t10k-labels-idx1-ubyte", np.array([0, 1, 2, 0, 1, 2], "uint8"))
    split = open_dataset(f"idx:{tmp_path}")
    assert (len(split.train), len(split.test)) == (60, 6)


def test_emnist_letters_stand_upright_and_have_names(tmp_path):
    images, labels = _mnist(tmp_path, prefix="emnist-letters-")
    _write(tmp_path, "emnist-letters-train-labels-idx1-ubyte", labels + 1)
    split = open_dataset(f"idx:{tmp_path}")
    assert split.train.classes == ("A", "B", "C")
    assert split.train.images.shape[1:] == (4, 5)
    assert images[0].T.tobytes() in {
        image.tobytes() for part in (split.train, split.test) for image in part.images
    }


def _break_idx(folder, how):
    images, labels = folder / "train-images-idx3-ubyte", folder / "train-labels-idx1-ubyte"
    if how == "magic":
        images.write_bytes(b"\x89PNG" + images.read_bytes()[4:])
    elif how == "cut":
        images.write_bytes(images.read_bytes()[:-5])
    elif how == "long":
        images.write_bytes(images.read_bytes() + b"x")
    elif how == "swapped":
        images.write_bytes(labels.read_bytes())
    elif how == "huge":
        images.write_bytes(struct.pack(">HBB3I", 0, 8, 3, 2**31, 2**31, 2**31))
    elif how == "cut gzip":
        images.write_bytes(gzip.compress(images.read_bytes())[:-20])
    elif how == "labels":
        _write(folder, labels.name, np.zeros(7, "uint8"))
    elif how == "no labels":
        labels.unlink()
    elif how == "one class":
        _write(folder, labels.name, np.zeros(60, "uint8"))
    elif how == "nothing":
        images.unlink()


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("magic", "magic number"),
        ("cut", "cut off"),
        ("long", "longer than it claims"),
        ("swapped", "1 dimensions, pictures have 3"),
        ("huge", "damaged"),
        ("cut gzip", "cut off"),
        ("labels", "7 labels for 60 pictures"),
        ("no labels", "no labels beside it"),
        ("one class", "of one class"),
        ("nothing", "no IDX files"),
    ],
)
def test_broken_idx_files_are_each_explained(tmp_path, how, says):
    _mnist(tmp_path)
    _break_idx(tmp_path, how)
    with pytest.raises(DatasetError, match=says):
        open_dataset("mnist", data=tmp_path)


def test_cifar10(tmp_path):
    rng = np.random.default_rng(1)
    records = rng.integers(0, 256, (30, 3073)).astype("uint8")
    records[:, 0] = np.arange(30) % 10
    records.tofile(tmp_path / "data_batch_1.bin")
    records[:10].tofile(tmp_path / "test_batch.bin")
    split = open_dataset("cifar10", data=tmp_path)
    assert split.train.images.shape == (30, 32, 32, 3)
    assert split.train.images[4, 2, 3, 1] == records[4, 1 + 1024 + 2 * 32 + 3]
    assert split.test.labels.tolist() == records[:10, 0].tolist()
    assert split.train.classes[3] == "cat"
    (tmp_path / "data_batch_2.bin").write_bytes(b"x" * 100)
    with pytest.raises(DatasetError, match="cut off"):
        open_dataset("cifar10", data=tmp_path)


def _read(path):
    if path.suffix == ".txt":
        raise ImageReadError(f"{path}: not a picture")
    return np.full((6, 5, 3), int(path.stem), "uint8")


def test_a_folder_of_pictures(tmp_path):
    for name in ("cats", "dogs"):
        (tmp_path / name).mkdir()
        for number in range(5):
            (tmp_path / name / f"{number}.png").touch()
    (tmp_path / "dogs" / "notes.txt").touch()
    split = open_dataset(str(tmp_path), read=_read, size=(4, 3))
    assert split.train.classes == ("cats", "dogs")
    assert len(split.train) + len(split.test) == 10
    assert split.train.images.shape[1:] == (4, 3, 3)
    assert len(split.train.names) == len(split.train)
    assert "notes.txt: not a picture" in split.skipped[0]
    gray = open_dataset(str(tmp_path), read=_read, size=(4, 3), gray=True)
    assert gray.train.images.shape[1:] == (4, 3)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="no picture in it; remove it, or name the classes"):
        open_dataset(str(tmp_path), read=_read)


def test_what_is_no_data_set(tmp_path):
    with pytest.raises(DatasetError, match="`data=DIR`"):
        open_dataset("mnist")
    with pytest.raises(DatasetError, match="unknown data set"):
        open_dataset("nothing")
    with pytest.raises(DatasetError, match="an existing folder"):
        open_dataset("nothing", read=_read)
    with pytest.raises(DatasetError, match="one sub-folder"):
        open_dataset(str(tmp_path), read=_read)
    with pytest.raises(DatasetError, match="no such folder"):
        open_dataset("idx:nowhere")


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        (2, [0, 1, 1], "2 pictures, but 3 labels"),
        (0, [], "no pictures"),
        (2, [0, 2], "labels from"),
    ],
)
def test_contradictions(images, labels, says):
    with pytest.raises(DatasetError, match=says):
        Dataset(np.zeros((images, 2, 2), "uint8"), np.array(labels, "int64"), ("a", "b"))


@given(
    st.lists(st.integers(0, 4), min_size=4, max_size=200),
    st.floats(0.05, 0.9),
    st.integers(0, 9),
)
@settings(deadline=None, max_examples=60)
def test_parting_keeps_every_place_once_and_every_share(labels, fraction, seed):
    array = np.array(labels)
    first, second = stratified(array, fraction, seed)
    assert sorted([*first, *second]) == list(range(len(array)))
    wanted = np.ceil(fraction * len(array) - 1e-9)
    assert len(second) <= wanted
    spared = True
    for kind in set(labels):
        share, count = (array[second] == kind).sum(), (array == kind).sum()
        assert abs(share - fraction * count) <= 1
        assert share < count
        spared &= np.floor(fraction * count) + 1 < count
    assert len(second) == wanted or not spared


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=100), st.integers(1, 120), st.integers(0, 9)
)
@settings(deadline=None, max_examples=60)
def test_a_sample_has_every_class_in_its_share(labels, count, seed):
    array = np.array(labels)
    places = sample(array, count, seed)
    assert len(places) == min(count, len(labels))
    assert len(set(places.tolist())) == len(places)
    if count >= len(set(labels)):
        assert set(array[places].tolist()) == set(labels)


class TestOnly:
    """Some of a set's classes."""

    def test_keeps_pictures_names_and_the_order_asked_for(self):
        images = np.arange(6, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)
        data = Dataset(images, np.array([0, 1, 2, 0, 1, 2]), ("a", "b", "c"), tuple("uvwxyz"))
        kept = data.only(["c", "a"])
        assert kept.classes == ("c", "a")
        assert kept.labels.tolist() == [1, 0, 1, 0]
        assert kept.images[:, 0, 0].tolist() == [0, 2, 3, 5]
        assert kept.names == ("u", "w", "x", "z")

    def test_leaves_each_picture_on_its_side(self):
        whole = open_dataset("digits", seed=3)
        part = whole.only(["1", "0"])
        for own, other in ((part.train, whole.train), (part.test, whole.test)):
            chosen = other.labels < 2
            np.testing.assert_array_equal(own.images, other.images[chosen])
            np.testing.assert_array_equal(own.labels, 1 - other.labels[chosen])

    @pytest.mark.parametrize(
        ("classes", "says"),
        [
            (["0"], "one class alone"),
            ([], "one class alone"),
            (["0", "ten"], "no class 'ten': choose 0, 1"),
            (["0", "1", "0"], "named twice"),
        ],
    )
    def test_refuses_what_leaves_nothing_to_tell_apart(self, classes, says):
        with pytest.raises(DatasetError, match=says):
            open_dataset("digits").only(classes)
