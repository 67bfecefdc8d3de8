"""What every initializer is."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from minidl.errors import ArgumentError
from minidl.typing import Array, Shape


class Initializer(ABC):
    """Base of all initializers: a frozen dataclass with one method."""

    @abstractmethod
    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        """Return an array of `shape`.

        Args:
            rng: The generator to draw from.
            shape: Shape of the parameter.
            fan_in: Inputs that one output sums over; None where the layer did not say.
            fan_out: Outputs that one input feeds; None where the layer did not say.
        """

    def _fan(self, fan: int | None, name: str) -> int:
        if fan is None:
            raise ArgumentError(
                f"{self}: needs {name}. Give it in ParameterSpec(..., {name}=...), "
                "or choose an initializer that does not depend on it, such as Normal or Zeros."
            )
        return fan
