"""The closed list of classes and functions that a config file can name: minidl's own."""

from __future__ import annotations

import inspect
from typing import Any

from minidl import augmentation, losses, metrics, optimizers, training
from minidl.io.known_classes import known_classes
from minidl.optimizers import schedules

ROOMS = (losses, optimizers, schedules, augmentation, training)  # beside those of model files
NO_KIND = {training.Callback}  # a base that is not abstract
NO_NUMBERS = {"Metric", "confusion_matrix"}  # what `metrics` has beside functions that give numbers


def kinds_of(base: type) -> dict[str, Any]:
    """The classes of one kind, such as all layers, by name."""
    public = known_classes() | {
        name: getattr(room, name) for room in ROOMS for name in room.__all__
    }
    return {
        name: value
        for name, value in public.items()
        if inspect.isclass(value)
        and issubclass(value, base)
        and not inspect.isabstract(value)
        and value not in NO_KIND
    }


def metric_functions() -> dict[str, Any]:
    """The metric functions by name."""
    return {name: getattr(metrics, name) for name in metrics.__all__ if name not in NO_NUMBERS}
