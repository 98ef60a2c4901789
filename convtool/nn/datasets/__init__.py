"""Pictures to learn from: named sets, IDX files, CIFAR-10's binary files, folders of pictures.

``SOURCES`` is the registry; :func:`open_dataset` reads one and splits it into what is learned from
and what is judged on.
"""

from convtool.nn.datasets.dataset import Dataset, Split, stratified
from convtool.nn.datasets.sources import SOURCES, Source, open_dataset

__all__ = ["SOURCES", "Dataset", "Source", "Split", "open_dataset", "stratified"]
