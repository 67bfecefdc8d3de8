"""Layers from plain data, as `describing` writes them: only known classes are ever called."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from minidl.io.known_classes import known_classes
from minidl.io.strict_json import shortened
from minidl.layers import Layer

MOST_WORK = 2**16  # layers and initializers, each times how deep it is: what building takes
DEEPEST = 64  # arguments inside arguments; a Sequential and its list count as two
DTYPES = {f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)}
DTYPES |= {"bool", "float16", "float32", "float64"}


class Maker:
    """Makes layers from data; for data that describe none it raises an error of any kind.

    Args:
        own: The user's own classes by name.
    """

    def __init__(self, own: Mapping[str, type]) -> None:
        self._own, self._work = own, 0
        self._arguments: dict[type, set[str]] = {}  # to ask each class once

    def layer(self, data: Any) -> Layer:
        """Make an unbuilt layer with all that is inside it."""
        made = self._value(data, DEEPEST)
        if not isinstance(made, Layer):
            raise ValueError(f"its architecture is {_short(made)}, not a layer")
        return made

    def _value(self, data: Any, depth: int) -> Any:
        if depth < 0:
            raise ValueError(f"its architecture is nested more than {DEEPEST} deep")
        if data is None or isinstance(data, bool | int | float | str):
            return data
        if isinstance(data, list):
            return [self._value(item, depth - 1) for item in data]
        match data:
            case {"class": str(name), "arguments": dict(arguments)} if len(data) == 2:
                return self._object(name, False, arguments, depth)
            case {"class": str(name), "own": True, "arguments": dict(arguments)} if len(data) == 3:
                return self._object(name, True, arguments, depth)
            case {"tuple": list(items)} if len(data) == 1:
                return tuple(self._value(items, depth))
            case {"dict": dict(items)} if len(data) == 1:
                return {key: self._value(item, depth - 1) for key, item in items.items()}
            case {"float": "nan" | "inf" | "-inf" as text} if len(data) == 1:
                return float(text)
            case {"array": list(items), "shape": list(shape), "dtype": str(dtype)} if (
                len(data) == 3 and dtype in DTYPES
            ):
                flat = np.array([self._value(item, 0) for item in items], dtype)
                return flat.reshape(shape)
        raise ValueError(f"its architecture has {_short(data)}, which stands for nothing")

    def _object(self, name: str, own: bool, arguments: dict[str, Any], depth: int) -> Any:
        self._work += DEEPEST + 1 - depth
        if self._work > MOST_WORK:
            raise ValueError("it has too many layers, or too many inside each other")
        kind = (self._own if own else known_classes()).get(name)
        if kind is None and own:
            raise ValueError(
                f"it has {name!r}, a class of its author's own. If you have it: "
                f"dl.load(path, layers={{{name!r}: {name}}})"
            )
        if kind is None:
            raise ValueError(f"it has {name!r}, a class that this version of minidl does not have")
        if kind not in self._arguments:
            parameters = inspect.signature(kind).parameters.values()
            self._arguments[kind] = {p.name for p in parameters if p.kind != p.VAR_POSITIONAL}
        if unknown := sorted(arguments.keys() - self._arguments[kind]):
            raise ValueError(f"{name} takes no argument {_short(unknown[0])}")
        return kind(**{key: self._value(item, depth - 1) for key, item in arguments.items()})


def _short(data: Any) -> str:
    return shortened(repr(data), 80)
