"""Schedules: the learning rate as a function of the step."""

from minidl.optimizers.schedules.base import Schedule
from minidl.optimizers.schedules.cosine_decay import CosineDecay
from minidl.optimizers.schedules.cosine_restarts import CosineRestarts
from minidl.optimizers.schedules.exponential_decay import ExponentialDecay
from minidl.optimizers.schedules.one_cycle import OneCycle
from minidl.optimizers.schedules.polynomial_decay import PolynomialDecay
from minidl.optimizers.schedules.step_decay import StepDecay
from minidl.optimizers.schedules.warm_up import WarmUp

__all__ = [
    "CosineDecay",
    "CosineRestarts",
    "ExponentialDecay",
    "OneCycle",
    "PolynomialDecay",
    "Schedule",
    "StepDecay",
    "WarmUp",
]
