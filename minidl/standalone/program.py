"""A trained model as a list of steps with their numbers: what both exports write down."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minidl.standalone.formulas import FORMULAS
from minidl.typing import Array, Shape

ROWS_AT_A_TIME, NUMBERS_AT_A_TIME = 256, 2**21


@dataclass(frozen=True)
class Step:
    """One call of a function.

    Attributes:
        function: Its name in `FORMULAS`.
        inputs: Numbers of the values that it takes: 0 is the network's input, k the output of
            step k - 1.
        shape: Shape of its output sample.
        layer: The kind of layer that it comes from, for comments.
        arrays: Weights by the names of arguments, float32 or int8.
        numbers: The other arguments.
    """

    function: str
    inputs: tuple[int, ...]
    shape: Shape
    layer: str
    arrays: dict[str, Array] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Program:
    """Steps from an input to an output, which is the value `result`."""

    input_shape: Shape
    takes_indices: bool
    steps: list[Step]
    result: int

    def shape(self, value: int) -> Shape:
        """Shape of a sample of a value."""
        return self.steps[value - 1].shape if value else self.input_shape

    def size(self, value: int) -> int:
        """How many numbers a sample of a value has."""
        return math.prod(self.shape(value))

    @property
    def weight_bytes(self) -> int:
        """Bytes of all weights."""
        return sum(array.nbytes for step in self.steps for array in step.arrays.values())

    @property
    def rows_at_a_time(self) -> int:
        """How many rows a pass takes, so that no value in it is large."""
        largest = max(self.size(value) for value in range(len(self.steps) + 1))
        return max(1, min(ROWS_AT_A_TIME, NUMBERS_AT_A_TIME // largest))

    def run(self, x: Array) -> Array:
        """Compute the outputs in float32, by the formulas."""
        return in_parts(self._run, x, self.rows_at_a_time)

    def _run(self, x: Array) -> Array:
        values = [x if self.takes_indices else x.astype(np.float32)]
        for step in self.steps:
            inputs = [values[i] for i in step.inputs]
            values.append(FORMULAS[step.function](*inputs, **step.arrays, **step.numbers))
        return values[self.result]


def in_parts(predict: Callable[[Array], Array], x: Array, rows: int) -> Array:
    """Compute outputs a few rows at a time, so that large data needs little memory."""
    parts = [x[i : i + rows] for i in range(0, len(x), rows)]
    return np.concatenate([predict(part) for part in parts])
