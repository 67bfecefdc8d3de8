"""Data: batches of arrays, files and samples, splits, MNIST and its relatives, drawn digits."""

from minidl.datasets.batches import Batches, batches
from minidl.datasets.csv_batches import csv_batches
from minidl.datasets.csv_source import CsvBatches
from minidl.datasets.emnist import load_emnist
from minidl.datasets.fashion_mnist import load_fashion_mnist
from minidl.datasets.idx import read_idx
from minidl.datasets.kmnist import load_kmnist
from minidl.datasets.mnist import load_mnist
from minidl.datasets.prefetch import Prefetched, prefetch
from minidl.datasets.sample_batches import SampleBatches
from minidl.datasets.stratified_split import stratified_split
from minidl.datasets.synthetic_digits import synthetic_digits

__all__ = [
    "Batches",
    "CsvBatches",
    "Prefetched",
    "SampleBatches",
    "batches",
    "csv_batches",
    "load_emnist",
    "load_fashion_mnist",
    "load_kmnist",
    "load_mnist",
    "prefetch",
    "read_idx",
    "stratified_split",
    "synthetic_digits",
]
