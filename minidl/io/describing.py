"""Layers as plain data: each is its class's name and the arguments of its constructor.

    {"class": "Dense", "arguments": {"units": 10, "weight_initializer": {"class": "HeNormal", ...}}}

A class of a user's own says `"own": true`. What JSON lacks is written as an object with one key,
`{"tuple": [...]}`, `{"dict": {...}}`, `{"float": "nan"}`, and an array as
`{"array": [...], "shape": [...], "dtype": "float64"}`.
"""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np

from minidl.containers import Sequential
from minidl.errors import ArgumentError
from minidl.io.known_classes import Describable, is_known
from minidl.io.strict_json import shortened
from minidl.layers import Layer


class Describer:
    """Turns layers, initializers, penalties and constraints into data for JSON.

    Attributes:
        own: The classes in them that are not minidl's, by name.
    """

    def __init__(self) -> None:
        self.own: dict[str, type] = {}

    def description(self, thing: Describable, who: str = "save") -> dict[str, Any]:
        """Return a thing as its class's name and its arguments."""
        kind = type(thing)
        if isinstance(thing, Layer):
            arguments, who = thing.config(), thing.where
            _check_no_more(thing)
        else:
            who = f"{who}: {kind.__name__}"
            arguments = _arguments(thing, who)
        plain = {
            name: self._plain(value, f"{who}: the argument {name!r}")
            for name, value in arguments.items()
        }
        if is_known(kind):
            return {"class": kind.__name__, "arguments": plain}
        if self.own.setdefault(kind.__name__, kind) is not kind:
            raise ArgumentError(
                f"{who}: the model has two classes {kind.__name__}, from {kind.__module__} and "
                f"{self.own[kind.__name__].__module__}. Rename one of them."
            )
        return {"class": kind.__name__, "own": True, "arguments": plain}

    def _plain(self, value: Any, who: str) -> Any:
        if isinstance(value, Describable):
            return self.description(value, who)
        if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
            flat = [self._plain(number, who) for number in value.ravel().tolist()]
            return {"array": flat, "shape": list(value.shape), "dtype": value.dtype.name}
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, float) and not math.isfinite(value):
            return {"float": str(value)}
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, list):
            return [self._plain(item, who) for item in value]
        if isinstance(value, tuple):
            return {"tuple": [self._plain(item, who) for item in value]}
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return {"dict": {key: self._plain(item, who) for key, item in value.items()}}
        raise ArgumentError(
            f"{who} is {shortened(repr(value), 200)}, which a model file cannot hold: it holds "
            "numbers, texts, None, arrays, lists, tuples and dicts of these, layers, initializers, "
            "penalties and constraints."
        )


def _check_no_more(layer: Layer) -> None:
    """Raise if a layer was given arguments by their places alone: they would be lost."""
    constructor: object = type(layer).__init__
    if constructor is Sequential.__init__:  # it refuses them itself
        return
    for name, parameter in inspect.signature(type(layer)).parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL and getattr(layer, name, None) != ():
            raise ArgumentError(
                f"{layer.where}: a model file cannot hold what its constructor takes as *{name}. "
                f"Take a list, {name}, and keep it as self.{name}."
            )


def _arguments(thing: Describable, who: str) -> dict[str, Any]:
    names = inspect.signature(type(thing)).parameters
    missing = [name for name in names if not hasattr(thing, name)]
    if missing:
        raise ArgumentError(
            f"{who}: keeps no attribute {missing[0]!r}. Make it a frozen dataclass, or keep each "
            "argument under its own name."
        )
    return {name: getattr(thing, name) for name in names}
