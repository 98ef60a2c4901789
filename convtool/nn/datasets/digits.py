"""scikit-learn's handwritten digits: 1,797 pictures of 8×8.

References
----------
Alpaydin, Kaynak (1998): Optical recognition of handwritten digits. UCI Machine Learning Repository.
"""

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from convtool.errors import DatasetError
from convtool.nn.datasets.dataset import Dataset
from convtool.nn.datasets.limits import opened

_FILE = "datasets/data/digits.csv.gz"


def read_digits() -> Dataset:
    """Return the digits, their 17 grey levels scaled to 0 to 255.

    The file is read from scikit-learn's folder, without importing scikit-learn.

    Raises
    ------
    DatasetError
        If scikit-learn is not installed.
    """
    found = find_spec("sklearn")
    if found is None or not found.submodule_search_locations:
        raise DatasetError("the digits come with scikit-learn: install scikit-learn")
    path = Path(found.submodule_search_locations[0]) / _FILE
    with opened(path) as packed, gzip.open(packed, "rt", encoding="ascii") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.int64)
    images = np.rint(table[:, :64] * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8)
    return Dataset(images, table[:, 64], tuple("0123456789"))
