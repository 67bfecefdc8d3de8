"""What happened in training, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from minidl.errors import ArgumentTypeError
from minidl.typing import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class History(Mapping[str, Array]):
    """Arrays by name, one value an epoch: `loss`, each metric, `val_...`, `seconds`.

    A name that was not measured in an epoch has NaN there.

    Attributes:
        stopped: Why training ended before its last epoch, or an empty string.

    Example:
        >>> history = History()
        >>> history.append({"loss": 0.5, "seconds": 0.1})
        >>> history.append({"loss": 0.4, "seconds": 0.1})
        >>> history["loss"], history.epochs
        (array([0.5, 0.4]), 2)
    """

    def __init__(self) -> None:
        self._columns: dict[str, list[float]] = {}
        self.epochs = 0
        self.stopped = ""

    def append(self, values: Mapping[str, float]) -> None:
        """Add the values of one epoch."""
        numbers = {name: _number(name, value) for name, value in values.items()}
        for name in numbers:
            self._columns.setdefault(name, [math.nan] * self.epochs)
        for name, column in self._columns.items():
            column.append(numbers.get(name, math.nan))
        self.epochs += 1

    def last(self) -> dict[str, float]:
        """The values of the last epoch, by name."""
        return {name: column[-1] for name, column in self._columns.items() if column}

    def __getitem__(self, name: str) -> Array:
        if name not in self._columns:
            known = ", ".join(self._columns) or "nothing yet"
            raise KeyError(f"History has no {name!r}, only {known}")
        return np.array(self._columns[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        values = ", ".join(f"{name} {value:.4g}" for name, value in self.last().items())
        return f"History({self.epochs} epochs; last: {values or 'none'})"

    def plot(self) -> Figure:
        """Draw the training curves.

        Example:
            >>> history = History()
            >>> history.append({"loss": 0.5, "val_loss": 0.6})
            >>> history.append({"loss": 0.4, "val_loss": 0.5})
            >>> figure = history.plot()
        """
        from minidl.plotting import plot_history

        return plot_history(self)


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise ArgumentTypeError(
            f"History: {name!r} must be one number an epoch, got {value!r} of type "
            f"{type(value).__name__}."
        ) from error
