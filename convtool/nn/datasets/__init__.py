"""Data sets: named sets, IDX files, CIFAR-10's files, tables, folders of pictures.

``SOURCES`` and ``FILES`` are the registries. :func:`open_dataset` reads a set and splits it into a
training and a test set; :func:`open_sample` reads a few of its pictures.
"""

from convtool.nn.datasets.dataset import Dataset, Split, joined, stratified
from convtool.nn.datasets.opening import open_dataset, open_sample
from convtool.nn.datasets.sources import FILES, SOURCES, Source

__all__ = [
    "FILES",
    "SOURCES",
    "Dataset",
    "Source",
    "Split",
    "joined",
    "open_dataset",
    "open_sample",
    "stratified",
]
