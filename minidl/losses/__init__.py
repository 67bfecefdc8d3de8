"""Losses: each file is one formula and its gradient."""

from minidl.losses.base import Loss
from minidl.losses.binary_cross_entropy import BinaryCrossEntropy
from minidl.losses.cross_entropy import CrossEntropy
from minidl.losses.mean_squared_error import MeanSquaredError

__all__ = ["BinaryCrossEntropy", "CrossEntropy", "Loss", "MeanSquaredError"]
