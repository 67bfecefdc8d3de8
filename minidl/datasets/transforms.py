"""Functions `(x, y) -> (x, y)` that batches pass through, such as augmentation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np

from minidl.datasets.generators import known_generators
from minidl.errors import ArgumentTypeError, DataError
from minidl.typing import Array

Transform: TypeAlias = Callable[[Array, Array], tuple[Array, Array]]


class Transforms:
    """Some transforms, called one after the other; none is as good as any number.

    Args:
        who: Whose argument it is, for messages.
        transform: One function, several, or None.
    """

    def __init__(self, who: str, transform: Transform | Iterable[Transform] | None) -> None:
        self._who = who
        several = isinstance(transform, Iterable) and not callable(transform)
        given: Any = transform if several else [transform]
        self._functions: list[Any] = [] if transform is None else list(given)
        for function in self._functions:
            if not callable(function) or isinstance(function, type):
                raise ArgumentTypeError(
                    f"{who}: transform must be a function (x, y) -> (x, y) or a list of such, got "
                    f"{function!r}."
                )

    def __bool__(self) -> bool:
        return bool(self._functions)

    @property
    def generators(self) -> list[np.random.Generator]:
        """What those of the transforms draw from that tell."""
        return known_generators(*self._functions)

    def __call__(self, batch: tuple[Array, ...]) -> tuple[Array, ...]:
        """Transform x and y of a batch; weights behind them stay as they are."""
        for function in self._functions:
            if len(batch) < 2:
                raise DataError(f"{self._who}: transform takes x and y; these samples have no y.")
            pair = function(*batch[:2])
            if not isinstance(pair, tuple) or len(pair) != 2 or _rows(pair[0]) != _rows(pair[1]):
                raise DataError(
                    f"{self._who}: transform {_name(function)} must return a tuple (x, y) with as "
                    f"many rows in x as in y, got {_shapes(pair)}."
                )
            batch = (*pair, *batch[2:])
        return batch


def _rows(a: Any) -> Any:
    return np.shape(a)[:1]  # sparse rows have no len()


def _name(function: Any) -> str:
    return getattr(function, "__name__", None) or repr(function)


def _shapes(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_shapes, value))})"
    return f"{type(value).__name__} {value.shape}" if hasattr(value, "shape") else repr(value)
