"""How numbers are rounded for the page."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minidl.explaining.expressions import Number
from minidl.explaining.tables import Matrix
from minidl.typing import Array

SMALL, LARGE = 1e-4, 1e6  # outside of which numbers are written with a power of ten


class Rounding:
    """Numbers of one data type as texts.

    Args:
        digits: Significant digits of the largest number of an array; and at least so many decimals.
        dtype: Of the model: a number as near to a shorter one as this type can tell is shown as it.
    """

    def __init__(self, digits: int, dtype: np.dtype[Any]) -> None:
        self.digits = digits
        self.tolerance = 8 * float(np.finfo(dtype).eps)
        self.precision = int(np.finfo(dtype).precision)

    def number(self, value: float) -> Number:
        """A number by itself."""
        return Number(self._text(float(value)))

    def probability(self, value: float) -> Number:
        """A number of which the distance to 1 counts, too, as it does for its logarithm."""
        distance = 1 - float(value)
        if not 0 < distance < 0.1:
            return self.number(value)
        places = self.digits - 1 - math.floor(math.log10(distance))
        return Number(_fixed(float(value), min(places, self.precision)))

    def matrix(self, array: Array, *, each: bool = False) -> Matrix:
        """An array as a table: a vector as one row, more axes than two as one row for each first.

        Args:
            array: The numbers.
            each: Round each by itself: where they are divided by each other, small ones count.
        """
        a = np.asarray(array, np.float64)
        table = a.reshape(1, -1) if a.ndim < 2 else a.reshape(len(a), -1)
        largest = float(np.abs(table).max(initial=0))
        if each or (largest and not SMALL <= largest < LARGE):
            texts = [[self._text(float(v)) for v in values] for values in table]
        else:
            table = np.where(np.abs(table) <= self.tolerance * largest, 0, table)
            places = self._decimals(table, largest)
            texts = [[_fixed(float(v), places) for v in values] for values in table]
        return Matrix(tuple(tuple(map(Number, row)) for row in texts), str(a.shape))

    def _text(self, value: float) -> str:
        if value == 0 or SMALL <= abs(value) < LARGE:
            return _fixed(value, self._decimals(np.array([value]), abs(value)))
        mantissa, exponent = f"{value:.{self.digits - 1}e}".split("e")
        if "." in mantissa and abs(float(f"{mantissa}e{exponent}") - value) <= self.tolerance * abs(
            value
        ):
            mantissa = mantissa.rstrip("0").rstrip(".")
        return f"{mantissa}e{exponent}"

    def _decimals(self, values: Array, largest: float) -> int:
        """The fewest decimals that show all values exactly, or else as many as wanted."""
        if not largest:
            return 0
        exponent = math.floor(math.log10(largest))
        wanted = self.digits - 1 - min(exponent, -1)
        most = max(0, min(wanted, self.precision - exponent))
        for places in range(most):
            if np.abs(values.round(places) - values).max() <= self.tolerance * largest:
                return places
        return most


def _fixed(value: float, places: int) -> str:
    if value == 0:
        return "0"
    text = f"{value:.{places}f}"
    return text.removeprefix("-") if float(text) == 0 else text
