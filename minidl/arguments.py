"""Checks of arguments, so that the same mistake gets the same message everywhere."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from minidl.errors import ArgumentError, ArgumentTypeError

Kind = TypeVar("Kind")


def whole_number(who: str, name: str, value: Any, least: int = 1) -> int:
    """Return a whole number as an int; raise unless it is at least `least`."""
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_whole or value < least:
        raise ArgumentError(
            f"{who}: {name} must be a whole number of at least {least}, got {value!r}."
        )
    return int(value)


def number_within(who: str, name: str, value: Any, low: float, high: float = math.inf) -> float:
    """Return a number in [low, high) as a Python float, which cannot upcast float32."""
    if not isinstance(value, int | float | np.number) or not low <= float(value) < high:
        raise ArgumentError(
            f"{who}: {name} must be a number in [{low:g}, {high:g}), got {value!r}."
        )
    return float(value)


def instance(who: str, name: str, value: Any, kind: type[Kind]) -> Kind:
    """Return `value` if it is an instance of `kind`; a class in its place is the usual mistake."""
    if isinstance(value, kind):
        return value
    if isinstance(value, type):
        raise ArgumentTypeError(
            f"{who}: {name} must be an instance, got the class {value.__name__}: write "
            f"{value.__name__}(...) with its arguments, or {value.__name__}() if it needs none."
        )
    raise ArgumentTypeError(
        f"{who}: {name} must be a {kind.__name__}, got {value!r} of type {type(value).__name__}."
    )
