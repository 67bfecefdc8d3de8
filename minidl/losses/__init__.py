"""Losses: each file is one formula and its gradient."""

from minidl.losses.base import Loss
from minidl.losses.binary_cross_entropy import BinaryCrossEntropy
from minidl.losses.class_weights import class_weights
from minidl.losses.cross_entropy import CrossEntropy
from minidl.losses.hinge import Hinge
from minidl.losses.huber import Huber
from minidl.losses.kl_divergence import KLDivergence
from minidl.losses.mean_absolute_error import MeanAbsoluteError
from minidl.losses.mean_squared_error import MeanSquaredError
from minidl.losses.poisson import Poisson
from minidl.losses.quantile import Quantile

__all__ = [
    "BinaryCrossEntropy",
    "CrossEntropy",
    "Hinge",
    "Huber",
    "KLDivergence",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Poisson",
    "Quantile",
    "class_weights",
]
