"""Optimizers: each file is one update rule."""

from minidl.optimizers.adam import Adam
from minidl.optimizers.base import Optimizer
from minidl.optimizers.sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer"]
