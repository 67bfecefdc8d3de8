"""Data: MNIST and its file format, digits drawn from pen strokes."""

from minidl.datasets.batches import Batches, batches
from minidl.datasets.idx import read_idx
from minidl.datasets.mnist import load_mnist
from minidl.datasets.synthetic_digits import synthetic_digits

__all__ = ["Batches", "batches", "load_mnist", "read_idx", "synthetic_digits"]
