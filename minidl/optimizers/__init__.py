"""Optimizers: each file is one update rule, and in `schedules` one learning rate over the steps."""

from minidl.optimizers.adadelta import Adadelta
from minidl.optimizers.adagrad import Adagrad
from minidl.optimizers.adam import Adam
from minidl.optimizers.adamw import AdamW
from minidl.optimizers.base import Optimizer
from minidl.optimizers.lion import Lion
from minidl.optimizers.nadam import NAdam
from minidl.optimizers.rmsprop import RMSprop
from minidl.optimizers.sgd import SGD

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Lion",
    "NAdam",
    "Optimizer",
    "RMSprop",
]
