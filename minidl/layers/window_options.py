"""Options of layers with windows: checked, and kept as plain numbers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal, TypeVar

import numpy as np

from minidl.arguments import whole_number
from minidl.errors import ArgumentError

Padding = Literal["valid", "same", "causal"] | int | tuple[tuple[int, int], ...]
Checked = TypeVar("Checked")


def plain(option: Any) -> Any:
    """An option as JSON can hold it: NumPy's whole numbers as ints, lists as tuples."""
    if isinstance(option, tuple | list):
        return tuple(map(plain, option))
    return int(option) if isinstance(option, np.integer) else option


def lengths(who: str, name: str, value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """Return one whole number for each axis: `3` and `(3, 3)` mean the same."""
    values = [value] * axes if not isinstance(value, tuple | list) else list(value)
    if len(values) != axes:
        raise ArgumentError(
            f"{who}: {name} must be a whole number, or {axes} of them, got {value!r}."
        )
    return tuple(whole_number(who, name, each) for each in values)


def check_padding(who: str, padding: object, axes: int) -> Padding:
    """Return `padding` if it is "valid", "same", or pairs of whole numbers, one an axis.

    Sequences, with a single axis, have "causal" as well.
    """
    words = ("valid", "same", "causal") if axes == 1 else ("valid", "same")
    if isinstance(padding, str) and padding in words:
        return padding  # type: ignore[return-value]
    pairs = ((padding, padding),) * axes if isinstance(padding, int | np.integer) else padding
    if (
        not isinstance(pairs, tuple | list)
        or len(pairs) != axes
        or not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs)
    ):
        names = ", ".join(f'"{word}"' for word in words)
        raise ArgumentError(
            f"{who}: padding must be {names}, a whole number, or a pair (before, after) "
            f"for each axis such as {((1, 1),) * axes}, got {padding!r}."
        )
    return tuple(
        (whole_number(who, "padding", before, 0), whole_number(who, "padding", after, 0))
        for before, after in pairs
    )


def remembered(check: Callable[..., Checked]) -> Callable[..., Checked]:
    """A check that knows the results of options that it has seen: every pass asks for them."""
    known = functools.lru_cache(maxsize=256, typed=True)(check)

    @functools.wraps(check)
    def answer(*options: Hashable) -> Checked:
        try:
            return known(*options)
        except TypeError:  # such as lists, which can be no keys
            return check(*options)

    return answer
