"""Checks of arguments, so that the same mistake gets the same message everywhere."""

from __future__ import annotations

import inspect
import math
from typing import Any, TypeVar

import numpy as np

from minidl.errors import ArgumentError, ArgumentTypeError

Kind = TypeVar("Kind")


def whole_number(who: str, name: str, value: Any, least: int = 1) -> int:
    """Return a whole number as an int; raise unless it is at least `least`."""
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_whole or value < least:
        fix = ""
        if isinstance(value, float | np.floating) and value.is_integer() and value >= least:
            fix = f" It is a float: write {int(value)}, or divide with //."
        raise ArgumentError(
            f"{who}: {name} must be a whole number of at least {least}, got {value!r}.{fix}"
        )
    return int(value)


def flag(who: str, name: str, value: Any) -> bool:
    """Return True or False as a bool; raise for anything else, such as "none", which is true."""
    if not isinstance(value, bool | np.bool_):
        raise ArgumentError(f"{who}: {name} must be True or False, got {value!r}.")
    return bool(value)


def number_within(who: str, name: str, value: Any, low: float, high: float = math.inf) -> float:
    """Return a number in [low, high) as a Python float, which cannot upcast float32."""
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not is_number or not low <= float(value) < high:
        raise ArgumentError(
            f"{who}: {name} must be a number in [{low:g}, {high:g}), got {value!r}."
        )
    return float(value)


def positive_number(who: str, name: str, value: Any) -> float:
    """Return a finite number above 0 as a Python float."""
    number = number_within(who, name, value, 0.0)
    if not number:
        raise ArgumentError(f"{who}: {name} must be above 0, got {value!r}.")
    return number


def instance(who: str, name: str, value: Any, kind: type[Kind]) -> Kind:
    """Return `value` if it is an instance of `kind`; a class in its place is the usual mistake."""
    if isinstance(value, kind):
        return value
    if isinstance(value, type):
        raise ArgumentTypeError(
            f"{who}: {name} must be an instance, got the class {value.__name__}: write "
            f"{value.__name__}(...) with its arguments, or {value.__name__}() if it needs none."
        )
    article = "an" if kind.__name__[0] in "AEIOU" else "a"
    raise ArgumentTypeError(
        f"{who}: {name} must be {article} {kind.__name__}, got {value!r} of type "
        f"{type(value).__name__}."
    )


def instances(who: str, name: str, values: Any, kind: type[Kind], *more: Any) -> list[Kind]:
    """Return the values as a list of instances; to leave out its brackets is the usual mistake."""
    if isinstance(values, kind) or more:
        given = [*([values] if isinstance(values, kind) else values), *more]
        raise ArgumentTypeError(
            f"{who}: expected one list: write {who}([{', '.join(map(repr, given))}])."
        )
    return [instance(who, f"{name} {index}", value, kind) for index, value in enumerate(values)]


def call_text(value: object) -> str:
    """An object as the call that makes it, without arguments that have their defaults."""
    shown = []
    for name, parameter in inspect.signature(type(value)).parameters.items():
        argument = getattr(value, name, "?")
        text = f"array{argument.shape}" if isinstance(argument, np.ndarray) else repr(argument)
        if parameter.default is parameter.empty:
            shown.append(text)
        elif not _same(argument, parameter.default):
            shown.append(f"{name}={text}")
    return f"{type(value).__name__}({', '.join(shown)})"


def _same(value: object, default: object) -> bool:
    return np.array_equal(value, default) if isinstance(value, np.ndarray) else value == default  # type: ignore[arg-type]
